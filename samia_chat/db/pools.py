"""The pools of connections: what is given out, and giving back early what is not needed for a while."""

from __future__ import annotations

from django.db import connections


def give_back() -> None:
    """Return this thread's connections to their pools, but for those in a transaction. The next query takes one again.

    Called before work that takes long and asks nothing, such as hashing a password: a few of these at the same time would
    otherwise hold all connections of the process.
    """
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()


def connections_by_state(alias: str) -> dict[str, int]:
    """{"used": given out, "idle": waiting to be} of this process."""
    pool = connections[alias].pool  # type: ignore[attr-defined]  # of Django's PostgreSQL backend
    if pool.closed:  # it opens with its first use, and counts as if it had
        return {"used": 0, "idle": 0}
    figures = pool.get_stats()
    idle = figures["pool_available"]
    return {"used": figures["pool_size"] - idle, "idle": idle}
