from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from chat.models.booking import Booking
from samia_chat.db.functions import UUIDv7


class ChatSession(models.Model):
    """A private conversation. Who is in it stands in chat_participants; its counters in SessionState."""

    class Type(models.TextChoices):
        BOOKING = "booking"
        SUPPORT = "support"
        EMERGENCY = "emergency"
        GENERAL = "general"

    class Status(models.TextChoices):
        ACTIVE = "active"
        PAUSED = "paused"
        LOCKED = "locked"
        ENDED = "ended"
        ARCHIVED = "archived"

    id = models.UUIDField(primary_key=True, db_default=UUIDv7(), editable=False)
    type = models.CharField(max_length=10, choices=Type)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    title = models.CharField(max_length=200, blank=True)
    booking = models.ForeignKey(Booking, on_delete=models.SET_NULL, null=True, related_name="sessions", db_index=False)
    # Kept by a trigger from the memberships, for searching; never written by the application.
    participants = ArrayField(models.UUIDField(), db_default=[], editable=False)
    metadata = models.JSONField(db_default={})
    active_at = models.DateTimeField(db_default=Now())  # last activity, moved at most once a minute
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "chat_sessions"
        indexes = [
            GinIndex(fields=["participants"], name="chat_sessions_participants"),
            models.Index(fields=["-active_at", "-id"], name="chat_sessions_activity"),
            models.Index(fields=["booking"], name="chat_sessions_booking", condition=Q(booking__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["booking"],
                condition=Q(type="booking") & ~Q(status__in=("ended", "archived")),
                name="one_live_session_per_booking",
            ),
            models.CheckConstraint(
                condition=Q(type__in=("booking", "support", "emergency", "general")), name="session_type_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=("active", "paused", "locked", "ended", "archived")), name="session_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=("ended", "archived")) ^ Q(ended_at__isnull=True), name="session_end_has_time"
            ),
        ]

    def __str__(self) -> str:
        return self.title or f"{self.type} {self.id}"


class SessionState(models.Model):
    """The counters of a session. Whoever changes anything in the session locks this row first.

    Apart from the session because it is written with every message: half-full pages and no further index keep those
    updates in place (HOT).
    """

    session = models.OneToOneField(ChatSession, on_delete=models.CASCADE, primary_key=True, related_name="state")
    last_seq = models.BigIntegerField(default=0)  # of the last published message
    revision = models.BigIntegerField(default=0)  # grows with every change that every member may see
    members_revision = models.BigIntegerField(default=0)  # the revision of the last change of members
    last_message_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "chat_session_state"

    def __str__(self) -> str:
        return f"{self.session_id} at {self.last_seq}/{self.revision}"
