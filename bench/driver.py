"""The load: one process, one event loop (uvloop), a picows client for each person.

Sessions have two people, user 2 × session + side. Every text carries a number that never comes twice, so that the receiver's
side tells what was lost, doubled or out of order. Times are taken with the clock that counts on: from the write to the
sender's socket until the frame is in the receiver's hands.

closed  one message in flight per session; the receiver answers at once. Shows what a core of the server can carry.
open    so many a second, by people chosen at random; the driver never waits for an answer. Shows how long it takes.
"""

from __future__ import annotations

import asyncio
import gc
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from bench import machine

BODY_BYTES = 100
MARK = b"~Q"
HEAD_BYTES = 18  # ~Q, number (9), session (5), side (1), ~
DRAIN_SECONDS = 10.0
NO_CODE = 1005  # a close without one
TURN_SECONDS = 0.001  # uvloop's clock: a shorter sleep would spin. At 2000/s two messages leave together
Roots = Mapping[str, Sequence[int]]


@dataclass(kw_only=True)
class Window:
    """What was seen in `seconds` of load. Milliseconds from send to receipt; `cpu` in seconds by group of processes."""

    kind: str  # closed, open or idle
    rate: int | None  # asked for, per second; None: as many as go
    began: float  # by the clock that counts on (perf_counter), which processes of a machine share
    seconds: float
    delivered: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    cpu: dict[str, float]
    driver_busy: float  # share of a core
    driver_lag_ms: float  # how late the driver was at worst in sending (open)

    @property
    def per_second(self) -> float:
        return self.delivered / self.seconds

    @property
    def cpu_per_1k(self) -> float:
        """Processor seconds of all servers for 1000 delivered messages."""
        return 1000 * sum(self.cpu.values()) / max(1, self.delivered)

    @property
    def per_core_second(self) -> float:
        return self.delivered / max(1 / machine.TICKS, sum(self.cpu.values()))

    @property
    def busy(self) -> float:
        """Processor seconds of all servers in a second."""
        return sum(self.cpu.values()) / self.seconds

    def split(self) -> dict[str, float]:
        return {name: 1000 * seconds / max(1, self.delivered) for name, seconds in self.cpu.items()}


class Sender(Protocol):
    """What a person sends with. An adapter's socket, or requests in its place."""

    def say(self, number: int, body: bytes) -> None:
        """Send `body`, plain ASCII, as message `number` into the person's session."""


@dataclass
class Load:
    """Sends, and holds against what comes back."""

    sessions: int
    senders: Sequence[Sender] = ()
    delivered: int = 0
    acked: int = 0
    doubled: int = 0
    reordered: int = 0
    errors: list[str] = field(default_factory=list)  # what the server refused, and sockets it closed
    number: int = 0  # of the last message sent
    lost: int = 0
    _sent: dict[int, float] = field(default_factory=dict)  # number → when; what has not arrived
    _newest: dict[int, int] = field(default_factory=dict)  # receiver → number
    _taken: list[float] = field(default_factory=list)  # seconds of each delivery in the window
    _is_closed_loop: bool = False
    _is_window: bool = False
    _lag: float = 0.0

    # Called by the sockets -------------------------------------------------------------------------------------------

    def heard(self, user: int, frame: bytes) -> None:
        """A message arrived at a socket of `user`, also when it is his own."""
        at = frame.find(MARK)
        if at < 0 or frame[at + HEAD_BYTES - 1 : at + HEAD_BYTES] != b"~":
            self.errors.append(f"a message that is none of ours: {frame[:200]!r}")
            return
        side = frame[at + 16] - 48
        if side == (user & 1):
            return  # his own, for his other devices
        number = int(frame[at + 2 : at + 11])
        sent = self._sent.pop(number, None)
        if sent is None:
            self.doubled += 1
            return
        if self._is_window:
            self._taken.append(time.perf_counter() - sent)
        if number < self._newest.get(user, 0):
            self.reordered += 1
        else:
            self._newest[user] = number
        self.delivered += 1
        if self._is_closed_loop:
            self.send(user >> 1, user & 1)

    def refused(self, why: str) -> None:
        if len(self.errors) < 20:
            self.errors.append(why)

    # Sending ---------------------------------------------------------------------------------------------------------

    def send(self, session: int, side: int) -> None:
        self.number = number = self.number + 1
        body = b"~Q%09d%05d%d~" % (number, session, side)
        self._sent[number] = time.perf_counter()
        self.senders[2 * session + side].say(number, body.ljust(BODY_BYTES, b"x"))

    async def closed(self, *, warm: float, seconds: float, roots: Roots) -> Window:
        self._is_closed_loop = True
        for session in range(self.sessions):
            self.send(session, session & 1)
        await asyncio.sleep(warm)
        window = await self._watch("closed", None, seconds, roots)
        self._is_closed_loop = False
        await self.drain()
        return window

    async def open(
        self, rate: int, *, warm: float, seconds: float, roots: Roots, at_end: Callable[[], None] = lambda: None
    ) -> Window:
        """`at_end` is called when the last message was sent."""
        pump = asyncio.create_task(self._pump(rate))
        await asyncio.sleep(warm)
        window = await self._watch("open", rate, seconds, roots)
        pump.cancel()
        at_end()
        await self.drain()
        return window

    async def idle(self, *, seconds: float, roots: Roots) -> Window:
        """Nobody says anything: what open sockets cost by themselves."""
        return await self._watch("idle", 0, seconds, roots)

    async def _pump(self, rate: int) -> None:
        """At the due times, whatever the server does. A late driver catches up and is reported (`driver_lag_ms`)."""
        chance = random.Random(7)

        def send(late: float) -> None:
            self._lag = max(self._lag, late)
            user = chance.randrange(2 * self.sessions)
            self.send(user >> 1, user & 1)

        await pace(rate, send)

    # Watching --------------------------------------------------------------------------------------------------------

    async def _watch(self, kind: str, rate: int | None, seconds: float, roots: Roots) -> Window:
        with without_collector():
            self._taken.clear()
            self._lag, self._is_window = 0.0, True
            cpu, mine, delivered, start = (
                machine.seconds(roots),
                time.process_time(),
                self.delivered,
                time.perf_counter(),
            )
            await asyncio.sleep(seconds)
            lasted, busy = time.perf_counter() - start, time.process_time() - mine
            delivered, self._is_window = self.delivered - delivered, False
            spent = {name: now - cpu[name] for name, now in machine.seconds(roots).items()}
        taken = sorted(self._taken)
        return Window(
            kind=kind,
            rate=rate,
            began=start,
            seconds=lasted,
            delivered=delivered,
            p50_ms=milliseconds(taken, 0.50),
            p95_ms=milliseconds(taken, 0.95),
            p99_ms=milliseconds(taken, 0.99),
            max_ms=milliseconds(taken, 1.0),
            cpu=spent,
            driver_busy=busy / lasted,
            driver_lag_ms=1000 * self._lag,
        )

    async def drain(self) -> None:
        """Wait for what is on its way. What has not come after ten seconds is lost."""
        deadline = time.perf_counter() + DRAIN_SECONDS
        while self._sent and time.perf_counter() < deadline:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.2)  # acknowledgements and doubles come after the last delivery
        self.lost += len(self._sent)
        self._sent.clear()


