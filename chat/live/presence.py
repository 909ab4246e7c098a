"""What a process tells the database of its sockets, and when: changes at once, all of them every 15 s."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
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
RETRY_SECONDS = 1.0  # after which a database that did not answer is asked again
MAX_SETTLED = 200  # people announced in one transaction


class PresenceKeeper:
    """Each change is written, and announced once nothing has changed of its person for CALM_SECONDS."""

    def __init__(self, process: UUID) -> None:
        self._process = process
        self._connections: dict[UUID, Connection] = {}
        self._changed: set[UUID] = set()  # connections to write
        self._stirred: dict[UUID, asyncio.TimerHandle] = {}  # people of whom something changed a moment ago
        self._calm: set[UUID] = set()  # people to announce
        self._wake = asyncio.Event()
        self._who: Actor = actor.system("presence")

    @property
    def count(self) -> int:
        """Sockets of this process."""
        return len(self._connections)

    def note(self, connection: Connection) -> None:
        """A socket came, or its person's state on it changed."""
        if self._connections.get(connection.id) != connection:
            self._connections[connection.id] = connection
            self._stir(connection)

    def drop(self, connection_id: UUID) -> None:
        gone = self._connections.pop(connection_id, None)
        if gone is not None:
            self._stir(gone)

    async def run(self) -> None:
        """Write and announce until cancelled. Nothing is given up while the database does not answer."""
        loop = asyncio.get_running_loop()
        refresh_at = loop.time()
        while True:
            with suppress(TimeoutError):
                # Not wait_for: before Python 3.12 it may swallow the cancellation that ends this loop.
                async with asyncio.timeout_at(refresh_at):
                    await self._wake.wait()
                    await asyncio.sleep(GATHER_SECONDS)
            self._wake.clear()
            # Asked of the clock: where there is always a change, the wait above never ends by its timeout.
            is_refresh = loop.time() >= refresh_at
            try:
                await self._write_and_announce(all_of_them=is_refresh)
                if is_refresh:
                    await in_transaction(self._who, presence.sweep)
                    refresh_at = loop.time() + REFRESH_SECONDS
            except Exception:
                log.warning("presence could not be written; trying again", exc_info=True)
                await asyncio.sleep(RETRY_SECONDS)
                self._wake.set()

    async def stop(self) -> None:
        """Say that this process has no sockets any more. Whom that leaves offline is announced by whoever sweeps next: most
        come back within the calm."""
        for timer in self._stirred.values():
            timer.cancel()
        self._connections.clear()
        await self._write(all_of_them=True)

    def _stir(self, connection: Connection) -> None:
        """Something changed of this person: the calm begins anew."""
        self._changed.add(connection.id)
        self._wake.set()
        user_id = connection.user_id
        self._calm.discard(user_id)
        if user_id in self._stirred:
            self._stirred[user_id].cancel()
        self._stirred[user_id] = asyncio.get_running_loop().call_later(CALM_SECONDS, self._calm_down, user_id)

    def _calm_down(self, user_id: UUID) -> None:
        del self._stirred[user_id]
        self._calm.add(user_id)
        self._wake.set()

    async def _write_and_announce(self, *, all_of_them: bool) -> None:
        calm, self._calm = self._calm, set()  # before the write, which has everything that changed of them
        try:
            calm |= await self._write(all_of_them=all_of_them)
            calm -= self._stirred.keys()
            waiting = sorted(calm)
            for at in range(0, len(waiting), MAX_SETTLED):
                some = waiting[at : at + MAX_SETTLED]
                await in_transaction(self._who, presence.settle, some)
                calm.difference_update(some)
        except Exception:
            self._calm |= calm - self._stirred.keys()
            raise

    async def _write(self, *, all_of_them: bool) -> set[UUID]:
        """Write what changed, or all. The people of whom a socket counts that did not before."""
        changed, self._changed = self._changed, set()
        if not changed and not all_of_them:
            return set()
        live = [row for key, row in self._connections.items() if all_of_them or key in changed]
        gone = [key for key in changed if key not in self._connections]
        try:
            return await in_transaction(
                self._who, presence.note, self._process, live, gone=gone, all_of_them=all_of_them
            )
        except Exception:
            self._changed |= changed
            raise
