from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from accounts.models import User
from samia_chat.db.functions import UUIDv7


class ChatFile(models.Model):
    """One object of the private bucket, and what is known of it. A message refers to it; nobody ever sees its key."""

    class Purpose(models.TextChoices):
        ATTACHMENT = "attachment"
        VOICE = "voice"
        PREVIEW = "preview"
        AVATAR = "avatar"
        EXPORT = "export"

    class State(models.TextChoices):
        PROCESSING = "processing"
        READY = "ready"
        REJECTED = "rejected"
        DELETED = "deleted"

    id = models.UUIDField(primary_key=True, db_default=UUIDv7(), editable=False)
    # A plain uuid: sessions belong to a layer above, whose migration adds the foreign key.
    session_id = models.UUIDField(null=True)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="files")
    purpose = models.CharField(max_length=10, choices=Purpose)
    key = models.CharField(max_length=200, unique=True)
    original_name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=100)
    size_bytes = models.BigIntegerField()
    sha256 = models.BinaryField(max_length=32)
    duration_ms = models.PositiveIntegerField(null=True)
    waveform = ArrayField(models.SmallIntegerField(), null=True)  # 100 peaks, 0 to 255
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.PROCESSING)
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="renditions")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "chat_files"
        indexes = [models.Index(fields=["session_id", "-id"], name="chat_files_session")]
        constraints = [
            models.CheckConstraint(condition=models.Q(size_bytes__gt=0), name="file_has_bytes"),
            models.CheckConstraint(
                condition=models.Q(purpose__in=("avatar", "export")) | models.Q(session_id__isnull=False),
                name="file_in_session",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.id}"
