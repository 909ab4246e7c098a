"""A web process of the product as it runs in production, and sockets to it over the real wire."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any
from uuid import UUID

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from accounts.identity import actor_of
from accounts.models import User
from accounts.services.token import issue_ticket
from samia_chat import actor
from samia_chat.actor import Actor
from tests import frames
from tests.cast import make_login
from tests.rest import in_thread

START_SECONDS = 20.0
Frame = dict[str, Any]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """One uvicorn process on the test's database. Settings given are environment variables; `wire` is the class for sockets."""

    def __init__(self, wire: str = "samia_chat.realtime.wire:Protocol", **settings: str) -> None:
        self._wire = wire
        self.port = free_port()
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self.log = Path(tempfile.mkstemp(prefix="samia-server-", suffix=".log")[1])

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Server:
        environment = {**os.environ, "SAMIA_PUBLIC_ORIGINS": self.address, **self._settings}
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(self._command(), env=environment, stdout=output, stderr=output)
        self._wait_until_ready()
        return self

    def _command(self) -> list[str]:
        return [
            *(sys.executable, "-m", "uvicorn", "samia_chat.asgi:application", "--host", "127.0.0.1"),
            *("--port", str(self.port), "--loop", "uvloop", "--http", "httptools"),
            *("--ws", self._wire, "--ws-max-size", "131072"),
            *("--ws-per-message-deflate", "false", "--timeout-graceful-shutdown", "3"),
        ]

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self._process is not None
            assert self._process.poll() is None, self.log.read_text()
            try:
                with urllib.request.urlopen(f"{self.address}/readyz", timeout=1):
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"the server did not start: {self.log.read_text()}")

    def readiness(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.address}/readyz", timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        """As the kernel kills: no time for anything."""
        self.signal(signal.SIGKILL)
        self._reap()

    def stop(self) -> None:
        """As a deployment stops it. Safe to call again."""
        if self._process is not None:
            if self._process.poll() is None:
                self.signal(signal.SIGTERM)
            self._reap()
        self.log.unlink(missing_ok=True)

    def _reap(self) -> None:
        assert self._process is not None
        self._process.wait(15)
        self._process = None


class Daphne(Server):
    """The development server."""

    def _command(self) -> list[str]:
        return [sys.executable, "manage.py", "runserver", "--noreload", str(self.port)]


_open: list[Wire] = []


async def close_wires() -> None:
    """Close the sockets a test left open (tests/conftest.py)."""
    for wire in _open:
        await wire.close()
    _open.clear()


class Wire:
    """A socket of a person to a server process. Frames wait in order; each is held against docs/asyncapi.yaml."""

    def __init__(self, server: Server, person: User) -> None:
        self.server = server
        self.person = person
        self.frames: list[Frame] = []
        self.login_id: UUID | None = None
        self.close_code: int | None = None
        self._ref = 0

    async def open(self) -> Wire:
        ticket = await in_thread(self.ticket)
        address = f"ws://127.0.0.1:{self.server.port}/ws/chat"
        self._connection: ClientConnection = await connect(address, subprotocols=["samia.v1", f"ticket.{ticket}"])  # type: ignore[list-item]
        self._reader = asyncio.create_task(self._read())
        _open.append(self)
        self.welcome = await self.expect("welcome")
        return self

    def ticket(self) -> str:
        self.login_id = make_login(self.person).pk
        with actor.acting_as(actor_of(self.person, Actor())):
            return issue_ticket(login_id=self.login_id)[0]

    async def _read(self) -> None:
        try:
            async for text in self._connection:
                frame = json.loads(text)
                frames.check_received(frame)
                self.frames.append(frame)
        except ConnectionClosed:
            pass
        finally:
            self.close_code = self._connection.close_code or 1006

    async def send(self, kind: str, **fields: Any) -> int:
        self._ref += 1
        await self._connection.send(json.dumps({"type": kind, "ref": self._ref, **fields}, default=str))
        return self._ref

    async def expect(self, kind: str, *, within: float = 5.0, **fields: Any) -> Frame:
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            for frame in self.frames:
                if frame["type"] == kind and all(frame.get(name) == value for name, value in fields.items()):
                    self.frames.remove(frame)
                    return frame
            await asyncio.sleep(0.005)
        raise AssertionError(
            f"no {kind} {fields} within {within} s; what waits: {[str(frame)[:200] for frame in self.frames[-5:]]}"
        )

    async def ask(self, kind: str, answer: str, **fields: Any) -> Frame:
        return await self.expect(answer, ref=await self.send(kind, **fields))

    async def say(self, session: object, content: str, **fields: Any) -> Frame:
        ack = await self.ask("send_message", "ack", session=session, content=content, **fields)
        message: Frame = ack["message"]
        return message

    async def closed(self, within: float = 5.0) -> int:
        async with asyncio.timeout(within):
            await self._reader
        assert self.close_code is not None
        return self.close_code

    async def close(self) -> None:
        await self._connection.close()
        await self._reader
