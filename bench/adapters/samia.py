"""The product: uvicorn as `./samia up` starts it, with Redis, rates that count but never refuse, and sockets by ticket."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Mapping, Sequence
from importlib.metadata import version

from bench import world
from bench.adapters import server
from bench.driver import Load, Socket, connect
from bench.machine import Cores
from samia_chat.embedded.environment import HERE

# Per minute and user: the limiter counts every message and frame, and refuses none.
RATES = {"SAMIA_RATE_MESSAGES": "10000000", "SAMIA_RATE_FRAMES": "10000000"}
_EVENT, _ACK, _ERROR, _WELCOME = (b'{"type":"%b"' % name for name in (b"new_message", b"ack", b"error", b"welcome"))


class Client(server.Client):
    """Speaks samia.v1."""

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


class Samia(server.Server):
    name = "ours"
    title = "samia_chat: uvicorn, Redis"
    home = "/readyz"
    settle_seconds = 3.0  # presence is announced two seconds after the last one came

    def __init__(self, cores: Cores, people: Sequence[world.Person], settings: Mapping[str, str] | None = None) -> None:
        """`settings`: environment variables on top of those of every run."""
        super().__init__(cores, people)
        self._settings = settings or {}

    def versions(self) -> dict[str, str]:
        return {name: version(name) for name in ("django", "uvicorn", "uvloop", "websockets", "psycopg")}

    def command(self) -> list[str]:
        """The arguments of samia_chat/embedded/up.py, for one worker."""
        return [
            *(sys.executable, "-m", "uvicorn", "samia_chat.asgi:application"),
            *("--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"),
            *("--loop", "uvloop", "--http", "httptools", "--ws", "samia_chat.realtime.wire:Protocol"),
            *("--ws-max-size", "131072", "--ws-per-message-deflate", "false", "--no-server-header"),
            *("--timeout-graceful-shutdown", "5"),
            *("--log-config", str(HERE / "samia_chat" / "embedded" / "uvicorn.json")),
        ]

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
