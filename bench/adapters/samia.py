"""The product: uvicorn as `./samia up` starts it, with Redis, rates that count but never refuse, and sockets by ticket."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Mapping, Sequence
from importlib.metadata import version

from bench import world
from bench.adapters import server
from bench.adapters.asgi import UVICORN, Program
from bench.driver import Load, Socket, connect
from bench.machine import Cores

# Per minute and user: the limiter counts everything, and refuses nothing.
RATES = {f"SAMIA_RATE_{kind}": "10000000" for kind in ("MESSAGES", "FRAMES", "READS", "WRITES")}
_EVENT, _ACK, _ERROR, _WELCOME, _PONG = (
    b'{"type":"%b"' % name for name in (b"new_message", b"ack", b"error", b"welcome", b"pong")
)
_PING = b'{"type":"ping"}'


class Client(server.Client):
    """Speaks samia.v1."""

    _pong: asyncio.Future[None] | None = None

    def ping(self) -> asyncio.Future[None]:
        """Done when the answer is here. One at a time."""
        self._pong = asyncio.get_running_loop().create_future()
        self.write(_PING)
        return self._pong

    def say(self, number: int, body: bytes) -> None:
        self.write(
            b'{"type":"send_message","ref":%d,"session":"%b","id":"%b","content":"%b"}'
            % (number, self.session, self.new_id(number), body)
        )

    def take(self, frame: bytes) -> None:
        if frame.startswith(_EVENT):
            self.load.heard(self.user, frame)
        elif frame.startswith(_ACK):
            self.load.acked += 1
        elif frame.startswith(_ERROR):
            self.load.refused(frame.decode())
        elif frame.startswith(_WELCOME):
            self.ready.set_result(None)
        elif frame.startswith(_PONG) and self._pong is not None and not self._pong.done():
            self._pong.set_result(None)


class Samia(server.Server):
    name = "ours"
    title = "samia_chat: uvicorn, Redis"
    home = "/readyz"
    settle_seconds = 3.0  # presence is announced two seconds after the last one came

    def __init__(
        self,
        cores: Cores,
        people: Sequence[world.Person],
        settings: Mapping[str, str] | None = None,
        program: Program = UVICORN,
    ) -> None:
        """`settings`: environment variables on top of those of every run."""
        super().__init__(cores, people)
        self.program = program
        self._settings = settings or {}

    def prepare(self) -> None:
        self.program.prepare()

    def versions(self) -> dict[str, str]:
        return {name: version(name) for name in ("django", "uvicorn", "uvloop", "websockets", "psycopg")}

    def command(self) -> list[str]:
        return self.program.command(self.port)

    def environment(self) -> dict[str, str]:
        return {
            "SAMIA_SECRET_KEY": os.environ["SAMIA_SECRET_KEY"],
            "SAMIA_PUBLIC_ORIGINS": f"http://127.0.0.1:{self.port}",
            "DATABASE_URL": world.url("DATABASE_URL", self.database),
            "REDIS_URL": os.environ["BENCH_REDIS_URL"],
            **RATES,
            **self._settings,
        }

    def opening(self, load: Load, user: int, ticket: str) -> Awaitable[Socket]:
        headers = {"Sec-WebSocket-Protocol": f"samia.v1, ticket.{ticket}", "User-Agent": world.USER_AGENT}
        return connect(lambda: Client(load, user, self.people[user]), f"ws://127.0.0.1:{self.port}/ws/chat", headers)
