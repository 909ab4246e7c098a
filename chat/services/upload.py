"""Sending a file: judged, stored, then sent as a message. Both appear together or not at all."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.db import ProgrammingError, connection, transaction
from msgspec import Struct
from psycopg.errors import InsufficientPrivilege

from chat import frames
from chat.access import MESSAGES
from chat.errors import raise_for
from chat.jobs import process_file
from chat.models import Message
from chat.models.message import MAX_CHARS
from chat.services.message import Sent, Stored, replayed
from chat.shapes import Shape, message_shape
from samia_chat import realtime, telemetry
from samia_chat.actor import Actor
from samia_chat.errors import Forbidden, Invalid
from samia_chat.ids import new_id
from samia_chat.realtime.events import Event
from storage.models import ChatFile
from storage.services import file as files
from storage.services import rendering
from storage.services.file import Accepted, Upload

Kind = Literal["file", "voice"]


class FileDraft(Struct, frozen=True, kw_only=True):
    """A file that somebody wants to send, with a text beneath it."""

    sender: Actor
    session_id: UUID
    kind: Kind
    caption: str = ""
    message_id: UUID
    reply_to: UUID | None = None
    digest: str  # of what was uploaded: a repetition is known by it


def send_file(
    *,
    sender: Actor,
    session_id: UUID,
    upload: Upload,
    kind: Kind,
    caption: str = "",
    message_id: UUID | None = None,
    reply_to: UUID | None = None,
) -> Sent:
    """Send a file. Takes seconds at worst; called outside of a transaction.

    What can be refused without looking into the file is refused first. The same id with the same file again sends nothing.
    Raises NotFound, Forbidden, WrongSessionState, ReplyUnknown, IdTaken, Invalid, StoreAway, and what storage says of the file.
    """
    if MESSAGES.rule(sender, "add") is None:
        raise Forbidden
    if len(caption) > MAX_CHARS or "\x00" in caption:
        raise Invalid(f"A caption has at most {MAX_CHARS} characters, none of them U+0000.")
    draft = FileDraft(
        sender=sender,
        session_id=session_id,
        kind=kind,
        caption=caption,
        message_id=message_id or new_id(),
        reply_to=reply_to,
        digest=upload.digest(),
    )
    known = _refuse_early(draft)
    if known is not None:
        return known
    with tempfile.TemporaryDirectory(prefix="samia-upload-") as folder:
        accepted = files.accept(upload, Path(folder), wanted="voice" if kind == "voice" else "attachment")
        file = _lay_down(draft, accepted)
        message_type = _type_of(accepted.judged.kind)
    try:
        sent = _send(draft, file, message_type)
    except BaseException:
        files.take_back(file)
        raise
    if sent.is_replay:  # the same request came twice at the same time, and this one was second
        files.take_back(file)
    return sent


@transaction.atomic
def _refuse_early(draft: FileDraft) -> Sent | None:
    """Raise what the file has nothing to do with; the stored message, where this was sent before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT app.may_send_file(%s, %s, %s, %s, %s, %s)",
            [draft.session_id, draft.message_id, draft.kind, draft.caption, draft.reply_to, draft.digest],
        )
        (code,) = cursor.fetchone()
    raise_for(code)
    return replayed(message_id=draft.message_id) if code == "replayed" else None


def _lay_down(draft: FileDraft, accepted: Accepted) -> ChatFile:
    purpose = ChatFile.Purpose.VOICE if draft.kind == "voice" else ChatFile.Purpose.ATTACHMENT
    try:
        return files.lay_down(accepted, owner_id=_sender_id(draft), session_id=draft.session_id, purpose=purpose)
    except ProgrammingError as error:
        if isinstance(error.__cause__, InsufficientPrivilege):
            _refuse_early(draft)  # he was removed while the file was judged, or the session ended: this says which
        raise


@transaction.atomic
def _send(draft: FileDraft, file: ChatFile, message_type: str) -> Sent:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT code, seq, revision, members_revision, created_at"
            " FROM app.send_file_message(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                *(draft.session_id, draft.message_id, draft.kind, message_type, draft.caption, draft.reply_to),
                *(draft.digest, file.pk, _is_held(draft, message_type)),
            ],
        )
        stored = Stored(**dict(zip(Stored.__struct_fields__, cursor.fetchone(), strict=True)))
    telemetry.observe("message.sent", outcome=stored.code)
    raise_for(stored.code)
    if stored.code == "replayed":
        return replayed(message_id=draft.message_id)
    message = Message.objects.select_related("file").get(pk=draft.message_id)
    if rendering.is_wanted(file):
        process_file.defer(file=str(file.pk))
    shape = message_shape(message)
    realtime.publish(announcement(message, shape, members_revision=stored.members_revision))
    if file.state == ChatFile.State.PROCESSING:
        realtime.publish(frames.file_waiting(shape))
    return Sent(message=shape, is_replay=False)


def _is_held(draft: FileDraft, message_type: str) -> bool:
    """Whether staff must approve it before anybody else gets to hear it: by what it is, whatever door it came through."""
    return message_type == Message.Type.AUDIO and draft.sender.role in settings.VOICE_APPROVAL_ROLES


def announcement(message: Message, shape: Shape, *, members_revision: int) -> Event:
    """To all members; of a message that is held, to its sender and staff."""
    if message.seq is None:
        return frames.voice_event("voice_approval_needed", shape)
    return frames.message_event("new_message", shape, members_revision=members_revision)


def _type_of(kind: str) -> str:
    """What a message with such a file is."""
    types = {"image": Message.Type.IMAGE, "audio": Message.Type.AUDIO, "video": Message.Type.VIDEO}
    return types.get(kind, Message.Type.FILE).value


def _sender_id(draft: FileDraft) -> UUID:
    assert draft.sender.user_id is not None  # _refuse_early admits no one else
    return draft.sender.user_id
