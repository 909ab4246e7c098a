"""Records of what leaves no row behind: reads, sign-ins, commands, refusals. Changes of rows are recorded by triggers."""

from __future__ import annotations

from uuid import UUID

import msgspec
from django.db import connections, transaction


def record(
    action: str,
    *,
    table: str = "",
    record_id: UUID | None = None,
    session_id: UUID | None = None,
    using: str = "default",
    **values: object,
) -> None:
    """Write one record in the current transaction, with its actor. `action` is noun.verb, and no verb of a trigger's."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT app.audit_event(%s, %s, %s, %s, %s::jsonb)",
            [action, table, record_id, session_id, msgspec.json.encode(values).decode() if values else None],
        )


def record_aside(
    action: str,
    *,
    table: str = "",
    record_id: UUID | None = None,
    session_id: UUID | None = None,
    **values: object,
) -> None:
    """The same on a connection of its own: it stays when the request is refused and rolled back."""
    with transaction.atomic(using="aside"):
        record(action, table=table, record_id=record_id, session_id=session_id, using="aside", **values)
