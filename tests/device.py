"""A socket as a client holds it: the real ASGI application, driven in this process. Every frame is held against
docs/asyncapi.yaml."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID

from accounts.identity import actor_of
from accounts.models import User
from accounts.services.token import issue_ticket
from chat.live.consumer import PROTOCOL, TICKET
from samia_chat import actor
from samia_chat.actor import Actor
from tests import frames
from tests.cast import make_login
from tests.rest import in_thread

PATIENCE = 3.0  # seconds for something that must come
CALM = 0.25  # seconds in which something must not come

Frame = dict[str, Any]
_checked: set[str] = set()


class Closed(Exception):
    """The server closed the socket."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"closed with {code}")


class Device:
    """One socket of `person`. Frames wait in order; `expect` takes the next of a type, and keeps the others."""

    def __init__(self, person: User | None, *, login_id: UUID | None = None, **scope: Any) -> None:
        self.person = person
        self.login_id = login_id
        self.frames: list[Frame] = []
        self.seen: list[Frame] = []  # every frame that ever came
        self.closed: int | None = None
        self.subprotocol: str | None = None
        self._scope = scope
        self._to_app: asyncio.Queue[Frame] = asyncio.Queue()
        self._news = asyncio.Condition()
        self._accepted = asyncio.Event()
        self._ref = 0

    async def open(self) -> Device:
        """Connect with a ticket and wait for the welcome."""
        await self.dial(subprotocols=[PROTOCOL, TICKET + await in_thread(self._ticket)])
        self.welcome = await self.expect("welcome")
        return self

    async def dial(self, **scope: Any) -> None:
        """Connect with a scope of one's own, and wait until it is decided."""
        from samia_chat.asgi import application

        full = {
            "type": "websocket",
            "path": "/ws/chat",
            "raw_path": b"/ws/chat",
            "query_string": b"",
            "headers": [],
            "subprotocols": [],
            "client": ["127.0.0.1", 50000],
            **self._scope,
            **scope,
        }
        self._task = asyncio.create_task(application(full, self._to_app.get, self._from_app))
        self._to_app.put_nowait({"type": "websocket.connect"})
        await asyncio.wait_for(self._accepted.wait(), PATIENCE)

    def _ticket(self) -> str:
        assert self.person is not None
        if self.login_id is None:
            self.login_id = make_login(self.person).pk
        with actor.acting_as(actor_of(self.person, Actor())):
            return issue_ticket(login_id=self.login_id)[0]

    async def _from_app(self, message: Frame) -> None:
        async with self._news:
            if message["type"] == "websocket.accept":
                self.subprotocol = message.get("subprotocol")
            elif message["type"] == "websocket.close":
                self.closed = message.get("code", 1000)
                self._to_app.put_nowait({"type": "websocket.disconnect", "code": self.closed})
            else:
                frame = json.loads(message["text"])
                if message["text"] not in _checked:  # one frame goes to many sockets
                    self._check(frame)
                    _checked.add(message["text"])
                self.frames.append(frame)
                self.seen.append(frame)
            self._accepted.set()
            self._news.notify_all()

    def _check(self, frame: Frame) -> None:
        # Kept, because the server takes an exception here for a peer that is gone; tests/conftest.py raises it.
        try:
            frames.check_received(frame)
        except frames.WrongFrame as wrong:
            frames.wrong.append(wrong)

    # What a client does ----------------------------------------------------------------------------------------------

    def send(self, kind: str, /, *, unchecked: bool = False, **fields: Any) -> int:
        """Send a frame; returns its ref. `unchecked`: it is meant not to be as documented."""
        self._ref += 1
        text = json.dumps({"type": kind, "ref": self._ref, **fields}, default=str)
        if not unchecked:
            frames.check_sent(json.loads(text))
        self.send_text(text)
        return self._ref

    def send_text(self, text: str) -> None:
        self._to_app.put_nowait({"type": "websocket.receive", "text": text})

    def send_bytes(self, data: bytes) -> None:
        self._to_app.put_nowait({"type": "websocket.receive", "bytes": data})

    async def ask(self, kind: str, answer: str, /, **fields: Any) -> Frame:
        """Send a frame and take its answer."""
        return await self.expect(answer, ref=self.send(kind, **fields))

    async def say(self, session: object, content: str = "hello", **fields: Any) -> Frame:
        """Send a message; the acknowledged message."""
        ack = await self.ask("send_message", "ack", session=session, content=content, **fields)
        message: Frame = ack["message"]
        return message

    async def expect(self, kind: str, /, *, within: float = PATIENCE, **fields: Any) -> Frame:
        """The next frame of this type with these fields. Raises Closed if the socket ends first."""

        def find() -> Frame | None:
            for frame in self.frames:
                if frame["type"] == kind and all(frame.get(name) == _text(value) for name, value in fields.items()):
                    return frame
            return None

        async with self._news:
            try:
                await asyncio.wait_for(
                    self._news.wait_for(lambda: find() is not None or self.closed is not None), within
                )
            except TimeoutError:
                got = [frame for frame in self.frames if frame["type"] != "heartbeat"]
                raise AssertionError(f"no {kind} {fields} came; what waits: {got}") from None
            found = find()
            if found is None:
                raise Closed(self.closed or 0)
            self.frames.remove(found)
            return found

    async def nothing(self, *kinds: str, within: float = CALM) -> None:
        """Nothing of these types comes (of any but heartbeat and presence, without types)."""
        await asyncio.sleep(within)
        quiet = ("heartbeat", "presence_changed")
        came = [f for f in self.frames if (f["type"] in kinds if kinds else f["type"] not in quiet)]
        assert not came, f"unexpected: {came}"

    async def expect_close(self, *, within: float = PATIENCE) -> int:
        async with self._news:
            await asyncio.wait_for(self._news.wait_for(lambda: self.closed is not None), within)
        assert self.closed is not None
        return self.closed

    async def hang_up(self) -> None:
        if self.closed is None:
            self.closed = 1000
            self._to_app.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait_for(self._task, PATIENCE)


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value
