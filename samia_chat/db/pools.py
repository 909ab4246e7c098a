"""The pools of connections, as their owner sees them."""

from __future__ import annotations

from django.db import connections


def connections_by_state(alias: str) -> dict[str, int]:
    """{"used": given out, "idle": waiting to be} of this process."""
    pool = connections[alias].pool  # type: ignore[attr-defined]  # of Django's PostgreSQL backend
    if pool.closed:  # it opens with its first use, and counts as if it had
        return {"used": 0, "idle": 0}
    figures = pool.get_stats()
    idle = figures["pool_available"]
    return {"used": figures["pool_size"] - idle, "idle": idle}
