"""Jobs: what is due at a time. Each sweep finds its rows itself; the queue only makes it prompt."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, transaction
from procrastinate import RetryStrategy
from procrastinate.exceptions import AlreadyEnqueued

from chat.services import file as files
from samia_chat import actor
from samia_chat.jobs import app


@app.periodic(cron="*/5 * * * *")
@app.task(name="chat.sweep", queueing_lock="chat.sweep")
def sweep(timestamp: int) -> None:
    """Remove what has expired: former texts, tickets, refresh tokens, counted failures, browser sessions."""
    with actor.acting_as(actor.system("sweep")), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT app.sweep_versions(%s), app.sweep_sign_ins()", [settings.EVIDENCE_DAYS])
    SessionStore.clear_expired()


@app.periodic(cron="*/5 * * * *")
@app.task(name="chat.sweep_files", queueing_lock="chat.sweep_files")
def sweep_files(timestamp: int) -> None:
    """Look again at files that have waited for long: their job has given up."""
    with actor.acting_as(actor.system("sweep")):
        for file_id in files.waiting_for_long():
            with suppress(AlreadyEnqueued):
                process_file.configure(queueing_lock=f"chat.file:{file_id}").defer(file=str(file_id))


class NotYet(Exception):
    """The file waits for a scanner that does not answer."""


# After 2 s, 4 s, 8 s and so on, for some hours: a store or a scanner that is away comes back.
@app.task(name="chat.process_file", retry=RetryStrategy(max_attempts=12, exponential_wait=2))
def process_file(file: str) -> None:
    """Render, measure and scan a file whose message was sent."""
    with actor.acting_as(actor.system("worker")):
        if not files.process_file(UUID(file)):
            raise NotYet
