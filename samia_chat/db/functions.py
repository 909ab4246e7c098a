"""Database functions that models use as defaults."""

from __future__ import annotations

from django.db.models import Func, UUIDField


class UUIDv7(Func):
    """PostgreSQL 18's uuidv7(): ids in order of their making, so that inserts stay at one end of the index."""

    function = "uuidv7"
    output_field = UUIDField()
