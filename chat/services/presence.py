"""Who is there. One row per open socket, kept by its process; others hear of changes once per person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from chat import frames
from chat.shapes import Shape
from samia_chat import actor, realtime

STATES = ("online", "away")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    id: UUID
    user_id: UUID
    state: str


@transaction.atomic(savepoint=False)  # reads only
def session_presence(session_id: UUID) -> list[Shape]:
    """The states of a session's members, for its members and staff; empty for anybody else."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT user_id, state, last_seen_at FROM app.session_presence(%s)", [session_id])
        return [_shape(*row) for row in cursor.fetchall()]


def note(
    process: UUID, connections: Iterable[Connection], *, gone: Iterable[UUID] = (), all_of_them: bool = False
) -> set[UUID]:
    """Note sockets of this process as seen now. `all_of_them`: it has no others; else `gone` names those that closed.

    Returns the people of whom a socket is new, or had not been noted for so long that it no longer counted.
    """
    rows = list(connections)
    with actor.acting_as(actor.system("presence")), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT app.presence_note(%s, %s::uuid[], %s::uuid[], %s::text[], %s::uuid[], %s)",
            [
                process,
                [row.id for row in rows],
                [row.user_id for row in rows],
                [row.state for row in rows],
                list(gone),
                all_of_them,
            ],
        )
        return {user_id for (user_id,) in cursor.fetchall()}


def settle(users: Iterable[UUID]) -> None:
    """Announce those of these people who are in another state than was last announced. Called after 2 s of calm."""
    _announce("SELECT * FROM app.presence_settle(%s::uuid[])", [list(users)])


def sweep() -> None:
    """Forget sockets that are gone, also those of processes that died, and announce whom that leaves in another state."""
    _announce("SELECT * FROM app.presence_settle(ARRAY(SELECT app.presence_sweep()))", [])


def _announce(query: str, arguments: list[list[UUID]]) -> None:
    with actor.acting_as(actor.system("presence")), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(query, arguments)
        for user_id, state, last_seen_at, sessions in cursor.fetchall():
            if sessions:
                realtime.publish(frames.presence_changed(_shape(user_id, state, last_seen_at), sessions))


def _shape(user_id: UUID, state: str, last_seen_at: object) -> Shape:
    return {"user": user_id, "state": state, "last_seen_at": last_seen_at}
