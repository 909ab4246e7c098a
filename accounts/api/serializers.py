"""Shapes of the sign-in API."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from rest_framework import serializers

from accounts.models import Login, User
from samia_chat.api.input import Input, NameField, StrictChar
from samia_chat.openapi import shown
from samia_chat.roles import Role

ME = {
    "id": "01931c9a-8a70-7c55-8f4f-2b1f5f1f6a01",
    "email": "lina@example.com",
    "display_name": "Lina",
    "role": "client",
    "language": "ar",
    "timezone": "Asia/Beirut",
    "avatar": None,
}
TOKENS = {
    "access": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTkzMWM5YSJ9.2XkV0Jm3",
    "refresh": "Yl2m0sTq7uWnB8xKcV4dR9eHfJ1aLgZ6pQyOi3tU5vA",
    "expires_in": 600,
    "token_type": "Bearer",
}


@shown({"email": "lina@example.com", "password": "a long enough password"})
class SignInInput(Input):
    email = StrictChar(max_length=254)
    password = StrictChar(max_length=200)


@shown({"refresh": TOKENS["refresh"]})
class RefreshInput(Input):
    refresh = StrictChar(max_length=200)


@shown({"current": "a long enough password", "new": "an even longer password"})
class PasswordInput(Input):
    current = StrictChar(max_length=200)
    new = StrictChar(max_length=200)


@shown({"display_name": "Lina", "language": "ar", "timezone": "Asia/Beirut"})
class ProfileInput(Input):
    display_name = NameField(max_length=80, required=False)
    language = serializers.ChoiceField(choices=User.Language.choices, required=False)
    timezone = StrictChar(max_length=64, required=False)

    def validate_timezone(self, value: str) -> str:
        if value not in available_timezones():
            raise serializers.ValidationError("Not a time zone of the IANA database, such as Asia/Beirut.")
        return value


@shown(TOKENS)
class TokenPairSchema(serializers.Serializer[Any]):
    access = serializers.CharField()
    refresh = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds until the access token expires.")
    token_type = serializers.CharField()


@shown({"ticket": "jcX0w9Qe2yqQk7bJ1m6dV5sT3uR8nB4aZfGhLpOiKxE", "expires_in": 30})
class TicketSchema(serializers.Serializer[Any]):
    ticket = serializers.CharField(help_text="Send as second subprotocol: samia.v1, ticket.<ticket>")
    expires_in = serializers.IntegerField(help_text="Seconds.")


@shown(ME)
class MeSchema(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    display_name = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)
    language = serializers.ChoiceField(choices=User.Language.choices)
    timezone = serializers.CharField()
    avatar = serializers.UUIDField(allow_null=True, help_text="Your picture, opened as a file.")


class DeviceSchema(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Login.Kind.choices)
    address = serializers.IPAddressField(allow_null=True)
    user_agent = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField()
    is_this = serializers.BooleanField(help_text="The device that asks.")


class DevicesSchema(serializers.Serializer[Any]):
    results = DeviceSchema(many=True)


def me_shape(user: User) -> dict[str, Any]:
    return {
        "id": user.pk,
        "email": user.email,
        "display_name": user.display_name,
        "role": user.role,
        "language": user.language,
        "timezone": user.timezone,
        "avatar": user.avatar,
    }


def device_shape(login: Login, this: object) -> dict[str, Any]:
    return {
        "id": login.pk,
        "kind": login.kind,
        "address": login.address,
        "user_agent": login.user_agent,
        "created_at": login.created_at,
        "last_used_at": login.last_used_at,
        "is_this": login.pk == this,
    }
