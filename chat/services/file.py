"""Files of messages once they are there: what the worker found out is a change of the message."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from chat import frames
from chat.models import Message
from chat.services.session import lock_state, next_revision
from chat.shapes import message_shape
from samia_chat import realtime
from storage.models import ChatFile
from storage.services import rendering

LONG = timedelta(minutes=10)


@transaction.atomic
def waiting_for_long() -> list[UUID]:
    """Files of messages that nobody may open yet, though they came a while ago."""
    waiting = ChatFile.objects.filter(
        state=ChatFile.State.PROCESSING,
        parent__isnull=True,
        created_at__lt=timezone.now() - LONG,
        messages__isnull=False,
    )
    return list(waiting.order_by("id").values_list("id", flat=True)[:100])


def process_file(file_id: UUID) -> bool:
    """Do what is still to be done for a file, and tell those who see its message. By the system; again, nothing. Takes
    minutes at worst; called outside of a transaction.

    Whether nothing is left to be done: a file that waits for a scanner is to be looked at again. Raises StoreAway, NoParser.
    """
    with transaction.atomic():
        file = ChatFile.objects.filter(pk=file_id).first()
    if file is None:
        return True
    if rendering.work_on(file):
        announce(file_id)
    return file.state != ChatFile.State.PROCESSING


def on_file_changed(*, file: UUID, **_: object) -> None:
    """Receives `storage.signals.file_changed`."""
    announce(file)


@transaction.atomic
def announce(file_id: UUID) -> None:
    """Tell of a message whose file has changed: everybody in the session, or whoever sees it while it is held."""
    found = Message.objects.filter(file_id=file_id).first()
    if found is None:
        return
    state = lock_state(found.session_id)
    message = Message.objects.select_related("file").get(pk=found.pk)
    if message.deleted_at is not None:
        return
    if message.seq is None:
        if message.status == Message.Status.PENDING:
            realtime.publish(frames.voice_event("voice_approval_needed", message_shape(message)))
        return
    message.revision = next_revision(state)
    message.save(update_fields=["revision"])
    event = frames.message_event("message_updated", message_shape(message), members_revision=state.members_revision)
    realtime.publish(event)
