"""Access notices: one connection per process listens for what triggers say of members, states, roles and sign-ins."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from uuid import UUID

import msgspec
import psycopg

from samia_chat import telemetry

log = logging.getLogger(__name__)
CHANNEL = "samia_access"
ALIVE_SECONDS = 5.0  # how often a silent connection is asked whether it lives
RETRY_SECONDS = (0.1, 0.25, 0.5, 1.0)


class Notice(msgspec.Struct, frozen=True):
    kind: str  # members (of the session `id`), login (ended), closed (the account of the person `id`), role (of him)
    id: UUID


async def listen(
    conninfo: str, *, on_notice: Callable[[Notice], None], on_return: Callable[[], Awaitable[None]]
) -> None:
    """Listen until cancelled. Every time the connection has come up, `on_return` re-checks all: what was said meanwhile
    is not repeated. If it fails, the connection is made anew, so that it is called again."""
    failures = 0
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
                await connection.execute(f"LISTEN {CHANNEL}")
                await on_return()
                failures = 0
                await _receive(connection, on_notice)
        except Exception:  # whatever it was: without notices nobody's access would end here any more
            wait = RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]
            failures += 1
            log.warning("access notices: connection lost", exc_info=True, extra={"retry_seconds": wait})
            await asyncio.sleep(wait)


async def _receive(connection: psycopg.AsyncConnection[object], on_notice: Callable[[Notice], None]) -> None:
    while True:
        async for sent in connection.notifies(timeout=ALIVE_SECONDS):
            try:
                notice = msgspec.json.decode(sent.payload, type=Notice)
            except msgspec.MsgspecError:
                log.error("access notice of an unknown form", extra={"payload": sent.payload[:100]})
                continue
            telemetry.observe("access.notice", kind=notice.kind)
            on_notice(notice)
        # A dead peer is noticed by writing to it, not by waiting for it.
        async with asyncio.timeout(ALIVE_SECONDS):
            await connection.execute("SELECT 1")
