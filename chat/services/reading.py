"""Sessions and messages as one viewer reads them: the rows behind a list, a thread and a sync, in a bounded number of queries."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet, prefetch_related_objects

from chat.models import ChatSession, Message, Participant, Person
from chat.rows import MessageRow, ParticipantRow, PersonRow, SessionRow, decode_thread
from chat.services.session import record_looks, refuse_archived
from chat.shapes import Shape, message_shape, session_shape
from samia_chat.access import Person as Viewer
from samia_chat.errors import NotFound

PAGE = 50
# LATERAL in the order of seq: one lookup in that index for each session. Left to itself, PostgreSQL reads all messages of all
# of them, or under row-level security takes another index and reads all of each.
_NEWEST = """
SELECT m.* FROM unnest(%s::uuid[], %s::bigint[]) AS wanted (session_id, seq)
  CROSS JOIN LATERAL (
    SELECT * FROM chat_messages c WHERE c.session_id = wanted.session_id AND c.seq <= wanted.seq
     ORDER BY c.seq DESC LIMIT 1) m
"""


def with_state(sessions: QuerySet[ChatSession]) -> QuerySet[ChatSession]:
    return sessions.select_related("state", "booking")


def session_shapes(sessions: Iterable[ChatSession], viewer: Viewer) -> list[Shape]:
    """The shapes of sessions that were read with `with_state`, in their order; three queries whatever their number.

    Each carries the revision read with it, before the rows that follow: whoever syncs from there misses nothing.
    """
    sessions = list(sessions)
    participants, people = _members(sessions)
    ids = [session.pk for session in sessions]
    newest = with_files(Message.objects.raw(_NEWEST, [ids, [session.state.last_seq for session in sessions]]))
    return shapes_of(sessions, participants, people, newest, viewer)


def named_shapes(sessions: Iterable[ChatSession], viewer: Viewer) -> list[Shape]:
    """The same for a page that names sessions and shows nothing of what was said: without the last message. Two queries.

    No content is read, so staff leave no record of having looked.
    """
    sessions = list(sessions)
    return shapes_of(sessions, *_members(sessions), [], viewer)


def _members(sessions: list[ChatSession]) -> tuple[list[Participant], list[Person]]:
    """The memberships of these sessions, and whose they are."""
    ids = [session.pk for session in sessions]
    participants = list(Participant.objects.filter(session_id__in=ids).order_by("joined_at", "id"))
    people = Person.objects.in_bulk({participant.user_id for participant in participants})
    return participants, list(people.values())


def shapes_of(
    sessions: Iterable[ChatSession | SessionRow],
    participants: Iterable[Participant | ParticipantRow],
    people: Iterable[Person | PersonRow],
    newest: Iterable[Message | MessageRow],
    viewer: Viewer,
) -> list[Shape]:
    """The shapes of these sessions, from rows that were read for all of them together."""
    members: dict[UUID, list[Participant | ParticipantRow]] = {}
    for participant in participants:
        members.setdefault(participant.session_id, []).append(participant)
    known = {person.pk: person for person in people}
    last = {message.session_id: message for message in newest}
    return [
        session_shape(
            session,
            revision=session.state.revision,
            participants=members.get(session.pk, []),
            people=known,
            last_message=last.get(session.pk),
            viewer_id=viewer.pk,
        )
        for session in sessions
    ]


def with_files(messages: Iterable[Message]) -> list[Message]:
    """The messages with their files read: one query more where any has one. Who may not see a file finds None."""
    found = list(messages)
    with_one = [message for message in found if message.file_id is not None and message.deleted_at is None]
    if with_one:
        prefetch_related_objects(with_one, "file")
    return found


@transaction.atomic(savepoint=False)  # reads only, but for the record of staff's looks
def thread_page(
    viewer: Viewer,
    session_id: UUID,
    *,
    before: int | None = None,
    after: int | None = None,
    around: UUID | None = None,
    limit: int = PAGE,
    with_unpublished: bool = True,
) -> Shape:
    """A page of a session's thread. Staff who are not in it leave a record.

    {"results": published messages in order of seq, "unpublished": held ones that the viewer may see (his own; for staff
    all), "revision": of the session, read with them, "has_more": whether there are more that way}

    Without bounds it is the newest page; `before` a seq the ones just before it, `after` the ones just after it, `around` a
    message's id the ones on both sides, and it in their middle. All in one query.

    Raises NotFound, and WrongSessionState for members of an archived session, which only staff read.
    """
    with connection.cursor() as cursor:
        arguments = [session_id, before, after, around, limit, with_unpublished]
        cursor.execute("SELECT coalesce(app.thread_page(%s, %s, %s, %s, %s, %s)::text, 'null')", arguments)
        found = decode_thread(cursor.fetchone()[0])
    if found is None:
        raise NotFound
    refuse_archived(viewer, found.status)  # before what is not found because its content is not for him
    if found.last is None:
        raise NotFound
    record_looks(viewer, [session_id])
    has_more = len(found.messages) > limit
    # The one too many is the farthest.
    results = found.messages[:limit] if after is not None else found.messages[-limit:]
    return {
        "results": [message_shape(message) for message in results],
        "unpublished": [message_shape(message) for message in found.unpublished],
        "revision": found.revision,
        "has_more": has_more,
    }
