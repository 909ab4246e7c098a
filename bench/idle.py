"""Signed-in sockets that say nothing but `ping`: how much memory each holds, and whether all of them live."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench import machine
from bench.adapters.samia import Client, Samia
from bench.driver import Load

PING_SECONDS = 60.0  # docs/asyncapi.yaml: a client that has nothing to say sends `ping` once a minute
PATIENCE = 40.0  # seconds until presence is announced and a server has nothing more to do
ANSWER_SECONDS = 30.0  # for a pong of each of thousands
KIB = 1024


@dataclass(frozen=True, kw_only=True)
class Held:
    """What `sockets` idle sockets made of a server. `cpu`: seconds it took to let them in, by group of processes."""

    sockets: int
    before: int  # bytes of the server's processes (PSS)
    after: int
    connect_seconds: float
    cpu: Mapping[str, float]

    @property
    def kib_each(self) -> float:
        return (self.after - self.before) / KIB / self.sockets

    def and_then(self, more: Held) -> Held:
        """Both together: `more` came on top of these."""
        return Held(
            sockets=self.sockets + more.sockets,
            before=self.before,
            after=more.after,
            connect_seconds=self.connect_seconds + more.connect_seconds,
            cpu={name: spent + more.cpu[name] for name, spent in self.cpu.items()},
        )


async def hold(server: Samia, load: Load, numbers: Sequence[int]) -> tuple[Held, list[Client]]:
    """Let these people in. Memory is read when the server has nothing to do, before they come and after."""
    roots = server.roots()
    await asyncio.to_thread(machine.settled, roots["app"], patience=PATIENCE)
    before, cpu, start = machine.memory(roots["app"]), machine.seconds(roots), time.perf_counter()
    came = [socket for socket in await server.connect(load, numbers) if isinstance(socket, Client)]  # they all are
    lasted = time.perf_counter() - start
    spent = {name: now - cpu[name] for name, now in machine.seconds(roots).items()}
    await asyncio.to_thread(machine.settled, roots["app"], patience=PATIENCE)
    after = machine.memory(roots["app"])
    return Held(sockets=len(came), before=before, after=after, connect_seconds=lasted, cpu=spent), came


@asynccontextmanager
async def kept_alive(sockets: list[Client]) -> AsyncIterator[None]:
    """In the block each of them pings once a minute; `sockets` may grow. In turn, not all at once, as people's do."""

    async def in_turn() -> None:
        turn = 0
        while True:
            await asyncio.sleep(PING_SECONDS / max(1, len(sockets)))
            if sockets:
                turn = (turn + 1) % len(sockets)
                sockets[turn].ping()

    task = asyncio.create_task(in_turn())
    try:
        yield
    finally:
        task.cancel()


async def alive(sockets: Sequence[Client]) -> int:
    """How many of them answer a ping."""
    open_ones = [socket for socket in sockets if not socket.is_leaving]
    answers = [socket.ping() for socket in open_ones]
    if answers:
        await asyncio.wait(answers, timeout=ANSWER_SECONDS)
    return sum(answer.done() for answer in answers)
