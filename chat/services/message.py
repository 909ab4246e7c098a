"""Sending, editing and deleting messages.

Sending is one SQL function, app.send_chat_messages, with two callers: `send_message` inside a transaction, on Django's
connection, and `Runtime.send` (chat/live) through the batcher, for sockets and REST. What they share is here.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from msgspec import Struct

from chat import frames
from chat.access import MESSAGES
from chat.errors import (
    AlreadyReviewed,
    EditWindowOver,
    EmptyMessage,
    MessageDeleted,
    WrongSessionState,
    raise_for,
)
from chat.models import ChatSession, Message, SessionState
from chat.models.message import MAX_CHARS
from chat.services.session import lock_state, next_revision, record_looks
from chat.shapes import Shape, message_shape, sent_message_shape
from samia_chat import actor, realtime, telemetry
from samia_chat.access import Person, is_staff
from samia_chat.actor import Actor
from samia_chat.errors import Forbidden, Invalid, NotFound
from samia_chat.ids import new_id
from samia_chat.realtime.events import Event

CHANGEABLE = (ChatSession.Status.ACTIVE, ChatSession.Status.PAUSED)
# In binary: as text, psycopg escapes the quotes in each sender's context, and that was a tenth of the application's time.
SEND = (
    "SELECT code, seq, revision, members_revision, created_at FROM app.send_chat_messages("
    "%b::uuid[], %b::text[], %b::uuid[], %b::uuid[], %b::text[], %b::uuid[])"
)


# Structs and not dataclasses: one of each is made for every message, and frozen dataclasses take ten times as long.


class Draft(Struct, frozen=True, kw_only=True):
    """A message that somebody wants to send."""

    sender: Actor
    session_id: UUID
    message_id: UUID
    content: str
    reply_to: UUID | None = None


class Stored(Struct, frozen=True, kw_only=True):
    """What the SQL function answers for one draft."""

    code: str
    seq: int
    revision: int
    members_revision: int
    created_at: datetime


class Sent(Struct, frozen=True, kw_only=True):
    message: Shape
    is_replay: bool  # the same request was carried out before: nothing was written


def new_draft(
    *, sender: Actor, session_id: UUID, content: str, message_id: UUID | None = None, reply_to: UUID | None = None
) -> Draft:
    """A draft of somebody who may send, whose text is of the allowed form. Raises Forbidden, EmptyMessage, Invalid."""
    if MESSAGES.rule(sender, "add") is None:
        raise Forbidden
    check_text(content)
    return Draft(
        sender=sender, session_id=session_id, message_id=message_id or new_id(), content=content, reply_to=reply_to
    )


def check_text(content: str) -> None:
    """Raise EmptyMessage or Invalid unless this can be a message's text."""
    if not content.strip():
        raise EmptyMessage
    if len(content) > MAX_CHARS:
        raise Invalid(f"A message has at most {MAX_CHARS} characters.")
    if "\x00" in content:
        raise Invalid("A message cannot contain the character U+0000.")


def columns(drafts: list[Draft]) -> list[list[object]]:
    """The arguments of SEND."""
    return [
        [draft.sender.user_id for draft in drafts],
        [draft.sender.context() for draft in drafts],
        [draft.session_id for draft in drafts],
        [draft.message_id for draft in drafts],
        [draft.content for draft in drafts],
        [draft.reply_to for draft in drafts],
    ]


@transaction.atomic
def send_message(
    *, sender: Actor, session_id: UUID, content: str, message_id: UUID | None = None, reply_to: UUID | None = None
) -> Sent:
    """Send a text inside the current transaction: it appears, and is announced, when that commits.

    Raises NotFound, Forbidden, WrongSessionState, ReplyUnknown, IdTaken, EmptyMessage, Invalid.
    """
    wanted = new_draft(sender=sender, session_id=session_id, content=content, message_id=message_id, reply_to=reply_to)
    with actor.acting_as(sender), connection.cursor() as cursor:
        cursor.execute(SEND, columns([wanted]))
        stored = Stored(**dict(zip(Stored.__struct_fields__, cursor.fetchone(), strict=True)))
        telemetry.observe("message.sent", outcome=stored.code)
        raise_for(stored.code)
        if stored.code == "replayed":
            return replayed(message_id=wanted.message_id)
    event, sent = announce(wanted, stored)
    realtime.publish(event)
    return sent


