"""ejabberd's database: people and a past such as the others have, and the check of what its archive holds."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from bench import world

ROLE = "samia_app"  # as the others: not a superuser
RESOURCE = "bench"


def make(name: str, schema: Path, people: Sequence[world.Person]) -> None:
    """The database that rounds copy: ejabberd's own schema, as many people and messages of the past as in world.make."""
    pairs = [(str(one.user), str(other.user)) for one, other in zip(people[::2], people[1::2], strict=True)]
    pairs += [(str(uuid4()), str(uuid4())) for _ in range(world.OTHER_SESSIONS)]
    passwords = {str(person.user): password(person) for person in people}
    world.fresh_database(name, "template0")
    with world.superuser(name) as connection, connection.cursor() as cursor:
        cursor.execute(f"GRANT CREATE ON SCHEMA public TO {ROLE}")
        cursor.execute(f"SET ROLE {ROLE}")
        cursor.execute(schema.read_text())
        users = [(user, passwords.get(user, "")) for pair in pairs for user in pair]  # the others never come
        cursor.executemany("INSERT INTO users (username, password) VALUES (%s, %s)", users)
        _archive_past(cursor, pairs)
        cursor.execute("RESET ROLE")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def password(person: world.Person) -> str:
    return str(person.login)


def _archive_past(cursor: psycopg.Cursor[Any], pairs: Sequence[tuple[str, str]]) -> None:
    columns = "username, timestamp, peer, bare_peer, xml, txt, kind, nick"
    with cursor.copy(f"COPY archive ({columns}) FROM STDIN") as copy:
        for row in _past(pairs):
            copy.write_row(row)


def _past(pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[object, ...]]:
    """Rows as mod_mam writes them: each message in the archive of its sender and in that of its receiver."""
    when = time.time_ns() // 1000 - 86_400_000_000  # microseconds: a day ago
    for _ in range(world.PAST_MESSAGES):
        for sender, receiver in pairs:
            when += 1
            text = f"a message of the past {uuid4()}".ljust(100, ".")
            source, to = f"{sender}@localhost/{RESOURCE}", f"{receiver}@localhost"
            xml = (
                f"<message to='{to}' from='{source}' type='chat' id='{uuid4()}' xmlns='jabber:client'>"
                f"<body>{text}</body></message>"
            )
            yield sender, when, to, to, xml, text, "chat", ""
            yield receiver, when, source, f"{sender}@localhost", xml, text, "chat", ""


# What was stored -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Archive:
    with_both: int  # texts that lie in the archives of two people
    again: int  # rows beyond the first of a text in one archive

    def wrong(self, before: Archive, delivered: int) -> list[str]:
        """What must not be after `delivered` messages since `before`, in words. Empty when all is well."""
        found = []
        archived = self.with_both - before.with_both
        if archived < delivered:
            found.append(f"{delivered} delivered, {archived} in both archives")
        if self.again:
            found.append(f"{self.again} archived twice")
        return found


def stored(database: str) -> Archive:
    with world.superuser(database) as connection:
        found = connection.execute(
            "SELECT count(*) FILTER (WHERE archives = 2), coalesce(sum(rows - archives), 0)::bigint FROM ("
            "  SELECT count(*) AS rows, count(DISTINCT username) AS archives FROM archive GROUP BY txt) texts"
        ).fetchone()
    assert found is not None  # aggregates always give a row
    return Archive(with_both=found[0], again=found[1])
