"""What is on its way to one socket. Bounded: a client that does not read loses what may be lost, then the connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import Any

from samia_chat import telemetry

CAPACITY = 256  # frames
CAPACITY_BYTES = 3_000_000  # of all of them: as many of the longest messages in Arabic
RESYNC = 4410

Send = Callable[[dict[str, Any]], Awaitable[None]]
Put = Callable[[bytes], bool]


class Outbox:
    """Frames in order for one socket. `push` never waits.

    A server's `send` has nothing to wait for unless the peer is slow, so it is carried out in place: a task for every frame
    would cost as much as the frame. Only one that has to wait is finished by a task, and what comes meanwhile queues. A server
    that offers `put` (samia_chat/realtime/wire.py) is spared even the coroutine, as long as nothing has to wait.
    """

    __slots__ = ("_bytes", "_closing", "_frames", "_put", "_send", "_task")

    def __init__(self, send: Send, put: Put | None = None) -> None:
        self._send = send
        self._put = put or _never
        self._frames: list[tuple[bytes, bool]] = []  # not a deque: empty, as it nearly always is, that takes 760 bytes
        self._bytes = 0
        self._task: asyncio.Task[None] | None = None
        self._closing: int | None = None

    def push(self, frame: bytes, *, droppable: bool = False) -> None:
        if self._closing is not None:
            return
        if self._task is None:
            if not self._put(frame):
                self._begin(_message(frame))
        elif self._has_room(frame) or self._make_room(frame, droppable):
            self._frames.append((frame, droppable))
            self._bytes += len(frame)

    def close(self, code: int) -> None:
        """Close after what is already on its way."""
        if self._closing is None:
            self._closing = code
            if self._task is None:
                self._begin({"type": "websocket.close", "code": code})

    @property
    def closing(self) -> int | None:
        return self._closing

    async def drained(self) -> None:
        """Until nothing is on its way: before something large is made for a peer that may not read."""
        while self._task is not None:
            await asyncio.wait([self._task])

    def abandon(self) -> None:
        """The peer is gone: nothing more is sent."""
        self._closing = self._closing or 1006
        self._clear()
        if self._task is not None:
            self._task.cancel()

    def _has_room(self, frame: bytes) -> bool:
        return len(self._frames) < CAPACITY and self._bytes + len(frame) <= CAPACITY_BYTES

    def _make_room(self, frame: bytes, droppable: bool) -> bool:
        """Drop the oldest droppable frames. Where that is not enough, a client that far behind must begin anew."""
        if droppable:
            telemetry.observe("event.dropped", why="slow")
            return False
        while not self._has_room(frame):
            oldest = next((index for index, (_, may_go) in enumerate(self._frames) if may_go), None)
            if oldest is None:
                self._clear()
                telemetry.observe("event.dropped", why="overflow")
                self.close(RESYNC)
                return False
            self._bytes -= len(self._frames[oldest][0])
            del self._frames[oldest]
            telemetry.observe("event.dropped", why="slow")
        return True

    def _clear(self) -> None:
        self._frames.clear()
        self._bytes = 0

    def _begin(self, message: dict[str, Any]) -> None:
        sending = self._send(message).__await__()
        try:
            waiting_for = next(sending)
        except StopIteration:
            return
        except Exception:  # noqa: BLE001 (each server has its own way to say that the peer is gone)
            self._closing = self._closing or 1006
            return
        self._task = asyncio.get_running_loop().create_task(self._drain(_Rest(sending, waiting_for)))

    async def _drain(self, begun: _Rest) -> None:
        try:
            await begun
            while self._frames:
                frame, _ = self._frames.pop(0)
                self._bytes -= len(frame)
                await self._send(_message(frame))
            if self._closing is not None:
                await self._send({"type": "websocket.close", "code": self._closing})
        except Exception:  # noqa: BLE001 (as above)
            self._closing = self._closing or 1006
            self._clear()
        finally:
            self._task = None


def _message(frame: bytes) -> dict[str, Any]:
    return {"type": "websocket.send", "text": frame.decode()}


def _never(frame: bytes) -> bool:
    return False


class _Rest:
    """An awaitable that was begun outside of a task, up to the first future it waits for."""

    __slots__ = ("_begun", "_waiting_for")

    def __init__(self, begun: Generator[Any, Any, None], waiting_for: Any) -> None:
        self._begun = begun
        self._waiting_for = waiting_for

    def __await__(self) -> Generator[Any, Any, None]:
        waiting_for = self._waiting_for
        try:
            while True:
                try:
                    yield waiting_for
                except BaseException as error:  # noqa: BLE001 (also a cancellation: it is the awaitable's to handle)
                    waiting_for = self._begun.throw(error)
                else:
                    waiting_for = next(self._begun)
        except StopIteration:
            return
