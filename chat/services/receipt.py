"""How far somebody is: delivered, seen and read are cursors, played is a row, and a change of the message.

None of it is audited."""

from __future__ import annotations

from uuid import UUID

from django.db import connection, transaction

from accounts.models import User
from chat import frames
from chat.access import MESSAGES
from chat.errors import raise_for
from chat.models import Message
from chat.shapes import Shape, message_shape
from samia_chat import realtime

KINDS = ("delivered", "seen", "read")
MOVE = "SELECT code, delivered, seen, read, own_ahead FROM app.move_cursor(%s, %s, %s)"


@transaction.atomic(savepoint=False)  # one statement: there is nothing of it to keep when it fails
def move_cursor(*, user_id: UUID, session_id: UUID, kind: str, up_to: int) -> dict[str, int]:
    """Move one's own cursor up to `up_to` (never back); read moves seen, and seen moves delivered.

    Returns where they stand now: {"delivered", "seen", "read", "own_ahead"}; unread is the session's last_seq less read
    and own_ahead. Everybody in the session is told if one moved. Raises NotFound, BeyondLast, WrongSessionState.
    """
    with connection.cursor() as cursor:
        cursor.execute(MOVE, [session_id, kind, up_to])
        code, delivered, seen, read, own_ahead = cursor.fetchone()
    raise_for(code)
    cursors = {"delivered": delivered, "seen": seen, "read": read, "own_ahead": own_ahead}
    if code == "ok":
        realtime.publish(frames.receipt(kind, session_id, user_id, cursors))
    return cursors


@transaction.atomic
def mark_played(*, user: User, message_id: UUID) -> Shape:
    """Note that a member has played somebody else's voice message; again, nothing changes.

    Everybody in the session is told, the first time. Staff who look in are heard by nobody: what they play says nothing to the
    sender. Raises NotFound, Forbidden, WrongSessionState, NotAudio, MessageDeleted.
    """
    MESSAGES.get(user, "view", pk=message_id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT code, members_revision FROM app.play_message(%s)", [message_id])
        code, members_revision = cursor.fetchone()
    raise_for(code)
    shape = message_shape(Message.objects.select_related("file").get(pk=message_id))
    if code == "ok":
        realtime.publish(frames.message_event("message_updated", shape, members_revision=members_revision))
    return shape
