"""Bringing a client level: what has changed since the revisions it holds. REST and the socket's `resume` are one service."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import msgspec
from django.db import connection, transaction

from chat.models import Message
from chat.rows import Found, MessageRow, WaitingRow, decode_found
from chat.services.reading import PAGE, shapes_of, with_files
from chat.services.session import record_looks
from chat.shapes import Shape, message_shape, unread
from samia_chat.access import Person

MAX_NAMED = 1000  # sessions a client may name in one request
MAX_SESSIONS = 50  # sessions in one answer
MAX_MESSAGES = 500  # messages in one answer; of one session its share of them, and at least a page
MAX_TEXT = 1_000_000  # bytes of their text: a page of the longest messages

M = TypeVar("M", bound=WaitingRow)


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

    def fitting(self, waiting: list[WaitingRow], extra: int) -> list[WaitingRow]:
        """As many from the beginning as there is room for beside `extra` bytes."""
        count, text = 0, extra
        while count < len(waiting) and self.has(count + 1, text + waiting[count].size):
            text += waiting[count].size
            count += 1
        return waiting[:count]


@transaction.atomic(savepoint=False)  # reads only, but for the record of staff's looks
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
    found = _find(named, held)
    entries = _entries(found, viewer, named)
    record_looks(viewer, [entry["session"]["id"] for entry in entries if entry["session"]["id"] in named])
    return {
        "sessions": entries,
        "cursors": _cursors(found, viewer),
        "gone": found.gone,
        "more": found.due > len(entries),
    }


def _find(named: dict[UUID, int], held: Held) -> Found:
    """Everything in one snapshot, but for texts of which it is not known whether they fit."""
    arguments = [
        *(msgspec.json.encode(named).decode(), held.after, held.up_to),
        *(MAX_SESSIONS, MAX_MESSAGES, MAX_TEXT, PAGE),
    ]
    with connection.cursor() as cursor:
        cursor.execute("SELECT app.sync(%s, %s, %s, %s, %s, %s, %s)::text", arguments)
        return decode_found(cursor.fetchone()[0])


def _entries(found: Found, viewer: Person, named: dict[UUID, int]) -> list[Shape]:
    """Entries of the first of the sessions found: as many as one answer has room for."""
    if found.entries is None:
        return []
    messages = found.entries.messages
    shapes = shapes_of(found.sessions, found.entries.participants, found.entries.people, messages.last, viewer)
    waiting, held_back = _by_session([*messages.waiting, *messages.further]), _by_session(messages.unpublished)
    last = _by_session(messages.last)
    share = max(PAGE, MAX_MESSAGES // len(found.sessions))
    room = Room(MAX_MESSAGES, MAX_TEXT)
    entries: list[Shape] = []
    for session, shape in zip(found.sessions, shapes, strict=True):
        changed, besides = waiting.get(session.pk, []), held_back.get(session.pk, [])
        extra = sum(message.size for message in [*besides, *last.get(session.pk, [])])
        # A thread that is new to the client begins with its page and not with less.
        chosen = changed if session.since is None else room.fitting(changed[:share], extra) or changed[:1]
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
                "messages": chosen,
                "unpublished": [message_shape(message) for message in besides],
                "more": is_cut,
                "reset": session.pk in named and session.since is None,
            }
        )
    return _with_messages(entries)


def _with_messages(entries: list[Shape]) -> list[Shape]:
    """The entries with the messages' shapes in the place of their rows. Texts that were left are read now."""
    left = [row.pk for entry in entries for row in entry["messages"] if not isinstance(row, MessageRow)]
    read = {message.pk: message for message in with_files(Message.objects.filter(pk__in=left))} if left else {}
    for entry in entries:
        rows = (row if isinstance(row, MessageRow) else read.get(row.pk) for row in entry["messages"])
        entry["messages"] = [message_shape(row) for row in rows if row is not None]
    return entries


def _by_session(messages: Iterable[M]) -> dict[UUID, list[M]]:
    found: dict[UUID, list[M]] = {}
    for message in messages:
        found.setdefault(message.session_id, []).append(message)
    return found


def _cursors(found: Found, viewer: Person) -> Shape:
    last_seq = {session.id: session.last_seq for session in found.level}
    viewer_id = str(viewer.pk)
    cursors: Shape = {}
    for row in found.cursors:
        entry = cursors.setdefault(row.session_id, {"unread": None, "users": {}})
        entry["users"][row.user_id] = [row.delivered_seq, row.seen_seq, row.read_seq]
        if row.user_id == viewer_id:
            entry["unread"] = unread(row, last_seq[row.session_id])
    return cursors
