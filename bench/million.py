"""A database with a past: a million messages in 20,000 sessions, written past triggers and policies, and consistent.

A reader has 200 sessions, a client 8; about two sessions of a reader are long (2,000 messages, the others 30). Messages lie
in the table in the order of time, as they would have come, so that a thread is spread over it and not packed together; their
ids are random, as clients may make them. Other numbers of messages have as many sessions for each, and may have their records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from bench import world

DATABASE = "bench_lists"
MESSAGES = 1_000_000
PER_SESSION, PER_READER, PER_CLIENT = 50, 200, 8  # messages on average; sessions

_NUMBERED = """
CREATE TEMP TABLE people AS
  SELECT n, uuidv7(make_interval(secs => n) - interval '400 days') AS id,
         CASE WHEN n < %(readers)s THEN 'reader' WHEN n < %(readers)s + %(clients)s THEN 'client' ELSE 'admin' END AS role
    FROM generate_series(0, %(readers)s + %(clients)s) n;
CREATE TEMP TABLE rooms AS
  SELECT s.n, uuidv7(make_interval(secs => s.n) - interval '366 days') AS id, r.id AS reader, c.id AS client,
         uuidv7(make_interval(secs => s.n) - interval '367 days') AS booking,
         CASE WHEN s.n %% 101 = 0 THEN 2000 ELSE 20 + s.n %% 21 END AS messages,
         (ARRAY['paused', 'ended', 'ended', 'archived'])[s.n %% 50] AS other_status,
         -- the last message of the sessions is spread over a year
         now() - interval '1 year' * ((s.n * 7919) %% %(sessions)s) / %(sessions)s AS last_at
    FROM generate_series(0, %(sessions)s - 1) s (n)
    JOIN people r ON r.n = s.n / (%(sessions)s / %(readers)s)
    JOIN people c ON c.n = %(readers)s + s.n %% %(clients)s;
