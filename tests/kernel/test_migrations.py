"""Migrations run on an empty database, can be taken back to nothing, and run again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from samia_chat.embedded.postgres import ROLES_SQL

# Those of procrastinate cannot be taken back; it says so itself.
OURS = ("samia_chat", "chat", "storage", "accounts", "audit")
NAME = f"scratch_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"


def on_server(statement: str) -> None:
    with psycopg.connect(os.environ["TEST_SUPERUSER_URL"], autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


def url_of(variable: str) -> str:
    address, query = os.environ[variable].split("?")
    return f"{address.rsplit('/', 1)[0]}/{NAME}?{query}"


@pytest.fixture
def scratch() -> Iterator[dict[str, str]]:
    """An empty database with the roles; the environment that points to it."""
    on_server(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
    on_server(f"CREATE DATABASE {NAME} TEMPLATE template0")
    with psycopg.connect(url_of("TEST_SUPERUSER_URL"), autocommit=True) as connection:
        connection.execute(ROLES_SQL.read_text())  # type: ignore[call-overload]
    yield {**os.environ, "DATABASE_URL": url_of("DATABASE_URL"), "DATABASE_OWNER_URL": url_of("DATABASE_OWNER_URL")}
    on_server(f"DROP DATABASE {NAME} WITH (FORCE)")


def manage(environment: dict[str, str], *arguments: str) -> None:
    command = [sys.executable, "manage.py", *arguments]
    outcome = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert outcome.returncode == 0, outcome.stderr[-2000:]


def left_over() -> list[str]:
    query = """
        SELECT 'table ' || tablename FROM pg_tables WHERE schemaname = 'public' AND tablename !~ '^(django|procrastinate)_'
        UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'app'::regnamespace
        UNION ALL SELECT 'view ' || viewname FROM pg_views WHERE schemaname = 'public'
    """
    with psycopg.connect(url_of("TEST_SUPERUSER_URL")) as connection:
        return [row[0] for row in connection.execute(query)]


@pytest.mark.timeout(240)
def test_there_and_back_and_there_again(scratch: dict[str, str]) -> None:
    manage(scratch, "migrate", "--verbosity", "0")
    manage(scratch, "policies", "--check")
    for app in OURS:
        manage(scratch, "migrate", app, "zero", "--verbosity", "0")
    assert left_over() == []
    manage(scratch, "migrate", "--verbosity", "0")
    manage(scratch, "policies", "--check")
