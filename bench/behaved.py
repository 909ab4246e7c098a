"""Clients that do what docs/asyncapi.yaml asks of one.

Own ids; `resume` after `welcome`, on a gap and when a heartbeat names a head ahead; then what was not acknowledged goes out
again under its id. After a close: another process, after a random wait that doubles with each failure (full jitter), at most
two seconds instead of thirty, because a run lasts seconds. The tries are bounded.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Sequence
from typing import Any

import msgspec
from picows import WSError, WSHandshakeError, WSParsedURL, WSTransport, ws_connect

from bench import world
from bench.driver import Wire
from bench.record import Record, Said
from bench.rest import Answer, GaveUp
from bench.thread import Thread, digest

FIRST_WAIT, LONGEST_WAIT = 0.5, 2.0  # seconds before coming back, at most: the first time, and later
TRIES = 60  # to connect, one after the other
WELCOME_SECONDS = 30.0
RETRY_SECONDS = 2.0  # where a refusal for now names no time
PING_SECONDS = 60.0
SMALL_BUFFER = 4096  # bytes the kernel keeps for a client that does not read: the server is to notice soon
FOR_NOW = ("busy", "too_fast")
Frame = dict[str, Any]


class Client:
    """A person at one device. He talks with the person whose number differs in the last bit, in the session `session`."""

    def __init__(self, record: Record, number: int, person: world.Person, token: str) -> None:
        self.record, self.number, self.person, self.token = record, number, person, token
        self.session = str(person.session)
        self.threads: dict[str, Thread] = {}  # by session
        self.looking: set[str] = set()  # sessions that staff have open without being members
        self.waiting: dict[str, Said] = {}  # said and not acknowledged, in order
        self.absences: list[tuple[float, float]] = []  # lost, and level again
        self.may_come = asyncio.Event()  # cleared: stays away until told
        self.may_come.set()
        self.is_level = False
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
            line = await self._open(door.port(self._at), await self.credential(door.port(self._at)))
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

    async def credential(self, port: int) -> dict[str, str]:
        """Headers of the handshake: a program asks for a ticket first. Raises GaveUp."""
        answer = await self.ask("POST", "/api/auth/ticket")
        return {"Sec-WebSocket-Protocol": f"samia.v1, ticket.{answer.body['ticket']}"}

    async def _open(self, port: int, credential: dict[str, str]) -> Line:
        _, line = await ws_connect(
            lambda: Line(self),
            f"ws://127.0.0.1:{port}/ws/chat",
            extra_headers={**credential, "User-Agent": world.USER_AGENT},
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
            self._acknowledge(frame["message"]["id"], is_replay=frame["replayed"])
        elif kind == "error":
            self._take_error(line, frame)
        elif kind == "heartbeat":
            self._take_heartbeat(line, frame)
        elif kind == "session_created":
            self._take_created(line, frame)
        elif kind == "participant_removed" and "user" not in frame:
            self.lose(frame["session"])
        elif "revision" in frame and frame["type"] != "session_joined":
            self._take_change(line, frame)

    def _acknowledge(self, message: str, *, is_replay: bool) -> None:
        self.waiting.pop(message, None)
        self.acknowledged(self.record.acknowledge(message, is_replay=is_replay))

    def acknowledged(self, said: Said) -> None:
        """It is stored, the server says; it may do so again."""

    def _take_heartbeat(self, line: Line, frame: Frame) -> None:
        heads = {
            name: head for name, head in frame["heads"].items() if name in self.threads or name not in self.looking
        }
        own = digest([name for name, thread in self.threads.items() if thread.is_own])
        is_behind = any(head > self._revision(name) for name, head in heads.items())
        if is_behind or frame.get("sessions_digest", own) != own:
            line.ask()

    def _take_created(self, line: Line, frame: Frame) -> None:
        thread = self.threads.get(frame["session"])
        if thread is not None:
            thread.is_own = True
        if frame["revision"] > self._revision(frame["session"]):
            line.ask()

    def _take_change(self, line: Line, frame: Frame) -> None:
        """What all members see alike, in the order of revisions."""
        thread = self.threads.get(frame["session"])
        if thread is None:
            if frame["session"] not in self.looking:
                line.ask()
            return
        if frame["revision"] > thread.revision + 1:
            line.ask()
        if frame["revision"] == thread.revision + 1:
            thread.revision = frame["revision"]
            if "message" in frame:
                self._hold(thread, frame["message"])
            elif frame["type"] == "session_updated":
                thread.status = frame["data"]["status"]

    def _revision(self, session: str) -> int:
        """What is held of a session; -1 for nothing, because one without messages has 0."""
        thread = self.threads.get(session)
        return -1 if thread is None else thread.revision

    def _take_resumed(self, line: Line, frame: Frame) -> None:
        for entry in frame["sessions"]:
            if entry["reset"]:
                self.record.complain(f"person {self.number} was told to begin anew")
            thread = self.threads.setdefault(entry["session"]["id"], Thread())
            for message in entry["messages"]:
                self._hold(thread, message)
            # What was heard while the answer was on its way may be further.
            if entry["revision"] >= thread.revision:
                thread.revision, thread.status = entry["revision"], entry["session"]["status"]
        for session in frame["gone"]:
            self.lose(session)
        is_more = frame["more"] or any(entry["more"] for entry in frame["sessions"])
        if not line.answered(ask_again=is_more) or self.is_level:
            return
        self.is_level = True
        self.absences.append((self._lost_at, time.perf_counter()))
        self._first_level.set()
        for said in list(self.waiting.values()):
            line.send(said)
        self.came_back()

    def came_back(self) -> None:
        """Level again, and what was not acknowledged is on its way."""

    def lose(self, session: str) -> None:
        """The session is not his any more, the server says."""
        self.threads.pop(session, None)
        self.record.complain(f"person {self.number} was told that a session of his is gone")

    def _hold(self, thread: Thread, message: Frame) -> None:
        how = thread.take(message)
        if how == "other":
            self.record.complain(f"message {message['id']} was told under two numbers")
        self.record.reordered += how == "late"
        said = self.record.said.get(message["id"])
        if said is not None:
            said.held.setdefault(self.number, time.perf_counter())

    def _take_error(self, line: Line, frame: Frame) -> None:
        wait = frame.get("retry_after") or (RETRY_SECONDS if frame["code"] in FOR_NOW else None)
        if wait is None:
            self.refused(line, frame)
            return
        self.record.door.told_to_wait += 1
        line.again(frame["ref"], wait)

    def refused(self, line: Line, frame: Frame) -> None:
        """For good."""
        self.record.complain(f"person {self.number} was refused: {frame['code']}, {frame['detail']}")

    # Sending ---------------------------------------------------------------------------------------------------------

    def say(self, size: int, filling: str = "x", reply_to: str | None = None) -> None:
        said = self.record.note(self.number, self.session, size, filling, reply_to)
        self.waiting[said.id] = said
        if self.is_level and self._line is not None:
            self._line.send(said)

    async def post(self, size: int, reply_to: str | None = None) -> None:
        """The same over REST."""
        said = self.record.note(self.number, self.session, size, reply_to=reply_to)
        try:
            await self.post_said(said)
        except GaveUp as why:
            self.record.complain(str(why))

    async def post_said(self, said: Said) -> None:
        """Raises GaveUp."""
        body = {"id": said.id, "content": said.text, "reply_to": said.reply_to}
        answer = await self.ask("POST", f"/api/chat/sessions/{said.session}/messages", body)
        self._acknowledge(said.id, is_replay="idempotent-replayed" in answer.headers)

    async def ask(self, method: str, path: str, body: object = None) -> Answer:
        """Over REST, at the process where one is or the next. Raises GaveUp."""
        return await self.record.door.insist(self._at, method, path, self.token, body)

    def tell(self, kind: str, /, **fields: object) -> None:
        """A frame that nothing is lost with: not sent while away."""
        if self.is_level and self._line is not None:
            self._line.tell(kind, **fields)

    # Reading badly ---------------------------------------------------------------------------------------------------

    def stop_reading(self) -> None:
        if self._line is not None:
            self._line.is_deaf = True
            self._line.transport.underlying_transport.pause_reading()

    def read_again(self) -> None:
        if self._line is not None:
            self._line.is_deaf = False
            self._line.transport.underlying_transport.resume_reading()


class Browser(Client):
    """Signed in by cookie: the page of the product opens its socket without asking for anything first."""

    async def credential(self, port: int) -> dict[str, str]:
        cookie = f"samia_session={world.session_key(self.person)}"
        return {"Sec-WebSocket-Protocol": "samia.v1", "Cookie": cookie, "Origin": f"http://127.0.0.1:{port}"}


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
            held = {name: thread.revision for name, thread in self.client.threads.items()}
            self._asked = self._write("resume", sessions=held)

    def answered(self, *, ask_again: bool) -> bool:
        """Whether that was the last question."""
        self._asked = None
        if ask_again or self._must_ask:
            self.ask()
        return self._asked is None

    def send(self, said: Said) -> None:
        if not self.is_leaving:
            words = {"content": said.text, "reply_to": said.reply_to}
            ref = self._write("send_message", session=said.session, id=said.id, **words)
            self._sent[ref] = said

    def tell(self, kind: str, /, **fields: object) -> None:
        if not self.is_leaving:
            self._write(kind, **fields)

    def sent(self, ref: int | None) -> Said | None:
        """The message that was sent under this ref."""
        return None if ref is None else self._sent.get(ref)

    def again(self, ref: int, wait: float) -> None:
        """What was refused for now is tried again after `wait` seconds."""
        if ref == self._asked:
            self._asked = None
            self._later(wait, self.ask)
            return
        said = self.sent(ref)
        if said is not None and said.id in self.client.waiting:
            self._later(wait, lambda: self.send(said))

    def _later(self, wait: float, act: Any) -> None:
        asyncio.get_running_loop().call_later(wait, lambda: None if self.is_leaving else act())

    def _write(self, kind: str, /, **fields: object) -> int:
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