ALTER TABLE rooms ADD status text GENERATED ALWAYS AS (coalesce(other_status, 'active')) STORED
"""

_ROWS = (
    """
    INSERT INTO accounts_user (id, email, display_name, role, password, language, timezone, is_active)
    SELECT id, 'person' || n || '@example.test', 'Person ' || n, role, '!', 'en', 'UTC', true FROM people""",
    """
    INSERT INTO bookings (id, client_id, reader_id, service, scheduled_at, status, is_emergency)
    SELECT booking, client, reader, 'Celtic Cross', last_at, 'confirmed', false FROM rooms""",
    """
    INSERT INTO chat_sessions (id, type, status, title, booking_id, participants, active_at, created_at, updated_at, ended_at)
    SELECT id, 'booking', status, '', booking, ARRAY(SELECT x FROM unnest(ARRAY[client, reader]) x ORDER BY x), last_at,
           last_at - interval '30 days', last_at, CASE WHEN status IN ('ended', 'archived') THEN last_at END FROM rooms""",
    """
    INSERT INTO chat_session_state (session_id, last_seq, revision, members_revision, last_message_at)
    SELECT id, messages, messages + 2, 2, last_at FROM rooms""",
    # Half of the people have read all, the others are ten messages behind.
    """
    INSERT INTO chat_participants (session_id, user_id, role_in_session, joined_at, delivered_seq, seen_seq, read_seq,
                                   own_ahead, session_status)
    SELECT id, who, role, last_at - interval '30 days', messages, messages - behind, messages - behind, 0, status
      FROM rooms, LATERAL (VALUES (client, 'client', 0), (reader, 'reader', 10 * (n % 2))) p (who, role, behind)""",
    """
    INSERT INTO chat_messages (id, session_id, sender_id, seq, revision, type, status, content, request_hash, salt,
                               created_at, published_at)
    SELECT gen_random_uuid(), r.id, CASE WHEN seq % 2 = 0 THEN client ELSE reader END, seq, seq + 2, 'text', 'sent',
           rpad('message ' || seq || ' of session ' || n, 40 + (n + seq) % 160, ' lorem ipsum'),
           sha256(convert_to(n || '/' || seq, 'UTF8')), gen_random_uuid(), at, at
      FROM rooms r, generate_series(1, messages) seq,
           LATERAL (SELECT last_at - interval '30 days' * (messages - seq) / messages AS at) t
     ORDER BY at""",
    # Held messages: of every hundredth session.
    """
    INSERT INTO chat_messages (id, session_id, sender_id, type, status, content, request_hash, salt, created_at)
    SELECT uuidv7(), id, reader, 'text', 'pending_approval', 'held', sha256('held'), gen_random_uuid(), now()
      FROM rooms WHERE n % 100 = 0""",
)

# The administrator has looked into sessions before: 50,000 records, 2,000 of them of the last quarter of an hour.
_LOOKS = """
    INSERT INTO chat_audit_logs (id, at, actor, actor_role, actor_name, action, table_name, record_id, session_id,
                                 request_id, reason, chain, n, hash)
    SELECT uuidv7(-ago), now() - ago, p.id, 'admin', '', 'session.viewed', 'chat_sessions', r.id, r.id, '', '', p.id, i, '\\x00'
      FROM generate_series(1, 50000) i
      JOIN rooms r ON r.n = (i * 37) % (SELECT count(*) FROM rooms) JOIN people p ON p.role = 'admin',
           LATERAL (SELECT CASE WHEN i <= 2000 THEN interval '14 minutes' ELSE interval '30 days' END * i / 50000 AS ago) t
     ORDER BY ago DESC"""

# What the trigger writes of each message. The hashes have the size of real ones and chain nothing: a new record is hashed
# onto whatever its chain's head holds.
_RECORDS = (
    """
    INSERT INTO chat_audit_logs (id, at, actor, actor_role, actor_name, action, table_name, record_id, session_id, new_values,
                                 ip_address, user_agent, request_id, reason, origin_salt, origin_digest, chain, n, hash)
    SELECT uuidv7(published_at - now()), published_at, sender_id, CASE WHEN seq % 2 = 0 THEN 'client' ELSE 'reader' END, '',
           'message.created', 'chat_messages', id, session_id,
           app.audit_values(to_jsonb(m), ARRAY['salt', 'request_hash'], 'content'), '127.0.0.1', 'samia-bench/1',
           left(id::text, 16), '', gen_random_uuid(), sha256(uuid_send(salt)), session_id, seq, sha256(uuid_send(id))
      FROM chat_messages m WHERE seq IS NOT NULL -- as they lie there: in the order of time""",
    """
    INSERT INTO audit_chains (chain, n, hash)
    SELECT r.id, r.messages, l.hash FROM rooms r JOIN chat_audit_logs l ON l.chain = r.id AND l.n = r.messages""",
)


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """Who asks, and the long session whose thread is read."""

    name: str
    user: UUID
    role: str
    sessions: int
    thread: UUID


def make() -> list[Viewer]:
    """The database DATABASE, and a client, a reader and an administrator of it. About a minute."""
    world.fresh_database(DATABASE, world.MIGRATED)
    with world.superuser(DATABASE) as connection:
        _fill(connection, MESSAGES, [*_ROWS, _LOOKS])
        viewers = [
            _viewer(connection, "client with 8 sessions", "r.client = p.id AND r.n % 101 = 0", "p.role = 'client'"),
            _viewer(connection, "reader with 200 sessions", "r.reader = p.id AND r.n % 101 = 0", "p.role = 'reader'"),
            _viewer(connection, "administrator", "r.n = 101 * 7", "p.role = 'admin'"),
        ]
        _settle(connection)
    return viewers


def make_past(database: str, messages: int, talking: int) -> list[world.Person]:
    """About so many messages with their audit records, and `talking` sessions of two among them, made by the product's own
    functions. About two minutes and 1.5 GB for a million. Returns the people of those, two for each session."""
    world.fresh_database(database, world.MIGRATED)
    with world.superuser(database) as connection:
        _fill(connection, messages, [*_ROWS, *_RECORDS])
    with world.superuser(database) as connection:  # triggers again
        people = world.make_people(connection, talking)
        _settle(connection)
    return people


def _fill(connection: psycopg.Connection[Any], messages: int, statements: Sequence[str]) -> None:
    connection.execute("SET session_replication_role = replica")  # no triggers, no foreign keys
    connection.execute("SET work_mem = '256MB'")
    sessions = messages // PER_SESSION
    sizes = {"sessions": sessions, "readers": sessions // PER_READER, "clients": sessions // PER_CLIENT}
    for statement in _NUMBERED.split(";"):
        psycopg.ClientCursor(connection).execute(statement, sizes)  # type: ignore[arg-type]  # our own text
    connection.execute("ANALYZE people, rooms")
    for statement in statements:
        connection.execute(statement)  # type: ignore[call-overload]


def _settle(connection: psycopg.Connection[Any]) -> None:
    connection.execute("VACUUM ANALYZE")
    connection.execute("CHECKPOINT")


def _viewer(connection: psycopg.Connection[Any], name: str, thread: str, who: str) -> Viewer:
    query = (
        "SELECT p.id, p.role, (SELECT count(*) FROM rooms m WHERE p.id IN (m.client, m.reader) OR p.role = 'admin'), r.id"
        f"  FROM people p JOIN rooms r ON {thread} AND r.status = 'active' WHERE {who} ORDER BY r.n LIMIT 1"
    )
    user, role, sessions, session = connection.execute(query).fetchone() or (None,) * 4  # type: ignore[call-overload]
    return Viewer(name=name, user=user, role=role, sessions=sessions, thread=session)


def size(database: str = DATABASE) -> dict[str, int]:
    """Rows of the tables that matter."""
    with world.superuser(database) as connection:
        counts = connection.execute(
            "SELECT (SELECT count(*) FROM chat_messages), (SELECT count(*) FROM chat_sessions),"
            " (SELECT count(*) FROM chat_participants)"
        ).fetchone()
    return dict(zip(("messages", "sessions", "participants"), counts or (), strict=True))
