from __future__ import annotations

from uuid import UUID

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import User
from chat.models.session import ChatSession
from samia_chat.db.functions import UUIDv7
from storage.models import ChatFile

MAX_CHARS = 5000  # of a message's text; app.message_is_sound says so too


class Message(models.Model):
    """A message. `seq` numbers the published ones of a session without a hole; `revision` is that of its last change."""

    class Type(models.TextChoices):
        TEXT = "text"
        AUDIO = "audio"
        IMAGE = "image"
        VIDEO = "video"
        FILE = "file"
        SYSTEM = "system"
        EMERGENCY = "emergency"

    class Status(models.TextChoices):
        SENT = "sent"
        PENDING = "pending_approval"
        APPROVED = "approved"
        REJECTED = "rejected"
        DELETED = "deleted"

    # The client may have made it. Order never comes from it.
    id = models.UUIDField(primary_key=True, db_default=UUIDv7())
    session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, related_name="messages", db_index=False)
    sender = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="messages", db_index=False)
    seq = models.BigIntegerField(null=True)
    revision = models.BigIntegerField(null=True)
    type = models.CharField(max_length=9, choices=Type)
    status = models.CharField(max_length=16, choices=Status, default=Status.SENT)
    content = models.TextField(blank=True, db_default="")
    file = models.ForeignKey(ChatFile, on_delete=models.PROTECT, null=True, related_name="messages", db_index=False)
    reply_to = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="replies", db_index=False)
    metadata = models.JSONField(db_default={})
    request_hash = models.BinaryField(max_length=32)  # of what was asked for first; never changes
    salt = models.UUIDField()  # of the two hashes that speak of the text: this one and the audit's
    created_at = models.DateTimeField(db_default=Now())
    published_at = models.DateTimeField(null=True)
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    deleted_by = models.UUIDField(null=True)

    class Meta:
        db_table = "chat_messages"
        indexes = [
            models.Index(fields=["session", "revision"], name="chat_messages_revision"),
            models.Index(fields=["session", "sender"], name="chat_messages_unpublished", condition=Q(seq__isnull=True)),
            models.Index(fields=["session", "-seq"], name="chat_messages_files", condition=Q(file__isnull=False)),
            models.Index(
                fields=["-created_at", "-id"], name="chat_messages_pending", condition=Q(status="pending_approval")
            ),
            models.Index(fields=["reply_to"], name="chat_messages_reply", condition=Q(reply_to__isnull=False)),
        ]
        # What else must hold is one constraint in SQL, message_is_sound (migrations/sql/0002_guards.sql): PostgreSQL plans every
        # check anew for every statement, and eight of them cost a tenth of a send.
        constraints = [
            models.UniqueConstraint(fields=["session", "seq"], name="one_message_per_seq"),
            # With its condition, so that texts, which are most, have no entry in it.
            models.UniqueConstraint(fields=["file"], name="one_message_per_file", condition=Q(file__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.seq} of {self.session_id}"

    @property
    def reason(self) -> str | None:
        """Why a voice message was rejected; None for all others."""
        return str(self.metadata["reason"]) if self.status == self.Status.REJECTED else None

    @property
    def played_by(self) -> list[UUID]:
        """Who has played it, of a voice message; the rows of chat_plays say when."""
        if self.type != self.Type.AUDIO:
            return []
        return [UUID(user) for user in self.metadata.get("played_by", [])]


class MessageVersion(models.Model):
    """A former text, kept by a trigger when a message is edited or deleted. Staff only, for EVIDENCE_DAYS."""

    id = models.UUIDField(primary_key=True, db_default=UUIDv7(), editable=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="versions")
    session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, db_index=False)
    content = models.TextField()
    replaced_at = models.DateTimeField(db_default=Now())
    replaced_by = models.UUIDField(null=True)  # the actor

    class Meta:
        db_table = "chat_message_versions"
        indexes = [models.Index(fields=["replaced_at"], name="chat_versions_age")]

    def __str__(self) -> str:
        return f"former text of {self.message_id}"


class MessagePlay(models.Model):
    """Somebody played a voice message."""

    id = models.UUIDField(primary_key=True, db_default=UUIDv7(), editable=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="plays", db_index=False)
    session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, db_index=False)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "chat_plays"
        constraints = [models.UniqueConstraint(fields=["message", "user"], name="one_play_per_person")]

    def __str__(self) -> str:
        return f"{self.user_id} played {self.message_id}"
