"""Databases for a measurement: people in sessions with a past, copied for each round, and the check of what was stored."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

MIGRATED = "samia"
WORLD = "bench_world"
# Beside the sessions under load. Without a past PostgreSQL plans for empty tables, and reads them from end to end.
OTHER_SESSIONS = 2000
PAST_MESSAGES = 10  # of every session
USER_AGENT = "samia-bench/1"  # both servers write it into every audit record, as they would a browser's


@dataclass(frozen=True, kw_only=True)
class Person:
    user: UUID
    email: str
    role: str
    login: UUID
    session: UUID


def url(variable: str, database: str) -> str:
    """The address in an environment variable of the launcher's, for another database of the cluster."""
    return os.environ[variable].replace(f"/{MIGRATED}?", f"/{database}?")


def socket_folder() -> Path:
    """Where the cluster's Unix socket lies, for programs that take no address like `url`."""
    (folder,) = parse_qs(urlsplit(os.environ["BENCH_SUPERUSER_URL"]).query)["host"]
    return Path(folder)


def superuser(database: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url("BENCH_SUPERUSER_URL", database), autocommit=True)


def fresh_database(name: str, template: str = WORLD) -> None:
    """A copy of `template` under `name`, in place of an older one."""
    drop_database(name)
    with superuser("postgres") as connection:
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        connection.execute(copy.format(sql.Identifier(name), sql.Identifier(template)))


def drop_database(name: str) -> None:
    with superuser("postgres") as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def make(sessions: int) -> list[Person]:
    """The database that rounds copy: `sessions` for the load and others beside them, a client and a reader in each.

    Returns those of the load: person 2 × session + side. People and logins are rows, sessions and messages are made by the
    product's own functions with all triggers, so every counter, array and audit chain is as the product makes it.
    """
    fresh_database(WORLD, MIGRATED)
    with superuser(WORLD) as connection:
        people = make_people(connection, sessions + OTHER_SESSIONS)
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    return people[: 2 * sessions]


def make_people(connection: psycopg.Connection[Any], sessions: int) -> list[Person]:
    """A client and a reader in each of so many new sessions, with a short past: person 2 × session + side."""
    with connection.cursor() as cursor:
        with connection.transaction():
            pairs = [_make_pair(cursor, number) for number in range(sessions)]
        with connection.transaction():
            cursor.execute("SET LOCAL ROLE samia_staff")  # without an actor: the system
            people = [person for pair in pairs for person in _open_session(cursor, pair)]
        for _ in range(PAST_MESSAGES):
            let_all_talk(cursor, people)
    return people


def make_staff() -> list[Person]:
    """An administrator and a monitor, who share a session, in the database that rounds copy."""
    with superuser(WORLD) as connection, connection.cursor() as cursor, connection.transaction():
        pair = [_make_person(cursor, role, role) for role in ("admin", "monitor")]
        cursor.execute("SET LOCAL ROLE samia_staff")
        return _open_session(cursor, pair)


def set_password(people: Sequence[Person], encoded: str) -> None:
    """Give these people of the database that rounds copy a password, as Django encodes it."""
    with superuser(WORLD) as connection:
        connection.execute(
            "UPDATE accounts_user SET password = %s WHERE id = ANY (%s)", [encoded, [person.user for person in people]]
        )


def _make_pair(cursor: psycopg.Cursor[Any], number: int) -> list[dict[str, Any]]:
    return [_make_person(cursor, f"bench{2 * number + side}", role) for side, role in enumerate(("client", "reader"))]


def _make_person(cursor: psycopg.Cursor[Any], name: str, role: str) -> dict[str, Any]:
    """What a Person is made of, but for the session."""
    user, login, email = uuid4(), uuid4(), f"{name}@example.test"
    cursor.execute(
        "INSERT INTO accounts_user (id, email, display_name, role, password, language, timezone, is_active)"
        " VALUES (%s, %s, %s, %s, '!', 'en', 'UTC', true)",
        [user, email, f"Person {name}", role],
    )
    cursor.execute(
        "INSERT INTO accounts_login (id, user_id, kind, address, user_agent) VALUES (%s, %s, 'token', '127.0.0.1', %s)",
        [login, user, USER_AGENT],
    )
    return {"user": user, "email": email, "role": role, "login": login}


def _open_session(cursor: psycopg.Cursor[Any], pair: list[dict[str, Any]]) -> list[Person]:
    people = [who["user"] for who in pair]
    cursor.execute("SELECT code, session_id FROM app.open_session('general', '', NULL, %s)", [people])
    code, session = cursor.fetchone() or ("nothing", None)
    if code != "ok":
        raise RuntimeError(f"a session could not be opened: {code}")
    return [Person(**who, session=session) for who in pair]


def let_all_talk(cursor: psycopg.Cursor[Any], people: Sequence[Person]) -> None:
    """One message in every session, from its client. Nobody is told: it is stored without a server."""
    senders = sorted(people[::2], key=lambda person: person.session.bytes)
    texts = [f"a message of the past {uuid4()}".ljust(100, ".") for _ in senders]
    cursor.execute(
        "SELECT count(*) FILTER (WHERE code <> 'ok') FROM app.send_chat_messages(%s, %s, %s, %s, %s, %s)",
        [
            [person.user for person in senders],
            [context(person) for person in senders],
            [person.session for person in senders],
            [uuid4() for _ in senders],
            texts,
            [None] * len(senders),
        ],
    )
    (refused,) = cursor.fetchone() or (None,)
    if refused != 0:
        raise RuntimeError(f"{refused} messages of the past were refused")


