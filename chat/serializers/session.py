from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from chat.models import ChatSession, Participant
from chat.serializers import examples
from chat.serializers.booking import BookingSchema
from chat.serializers.message import MessageSchema
from chat.services.sync import MAX_NAMED, Held
from samia_chat.api.input import Input, NameField, StrictChar, StrictInt, StrictUUID
from samia_chat.api.pages import PageQuery
from samia_chat.openapi import shown
from samia_chat.roles import Role

PRESENCE = ("online", "away", "offline")


@shown(examples.OPEN)
class OpenInput(Input):
    type = serializers.ChoiceField(choices=ChatSession.Type.choices)
    booking = StrictUUID(required=False, help_text="For type booking.")
    title = NameField(max_length=200, required=False, allow_blank=True, default="")
    people = serializers.ListField(
        child=StrictUUID(), required=False, max_length=20, help_text="With whom; a booking names its own."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs["type"] == ChatSession.Type.BOOKING) != ("booking" in attrs):
            raise serializers.ValidationError({"booking": ["A session of type booking names one, others none."]})
        if attrs["type"] == ChatSession.Type.BOOKING and attrs.get("people"):
            raise serializers.ValidationError({"people": ["The booking says who takes part."]})
        return attrs


@shown(examples.CHANGE)
class ChangeInput(Input):
    title = NameField(max_length=200, required=False, allow_blank=True)


@shown(examples.REASON)
class ReasonInput(Input):
    reason = StrictChar(max_length=500, required=False, allow_blank=True, default="", trim_whitespace=True)


@shown(examples.ADD)
class AddInput(Input):
    user = StrictUUID(help_text="Whom; with an open account.")


@shown(examples.MUTE)
class MuteInput(Input):
    until = serializers.DateTimeField(allow_null=True, help_text="null: no longer muted.")


class SessionsQuery(PageQuery):
    type = serializers.ChoiceField(choices=ChatSession.Type.choices, required=False)
    status = serializers.ChoiceField(choices=ChatSession.Status.choices, required=False)


@extend_schema_field(
    {
        "type": "object",
        "propertyNames": {"format": "uuid"},
        "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
        "maxProperties": MAX_NAMED,
        "description": "{session id: revision held}",
    }
)
class HeldField(serializers.DictField):
    child = StrictInt(min_value=0)


@shown(examples.HELD)
class SyncInput(Input):
    sessions = HeldField()
    after = StrictUUID(
        required=False,
        allow_null=True,
        help_text="Only sessions with a greater id are meant: for a client that holds more.",
    )
    up_to = StrictUUID(required=False, allow_null=True, help_text="Only sessions with this or a smaller id are meant.")

    def validate_sessions(self, value: dict[str, int]) -> dict[Any, int]:
        if len(value) > MAX_NAMED:
            raise serializers.ValidationError(f"At most {MAX_NAMED} sessions.")
        field = StrictUUID()
        return {field.to_internal_value(session): revision for session, revision in value.items()}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {"sessions": Held(attrs["sessions"], after=attrs.get("after"), up_to=attrs.get("up_to"))}


@shown(examples.PARTICIPANT)
class ParticipantSchema(serializers.Serializer[Any]):
    user = serializers.UUIDField()
    display_name = serializers.CharField(allow_blank=True)
    role = serializers.ChoiceField(choices=Role.choices, allow_blank=True)
    avatar = serializers.UUIDField(allow_null=True, help_text="His picture, opened as a file.")
    role_in_session = serializers.ChoiceField(choices=Participant.Role.choices)
    joined_at = serializers.DateTimeField()
    left_at = serializers.DateTimeField(allow_null=True)
    delivered_seq = serializers.IntegerField()
    seen_seq = serializers.IntegerField()
    read_seq = serializers.IntegerField()


@shown(examples.PARTICIPANTS)
class ParticipantsSchema(serializers.Serializer[Any]):
    results = ParticipantSchema(many=True)


@shown(examples.MINE)
class MineSchema(serializers.Serializer[Any]):
    unread = serializers.IntegerField()
    delivered_seq = serializers.IntegerField()
    seen_seq = serializers.IntegerField()
    read_seq = serializers.IntegerField()
    muted_until = serializers.DateTimeField(allow_null=True)


@shown(examples.SESSION)
class SessionSchema(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    type = serializers.ChoiceField(choices=ChatSession.Type.choices)
    status = serializers.ChoiceField(choices=ChatSession.Status.choices)
    title = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    revision = serializers.IntegerField()
    last_seq = serializers.IntegerField()
    active_at = serializers.DateTimeField(help_text="Of the last message, or of the opening.")
    booking = BookingSchema(allow_null=True)
    participants = ParticipantSchema(many=True)
    last_message = MessageSchema(allow_null=True)
    mine = MineSchema(allow_null=True, help_text="null for staff who are not in it.")


@shown(examples.SESSION_PAGE)
class SessionPageSchema(serializers.Serializer[Any]):
    results = SessionSchema(many=True)
    next = serializers.CharField(allow_null=True)


class PresenceSchema(serializers.Serializer[Any]):
    user = serializers.UUIDField()
    state = serializers.ChoiceField(choices=PRESENCE)
    last_seen_at = serializers.DateTimeField(allow_null=True)


@shown(examples.PRESENCES)
class PresencesSchema(serializers.Serializer[Any]):
    results = PresenceSchema(many=True)


class SyncEntrySchema(serializers.Serializer[Any]):
    session = SessionSchema()
    revision = serializers.IntegerField(help_text="What the client holds after this entry.")
    messages = MessageSchema(many=True)
    unpublished = MessageSchema(many=True)
    more = serializers.BooleanField(help_text="Ask again with this revision.")
    reset = serializers.BooleanField(help_text="Forget what is held of this session first.")


class CursorsOfSessionSchema(serializers.Serializer[Any]):
    unread = serializers.IntegerField(allow_null=True, help_text="Yours; null for staff who are not in it.")
    users = serializers.DictField(
        child=serializers.ListField(child=serializers.IntegerField(), min_length=3, max_length=3),
        help_text="By member: delivered, seen, read.",
    )


@shown(examples.SYNC)
class SyncSchema(serializers.Serializer[Any]):
    sessions = SyncEntrySchema(many=True)
    cursors = serializers.DictField(
        child=CursorsOfSessionSchema(), help_text="By session, for those named that are level otherwise."
    )
    gone = serializers.ListField(child=serializers.UUIDField(), help_text="Sessions you may not see (any more).")
    more = serializers.BooleanField(help_text="Further sessions wait: ask again with what is held then.")
