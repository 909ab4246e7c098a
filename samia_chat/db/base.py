"""Django's PostgreSQL backend, plus two things: a transaction begins by saying who acts in it, and what comes out of the
pool is alive."""

from __future__ import annotations

import select
from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base

from samia_chat import actor


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection of the pool; those that the server has ended since they were put back are replaced at once.

        Not by CONN_HEALTH_CHECKS: that asks the server at every checkout (84 µs; this is 1 µs), and psycopg_pool waits
        1, 2, 4 s between connections found dead, so that after a restart of PostgreSQL six of them refuse everybody for
        five seconds.
        """
        connection = super().get_new_connection(conn_params)
        while self.pool and has_ended(connection):
            connection.close()
            self.pool.putconn(connection)  # which sees that it is closed, and makes another
            connection = super().get_new_connection(conn_params)
        return connection

    def _set_autocommit(self, autocommit: bool) -> None:
        super()._set_autocommit(autocommit)  # type: ignore[misc]  # the stubs leave it out
        # Leaving autocommit is how every atomic() begins. The owner migrates and has no actor.
        if not autocommit and settings.DATABASE_ROLE == "app":
            with self.wrap_database_errors:
                actor.begin(self.connection)


def has_ended(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server has closed an idle connection: there is something to read, and nothing was asked."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
