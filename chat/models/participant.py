from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import User
from chat.models.session import ChatSession
from samia_chat.db.functions import UUIDv7


class Participant(models.Model):
    """A membership and its cursors. With `left_at` null the person is a member; a former one keeps his row.

    read ≤ seen ≤ delivered ≤ the session's last_seq. `own_ahead` counts his own messages beyond `read`, so that unread is
    arithmetic: last_seq - read_seq - own_ahead.
    """

    class Role(models.TextChoices):
        CLIENT = "client"
        READER = "reader"
        STAFF = "staff"

    id = models.UUIDField(primary_key=True, db_default=UUIDv7(), editable=False)
    session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, related_name="memberships", db_index=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships", db_index=False)
    role_in_session = models.CharField(max_length=6, choices=Role)
    joined_at = models.DateTimeField(db_default=Now())
    left_at = models.DateTimeField(null=True)
    delivered_seq = models.BigIntegerField(default=0)
    seen_seq = models.BigIntegerField(default=0)
    read_seq = models.BigIntegerField(default=0)
    own_ahead = models.BigIntegerField(default=0)
    muted_until = models.DateTimeField(null=True)
    # Kept by triggers from the session, so that policies ask for the state without reading another table.
    session_status = models.CharField(max_length=10, default="active", editable=False)

    class Meta:
        db_table = "chat_participants"
        indexes = [
            models.Index(fields=["user", "session"], name="chat_participants_user", condition=Q(left_at__isnull=True))
        ]
        # And membership_is_sound, in migrations/sql/0002_guards.sql: cursors in order, a role that is known.
        constraints = [models.UniqueConstraint(fields=["session", "user"], name="one_membership_per_person")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.session_id}"


class Person(models.Model):
    """What people who share a session see of one another: a view whose own condition is the rule."""

    id = models.UUIDField(primary_key=True)
    display_name = models.CharField(max_length=80)
    role = models.CharField(max_length=12)
    last_seen_at = models.DateTimeField(null=True)
    avatar = models.UUIDField(null=True)

    class Meta:
        managed = False
        db_table = "chat_people"

    def __str__(self) -> str:
        return self.display_name
