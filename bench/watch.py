"""Looks at servers every ten seconds: their memory, descriptors and threads, their connections, and what /metrics says."""

from __future__ import annotations

import asyncio
import os
import time
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from bench import machine, world
from bench.adapters.samia import Samia
from bench.driver import Roots

EVERY_SECONDS = 10.0
STUCK = "idle in transaction, over a second"  # beside PostgreSQL's own states
# Of the application: not ours, which looks, nor PostgreSQL's own.
CONNECTIONS = """
SELECT state, extract(epoch FROM clock_timestamp() - state_change), query
  FROM pg_stat_activity WHERE datname = current_database() AND usename = 'samia_app'
"""
STUCK_SECONDS = 1.0
Figures = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """How things stand. Memory in bytes; what processes share counts for each by its part (PSS)."""

    at: float  # seconds since the load began
    webs: tuple[Figures, ...]  # of each: "memory", "descriptors", "threads"
    gauges: tuple[Figures, ...]  # of each web process, what /metrics says: {"samia_rooms": 3.0}
    postgresql: (
        Figures  # of all its processes: "own" (anonymous memory), "shared" (its buffers, as far as they were touched)
    )
    connections: Figures  # of the application, by state
    stuck: tuple[str, ...]  # the last statements of those that hang in a transaction
    redis: Figures  # "memory", "clients", "keys"
    presence: int  # rows

    @property
    def connected(self) -> float:
        return sum(self.connections.values())


class Watch:
    """Looks at web processes that share a database and a Redis."""

    def __init__(self, webs: Sequence[Samia], redis: str) -> None:
        """`redis`: its address."""
        self.samples: list[Sample] = []
        self._webs = webs
        self._redis = Redis.from_url(redis)
        self._start = time.perf_counter()

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """While the block runs, and once at each end of it."""
        self._start = time.perf_counter()
        task = asyncio.create_task(self._keep_looking())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self.samples.append(await self.look())

    async def _keep_looking(self) -> None:
        while True:
            self.samples.append(await self.look())
            await asyncio.sleep(EVERY_SECONDS - (time.perf_counter() - self._start) % EVERY_SECONDS)

    async def look(self) -> Sample:
        return await asyncio.to_thread(self._look)

    def _look(self) -> Sample:
        connections, stuck, presence = self._database()
        return Sample(
            at=time.perf_counter() - self._start,
            webs=tuple(_process(machine.tree(web.roots()["app"])) for web in self._webs),
            gauges=tuple(metrics(web.port) for web in self._webs),
            postgresql=_shares(machine.tree([int(os.environ["BENCH_PG_PID"])])),
            connections=connections,
            stuck=stuck,
            redis=self._of_redis(),
            presence=presence,
        )

    def _database(self) -> tuple[Figures, tuple[str, ...], int]:
        with world.superuser(self._webs[0].database) as connection:
            rows = connection.execute(CONNECTIONS).fetchall()
            (presence,) = connection.execute("SELECT count(*) FROM presence").fetchone() or (0,)
        stuck = [is_stuck(state, seconds) for state, seconds, _ in rows]
        states = Counter(STUCK if hangs else str(row[0]) for row, hangs in zip(rows, stuck, strict=True))
        statements = tuple(" ".join(row[2].split())[:200] for row, hangs in zip(rows, stuck, strict=True) if hangs)
        return {state: float(count) for state, count in states.items()}, statements, int(presence)

    def _of_redis(self) -> Figures:
        found = self._redis.info()
        # Without our own.
        clients = found["connected_clients"] - 1
        return {"memory": float(found["used_memory"]), "clients": float(clients), "keys": float(self._redis.dbsize())}

    def spent(self, redis: int) -> Figures:
        """Processor seconds so far: "app", "pg", "redis"."""
        roots: Roots = {
            "app": [pid for web in self._webs for pid in web.roots()["app"]],
            "pg": [int(os.environ["BENCH_PG_PID"])],
            "redis": [redis],
        }
        return machine.seconds(roots)


def is_stuck(state: str | None, seconds: float) -> bool:
    return (state or "").startswith("idle in transaction") and seconds > STUCK_SECONDS


def metrics(port: int) -> Figures:
    """What a process says of itself: by name, with the values of labels after it."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    samples = [sample for family in families for sample in family.samples]
    return {" ".join([sample.name, *sample.labels.values()]): sample.value for sample in samples}


def _process(pids: Iterable[int]) -> Figures:
    found: Counter[str] = Counter()
    for pid in pids:
        memory = rollup(Path(f"/proc/{pid}/smaps_rollup").read_text())
        found.update(
            memory=memory["Pss"],
            descriptors=len(os.listdir(f"/proc/{pid}/fd")),
            threads=len(os.listdir(f"/proc/{pid}/task")),
        )
    return {name: float(value) for name, value in found.items()}


def _shares(pids: Iterable[int]) -> Figures:
    own = shared = 0
    for pid in pids:
        try:
            memory = rollup(Path(f"/proc/{pid}/smaps_rollup").read_text())
        except OSError:
            continue  # a worker of PostgreSQL's that has ended since
        own += memory["Pss_Anon"]
        shared += memory["Pss_Shmem"]
    return {"own": float(own), "shared": float(shared)}


def rollup(text: str) -> dict[str, int]:
    """/proc/PID/smaps_rollup in bytes."""
    lines = [line.split() for line in text.splitlines()[1:]]
    return {words[0].rstrip(":"): 1024 * int(words[1]) for words in lines if words[-1] == "kB"}
