"""Deciding about voice messages that wait for approval: one decision, final, on record."""

from __future__ import annotations

from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from chat import frames
from chat.access import MESSAGES
from chat.errors import ReasonNeeded, raise_for
from chat.models import Message, VoiceReview
from chat.services.session import record_looks
from chat.shapes import Shape, message_shape
from samia_chat import actor, realtime
from samia_chat.access import Person
from samia_chat.errors import Invalid

MAX_REASON = 500


def waiting() -> QuerySet[Message]:
    """Voice messages that wait, with their files."""
    return Message.objects.filter(status=Message.Status.PENDING, seq__isnull=True).select_related(
        "file", "session__booking"
    )


@transaction.atomic
def review_voice(*, by: Person, message_id: UUID, verdict: VoiceReview.Verdict, reason: str = "") -> Shape:
    """Publish a voice message that waits, or reject it with a reason that its sender reads.

    The same again by the same person changes nothing. Raises NotFound, Forbidden, AlreadyReviewed, NotPending, ReasonNeeded,
    WrongSessionState, FileProcessing, FileRejected, Invalid.
    """
    reason = reason.strip()
    if verdict == VoiceReview.Verdict.REJECT and not reason:
        raise ReasonNeeded
    if len(reason) > MAX_REASON or "\x00" in reason:
        raise Invalid(f"A reason has at most {MAX_REASON} characters.")
    found: Message = MESSAGES.get(by, "review", pk=message_id)
    with actor.acting_as(actor.current().because(reason)), connection.cursor() as cursor:
        cursor.execute("SELECT code, members_revision FROM app.review_voice(%s, %s, %s)", [message_id, verdict, reason])
        code, members_revision = cursor.fetchone()
    raise_for(code)
    record_looks(
        by, [found.session_id]
    )  # after the function's lock of the session: the record's own comes after it everywhere
    message = Message.objects.select_related("file").get(pk=message_id)
    shape = message_shape(message)
    if code == "ok":
        if message.seq is not None:
            realtime.publish(frames.message_event("new_message", shape, members_revision=members_revision))
        kind = "voice_approved" if verdict == VoiceReview.Verdict.APPROVE else "voice_rejected"
        realtime.publish(frames.voice_event(kind, shape))
    return shape
