from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import User
from samia_chat.db.functions import UUIDv7

# Reasons of rows that have outlived their object: it was lost, or kept as evidence for long enough.
LOST, EXPIRED = "lost", "expired"
WITHOUT_OBJECT = (LOST, EXPIRED)


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

    class Rendition(models.TextChoices):
        THUMBNAIL = "thumbnail"  # of a picture
        POSTER = "poster"  # of a video or a PDF
        AAC = "aac"  # of a sound that some browsers cannot play

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
    reason = models.CharField(max_length=200, db_default="", blank=True)  # why it was rejected, as a code
    # Whether its message is published, so that all members may open it; of an avatar, whether it is its owner's. Kept by
    # triggers, like the three that follow.
    is_published = models.BooleanField(db_default=False, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)
    # What was made of it: the names of its children's `rendition`.
    renditions = ArrayField(models.CharField(max_length=10), db_default=[], editable=False)
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="children", db_index=False)
    rendition = models.CharField(
        max_length=10, choices=Rendition, db_default="", blank=True
    )  # what it is of its parent
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "chat_files"
        indexes = [
            models.Index(fields=["session_id", "-id"], name="chat_files_session"),
            models.Index(fields=["owner", "-id"], name="chat_files_owner"),
            # Of the sweep: evidence that is still kept, and files that no message has published.
            models.Index(
                fields=["deleted_at"],
                name="chat_files_evidence",
                condition=Q(deleted_at__isnull=False) & ~Q(reason="expired"),
            ),
            models.Index(
                fields=["created_at"],
                name="chat_files_unmade",
                condition=Q(state="processing", parent__isnull=False),
            ),
            models.Index(
                fields=["created_at"],
                name="chat_files_unpublished",
                condition=Q(is_published=False, parent__isnull=True),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["parent", "rendition"], name="one_rendition_of_a_kind"),
            models.CheckConstraint(condition=Q(size_bytes__gt=0), name="file_has_bytes"),
            models.CheckConstraint(
                condition=Q(purpose__in=("avatar", "export")) | Q(session_id__isnull=False), name="file_in_session"
            ),
            models.CheckConstraint(
                condition=~Q(purpose="avatar") | Q(session_id__isnull=True), name="avatar_in_no_session"
            ),
            models.CheckConstraint(
                condition=Q(state__in=("processing", "ready", "rejected", "deleted")), name="file_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="deleted") ^ Q(deleted_at__isnull=True), name="file_deletion_has_time"
            ),
            models.CheckConstraint(condition=Q(parent__isnull=True) ^ ~Q(rendition=""), name="rendition_has_parent"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.id}"

    @property
    def has_object(self) -> bool:
        """Whether the bucket has, or should have, what this row is of."""
        return self.reason not in WITHOUT_OBJECT
