"""Clients that do what docs/asyncapi.yaml asks of one, and a record of what they said and hold.

Own ids; `resume` after `welcome`, on a gap and when a heartbeat names a head ahead; then what was not acknowledged goes out
again under its id. After a close: another process, after a random wait that doubles with each failure (full jitter), at most
two seconds instead of thirty, because a run lasts seconds. The tries are bounded.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import msgspec
from picows import WSError, WSHandshakeError, WSParsedURL, WSTransport, ws_connect

from bench import world
from bench.driver import Wire, milliseconds
from bench.rest import Door, GaveUp

FIRST_WAIT, LONGEST_WAIT = 0.5, 2.0  # seconds before coming back, at most: the first time, and later
TRIES = 60  # to connect, one after the other
WELCOME_SECONDS = 30.0
RETRY_SECONDS = 2.0  # where a refusal for now names no time
PING_SECONDS = 60.0
SMALL_BUFFER = 4096  # bytes the kernel keeps for a client that does not read: the server is to notice soon
FOR_NOW = ("busy", "too_fast")
Frame = dict[str, Any]


@dataclass(slots=True)
class Said:
    """A message: who said it and when, when it was acknowledged, and who holds it since when."""

    id: str
    text: str
    session: str
    by: int
    at: float
    acked: float | None = None
    held: dict[int, float] = field(default_factory=dict)


@dataclass
class Record:
    """What all clients of a run said, hold and met."""

    door: Door
    said: dict[str, Said] = field(default_factory=dict)
    reordered: int = 0
    wrong: list[str] = field(default_factory=list)
    closes: Counter[str] = field(default_factory=Counter)
    tries: int = 0  # to connect that failed

    def note(self, by: int, session: str, size: int, filling: str = "x") -> Said:
        number = len(self.said) + 1
        said = Said(str(uuid4()), f"~F{number:09d}~".ljust(size, filling), session, by, time.perf_counter())
        self.said[said.id] = said
        return said

    def complain(self, what: str) -> None:
        if len(self.wrong) < 20:
            self.wrong.append(what)

    def latency(self, start: float, end: float, members: Iterable[int]) -> tuple[float, float]:
        """p50 and p99 in ms from the wish to send until the other one holds it, of what `members` said in between."""
        among = set(members)
        chosen = [said for said in self.said.values() if start <= said.at < end and said.by in among]
        taken = sorted(said.held[said.by ^ 1] - said.at for said in chosen if said.by ^ 1 in said.held)
        return milliseconds(taken, 0.50), milliseconds(taken, 0.99)


class Client:
    """A person at one device. He has one session, with the person whose number differs in the last bit."""

    def __init__(self, record: Record, number: int, person: world.Person, token: str) -> None:
        self.record, self.number, self.person, self.token = record, number, person, token
        self.session = str(person.session)
        self.revision: int | None = None
        self.seqs: dict[str, int] = {}  # message → seq, in the order in which they came
        self.waiting: dict[str, Said] = {}  # said and not acknowledged, in order
        self.absences: list[tuple[float, float]] = []  # lost, and level again
        self.may_come = asyncio.Event()  # cleared: stays away until told
        self.may_come.set()
        self.is_level = False
        self._newest_seq = 0
        # The two people of a session are at different processes.
        self._at = (number >> 1) + (number & 1)
        self._lost_at = time.perf_counter()
        self._line: Line | None = None
        self._life: asyncio.Task[None] | None = None
        self._first_level = asyncio.Event()

    # Coming, staying, leaving ----------------------------------------------------------------------------------------

    async def come(self) -> None:
        """Connect, and stay connected until `leave`; returns when level for the first time."""
        self._life = asyncio.create_task(self._live())
        level = asyncio.create_task(self._first_level.wait())
        await asyncio.wait([self._life, level], return_when=asyncio.FIRST_COMPLETED, timeout=WELCOME_SECONDS * 2)
        level.cancel()

    def drop(self) -> None:
        """The network is gone, without a word."""
        if self._line is not None:
            self._line.transport.disconnect(graceful=False)

    def leave(self) -> None:
        if self._life is not None:
            self._life.cancel()
        if self._line is not None:
            self._line.leave()

    async def _live(self) -> None:
        failed = 0
        while failed <= TRIES:
            await self.may_come.wait()
            was_in = await self._visit()
            failed = 0 if was_in else failed + 1
            self.record.tries += not was_in
            self._at += 1
            await asyncio.sleep(random.uniform(0, min(LONGEST_WAIT, FIRST_WAIT * 2**failed)))
        self.record.complain(f"person {self.number} gave up after {TRIES} tries to connect")

    async def _visit(self) -> bool:
        """One connection from beginning to end; whether it got as far as `welcome`."""
        door = self.record.door
        try:
            answer = await door.insist(self._at, "POST", "/api/auth/ticket", self.token)
            line = await self._open(f"ws://127.0.0.1:{door.port(self._at)}/ws/chat", answer.body["ticket"])
        except GaveUp as why:
            self.record.complain(str(why))
            return False
        except WSHandshakeError as refusal:
            status = 0 if refusal.response is None else int(refusal.response.status)
            if status >= 500:
                door.broken[f"handshake {status}"] += 1
            self.record.closes[f"handshake {status}"] += 1
            return False
        except (OSError, WSError, TimeoutError):
            return False
        self._line = line
        code = await line.over
        self._line, self.is_level = None, False
        self.record.closes["broken" if code is None else str(code)] += 1
        self._lost_at = time.perf_counter() if line.is_welcome else self._lost_at
        return line.is_welcome

    async def _open(self, url: str, ticket: str) -> Line:
        headers = {"Sec-WebSocket-Protocol": f"samia.v1, ticket.{ticket}", "User-Agent": world.USER_AGENT}
        _, line = await ws_connect(
            lambda: Line(self),
            url,
            extra_headers=headers,
            enable_auto_pong=True,
            websocket_handshake_timeout=WELCOME_SECONDS,
            socket_factory=self.make_socket,
        )
        assert isinstance(line, Line)  # what the factory returned
        return line

    def make_socket(self, url: WSParsedURL) -> socket.socket | None:
        return None

    # Frames ----------------------------------------------------------------------------------------------------------

    def take(self, line: Line, frame: Frame) -> None:
        kind = frame["type"]
        if kind == "welcome":
            line.welcome(frame["heartbeat_seconds"])
            line.ask()
        elif kind == "resumed":
            self._take_resumed(line, frame)
        elif kind == "ack":
            self._take_ack(frame["message"])
        elif kind == "error":
            self._take_error(line, frame)
        elif kind == "heartbeat":
            digest = frame.get("sessions_digest", self.person.session.hex)  # of somebody's only session: its id
            if frame["heads"].get(self.session, 0) > (self.revision or 0) or digest != self.person.session.hex:
                line.ask()
        elif frame.get("session") == self.session and "revision" in frame and self._is_next(line, frame["revision"]):
            self.revision = frame["revision"]
            if kind == "new_message":
                self._hold(frame["message"])

    def _is_next(self, line: Line, revision: int) -> bool:
        held = self.revision
        if held is None or revision > held + 1:
            line.ask()
        return held is not None and revision == held + 1

    def _take_resumed(self, line: Line, frame: Frame) -> None:
        for entry in frame["sessions"]:
            if entry["reset"]:
                self.record.complain(f"person {self.number} was told to begin anew")
            for message in entry["messages"]:
                self._hold(message)
            # What was heard while the answer was on its way may be further.
            self.revision = max(self.revision or 0, entry["revision"])
        if frame["gone"]:
            self.record.complain(f"person {self.number} was told that his session is gone")
        is_more = frame["more"] or any(entry["more"] for entry in frame["sessions"])
        if not line.answered(ask_again=is_more) or self.is_level:
            return
        self.is_level = True
        self.absences.append((self._lost_at, time.perf_counter()))
        self._first_level.set()
        for said in list(self.waiting.values()):
            line.send(said)

    def _hold(self, message: Frame) -> None:
        name, seq = message["id"], message["seq"]
        if name in self.seqs:
            if self.seqs[name] != seq:
                self.record.complain(f"message {name} was told as {self.seqs[name]} and as {seq}")
            return
        self.record.reordered += seq < self._newest_seq
        self._newest_seq = max(self._newest_seq, seq)
        self.seqs[name] = seq
        said = self.record.said.get(name)
        if said is not None:
            said.held[self.number] = time.perf_counter()

    def _take_ack(self, message: Frame) -> None:
        said = self.record.said[message["id"]]
        self.waiting.pop(said.id, None)
        said.acked = said.acked or time.perf_counter()

    def _take_error(self, line: Line, frame: Frame) -> None:
        wait = frame.get("retry_after") or (RETRY_SECONDS if frame["code"] in FOR_NOW else None)
        if wait is None:
            self.record.complain(f"person {self.number} was refused: {frame['code']}, {frame['detail']}")
            return
        self.record.door.told_to_wait += 1
        line.again(frame["ref"], wait)

    # Sending ---------------------------------------------------------------------------------------------------------

    def say(self, size: int, filling: str = "x") -> None:
        said = self.record.note(self.number, self.session, size, filling)
        self.waiting[said.id] = said
        if self.is_level and self._line is not None:
            self._line.send(said)

    async def post(self, size: int) -> None:
        """The same over REST."""
        said = self.record.note(self.number, self.session, size)
        path, body = f"/api/chat/sessions/{self.session}/messages", {"id": said.id, "content": said.text}
        try:
            await self.record.door.insist(self._at, "POST", path, self.token, body)
        except GaveUp as why:
            self.record.complain(str(why))
        else:
            said.acked = time.perf_counter()

    # Reading badly ---------------------------------------------------------------------------------------------------

    def stop_reading(self) -> None:
        if self._line is not None:
            self._line.is_deaf = True
            self._line.transport.underlying_transport.pause_reading()

    def read_again(self) -> None:
        if self._line is not None:
            self._line.is_deaf = False
            self._line.transport.underlying_transport.resume_reading()


class Unwilling(Client):
    """One whose machine keeps little of what he does not read."""

    def make_socket(self, url: WSParsedURL) -> socket.socket | None:
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        made.setblocking(False)
        return made


class Line(Wire):
    """One connection of a client: what was asked on it, and whether the other side still lives."""

    def __init__(self, client: Client) -> None:
        super().__init__()
        self.client = client
        self.over: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self.is_welcome = self.is_deaf = False
        self._refs = 0
        self._asked: int | None = None  # ref of the `resume` on its way
        self._must_ask = False
        self._sent: dict[int, Said] = {}
        self._heard_at = self._said_at = time.monotonic()
        self._silence = WELCOME_SECONDS

    def on_ws_connected(self, transport: WSTransport) -> None:
        super().on_ws_connected(transport)
        self._look()

    def take(self, frame: bytes) -> None:
        self._heard_at = time.monotonic()
        self.client.take(self, msgspec.json.decode(frame))

    def ended(self, code: int | None) -> None:
        if not self.over.done():
            self.over.set_result(code)

    def welcome(self, heartbeat_seconds: float) -> None:
        self.is_welcome = True
        self._silence = 2 * heartbeat_seconds

    def ask(self) -> None:
        """Ask for what is missing; while a question is on its way, once more after its answer."""
        self._must_ask = True
        if self._asked is None and not self.is_leaving:
            self._must_ask = False
            held = {} if self.client.revision is None else {self.client.session: self.client.revision}
            self._asked = self._write("resume", sessions=held)

    def answered(self, *, ask_again: bool) -> bool:
        """Whether that was the last question."""
        self._asked = None
        if ask_again or self._must_ask:
            self.ask()
        return self._asked is None

    def send(self, said: Said) -> None:
        if not self.is_leaving:
            ref = self._write("send_message", session=said.session, id=said.id, content=said.text)
            self._sent[ref] = said

    def again(self, ref: int, wait: float) -> None:
        """What was refused for now is tried again after `wait` seconds."""
        if ref == self._asked:
            self._asked = None
            self._later(wait, self.ask)
            return
        said = self._sent.get(ref)
        if said is not None and said.id in self.client.waiting:
            self._later(wait, lambda: self.send(said))

    def _later(self, wait: float, act: Any) -> None:
        asyncio.get_running_loop().call_later(wait, lambda: None if self.is_leaving else act())

    def _write(self, kind: str, **fields: object) -> int:
        self._refs += 1
        self._said_at = time.monotonic()
        self.write(msgspec.json.encode({"type": kind, "ref": self._refs, **fields}))
        return self._refs

    def _look(self) -> None:
        """Every second: a server that has been silent for two heartbeats is dead, and ours must hear of us."""
        if self.is_leaving:
            return
        now = time.monotonic()
        if now - self._heard_at > self._silence and not self.is_deaf:
            self.transport.disconnect(graceful=False)
        elif self.is_welcome and now - self._said_at > PING_SECONDS:
            self._write("ping")
        asyncio.get_running_loop().call_later(1, self._look)


async def come_all(clients: Sequence[Client], *, at_once: int = 20) -> None:
    """Let them connect, some at a time."""
    gate = asyncio.Semaphore(at_once)

    async def one(client: Client) -> None:
        async with gate:
            await client.come()

    await asyncio.gather(*map(one, clients))
