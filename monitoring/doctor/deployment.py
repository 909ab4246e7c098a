"""Settings, database, worker, Redis."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection, transaction
from psycopg_pool import PoolTimeout
from redis import Redis, RedisError

from monitoring.doctor.finding import Finding, error, ok, warning
from samia_chat import actor
from samia_chat.checks import refuse_unsafe_database
from samia_chat.settings import is_here

WORKER_SECONDS = 60  # a worker writes its heartbeat every ten


def settings_are_sound() -> Iterator[Finding]:
    found = [message for message in checks.run_checks() if message.level >= checks.WARNING]
    for message in found:
        make = error if message.level >= checks.ERROR else warning
        yield make(message.msg, message.hint or "See docs/settings.md.")
    origin = settings.PUBLIC_ORIGINS[0]
    if not settings.IS_HTTPS and not is_here(urlsplit(origin).hostname or ""):
        yield warning(
            f"People use {origin}: passwords and messages go over the wire as they are.",
            "Put TLS in front of the server, and begin SAMIA_PUBLIC_ORIGINS with https://.",
        )
    if not found:
        yield ok(f"People use {origin}.")


def database() -> Iterator[Finding]:
    try:
        refuse_unsafe_database()
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user, current_setting('server_version')")
            user, version = cursor.fetchone()
    except ImproperlyConfigured as problem:
        yield error(str(problem), "The server refuses to start like this.")
    except (DatabaseError, PoolTimeout) as problem:
        yield error(
            f"The database does not answer: {' '.join(str(problem).split())}",
            "Is PostgreSQL up, and can it be reached from here? DATABASE_URL says where it is looked for.",
        )
    else:
        yield ok(f"PostgreSQL {version}, signed in as {user}; every migration has run.")


def worker() -> Iterator[Finding]:
    """Renditions, sweeps and everything else that is due at a time."""
    try:
        with actor.acting_as(actor.system("doctor")), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => %s)",
                [WORKER_SECONDS],
            )
            (count,) = cursor.fetchone()
            cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND attempts = 0")
            (waiting,) = cursor.fetchone()
    except (DatabaseError, PoolTimeout):
        yield error("The database does not say whether a worker is at work.", "Mend the database first.")
        return
    if count == 0:
        yield error(
            f"No worker is at work, and {waiting} jobs wait: recordings are not made playable everywhere, nothing is swept.",
            "Start `manage.py work`, and keep it running.",
        )
    else:
        yield ok(f"{count} at work; {waiting} jobs wait.")


def redis() -> Iterator[Finding]:
    if not settings.REDIS_URL:
        yield ok("Not used: one web process serves alone.")
        return
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
            client.ping()
            client.publish("samia:doctor", b"")
    except (RedisError, OSError) as problem:
        yield error(
            f"Redis does not do what is asked: {problem}",
            "Is it up, and may its user publish on every channel? REDIS_URL says where it is looked for.",
        )
    else:
        yield ok("It answers, and takes events.")