def context(person: Person) -> str:
    """What the audit records beside the sender, as the server writes it (samia_chat/actor.py)."""
    return json.dumps(
        {
            "role": person.role,
            "address": "127.0.0.1",
            "agent": USER_AGENT,
            "salt": uuid4().hex,
            "request": secrets.token_hex(8),
        }
    )


def make_tickets(database: str, people: Sequence[Person]) -> list[str]:
    """One-use tickets as POST /api/auth/ticket gives them; only their digests are stored. Good for a minute."""
    tickets = [secrets.token_urlsafe(32) for _ in people]
    with superuser(database) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO accounts_ticket (digest, login_id, expires_at) VALUES (%s, %s, now() + interval '1 minute')",
            [
                (hashlib.sha256(ticket.encode()).digest(), person.login)
                for ticket, person in zip(tickets, people, strict=True)
            ],
        )
    return tickets


def make_tokens(people: Sequence[Person]) -> list[str]:
    """Access tokens as signing in gives them: for requests, and good for ten minutes."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "samia_chat.settings")
    from accounts.tokens import make_access_token

    return [make_access_token(user_id=person.user, login_id=person.login) for person in people]


def session_key(person: Person) -> str:
    """Of the person's browser session, once `sign_in_browsers` has made it."""
    return person.login.hex


def sign_in_browsers(database: str, people: Sequence[Person]) -> None:
    """Browser sessions of these people, as signing in on the page makes them."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "samia_chat.settings")
    from django.apps import apps
    from django.conf import settings

    # And not django.setup(), which would keep this process's log as the product's.
    apps.populate(settings.INSTALLED_APPS)
    from django.contrib.sessions.backends.db import SessionStore

    from accounts.middleware import SESSION_KEY

    store = SessionStore()
    with superuser(database) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO django_session (session_key, session_data, expire_date) VALUES (%s, %s, now() + interval '1 day')",
            [(session_key(person), store.encode({SESSION_KEY: str(person.login)})) for person in people],
        )


def server_version() -> str:
    with superuser("postgres") as connection:
        (version,) = _row(connection, "SHOW server_version")
    return str(version).split(" ")[0]


# What was stored -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Stored:
    messages: int  # with those of the past
    different: int  # texts that differ: each was sent once, so fewer than messages means stored twice
    sessions_with_holes: int  # where seq is not 1, 2, 3 … or the counters say otherwise
    audit_records: int  # 'message.created'
    audit_faults: int

    def wrong(self, before: Stored, delivered: int) -> list[str]:
        """What must not be after `delivered` messages since `before`, in words. Empty when all is well."""
        found = []
        if self.messages - before.messages < delivered:
            found.append(f"{delivered} delivered, {self.messages - before.messages} stored")
        if self.different != self.messages:
            found.append(f"{self.messages - self.different} stored twice")
        if self.sessions_with_holes:
            found.append(f"{self.sessions_with_holes} sessions with holes in seq")
        if self.audit_records != self.messages:
            found.append(f"{self.messages} messages, {self.audit_records} audit records of them")
        if self.audit_faults:
            found.append(f"{self.audit_faults} faults in the audit chains")
        return found


def stored(database: str, sessions: Sequence[UUID] | None = None) -> Stored:
    """Of all sessions, or of some."""
    some = None if sessions is None else list(sessions)
    here = "(%(some)s::uuid[] IS NULL OR {} = ANY(%(some)s))"
    with superuser(database) as connection:
        messages, different = _row(
            connection,
            f"SELECT count(*), count(DISTINCT content) FROM chat_messages WHERE {here.format('session_id')}",
            some=some,
        )
        (holes,) = _row(
            connection,
            "SELECT count(*) FROM chat_session_state s LEFT JOIN ("
            "  SELECT session_id, count(*) AS n, count(DISTINCT seq) AS seqs, min(seq) AS low, max(seq) AS high"
            f"   FROM chat_messages WHERE {here.format('session_id')} GROUP BY 1) m ON m.session_id = s.session_id"
            " WHERE (s.last_seq <> coalesce(m.n, 0) OR (m.n > 0 AND (m.low, m.high, m.seqs) <> (1, m.n, m.n)))"
            f"  AND {here.format('s.session_id')}",
            some=some,
        )
        (records,) = _row(
            connection,
            f"SELECT count(*) FROM chat_audit_logs WHERE action = 'message.created' AND {here.format('chain')}",
            some=some,
        )
        (faults,) = _row(
            connection,
            "SELECT count(*) FROM unnest(coalesce(%(some)s::uuid[], ARRAY[NULL::uuid])) c, app.audit_faults(c)",
            some=some,
        )
    return Stored(
        messages=messages,
        different=different,
        sessions_with_holes=holes,
        audit_records=records,
        audit_faults=faults,
    )


def _row(connection: psycopg.Connection[Any], query: str, **arguments: object) -> tuple[Any, ...]:
    found = connection.execute(query, arguments or None).fetchone()  # type: ignore[call-overload]
    assert found is not None  # aggregates always give a row
    return tuple(found)
