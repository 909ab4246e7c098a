"""The pool of connections, when PostgreSQL has ended them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.conf import settings
from django.db import connection

from samia_chat.db.base import has_ended
from tests.cast import make_person
from tests.database import Truth


def fill_pool() -> int:
    """Have as many connections in it as it may have; how many."""
    count: int = settings.DATABASE_POOL_SIZE
    together = Barrier(count)

    def hold_one(_: int) -> None:
        connection.ensure_connection()
        together.wait(5)
        connection.close()

    with ThreadPoolExecutor(count) as threads:
        list(threads.map(hold_one, range(count)))
    return count


def test_after_a_restart_of_postgresql_requests_are_served_at_once(truth: Truth) -> None:
    connection.close()
    count = fill_pool()
    truth.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'samia_app' AND datname = current_database()"
    )
    time.sleep(0.2)
    started = time.monotonic()
    for number in range(count):
        make_person(f"person{number}")
        connection.close()
    assert time.monotonic() - started < 1
    assert truth.one("SELECT count(*) FROM accounts_user") == count


def test_a_living_connection_is_not_taken_for_ended() -> None:
    connection.ensure_connection()
    assert not has_ended(connection.connection)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchall()
    assert not has_ended(connection.connection)
    connection.connection.close()
    assert has_ended(connection.connection)
    connection.close()
