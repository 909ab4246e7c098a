"""The pool of connections, when PostgreSQL has ended them."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import ConnectionPool, PoolTimeout

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


def is_served(pool: ConnectionPool) -> bool:
    try:
        pool.putconn(pool.getconn(timeout=0.2))
    except PoolTimeout:
        return False
    return True


def test_when_postgresql_is_back_requests_are_served_at_once(truth: Truth, tmp_path: Path) -> None:
    """However long it was away: PostgreSQL is reached by a name that is taken away for a while."""
    link = tmp_path / "postgresql"
    info = conninfo_to_dict(os.environ["DATABASE_URL"])
    link.symlink_to(str(info["host"]))
    options = {**settings.DATABASES["default"]["OPTIONS"]["pool"], "max_size": 2}
    arguments = {**info, "host": str(link)}
    with ConnectionPool(kwargs=arguments, open=True, **options) as pool:
        held = [pool.getconn() for _ in range(2)]
        link.unlink()
        for one in held:
            one.close()
            pool.putconn(one)
        left_at = time.monotonic()
        while time.monotonic() < left_at + 4:
            assert not is_served(pool)
        link.symlink_to(str(info["host"]))
        back_at = time.monotonic()
        while not is_served(pool):
            assert time.monotonic() < back_at + 1
        pool.close()


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


def test_a_connection_that_ends_before_a_transaction_begins_is_an_operational_error(truth: Truth) -> None:
    """What a client is answered with `busy` for; the next one is served by another connection."""
    connection.ensure_connection()
    truth.rows("SELECT pg_terminate_backend(%s)", connection.connection.info.backend_pid)
    time.sleep(0.2)
    with pytest.raises(OperationalError), transaction.atomic():
        pass
    connection.close()
    make_person("served")
