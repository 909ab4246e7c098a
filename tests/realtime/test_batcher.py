"""The batcher over a connection that does not break but falls silent, as when a host vanishes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import psycopg
import pytest
from django.conf import settings

from accounts.identity import actor_of
from chat.live import batcher as batchers
from chat.live.batcher import Batcher
from chat.services.message import Draft, new_draft
from samia_chat.actor import Actor
from samia_chat.errors import Busy
from tests.cast import World
from tests.database import Truth


class Silent:
    """Passes bytes between clients and PostgreSQL until it falls silent: then new and old connections wait for ever."""

    def __init__(self, socket_path: str) -> None:
        self.socket_path = socket_path
        self.is_silent = False
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, questions = await asyncio.open_unix_connection(self.socket_path)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass(reader, questions))
                both.create_task(self._pass(answers, writer))
        finally:
            writer.close()
            questions.close()

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            if not self.is_silent:
                target.write(data)
        target.close()


@asynccontextmanager
async def silent_postgres(truth: Truth) -> AsyncIterator[Silent]:
    info = truth.connection.info
    silent = Silent(f"{info.host}/.s.PGSQL.{info.port}")
    server = await asyncio.start_server(silent.serve, "127.0.0.1", 0)
    silent.port = server.sockets[0].getsockname()[1]
    try:
        yield silent
    finally:
        server.close()


def conninfo_by(silent: Silent) -> str:
    return psycopg.conninfo.make_conninfo(settings.DATABASE_URL, host="127.0.0.1", port=silent.port)


def draft_of(world: World, session: UUID) -> Draft:
    return new_draft(sender=actor_of(world.client, Actor()), session_id=session, content="x")


async def test_a_database_that_falls_silent_is_busy_in_time_and_used_again_when_it_speaks(
    world: World, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batchers, "PATIENCE_SECONDS", 0.5)
    async with silent_postgres(truth) as silent:
        batcher = Batcher(conninfo_by(silent))
        stored, is_retry = await batcher.submit(draft_of(world, world.session))
        assert (stored.code, is_retry) == ("ok", False)

        silent.is_silent = True
        began = time.monotonic()
        late = await asyncio.gather(
            *(batcher.submit(draft_of(world, world.session)) for _ in range(3)), return_exceptions=True
        )
        assert [type(outcome) for outcome in late] == [Busy] * 3
        assert time.monotonic() - began < 20  # psycopg asks the silent server to cancel, and gives that up, too

        silent.is_silent = False
        stored, _ = await batcher.submit(draft_of(world, world.session))
        assert stored.code == "ok"
        await batcher.close()
