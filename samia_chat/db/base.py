"""Django's PostgreSQL backend, plus one thing: a transaction begins by saying who acts in it."""

from __future__ import annotations

from django.conf import settings
from django.db.backends.postgresql import base

from samia_chat import actor


class DatabaseWrapper(base.DatabaseWrapper):
    def _set_autocommit(self, autocommit: bool) -> None:
        super()._set_autocommit(autocommit)  # type: ignore[misc]  # the stubs leave it out
        # Leaving autocommit is how every atomic() begins. The owner migrates and has no actor.
        if not autocommit and settings.DATABASE_ROLE == "app":
            actor.emit(self)
