from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from chat.access import BOOKINGS
from chat.errors import UnknownPerson
from chat.serializers.booking import BookingInput, BookingSchema
from chat.services.booking import put_booking
from chat.shapes import booking_shape
from samia_chat.api.views import ViewSet
from samia_chat.api.wire import SignedInRequest
from samia_chat.errors import Forbidden, NotFound
from samia_chat.openapi import refuses


@extend_schema(tags=["bookings"])
class BookingViewSet(ViewSet):
    @extend_schema(request=BookingInput, responses={200: BookingSchema, 201: BookingSchema}, operation_id="booking_put")
    @refuses(Forbidden, UnknownPerson)
    def update(self, request: SignedInRequest, booking: UUID) -> Response:
        """The platform's booking as it is now. Administrators only."""
        if BOOKINGS.rule(request.user, "change") is None:
            raise Forbidden if BOOKINGS.scope(request.user).filter(pk=booking).exists() else NotFound
        row, is_new = put_booking(booking_id=booking, **BookingInput.of(request.data))
        return Response(booking_shape(row), status=201 if is_new else 200)
