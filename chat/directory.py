"""What the hub asks: who is in which session, and how far each is. One query each, as the system."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connection, transaction

from samia_chat import actor
from samia_chat.realtime.hub import Head


class Directory:
    def heads(self, users: list[UUID], sessions: list[UUID]) -> dict[UUID, Head]:
        rows = _ask(
            "SELECT session_id, last_seq, revision, members_revision, status, array_remove(array_agg(user_id), NULL)"
            " FROM app.session_heads(%s::uuid[], %s::uuid[]) GROUP BY 1, 2, 3, 4, 5",
            [users, sessions],
        )
        return {row[0]: _head(row) for row in rows}

    def members(self, sessions: list[UUID]) -> dict[UUID, Head]:
        rows = _ask(
            "SELECT session_id, last_seq, revision, members_revision, status, members"
            " FROM app.session_members(%s::uuid[])",
            [sessions],
        )
        return {row[0]: _head(row) for row in rows}


def _ask(query: str, arguments: list[Any]) -> list[tuple[Any, ...]]:
    try:
        with actor.acting_as(actor.system("hub")), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(query, arguments)
            return list(cursor.fetchall())
    finally:
        connection.close()  # back to the pool: this thread is one of many


def _head(row: tuple[Any, ...]) -> Head:
    session, last_seq, revision, members_revision, status, members = row
    return Head(
        session=session,
        last_seq=last_seq,
        revision=revision,
        members_revision=members_revision,
        status=status,
        members=frozenset(members),
    )
