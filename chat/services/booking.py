"""The mirror of the platform's bookings."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from chat.errors import UnknownPerson
from chat.models import Booking


@transaction.atomic
def put_booking(
    *,
    booking_id: UUID,
    client: UUID,
    reader: UUID | None,
    service: str,
    scheduled_at: datetime,
    status: str,
    is_emergency: bool,
) -> tuple[Booking, bool]:
    """Write the booking as the platform says it is; again with the same contents, nothing changes.

    Returns it and whether it is new. The actor must be an administrator or the system. Raises UnknownPerson.
    """
    named = {client, reader} if reader is not None else {client}
    if client == reader or User.objects.filter(pk__in=named).count() != len(named):
        raise UnknownPerson
    contents = {
        "client_id": client,
        "reader_id": reader,
        "service": service,
        "scheduled_at": scheduled_at,
        "status": status,
        "is_emergency": is_emergency,
    }
    # In a savepoint: when the platform says it twice at once, the later one finds the row and is a change.
    booking, is_new = Booking.objects.select_for_update().get_or_create(pk=booking_id, defaults=contents)
    if not is_new and any(getattr(booking, name) != value for name, value in contents.items()):
        for name, value in contents.items():
            setattr(booking, name, value)
        booking.updated_at = timezone.now()
        booking.save()
    return booking, is_new
