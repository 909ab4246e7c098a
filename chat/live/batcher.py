"""Sends that wait for one another share a transaction, and so one flush to disk. Alone, a message leaves at once.

One call is in flight per process; what arrives meanwhile is the next batch. It is ordered by session, because the
function locks sessions in the order given and several processes do the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg import errors as pg

from chat.live.send_connection import SendConnection
from chat.services.message import Draft, Stored
from samia_chat import telemetry
from samia_chat.errors import Busy

log = logging.getLogger(__name__)
MAX_BATCH = 64
# How long a send waits for a database that restarts before it is refused. Its client tries again with the same id.
PATIENCE_SECONDS = 8.0
ATTEMPT_SECONDS = 1.0  # what even a send that waited that long behind others is given
_RETRY_ALONE = (pg.LockNotAvailable, pg.DeadlockDetected)


@dataclass(slots=True)
class Waiting:
    draft: Draft
    answer: asyncio.Future[tuple[Stored, bool]]
    since: float  # by the clock of the event loop
    # The connection broke while it was on its way: it may have been stored, so a replay of it is its own.
    is_retry: bool = False


class Batcher:
    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._waiting: deque[Waiting] = deque()
        self._task: asyncio.Task[None] | None = None
        self._connection: SendConnection | None = None
        self._loop = asyncio.get_running_loop()

    def submit(self, draft: Draft) -> asyncio.Future[tuple[Stored, bool]]:
        """Store a draft: what the SQL function answers, and whether a lost connection made us ask it twice.

        Drafts of one sender are stored in the order of the calls. The future raises Busy when its session is locked for
        over two seconds or the database does not answer within eight.
        """
        entry = Waiting(draft=draft, answer=self._loop.create_future(), since=self._loop.time())
        self._waiting.append(entry)
        if self._task is None:
            self._task = self._loop.create_task(self._run())
        return entry.answer

    @property
    def waiting(self) -> int:
        """Messages that are not in a call yet."""
        return len(self._waiting)

    async def close(self) -> None:
        """Finish what is waiting, then close the connection."""
        if self._task is not None:
            await self._task
        if self._connection is not None:
            await self._connection.close()

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._store(self._next_batch())
        finally:
            self._task = None

    def _next_batch(self) -> list[Waiting]:
        """Up to 64 drafts that may share a transaction: staff go singly, under their own database role."""
        first = self._waiting.popleft()
        batch = [first]
        if first.draft.sender.database_role != "none":
            return batch
        while self._waiting and len(batch) < MAX_BATCH and self._waiting[0].draft.sender.database_role == "none":
            batch.append(self._waiting.popleft())
        batch.sort(key=lambda entry: entry.draft.session_id.bytes)  # stable: order within a session is kept
        return batch

    async def _store(self, batch: list[Waiting]) -> None:
        try:
            rows = await self._call_patiently(batch)
        except Busy as error:
            for entry in batch:
                self._fail(entry, error)
            return
        except Exception as error:  # noqa: BLE001 (handed to whoever waits)
            if len(batch) == 1:
                self._fail(batch[0], error)
            else:
                await self._store_singly(batch)
            return
        for entry, stored in zip(batch, rows, strict=True):
            entry.answer.set_result((stored, entry.is_retry))
        telemetry.observe("message.batch", size=len(batch), seconds=self._loop.time() - batch[0].since)

    async def _store_singly(self, batch: list[Waiting]) -> None:
        """What is at fault fails alone; of a session that is locked only the first one waits for the lock again."""
        locked: dict[UUID, Exception] = {}
        for entry in batch:
            session = entry.draft.session_id
            if session in locked:
                self._fail(entry, locked[session])
                continue
            await self._store([entry])
            error = entry.answer.exception()
            if isinstance(error, Busy):
                locked[session] = error

    def _fail(self, entry: Waiting, error: Exception) -> None:
        if isinstance(error, _RETRY_ALONE):
            error = Busy(retry_after=1)
        elif not isinstance(error, Busy):
            log.error("a message could not be stored", exc_info=error)
        entry.answer.set_exception(error)

    async def _call_patiently(self, batch: list[Waiting]) -> list[Stored]:
        """Call the function; over a broken connection again, which is safe because ids make it so. Raises Busy, too."""
        waiting_since = min(entry.since for entry in batch)
        deadline = max(waiting_since + PATIENCE_SECONDS, self._loop.time() + ATTEMPT_SECONDS)
        pause = 0.02
        while True:
            try:
                return await self._call([entry.draft for entry in batch], deadline)
            except (psycopg.OperationalError, OSError) as error:  # TimeoutError is one
                if self._connection is not None and not self._connection.closed and not isinstance(error, TimeoutError):
                    raise
                await self._forget_connection()
                if self._loop.time() + pause > deadline:
                    raise Busy("The database does not answer. Try again.", retry_after=2) from error
                log.warning("send: connection lost, trying again", extra={"why": str(error).strip()[:200]})
            for entry in batch:
                entry.is_retry = True
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.5)

    async def _forget_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _call(self, drafts: list[Draft], deadline: float) -> list[Stored]:
        # A peer that vanished without a word would let us wait for as long as TCP does.
        if self._connection is None or self._connection.closed:
            await self._forget_connection()
            async with asyncio.timeout_at(deadline):
                self._connection = await SendConnection.open(self._conninfo)
        return await self._connection.call(drafts, deadline)
