"""The database under test: one per pytest worker, copied from the migrated one; emptied before each test.

Nothing is wrapped in a transaction that is rolled back: what is tested are commits, triggers at commit, notices and row
locks between connections. The superuser's connection is for setting up and for looking at the truth.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

SUPERUSER_URL = os.environ.get("TEST_SUPERUSER_URL", "")
KEPT = {"django_migrations"}


def use_own_database() -> None:
    """Point this process at a database of its own. Called before Django reads its settings."""
    if not SUPERUSER_URL or "SAMIA_FILES" not in os.environ:  # both are emptied before each test
        raise SystemExit("Run the tests with ./samia test (arguments are pytest's).")
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        return
    name = f"samia_{worker}"
    cluster = psycopg.connect(SUPERUSER_URL.replace("/samia?", "/postgres?"), autocommit=True)
    with cluster as connection, suppress(psycopg.errors.DuplicateDatabase):
        connection.execute(f"CREATE DATABASE {name} TEMPLATE samia STRATEGY file_copy")
    for variable in ("DATABASE_URL", "DATABASE_OWNER_URL", "TEST_SUPERUSER_URL"):
        os.environ[variable] = os.environ[variable].replace("/samia?", f"/{name}?")
    os.environ["SAMIA_FILES"] = str(Path(os.environ["SAMIA_FILES"]) / worker)


class Truth:
    """The superuser's view: no policy, and with `session_replication_role = replica` no trigger either."""

    def __init__(self) -> None:
        self.connection = psycopg.connect(os.environ["TEST_SUPERUSER_URL"], autocommit=True, row_factory=dict_row)
        tables = self.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        self._tables = [row["tablename"] for row in tables if row["tablename"] not in KEPT]

    def rows(self, query: str, *arguments: Any) -> list[dict[str, Any]]:
        cursor = self.connection.execute(query, arguments or None)
        return cursor.fetchall() if cursor.description else []

    def one(self, query: str, *arguments: Any) -> Any:
        """The first column of the first row."""
        found = self.rows(query, *arguments)
        return next(iter(found[0].values())) if found else None

    def without_triggers(self, query: str, *arguments: Any) -> None:
        with self.connection.transaction():
            self.connection.execute("SET LOCAL session_replication_role = replica")
            self.connection.execute(query, arguments or None)

    def empty(self) -> None:
        """Remove every row. DELETE and not TRUNCATE: for a few rows it is ten times faster.

        Again after a deadlock: a server of the last test may still be noting that its sockets have closed.
        """
        delete_all = "; ".join(f"DELETE FROM {table}" for table in self._tables)
        try:
            self.without_triggers(delete_all)
        except psycopg.errors.DeadlockDetected:
            self.without_triggers(delete_all)
