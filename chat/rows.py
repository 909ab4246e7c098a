"""Rows as app.sync and app.thread_page give them, in JSON. Attributes are called as those of the models, so that
chat/shapes.py reads either."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct


class Row(Struct, frozen=True, kw_only=True, rename={"pk": "id"}):
    pk: UUID


class FileRow(Row, frozen=True, kw_only=True):
    original_name: str
    content_type: str
    size_bytes: int
    duration_ms: int | None
    waveform: list[int] | None
    width: int | None
    height: int | None
    state: str
    reason: str
    renditions: list[str]


class WaitingRow(Row, frozen=True, kw_only=True):
    """A message without its text, which is `size` bytes long: whether that fits into an answer is not known yet."""

    session_id: UUID
    revision: int | None
    size: int


class MessageRow(WaitingRow, frozen=True, kw_only=True):
    sender_id: UUID | None
    seq: int | None
    type: str
    status: str
    content: str
    reply_to_id: UUID | None
    reason: str | None
    played_by: list[UUID]
    file: FileRow | None
    created_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None


class StateRow(Struct, frozen=True):
    last_seq: int
    revision: int
    last_message_at: datetime | None


class BookingRow(Row, frozen=True, kw_only=True):
    client_id: UUID
    reader_id: UUID | None
    service: str
    scheduled_at: datetime
    status: str
    is_emergency: bool


class SessionRow(Row, frozen=True, kw_only=True):
    """`since`: the revision from which its messages have changed; None where the thread begins with its newest page."""

    type: str
    status: str
    title: str
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    state: StateRow
    booking: BookingRow | None
    since: int | None


class ParticipantRow(Struct, frozen=True, kw_only=True):
    session_id: UUID
    user_id: UUID
    role_in_session: str
    joined_at: datetime
    left_at: datetime | None
    delivered_seq: int
    seen_seq: int
    read_seq: int
    own_ahead: int
    muted_until: datetime | None


class PersonRow(Row, frozen=True, kw_only=True):
    display_name: str
    role: str
    avatar: UUID | None


# What app.sync answers ----------------------------------------------------------------------------------------------------


class LevelRow(Struct, frozen=True):
    """Ids are left as text here, as they are answered: there may be a thousand."""

    id: str
    last_seq: int


class CursorsRow(Struct, frozen=True, kw_only=True):
    session_id: str
    user_id: str
    delivered_seq: int
    seen_seq: int
    read_seq: int
    own_ahead: int


class FoundMessages(Struct, frozen=True, kw_only=True):
    """`waiting`, then `further`: those that an answer may carry, in its order. The others are carried whole."""

    waiting: list[MessageRow] = []
    further: list[WaitingRow] = []
    last: list[MessageRow] = []
    unpublished: list[MessageRow] = []


class FoundEntries(Struct, frozen=True):
    participants: list[ParticipantRow]
    people: list[PersonRow]
    messages: FoundMessages


class Found(Struct, frozen=True):
    """`due`: how many sessions there are for the client; `sessions` are the first of them. `level`: the others."""

    due: int
    sessions: list[SessionRow]
    entries: FoundEntries | None  # None without sessions
    level: list[LevelRow]
    cursors: list[CursorsRow]  # of the members of those that are level
    gone: list[UUID]


# What app.thread_page answers ----------------------------------------------------------------------------------------------


class ThreadRows(Struct, frozen=True, kw_only=True):
    """`last` is the highest number looked for: None where the message around which was asked is not there."""

    status: str
    revision: int
    last: int | None
    messages: list[MessageRow]
    unpublished: list[MessageRow]


decode_found = msgspec.json.Decoder(Found).decode
decode_thread = msgspec.json.Decoder(ThreadRows | None).decode
