"""Sessions and messages as one viewer reads them: the rows behind a list, a thread and a sync, in a bounded number of queries."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet, prefetch_related_objects

from chat.models import ChatSession, Message, Participant, Person
from chat.rows import MessageRow, ParticipantRow, PersonRow, SessionRow
from chat.shapes import Shape, message_shape, session_shape
from samia_chat.access import Person as Viewer

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
    ids = [session.pk for session in sessions]
    participants = list(Participant.objects.filter(session_id__in=ids).order_by("joined_at", "id"))
    people = Person.objects.in_bulk({participant.user_id for participant in participants})
    newest = with_files(Message.objects.raw(_NEWEST, [ids, [session.state.last_seq for session in sessions]]))
    return shapes_of(sessions, participants, people.values(), newest, viewer)


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


def message_page(
    session_id: UUID,
    *,
    last_seq: int,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
    limit: int = PAGE,
) -> tuple[list[Shape], bool]:
    """Published messages of a session in order of seq, and whether there are more that way.

    Without bounds those up to `last_seq`; `before` a seq the ones just before it, `after` the ones just after it, `around` it
    the ones on both sides, and it in their middle. Numbers have no holes, so a page is a range of them: with both ends named
    PostgreSQL never reads a long thread for one page of it.
    """
    rows = Message.objects.filter(session_id=session_id, seq__isnull=False)
    if after is not None:
        rows, end = rows.filter(seq__gt=after).order_by("seq"), after + limit + 1
        found = _filled(rows.filter(seq__lte=end), rows.filter(seq__gt=end), limit + 1)
        return _shapes(found[:limit]), len(found) > limit
    upper = last_seq + 1 if before is None else before
    if around is not None:
        upper = min(around + limit // 2, last_seq) + 1
    rows, lower = rows.filter(seq__lt=upper).order_by("-seq"), upper - limit - 1
    found = _filled(rows.filter(seq__gte=lower), rows.filter(seq__lt=lower), limit + 1)
    return _shapes(reversed(found[:limit])), len(found) > limit


def _shapes(messages: Iterable[Message]) -> list[Shape]:
    return [message_shape(message) for message in with_files(messages)]


def _filled(near: QuerySet[Message], far: QuerySet[Message], size: int) -> list[Message]:
    """`size` rows of `near`; where it has fewer, because something was purged or the thread ends, the rest of `far`."""
    found = list(near[:size])
    if len(found) < size and not (found and found[-1].seq == 1):
        found += far[: size - len(found)]
    return found


def unpublished(session_ids: list[UUID]) -> dict[UUID, list[Shape]]:
    """Held messages that the viewer may see: his own, for staff all."""
    found: dict[UUID, list[Shape]] = {}
    held = Message.objects.filter(session_id__in=session_ids, seq__isnull=True).order_by("created_at", "id")
    for message in with_files(held):
        found.setdefault(message.session_id, []).append(message_shape(message))
    return found
