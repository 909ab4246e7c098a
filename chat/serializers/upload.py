from __future__ import annotations

from typing import Any

from rest_framework import serializers

from chat.models.message import MAX_CHARS
from chat.serializers import examples
from chat.serializers.message import MessageSchema
from chat.services.voice_review import MAX_REASON
from samia_chat.api.input import Input, StrictChar, StrictUUID
from samia_chat.openapi import shown

_FILE = "At most 10 MiB. Its type is found out and not believed; pictures and recordings lose their metadata."


class _Sent(Input):
    caption = StrictChar(
        max_length=MAX_CHARS, required=False, allow_blank=True, default="", help_text="A text beneath it."
    )
    id = StrictUUID(required=False, help_text="Made by the client; sending it again sends nothing twice.")
    reply_to = StrictUUID(required=False, default=None)


class UploadInput(_Sent):
    file = serializers.FileField(allow_empty_file=True, help_text=_FILE)


class UploadToInput(UploadInput):
    session = StrictUUID()


class VoiceInput(_Sent):
    voice = serializers.FileField(
        allow_empty_file=True, help_text="A recording of at most 10 minutes. Its duration and peaks are measured here."
    )


@shown(examples.REJECT)
class RejectInput(Input):
    reason = StrictChar(max_length=MAX_REASON, help_text="Its sender reads it.")


@shown(examples.SESSION_FILES)
class SessionFilesSchema(serializers.Serializer[Any]):
    results = MessageSchema(many=True)
    next = serializers.CharField(allow_null=True)


@shown(examples.APPROVAL)
class ApprovalSchema(serializers.Serializer[Any]):
    message = MessageSchema()
    sender_name = serializers.CharField()
    sender_role = serializers.CharField()
    sender_avatar = serializers.UUIDField(allow_null=True, help_text="The sender's picture, opened as a file.")
    session_title = serializers.CharField(allow_blank=True)
    session_status = serializers.CharField()


@shown(examples.APPROVALS)
class ApprovalsSchema(serializers.Serializer[Any]):
    results = ApprovalSchema(many=True)
    next = serializers.CharField(allow_null=True)
