from __future__ import annotations

from typing import Any

from rest_framework import serializers

from chat.models import Message
from chat.models.message import MAX_CHARS
from chat.serializers import examples
from chat.services.receipt import KINDS
from samia_chat.api.input import Input, Query, QueryInt, StrictChar, StrictInt, StrictUUID
from samia_chat.openapi import shown
from storage.models import ChatFile

SENDABLE = ("text",)


@shown(examples.SEND)
class SendInput(Input):
    content = StrictChar(max_length=MAX_CHARS)
    id = StrictUUID(required=False, help_text="Made by the client; sending it again sends nothing twice.")
    reply_to = StrictUUID(required=False, allow_null=True, default=None)
    type = serializers.ChoiceField(choices=SENDABLE, required=False, default="text")


@shown(examples.SEND_TO)
class SendToInput(SendInput):
    session = StrictUUID()


@shown(examples.EDIT)
class EditInput(Input):
    content = StrictChar(max_length=MAX_CHARS)


@shown(examples.READ)
class ReadInput(Input):
    up_to = StrictInt(min_value=0)
    kind = serializers.ChoiceField(choices=KINDS, required=False, default="read")


@shown(examples.READ_IN)
class ReadInSessionInput(ReadInput):
    session = StrictUUID()


class MessagesQuery(Query):
    before = QueryInt(
        required=False,
        min_value=1,
        max_value=2**62,
        help_text="The messages just before this seq. Not with the others.",
    )
    after = QueryInt(
        required=False, min_value=0, max_value=2**62, help_text="The messages just after this seq. Not with the others."
    )
    around = StrictUUID(
        required=False,
        help_text="The messages around the one with this id, with it in their middle; has_more tells of older ones.",
    )
    limit = QueryInt(required=False, min_value=1, max_value=100, default=50, help_text="At most so many on a page.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len({"before", "after", "around"} & attrs.keys()) > 1:
            raise serializers.ValidationError("Give one of before, after and around.")
        return attrs


@shown(examples.FILE)
class FileSchema(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField(help_text="As its sender's device called it.")
    content_type = serializers.CharField(help_text="As the server found it; never what was claimed.")
    size = serializers.IntegerField(help_text="Bytes.")
    duration_ms = serializers.IntegerField(allow_null=True, help_text="Of audio and video.")
    waveform = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=255),
        min_length=100,
        max_length=100,
        allow_null=True,
        help_text="100 peaks of a sound; null until they are known.",
    )
    width = serializers.IntegerField(allow_null=True, help_text="Of pictures and videos, in pixels.")
    height = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(choices=ChatFile.State.choices, help_text="Only a `ready` one can be opened.")
    reason = serializers.CharField(allow_null=True, help_text="Of a rejected one, a code that says why.")
    renditions = serializers.ListField(
        child=serializers.ChoiceField(choices=ChatFile.Rendition.choices), help_text="What there is of it besides."
    )


@shown(examples.MESSAGE)
class MessageSchema(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    session = serializers.UUIDField()
    sender = serializers.UUIDField(allow_null=True)
    seq = serializers.IntegerField(allow_null=True, help_text="1, 2, 3 … in the session; null until published.")
    revision = serializers.IntegerField(allow_null=True, help_text="Of its last change.")
    type = serializers.ChoiceField(choices=Message.Type.choices)
    status = serializers.ChoiceField(choices=Message.Status.choices)
    content = serializers.CharField(allow_blank=True)
    reply_to = serializers.UUIDField(allow_null=True)
    file = FileSchema(allow_null=True, help_text="Of audio, image, video and file; null once it is deleted.")
    reason = serializers.CharField(allow_null=True, help_text="Of a rejected voice message, why.")
    played_by = serializers.ListField(
        child=serializers.UUIDField(), help_text="Of a voice message, the members who have played it."
    )
    created_at = serializers.DateTimeField()
    edited_at = serializers.DateTimeField(allow_null=True)
    deleted_at = serializers.DateTimeField(allow_null=True)


@shown(examples.MESSAGE_PAGE)
class MessagePageSchema(serializers.Serializer[Any]):
    results = MessageSchema(many=True)
    unpublished = MessageSchema(many=True, help_text="Held messages that you may see; on the newest page.")
    revision = serializers.IntegerField(help_text="Read before the messages: sync from here misses nothing.")
    has_more = serializers.BooleanField()


@shown(examples.CURSORS)
class CursorsSchema(serializers.Serializer[Any]):
    delivered = serializers.IntegerField()
    seen = serializers.IntegerField()
    read = serializers.IntegerField()
    own_ahead = serializers.IntegerField(
        help_text="Your own messages beyond read: unread = last_seq - read - own_ahead."
    )
