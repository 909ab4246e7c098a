"""How far somebody is: delivered, seen and read are cursors, played is a row. None of it is audited."""

from __future__ import annotations

from uuid import UUID

from django.db import connection, transaction

from accounts.models import User
from chat import frames
from chat.access import MESSAGES
from chat.errors import NotAudio, WrongSessionState, raise_for
from chat.models import Message, MessagePlay, Participant
from samia_chat import realtime
from samia_chat.access import READABLE
from samia_chat.errors import Forbidden

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
def mark_played(*, user: User, message_id: UUID) -> Message:
    """Note that a member has played a voice message; again, nothing changes.

    Staff who look in are heard by nobody: what they play says nothing to the sender. Raises NotFound, Forbidden,
    WrongSessionState, NotAudio.
    """
    message: Message = MESSAGES.get(user, "view", pk=message_id)
    # Locked, so that the membership does not end, or the session with it, before the row is written.
    memberships = Participant.objects.select_for_update(no_key=True)
    mine = memberships.filter(session_id=message.session_id, user=user, left_at__isnull=True).first()
    if mine is None:
        raise Forbidden
    if mine.session_status not in READABLE:
        raise WrongSessionState
    if message.type != Message.Type.AUDIO or message.seq is None:
        raise NotAudio
    MessagePlay.objects.bulk_create(
        [MessagePlay(message_id=message.pk, session_id=message.session_id, user_id=user.pk)], ignore_conflicts=True
    )
    return message
