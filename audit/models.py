from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from samia_chat.db.functions import UUIDv7


class AuditLog(models.Model):
    """One thing that was done. Written by triggers and by `record`; nobody may change or remove it.

    Without foreign keys: a record outlives what it speaks of. `chain` and `n` number the records of one session (else of
    one actor, else of one row); `hash` covers the record and the hash before it (sql/0002_functions.sql).
    """

    id = models.UUIDField(primary_key=True, db_default=UUIDv7(), editable=False)  # v7: in order of time
    at = models.DateTimeField(db_default=Now())
    actor = models.UUIDField(null=True)
    actor_role = models.TextField()
    actor_name = models.TextField(blank=True)  # of the command or job, where the actor is the system
    action = models.TextField()  # noun.verb: message.created, session.viewed
    table_name = models.TextField()
    record_id = models.UUIDField(null=True)
    session_id = models.UUIDField(null=True)
    old_values = models.JSONField(null=True)
    new_values = models.JSONField(null=True)
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.TextField(null=True)
    request_id = models.TextField(blank=True)
    reason = models.TextField(blank=True)
    # Address and user agent enter the hash as a salted digest, so that erasing a person may null all three.
    origin_salt = models.UUIDField(null=True)
    origin_digest = models.BinaryField(null=True)
    chain = models.UUIDField()
    n = models.BigIntegerField()
    hash = models.BinaryField()

    class Meta:
        db_table = "chat_audit_logs"
        constraints = [models.UniqueConstraint(fields=["chain", "n"], name="chat_audit_logs_chain")]
        indexes = [models.Index(fields=["actor", "id"], name="chat_audit_logs_actor")]

    def __str__(self) -> str:
        return f"{self.action} {self.record_id}"
