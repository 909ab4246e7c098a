"""Jobs: what is due at a time. Each sweep finds its rows itself; the queue only makes it prompt."""

from __future__ import annotations

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, transaction

from samia_chat import actor
from samia_chat.jobs import app


@app.periodic(cron="*/5 * * * *")
@app.task(name="chat.sweep", queueing_lock="chat.sweep")
def sweep(timestamp: int) -> None:
    """Remove what has expired: former texts, tickets, refresh tokens, counted failures, browser sessions."""
    with actor.acting_as(actor.system("sweep")), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT app.sweep_versions(%s), app.sweep_sign_ins()", [settings.EVIDENCE_DAYS])
    SessionStore.clear_expired()
