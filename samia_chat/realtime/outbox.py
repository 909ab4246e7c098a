"""What is on its way to one socket. Bounded: a client that does not read loses what may be lost, then the connection."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from samia_chat import telemetry

CAPACITY = 256  # frames; at 1 kB each a slow client holds a quarter of a megabyte
RESYNC = 4410

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Outbox:
    """Frames in order for one socket. `push` never waits; a task exists only while there is something to send."""

    __slots__ = ("_closing", "_frames", "_send", "_task")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._frames: deque[tuple[str, bool]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._closing: int | None = None

    def push(self, frame: str, *, droppable: bool = False) -> None:
        if self._closing is not None:
            return
        if len(self._frames) >= CAPACITY and not self._make_room(droppable):
            return
        self._frames.append((frame, droppable))
        self._wake()

    def close(self, code: int) -> None:
        """Close after what is already on its way, or at once when it no longer fits."""
        if self._closing is None:
            self._closing = code
            self._wake()

    @property
    def closing(self) -> int | None:
        return self._closing

    def abandon(self) -> None:
        """The peer is gone: nothing more is sent."""
        self._closing = self._closing or 1006
        self._frames.clear()
        if self._task is not None:
            self._task.cancel()

    def _make_room(self, droppable: bool) -> bool:
        """Drop the oldest droppable frame. Without one, a client that far behind must begin anew."""
        if droppable:
            telemetry.observe("event.dropped", why="slow")
            return False
        for index, (_, may_go) in enumerate(self._frames):
            if may_go:
                del self._frames[index]
                telemetry.observe("event.dropped", why="slow")
                return True
        self._frames.clear()
        telemetry.observe("event.dropped", why="overflow")
        self.close(RESYNC)
        return False

    def _wake(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._drain())

    async def _drain(self) -> None:
        try:
            while self._frames:
                frame, _ = self._frames.popleft()
                await self._send({"type": "websocket.send", "text": frame})
            if self._closing is not None:
                await self._send({"type": "websocket.close", "code": self._closing})
        except Exception:  # noqa: BLE001 (each server has its own way to say that the peer is gone)
            self._frames.clear()
        finally:
            self._task = None
