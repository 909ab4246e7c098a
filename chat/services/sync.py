"""Bringing a client level: what has changed since the revisions it holds. REST and the socket's `resume` are one service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from chat.access import SESSIONS
from chat.models import ChatSession, Message, Participant
from chat.services.reading import PAGE, session_shapes, unpublished, with_state
from chat.services.session import record_looks
from chat.shapes import Shape, message_shape
from samia_chat.access import Person, is_staff

MAX_NAMED = 1000  # sessions a client may name in one request
MAX_SESSIONS = 50  # sessions in one answer
MAX_MESSAGES = 500  # messages in one answer; of one session its share of them, and at least a page
MAX_TEXT = 1_000_000  # bytes of their text: a page of the longest messages


@dataclass(frozen=True)
class Held:
    """What a client holds: {session: revision}, of the sessions after the id `after` and up to the id `up_to`.

    Somebody who holds more than MAX_NAMED asks in slices, each with what is held between two ids. What is new to him lies
    in one of them, so that nothing is missed and no answer repeats what another slice has.
    """

    revisions: dict[UUID, int]
    after: UUID | None = None
    up_to: UUID | None = None

    def in_range(self) -> dict[UUID, int]:
        return {session: revision for session, revision in self.revisions.items() if self._has(session)}

    def _has(self, session: UUID) -> bool:
        return (self.after is None or session > self.after) and (self.up_to is None or session <= self.up_to)

    def as_filter(self) -> Q:
        after = Q() if self.after is None else Q(pk__gt=self.after)
        return after if self.up_to is None else after & Q(pk__lte=self.up_to)


@dataclass(frozen=True)
class Waiting:
    """A message that an answer may carry. Its text is not read before it is known to fit."""

    id: UUID
    revision: int
    size: int  # bytes of its text


@dataclass
class Room:
    """What an answer has left. Its first session always gets something, however little that is: so asking again goes on."""

    messages: int
    text: int

    def take(self, messages: int, text: int) -> None:
        self.messages -= messages
        self.text -= text

    def has(self, messages: int, text: int) -> bool:
        return messages <= self.messages and text <= self.text

    def fitting(self, waiting: list[Waiting], extra: int) -> list[Waiting]:
        """As many from the beginning as there is room for beside `extra` bytes."""
        count, text = 0, extra
        while count < len(waiting) and self.has(count + 1, text + waiting[count].size):
            text += waiting[count].size
            count += 1
        return waiting[:count]


@transaction.atomic
def sync(*, viewer: Person, held: Held) -> Shape:
    """What makes a client that holds these sessions at these revisions level with the rows.

    {"sessions": [{"session", "revision", "messages", "unpublished", "more", "reset"}], "cursors", "gone": [ids], "more"}

    A session that is new to the client begins with its newest page; so does one that the client holds ahead of us (a
    restored backup), with `reset`. `more` of a session: ask again with the revision given. `more` of the answer: further
    sessions are waiting; ask again with what is held then. Of ids that he may not see nothing is said but that. Every
    answer with `more` has moved at least one session on.

    Receipts have no revision, so the `cursors` of sessions that are level otherwise are told whole:
    {session: {"unread": number or None, "users": {user: [delivered, seen, read]}}}.
    """
    named = held.in_range()
    heads = _heads(viewer, held)
    due = [session for session, revision in heads.items() if named.get(session) != revision]
    level = [session for session, revision in heads.items() if named.get(session) == revision]
    entries = _entries(viewer, due[:MAX_SESSIONS], named)
    record_looks(viewer, [entry["session"]["id"] for entry in entries if entry["session"]["id"] in named])
    return {
        "sessions": entries,
        "cursors": _cursors(viewer, level),
        "gone": [session for session in named if session not in heads],
        "more": len(due) > len(entries),
    }


def _heads(viewer: Person, held: Held) -> dict[UUID, int]:
    """The revisions of all sessions that concern this client, those with the latest activity first.

    Those are his own; staff also name sessions they look into.
    """
    concerned = Q(pk__in=Participant.objects.filter(user=viewer.pk, left_at__isnull=True).values("session_id"))
    if is_staff(viewer):
        concerned |= Q(pk__in=list(held.revisions))
    rows = SESSIONS.scope(viewer).filter(concerned, held.as_filter()).order_by("-active_at", "-id")
    return dict(rows.values_list("pk", "state__revision"))


def _entries(viewer: Person, sessions: list[UUID], held: dict[UUID, int]) -> list[Shape]:
    """Entries of the first of these sessions: as many as one answer has room for."""
    rows = {session.pk: session for session in with_state(ChatSession.objects.filter(pk__in=sessions))}
    shapes = session_shapes([rows[session] for session in sessions if session in rows], viewer)
    share = max(PAGE, MAX_MESSAGES // max(1, len(sessions)))
    since = {s["id"]: held[s["id"]] for s in shapes if s["id"] in held and held[s["id"]] <= s["revision"]}
    waiting = _changed(since, share + 1) | _newest([shape["id"] for shape in shapes if shape["id"] not in since])
    held_back = unpublished([shape["id"] for shape in shapes])
    room = Room(MAX_MESSAGES, MAX_TEXT)
    entries: list[Shape] = []
    for shape in shapes:
        session, besides = shape["id"], held_back.get(shape["id"], [])
        extra = sum(_size(message) for message in [*besides, shape["last_message"]] if message)
        changed = waiting.get(session, [])
        # A thread that is new to the client begins with its page and not with less.
        chosen = (room.fitting(changed[:share], extra) or changed[:1]) if session in since else changed
        text = extra + sum(message.size for message in chosen)
        if entries and not room.has(len(chosen), text):
            break
        room.take(len(chosen), text)
        is_cut = len(chosen) < len(changed)
        entries.append(
            {
                "session": shape,
                # Where a page of changes ends, the client stands at its last change, as it was when that was chosen.
                "revision": chosen[-1].revision if is_cut else shape["revision"],
                "messages": [message.id for message in chosen],
                "unpublished": besides,
                "more": is_cut,
                "reset": session in held and session not in since,
            }
        )
    return _with_messages(entries)


def _with_messages(entries: list[Shape]) -> list[Shape]:
    """The entries with messages in the place of their ids."""
    found = Message.objects.in_bulk([message for entry in entries for message in entry["messages"]])
    for entry in entries:
        entry["messages"] = [message_shape(found[message]) for message in entry["messages"] if message in found]
    return entries


def _size(message: Shape) -> int:
    return len(message["content"].encode())


def _cursors(viewer: Person, sessions: list[UUID]) -> Shape:
    found: Shape = {}
    rows = Participant.objects.filter(session_id__in=sessions, left_at__isnull=True).select_related("session__state")
    for row in rows:
        entry = found.setdefault(str(row.session_id), {"unread": None, "users": {}})
        entry["users"][str(row.user_id)] = [row.delivered_seq, row.seen_seq, row.read_seq]
        if row.user_id == viewer.pk:
            entry["unread"] = row.unread(row.session.state.last_seq)
    return found


def _changed(since: dict[UUID, int], limit: int) -> dict[UUID, list[Waiting]]:
    """The first `limit` messages of each session that changed after a revision, by revision."""
    return _waiting(
        """
        SELECT h.session, m.id, m.revision, octet_length(m.content)
          FROM unnest(%s::uuid[], %s::bigint[]) AS h (session, since), LATERAL (
            SELECT id, revision, content FROM chat_messages
             WHERE session_id = h.session AND revision > h.since ORDER BY revision LIMIT %s) m
         ORDER BY h.session, m.revision
        """,
        [list(since), list(since.values()), limit],
    )


def _newest(sessions: list[UUID]) -> dict[UUID, list[Waiting]]:
    """The newest page of each session, by seq."""
    return _waiting(
        """
        SELECT h.session, m.id, m.revision, octet_length(m.content)
          FROM unnest(%s::uuid[]) AS h (session), LATERAL (
            SELECT id, seq, revision, content FROM chat_messages
             WHERE session_id = h.session AND seq IS NOT NULL ORDER BY seq DESC LIMIT %s) m
         ORDER BY h.session, m.seq
        """,
        [sessions, PAGE],
    )


def _waiting(query: str, arguments: list[Any]) -> dict[UUID, list[Waiting]]:
    found: dict[UUID, list[Waiting]] = {}
    if arguments[0]:
        with connection.cursor() as cursor:
            cursor.execute(query, arguments)
            for session, *message in cursor:
                found.setdefault(session, []).append(Waiting(*message))
    return found
