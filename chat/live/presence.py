"""What a process tells the database of its sockets, and when: changes at once, all of them every 15 s."""

from __future__ import annotations

import asyncio
import logging
from uuid import UUID

from chat.services import presence
from chat.services.presence import Connection
from samia_chat import actor
from samia_chat.actor import Actor
from samia_chat.db.threads import in_transaction

log = logging.getLogger(__name__)
REFRESH_SECONDS = 15.0
GATHER_SECONDS = 0.1  # changes that come together are written together
CALM_SECONDS = 2.0  # a person who comes back within it was never away


class PresenceKeeper:
    def __init__(self, process: UUID) -> None:
        self._process = process
        self._connections: dict[UUID, Connection] = {}
        self._changed: set[UUID] = set()
        self._unsettled: set[UUID] = set()
        self._wake = asyncio.Event()
        self._who: Actor = actor.system("presence")
        self._tasks: set[asyncio.Task[None]] = set()  # kept, or they may be collected while they run

    def note(self, connection: Connection) -> None:
        """A socket came, or its person's state on it changed."""
        self._connections[connection.id] = connection
        self._stir(connection)

    def drop(self, connection_id: UUID) -> None:
        gone = self._connections.pop(connection_id, None)
        if gone is not None:
            self._stir(gone)

    async def run(self) -> None:
        """Write until cancelled. A database that is away is asked again with the next change or refresh."""
        loop = asyncio.get_running_loop()
        refresh_at = loop.time()
        while True:
            try:
                # Not wait_for: before Python 3.12 it may swallow the cancellation that ends this loop.
                async with asyncio.timeout_at(refresh_at):
                    await self._wake.wait()
            except TimeoutError:
                refresh_at = loop.time() + REFRESH_SECONDS
                await self._write(all_of_them=True)
            else:
                await asyncio.sleep(GATHER_SECONDS)
                await self._write(all_of_them=False)

    async def stop(self) -> None:
        """Say that this process has no sockets any more."""
        self._connections.clear()
        await self._write(all_of_them=True)

    def _stir(self, connection: Connection) -> None:
        self._changed.add(connection.id)
        self._wake.set()
        if connection.user_id not in self._unsettled:
            self._unsettled.add(connection.user_id)
            asyncio.get_running_loop().call_later(CALM_SECONDS, self._settle, connection.user_id)

    async def _write(self, *, all_of_them: bool) -> None:
        self._wake.clear()
        changed, self._changed = self._changed, set()
        live = [row for key, row in self._connections.items() if all_of_them or key in changed]
        gone = [key for key in changed if key not in self._connections]
        try:
            await in_transaction(self._who, presence.note, self._process, live, gone=gone, all_of_them=all_of_them)
            if all_of_them:
                await in_transaction(self._who, presence.sweep)
        except Exception:
            log.warning("presence could not be written", exc_info=True)
            self._changed |= changed

    def _settle(self, user_id: UUID) -> None:
        self._unsettled.discard(user_id)
        task = asyncio.get_running_loop().create_task(self._announce(user_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _announce(self, user_id: UUID) -> None:
        try:
            await in_transaction(self._who, presence.settle, [user_id])
        except Exception:
            log.warning("presence could not be announced", exc_info=True)
