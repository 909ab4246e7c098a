"""Events between web processes, by Redis's pub/sub: what came up in a turn of the event loop is one message.

Whatever is lost is made good from the rows, so nothing here waits, and no failure reaches whoever publishes. There are two
connections: one is subscribed, one publishes and is never answered. A process does not get back what it publishes itself:
half of what Redis would do, and a wake-up for nothing after every message. Redis has no such subscription, but patterns that
together match the name of every channel but one: those whose first letter is another, those whose second is, and so on.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import string
import time
from collections.abc import Callable
from typing import Any

from samia_chat import telemetry
from samia_chat.realtime.events import Event, packets, unpack
from samia_chat.realtime.link import Address, Link, connect

log = logging.getLogger(__name__)
CHANNEL = "samia.events."  # and the name of the process that publishes
OUTSIDE = CHANNEL + "-"  # of processes without sockets: no web process has such a name
LETTERS = string.ascii_letters + string.digits
NAME_LENGTH = 8  # of two processes with one name neither would hear the other: once in 10¹⁴
CONNECT_SECONDS = 3.0
PROBE_SECONDS = 2.0  # how often a process asks itself through Redis whether events arrive, and how long it waits
MAX_UNANSWERED = 3  # probes, after which the connections are made anew
RETRY_SECONDS = (0.1, 0.25, 0.5, 1.0)
CALM_SECONDS = 0.2  # several processes that come back at the same time are one reason to read the rows
MAX_UNSENT_BYTES = 8 << 20  # that Redis has not taken; what comes then is dropped
COMPLAINT_SECONDS = 60.0  # between two lines in the log about what could not be read


class Bus:
    def __init__(self, url: str, deliver: Callable[[Event], None], on_loss: Callable[[], None]) -> None:
        """`deliver` gets the events of other processes, in the order in which each of them published. `on_loss` is called
        when some may have been lost: here, when the connections have come up, or there, when another process says so."""
        self._loop = asyncio.get_running_loop()
        self._address = Address.of(url)
        self._deliver, self._on_loss = deliver, on_loss
        self.name = "".join(secrets.choice(LETTERS) for _ in range(NAME_LENGTH))
        self._own = f"samia.probe.{self.name}"
        self._own_bytes = self._own.encode()
        self._events_head, self._probe_head = publish_head(CHANNEL + self.name), publish_head(self._own)
        self._outgoing: list[Event] = []
        self._links: list[Link] = []
        self._publishing: Link | None = None
        self._echo: asyncio.Future[None] = self._loop.create_future()
        self._probes = 0
        self._trouble = ""
        self._has_lost = False  # what it published, since it last told the others
        self._calm: asyncio.TimerHandle | None = None
        self._complained_at = -COMPLAINT_SECONDS

    @property
    def is_up(self) -> bool:
        """Whether events arrive, as far as is known."""
        return not self._trouble

    @property
    def unsent_bytes(self) -> int:
        """What waits for Redis to take it."""
        return 0 if self._publishing is None else self._publishing.unsent_bytes

    # Publishing ------------------------------------------------------------------------------------------------------

    def publish(self, events: list[Event]) -> None:
        """To the other processes, with the next turn of the loop."""
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing += events

    def _flush(self) -> None:
        events, self._outgoing = self._outgoing, []
        if events:
            self._send(events)

    def _send(self, events: list[Event]) -> None:
        link = self._publishing
        if link is None or not link.has_room(MAX_UNSENT_BYTES):
            self._has_lost = True
            telemetry.observe("layer.failed")
            telemetry.observe("event.dropped", why="layer", count=len(events))
            return
        for packed in packets(events):
            link.write(command(self._events_head, packed))

    # Receiving -------------------------------------------------------------------------------------------------------

    def _take(self, channel: bytes, said: bytes) -> None:
        """One bad message stops nothing behind it; a client that misses an event sees the gap."""
        if channel == self._own_bytes:
            self._take_probe(said)
            return
        try:
            events = unpack(said)
        except ValueError as error:  # of another version, or forged
            telemetry.observe("event.dropped", why="unreadable")
            self._complain(repr(error))
            return
        if not events:
            self._note_loss()
        for event in events:
            try:
                self._deliver(event)
            except Exception:
                telemetry.observe("event.dropped", why="failed")
                log.exception("an event of another process could not be handed on")

    def _take_probe(self, said: bytes) -> None:
        if said == b"%d" % self._probes and not self._echo.done():
            self._echo.set_result(None)

    def _complain(self, why: str) -> None:
        now = time.monotonic()
        if now - self._complained_at >= COMPLAINT_SECONDS:
            self._complained_at = now
            log.error("events of another process cannot be read", extra={"why": why})

    # Connections -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Be connected until cancelled."""
        failures = 0
        while True:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    await self._connect()
                await self._watch()
            except Exception as error:  # noqa: BLE001 (whatever it was: without events every client would lag behind)
                failures = 1 if self.is_up else failures + 1
                self._is_down(repr(error))
            finally:
                self._flush()
                self._disconnect()
            await asyncio.sleep(RETRY_SECONDS[min(failures, len(RETRY_SECONDS)) - 1])

    async def _connect(self) -> None:
        subscribed = await connect(self._address, self._take)
        self._links.append(subscribed)
        patterns = [*of_others(self.name), self._own]
        await subscribed.ask("PSUBSCRIBE", *patterns)
        for _ in patterns[1:]:
            await subscribed.answer()
        publishing = await connect(self._address, self._take)
        self._links.append(publishing)
        await publishing.ask("PUBLISH", self._own, "")  # whether it may: later it would not be told
        publishing.write(b"CLIENT REPLY OFF\r\n")
        self._publishing = publishing

    def _disconnect(self) -> None:
        self._has_lost |= self._publishing is not None  # what was on its way
        self._publishing = None
        for link in self._links:
            link.cut()
        self._links.clear()
        if self._calm is not None:
            self._calm.cancel()
            self._calm = None

    async def _watch(self) -> None:
        """Raises when a connection is lost, or what is published no longer comes back."""
        unanswered = 0
        is_new = True
        while unanswered < MAX_UNANSWERED:
            self._probe()
            if not await self._comes(self._echo):
                unanswered += 1
                self._is_down("Redis does not answer")
                continue
            unanswered = 0
            self._is_back(is_new)
            is_new = False
            await self._comes()
        raise TimeoutError(self._trouble)

    def _probe(self) -> None:
        self._probes += 1
        self._echo = self._loop.create_future()
        assert self._publishing is not None  # since _connect
        self._publishing.write(command(self._probe_head, b"%d" % self._probes))

    async def _comes(self, *awaited: asyncio.Future[None]) -> bool:
        """Whether it comes within PROBE_SECONDS. Raises when a connection is lost meanwhile."""
        losses = [link.lost for link in self._links]
        either: list[asyncio.Future[Any]] = [*awaited, *losses]
        done, _ = await asyncio.wait(either, timeout=PROBE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for loss in losses:
            if loss.done():
                raise loss.result()
        return bool(done)

    def _is_down(self, why: str) -> None:
        if why != self._trouble:
            log.warning("events between processes are lost; trying again", extra={"why": why})
        self._trouble = why

    def _is_back(self, is_new: bool) -> None:
        if self._trouble:
            log.warning("events between processes arrive again")
        if self._trouble or is_new:
            self._note_loss()
        self._trouble = ""
        if self._has_lost:
            self._has_lost = False
            self._send([])

    def _note_loss(self) -> None:
        if self._calm is None:
            self._calm = self._loop.call_later(CALM_SECONDS, self._tell_loss)

    def _tell_loss(self) -> None:
        self._calm = None
        self._on_loss()


def of_others(name: str) -> list[str]:
    """Patterns of which every other channel of events matches exactly one, and that of `name` none."""
    return [f"{CHANNEL}{name[:at]}[^{letter}]*" for at, letter in enumerate(name)]


def publish_head(channel: str) -> bytes:
    """The beginning of a PUBLISH, up to how long what it says is."""
    return b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%b\r\n$" % (len(channel), channel.encode())


def command(head: bytes, said: bytes) -> bytes:
    return b"%b%d\r\n%b\r\n" % (head, len(said), said)
