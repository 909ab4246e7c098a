"""What a session, a message and a person look like, the same in REST answers and socket frames.

Plain functions and not serializers: they run on every message. The classes in chat/serializers describe these shapes for
OpenAPI, docs/asyncapi.yaml for the socket; tests hold both against what is really sent. They read models and the rows of
chat/rows.py alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chat.models import Booking, ChatSession, Message, Participant, Person
from chat.rows import BookingRow, CursorsRow, FileRow, MessageRow, ParticipantRow, PersonRow, SessionRow
from storage.models import ChatFile

Shape = dict[str, Any]


def sent_message_shape(
    *,
    message_id: UUID,
    session_id: UUID,
    sender_id: UUID,
    seq: int,
    revision: int,
    content: str,
    reply_to: UUID | None,
    created_at: datetime,
) -> Shape:
    """A text message as it was just stored, without reading it back."""
    return {
        "id": message_id,
        "session": session_id,
        "sender": sender_id,
        "seq": seq,
        "revision": revision,
        "type": "text",
        "status": "sent",
        "content": content,
        "reply_to": reply_to,
        "file": None,
        "reason": None,
        "played_by": [],
        "created_at": created_at,
        "edited_at": None,
        "deleted_at": None,
    }


def message_shape(message: Message | MessageRow) -> Shape:
    return {
        "id": message.pk,
        "session": message.session_id,
        "sender": message.sender_id,
        "seq": message.seq,
        "revision": message.revision,
        "type": message.type,
        "status": message.status,
        "content": message.content,
        "reply_to": message.reply_to_id,
        "file": file_shape(message.file) if message.deleted_at is None and message.file is not None else None,
        "reason": message.reason,
        "played_by": message.played_by,
        "created_at": message.created_at,
        "edited_at": message.edited_at,
        "deleted_at": message.deleted_at,
    }


def file_shape(file: ChatFile | FileRow) -> Shape:
    """What a message says of its file. Where it lies is never told: it is opened by its id."""
    return {
        "id": file.pk,
        "name": file.original_name,
        "content_type": file.content_type,
        "size": file.size_bytes,
        "duration_ms": file.duration_ms,
        "waveform": file.waveform,
        "width": file.width,
        "height": file.height,
        "state": file.state,
        "reason": file.reason or None,
        "renditions": file.renditions,
    }


def approval_shape(message: Message, people: Mapping[UUID, Person]) -> Shape:
    """A voice message that waits, with what whoever decides wants to know of it. Its file and session were read with it."""
    sender = people.get(message.sender_id) if message.sender_id else None
    booking = message.session.booking
    return {
        "message": message_shape(message),
        "sender_name": sender.display_name if sender else "",
        "sender_role": sender.role if sender else "",
        "sender_avatar": sender.avatar if sender else None,
        "session_title": message.session.title or (booking.service if booking else ""),
        "session_status": message.session.status,
    }


def participant_shape(participant: Participant | ParticipantRow, person: Person | PersonRow | None) -> Shape:
    """`person` is None only for somebody whom the viewer may not know of."""
    return {
        "user": participant.user_id,
        "display_name": person.display_name if person else "",
        "role": person.role if person else "",
        "avatar": person.avatar if person else None,
        "role_in_session": participant.role_in_session,
        "joined_at": participant.joined_at,
        "left_at": participant.left_at,
        "delivered_seq": participant.delivered_seq,
        "seen_seq": participant.seen_seq,
        "read_seq": participant.read_seq,
    }


def booking_shape(booking: Booking | BookingRow) -> Shape:
    return {
        "id": booking.pk,
        "client": booking.client_id,
        "reader": booking.reader_id,
        "service": booking.service,
        "scheduled_at": booking.scheduled_at,
        "status": booking.status,
        "is_emergency": booking.is_emergency,
    }


def session_event_shape(session: ChatSession | SessionRow) -> Shape:
    """What all members see alike."""
    return {
        "id": session.pk,
        "type": session.type,
        "status": session.status,
        "title": session.title,
        "created_at": session.created_at,
        "updated_at": session.updated_at,
        "ended_at": session.ended_at,
    }


def session_shape(
    session: ChatSession | SessionRow,
    *,
    revision: int,
    participants: Sequence[Participant | ParticipantRow],
    people: Mapping[UUID, Person | PersonRow],
    last_message: Message | MessageRow | None,
    viewer_id: UUID | None,
) -> Shape:
    """A session as one viewer sees it. `mine` is None for staff who are not in it."""
    mine = next((p for p in participants if p.user_id == viewer_id and p.left_at is None), None)
    return {
        **session_event_shape(session),
        "revision": revision,
        "last_seq": session.state.last_seq,
        "active_at": session.state.last_message_at or session.created_at,
        "booking": booking_shape(session.booking) if session.booking else None,
        "participants": [participant_shape(p, people.get(p.user_id)) for p in participants],
        "last_message": message_shape(last_message) if last_message else None,
        "mine": mine_shape(mine, session.state.last_seq) if mine else None,
    }


def mine_shape(participant: Participant | ParticipantRow, last_seq: int) -> Shape:
    """One's own membership: what others are not shown."""
    return {
        "unread": unread(participant, last_seq),
        "delivered_seq": participant.delivered_seq,
        "seen_seq": participant.seen_seq,
        "read_seq": participant.read_seq,
        "muted_until": participant.muted_until,
    }


def unread(participant: Participant | ParticipantRow | CursorsRow, last_seq: int) -> int:
    """How many messages of others, of `last_seq` in the session, he has not read."""
    return last_seq - participant.read_seq - participant.own_ahead