@contextmanager
def without_collector() -> Iterator[None]:
    """A garbage collection of the driver would show as the server's slowest answers."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def pace(rate: float, act: Callable[[float], None]) -> None:
    """Call `act` so many times a second at the due times, with the seconds that it is late, until cancelled."""
    start, count = time.perf_counter(), 0
    while True:
        wait = start + count / rate - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(max(wait, TURN_SECONDS))
            continue
        act(-wait)
        count += 1
        if count % 64 == 0:
            await asyncio.sleep(0)  # when far behind, the sockets get their turn


def milliseconds(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` of the seconds lie, in milliseconds; NaN for none."""
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


# Sockets -----------------------------------------------------------------------------------------------------------------


class Wire(WSListener, ABC):
    """A WebSocket that hands on whole text frames (`take`), and says once how it ended unless it was we who left (`ended`)."""

    transport: WSTransport

    def __init__(self) -> None:
        self.is_leaving = False
        self._parts: list[bytes] = []

    @abstractmethod
    def take(self, frame: bytes) -> None:
        """A whole text frame came."""

    @abstractmethod
    def ended(self, code: int | None) -> None:
        """The other side closed with `code`; None: the connection broke."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            # picows knows the codes of the standard only by name.
            self._end(int.from_bytes(frame.get_payload_as_bytes()[:2], "big") or NO_CODE)
            transport.disconnect()
        elif frame.msg_type in (WSMsgType.TEXT, WSMsgType.CONTINUATION):
            if frame.fin and not self._parts:
                self.take(frame.get_payload_as_bytes())
                return
            self._parts.append(frame.get_payload_as_bytes())
            if frame.fin:
                whole, self._parts = b"".join(self._parts), []
                self.take(whole)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._end(None)

    def write(self, text: bytes) -> None:
        self.transport.send(WSMsgType.TEXT, text)

    def leave(self) -> None:
        self.is_leaving = True
        self.transport.disconnect()

    def _end(self, code: int | None) -> None:
        if not self.is_leaving:
            self.is_leaving = True
            self.ended(code)


class Socket(Wire):
    """One person's socket under load: a Sender. An adapter's subclass says what to do with a frame (`take`) and how to send."""

    def __init__(self, load: Load, user: int) -> None:
        super().__init__()
        self.load, self.user = load, user
        self.ready = asyncio.get_running_loop().create_future()

    @abstractmethod
    def say(self, number: int, body: bytes) -> None:
        """Send `body`, plain ASCII, as message `number` into the person's session."""

    def ended(self, code: int | None) -> None:
        why = "the connection broke" if code is None else f"closed with {code}"
        self.load.refused(f"user {self.user}: {why}")
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(f"user {self.user} was not let in: {why}"))


async def connect(make: Callable[[], Socket], url: str, headers: Mapping[str, str]) -> Socket:
    """Open a socket and wait until the server has let the person in (`ready`)."""
    _, socket = await ws_connect(make, url, extra_headers=dict(headers), enable_auto_pong=True)
    assert isinstance(socket, Socket)  # what `make` returned
    await asyncio.wait_for(socket.ready, 20)
    return socket


async def connect_all(openings: Sequence[Callable[[], Awaitable[Socket]]], *, at_once: int = 20) -> list[Socket]:
    """Open sockets, some at a time; in the order given."""
    gate = asyncio.Semaphore(at_once)

    async def one(opening: Callable[[], Awaitable[Socket]]) -> Socket:
        async with gate:
            return await opening()

    return list(await asyncio.gather(*map(one, openings)))
