"""What the hub asks: who is in which session, and how far each is. One query each, as the system."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connection

from samia_chat import actor
from samia_chat.db.threads import in_transaction
from samia_chat.gathering import Gathering
from samia_chat.realtime.hub import Head

HEADS = (
    "SELECT session_id, last_seq, revision, members_revision, status, array_remove(array_agg(user_id), NULL)"
    " FROM app.session_heads(%s::uuid[], %s::uuid[]) GROUP BY 1, 2, 3, 4, 5"
)
MEMBERS = (
    "SELECT session_id, last_seq, revision, members_revision, status, members FROM app.session_members(%s::uuid[])"
)


class Directory:
    """The hub's Directory over the database."""

    def __init__(self) -> None:
        self._people = Gathering(self._heads_of_several)

    async def heads(self, users: list[UUID], sessions: list[UUID]) -> dict[UUID, Head]:
        return await in_transaction(actor.system("hub"), _ask, HEADS, [users, sessions])

    async def heads_of(self, user: UUID) -> dict[UUID, Head]:
        return await self._people.answer(user)

    async def _heads_of_several(self, users: list[UUID]) -> list[dict[UUID, Head]]:
        heads = await self.heads(list(set(users)), [])
        found: dict[UUID, dict[UUID, Head]] = {}
        for session, head in heads.items():
            for member in head.members:
                found.setdefault(member, {})[session] = head
        return [found.get(user, {}) for user in users]

    async def members(self, sessions: list[UUID]) -> dict[UUID, Head]:
        return await in_transaction(actor.system("hub"), _ask, MEMBERS, [sessions])


def _ask(query: str, arguments: list[Any]) -> dict[UUID, Head]:
    with connection.cursor() as cursor:
        cursor.execute(query, arguments)
        heads = [
            Head(
                session=session,
                last_seq=last_seq,
                revision=revision,
                members_revision=members_revision,
                status=status,
                members=frozenset(members),
            )
            for session, last_seq, revision, members_revision, status, members in cursor.fetchall()
        ]
    return {head.session: head for head in heads}
