from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from accounts.models import User
from chat.models.message import Message
from chat.models.session import ChatSession
from samia_chat.db.functions import UUIDv7


class VoiceReview(models.Model):
    """The decision about a voice message that had to be approved: one, and final."""

    class Verdict(models.TextChoices):
        APPROVE = "approve"
        REJECT = "reject"

    id = models.UUIDField(primary_key=True, db_default=UUIDv7(), editable=False)
    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="review")
    session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, db_index=False)
    reviewer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="voice_reviews", db_index=False)
    verdict = models.CharField(max_length=7, choices=Verdict)
    reason = models.CharField(max_length=500, db_default="", blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "chat_voice_reviews"
        constraints = [
            models.CheckConstraint(condition=models.Q(verdict__in=("approve", "reject")), name="verdict_known"),
            models.CheckConstraint(
                condition=models.Q(verdict="approve") | ~models.Q(reason=""), name="rejection_has_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} of {self.message_id}"
