"""SQL files as migration operations."""

from __future__ import annotations

from pathlib import Path

from django.db.migrations import RunSQL

REVERSE = "-- reverse --"


def run_sql_file(migration: str, name: str) -> RunSQL:
    """The operation for `sql/<name>.sql` beside the migration file `migration` (pass `__file__`).

    What follows the line `-- reverse --` undoes what precedes it; a file without that line is refused, so that every
    migration can be taken back.
    """
    text = (Path(migration).parent / "sql" / f"{name}.sql").read_text()
    forward, mark, reverse = text.partition(REVERSE)
    if not mark:
        raise ValueError(f"{name}.sql has no line '{REVERSE}'")
    # One list entry: Django would split a string at semicolons, which cuts function bodies.
    return RunSQL(sql=[forward], reverse_sql=[reverse])