def announce(wanted: Draft, stored: Stored) -> tuple[Event, Sent]:
    """The event and the answer for a draft that was just stored."""
    message = sent_message_shape(
        message_id=wanted.message_id,
        session_id=wanted.session_id,
        sender_id=wanted.sender.user_id,  # type: ignore[arg-type]  # the function refuses drafts of nobody
        seq=stored.seq,
        revision=stored.revision,
        content=wanted.content,
        reply_to=wanted.reply_to,
        created_at=stored.created_at,
    )
    event = frames.message_event("new_message", message, members_revision=stored.members_revision)
    return event, Sent(message=message, is_replay=False)


def replayed(*, message_id: UUID) -> Sent:
    """The stored message behind a repeated request, as it is now. Call it in a transaction of the sender's."""
    message = Message.objects.filter(pk=message_id).select_related("file").first()
    if message is None:
        raise NotFound
    return Sent(message=message_shape(message), is_replay=True)


@transaction.atomic
def edit_message(*, by: Person, message_id: UUID, content: str) -> Shape:
    """Change a message's text: the sender within the window, administrators any time. The former text is kept for staff.

    The same text again changes nothing. Raises NotFound, Forbidden, WrongSessionState, EditWindowOver, MessageDeleted,
    EmptyMessage, Invalid.
    """
    check_text(content)
    message, state = _lock_for_change(by, message_id)
    if message.deleted_at is not None:
        raise MessageDeleted
    if message.type in (Message.Type.SYSTEM, Message.Type.EMERGENCY):
        raise Invalid("This kind of message cannot be edited.")
    if message.content == content:
        return message_shape(message)
    message.content = content
    message.edited_at = timezone.now()
    message.revision = next_revision(state)
    message.save(update_fields=["content", "edited_at", "revision"])
    shape = message_shape(message)
    realtime.publish(frames.message_event("message_updated", shape, members_revision=state.members_revision))
    return shape


@transaction.atomic
def delete_message(*, by: Person, message_id: UUID) -> Shape:
    """Delete a message: its place stays, its text goes; the former text is kept for staff. Again, nothing changes.

    One's own voice message that waits for approval can be taken back as long as nobody has decided. Raises NotFound,
    Forbidden, WrongSessionState, EditWindowOver, AlreadyReviewed.
    """
    message, state = _lock_for_change(by, message_id, is_deletion=True)
    if message.deleted_at is not None:
        return message_shape(message)
    is_published = message.seq is not None
    message.deleted_at = timezone.now()
    message.deleted_by = by.pk
    if is_published:
        message.revision = next_revision(state)
    message.save(update_fields=["deleted_at", "deleted_by", "revision"])
    message.refresh_from_db()  # the trigger emptied it
    shape = message_shape(message)
    if is_published:
        event = frames.message_event("message_deleted", shape, members_revision=state.members_revision)
    else:
        event = frames.voice_event("voice_withdrawn", shape)  # nobody else knew of it
    realtime.publish(event)
    return shape


def _lock_for_change(by: Person, message_id: UUID, *, is_deletion: bool = False) -> tuple[Message, SessionState]:
    """A message that `by` may change now, and its session's counters, locked. What is not published can only be deleted.

    The answer shows the message: staff who are not in the session leave a record.
    """
    published = {} if is_deletion else {"seq__isnull": False}
    found: Message = MESSAGES.get(by, "edit", pk=message_id, **published)
    state = lock_state(found.session_id)
    # Read again: whoever held the lock may have changed it, decided about it, or ended the session.
    message = Message.objects.select_related("session").filter(pk=message_id).first()
    if message is None:
        raise NotFound
    record_looks(by, [message.session_id])
    if message.seq is None and message.sender_id != by.pk:
        raise Forbidden  # staff decide about it
    if message.deleted_at is not None and is_deletion:
        return message, state
    if message.status == Message.Status.REJECTED:
        raise AlreadyReviewed
    if message.session.status not in CHANGEABLE:
        raise WrongSessionState
    window = timedelta(seconds=settings.MESSAGE_EDIT_WINDOW)
    if message.seq is not None and not is_staff(by) and timezone.now() - message.created_at > window:
        raise EditWindowOver
    return message, state
