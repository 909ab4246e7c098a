"""A server under load: its database, its process, its sockets. Adapters say how to start it and how to speak to it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol, Self, TypeVar
from uuid import uuid4

from bench import world
from bench.driver import Load, Roots, Socket, connect_all
from bench.machine import Cores
from bench.report import progress
from samia_chat.embedded import processes
from samia_chat.embedded.terminal import Refusal

FOLDER = Path(__file__).resolve().parent.parent.parent / ".samia" / "bench"
START_SECONDS = 40.0
TICKETS_AT_ONCE = 200  # they are good for a minute
# Of the launcher and the product: a server gets what its adapter names.
_NOT_INHERITED = ("SAMIA_", "DATABASE_", "REDIS_", "BENCH_")


class Unavailable(Exception):
    """A peer that cannot run here, and why. It is named and passed over."""


class Stored(Protocol):
    """What a server's database holds."""

    def wrong(self, before: Self, delivered: int) -> list[str]:
        """What must not be after `delivered` messages since `before`, in words. Empty when all is well."""


class Client(Socket):
    """One person: sends texts into his session, each with an id of the client's making."""

    def __init__(self, load: Load, user: int, person: world.Person) -> None:
        super().__init__(load, user)
        self.session = str(person.session).encode()
        self._made = uuid4().hex[:6].encode()

    def new_id(self, number: int) -> bytes:
        """A UUID of version 7 in form, as our pages make them; different for every number."""
        made, now = self._made, time.time_ns() // 1_000_000
        return b"%08x-%04x-7%b-8%b-%012x" % (now >> 16, now & 0xFFFF, made[:3], made[3:6], number)


class Server(ABC):
    name: str  # its key in results
    title: str  # its name in tables
    home = "/"  # answers 200 when it serves
    template = world.WORLD  # the database that each start copies
    settle_seconds = 0.5  # after everybody has come, before the load

    def __init__(self, cores: Cores, people: Sequence[world.Person]) -> None:
        """`people`: of the world that is copied for each start; person 2 × session + side."""
        self.cores = cores
        self.people = people
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._clients: list[Socket] = []

    # What an adapter says --------------------------------------------------------------------------------------------

    def prepare(self) -> None:  # noqa: B027 (most need nothing)
        """What is done once, such as installing packages. Raises Unavailable."""

    @abstractmethod
    def versions(self) -> dict[str, str]:
        """Of what it is made of, by name."""

    def configure(self) -> None:  # noqa: B027 (most need nothing)
        """Write the files that the process reads when it starts."""

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """On top of the plain environment."""

    def tickets(self, people: Sequence[world.Person]) -> list[str]:
        """What admits one socket of each of them, once."""
        return world.make_tickets(self.database, people)

    @abstractmethod
    def opening(self, load: Load, user: int, ticket: str) -> Awaitable[Socket]:
        """Sign a person in with his ticket."""

    def stored(self) -> Stored:
        return world.stored(self.database)

    # What the driver asks --------------------------------------------------------------------------------------------

    @property
    def database(self) -> str:
        return f"bench_{self.name}"

    @property
    def log(self) -> Path:
        return FOLDER / f"{self.name}.log"

    def start(self) -> None:
        """A fresh copy of the world, and the server; returns when it serves."""
        world.fresh_database(self.database, self.template)
        self.serve()

    def serve(self) -> None:
        """The server alone, where it was before if it has served already; returns when it serves."""
        self.port = self.port or _free_port()
        self.configure()
        plain = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
        with self.cores.serving():
            self._process = processes.start(self.command(), environment={**plain, **self.environment()}, log=self.log)
        _wait_until_ready(f"http://127.0.0.1:{self.port}{self.home}", self._process, self.log)

    async def connect(self, load: Load, numbers: Sequence[int] | None = None) -> Sequence[Socket]:
        """The sockets of these people (None: of all): person 2 × session + side."""
        wanted = range(len(self.people)) if numbers is None else numbers
        came: list[Socket] = []
        for first in range(0, len(wanted), TICKETS_AT_ONCE):
            some = wanted[first : first + TICKETS_AT_ONCE]
            tickets = await asyncio.to_thread(self.tickets, [self.people[at] for at in some])
            came += await connect_all([partial(self.opening, load, *one) for one in zip(some, tickets, strict=True)])
        self._clients += came
        return came

    async def disconnect(self) -> None:
        for client in self._clients:
            client.leave()
        self._clients = []

    def roots(self) -> Roots:
        """Processes to account for, by group."""
        assert self._process is not None  # asked for after start()
        postgresql, redis = int(os.environ["BENCH_PG_PID"]), int(os.environ["BENCH_REDIS_PID"])
        return {"app": [self._process.pid], "pg": [postgresql], "redis": [redis]}

    def end(self) -> int | None:
        """Stop the server as a deployment does; its exit code. Safe to call again."""
        process, self._process = self._process, None
        if process is not None:
            processes.stop([process])
            return process.returncode
        return None

    def stop(self) -> None:
        """End the server and drop its database. Safe after a failed start."""
        self.end()
        self.port = 0
        world.drop_database(self.database)


ServerT = TypeVar("ServerT", bound=Server)


def available(servers: Sequence[ServerT]) -> tuple[list[ServerT], dict[str, str]]:
    """Those that can run here, and why the others cannot."""
    ready, passed_over = [], {}
    for server in servers:
        try:
            server.prepare()
            ready.append(server)
        except Unavailable as why:
            passed_over[server.name] = str(why)
            progress(f"{server.title} is passed over: {why}")
    return ready, passed_over


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-6:])
    how = "did not become ready" if process.poll() is None else f"ended with {process.returncode} before it was ready"
    raise Refusal(f"a server {how}. The end of its log:\n{tail}")
