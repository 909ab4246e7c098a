from __future__ import annotations

from typing import Any

from rest_framework import serializers

from chat.models import Booking
from chat.serializers import examples
from samia_chat.api.input import Input, NameField, StrictBool, StrictUUID
from samia_chat.openapi import shown


@shown(examples.BOOKING_INPUT)
class BookingInput(Input):
    client = StrictUUID()
    reader = StrictUUID(allow_null=True, required=False, default=None)
    service = NameField(max_length=120)
    scheduled_at = serializers.DateTimeField()
    status = serializers.ChoiceField(choices=Booking.Status.choices)
    is_emergency = StrictBool(required=False, default=False)


@shown(examples.BOOKING)
class BookingSchema(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    client = serializers.UUIDField()
    reader = serializers.UUIDField(allow_null=True)
    service = serializers.CharField()
    scheduled_at = serializers.DateTimeField()
    status = serializers.ChoiceField(choices=Booking.Status.choices)
    is_emergency = serializers.BooleanField()
