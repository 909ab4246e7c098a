from __future__ import annotations

from django.db import models


class Presence(models.Model):
    """One open socket. Its process refreshes the row every 15 s; one not seen for 45 s counts as gone. Unlogged table."""

    class State(models.TextChoices):
        ONLINE = "online"
        AWAY = "away"

    connection = models.UUIDField(primary_key=True)
    user = models.UUIDField(db_index=True)
    process = models.UUIDField()
    state = models.CharField(max_length=6, choices=State)
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "presence"

    def __str__(self) -> str:
        return f"{self.user} {self.state}"


class PresenceAnnounced(models.Model):
    """What others were last told of a person, so that each change is announced once, by one process. Unlogged table."""

    user = models.UUIDField(primary_key=True)
    state = models.CharField(max_length=7)

    class Meta:
        db_table = "presence_announced"

    def __str__(self) -> str:
        return f"{self.user} {self.state}"
