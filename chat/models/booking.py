from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from accounts.models import User
from samia_chat.db.functions import UUIDv7


class Booking(models.Model):
    """A mirror of the platform's booking. Chat reads it; the platform writes it by PUT /api/bookings/{id}."""

    class Status(models.TextChoices):
        PENDING = "pending"
        CONFIRMED = "confirmed"
        IN_PROGRESS = "in_progress"
        COMPLETED = "completed"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, db_default=UUIDv7())
    client = models.ForeignKey(User, on_delete=models.PROTECT, related_name="bookings_made")
    reader = models.ForeignKey(User, on_delete=models.PROTECT, related_name="bookings_held", null=True)
    service = models.CharField(max_length=120)
    scheduled_at = models.DateTimeField()
    status = models.CharField(max_length=12, choices=Status, default=Status.PENDING)
    is_emergency = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "bookings"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=("pending", "confirmed", "in_progress", "completed", "cancelled")),
                name="booking_status_known",
            ),
            models.CheckConstraint(condition=~models.Q(client=models.F("reader")), name="booking_of_two"),
        ]

    def __str__(self) -> str:
        return self.service
