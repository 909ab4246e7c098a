"""Two web processes on one database, people at both, what they say, and the count of what must not have happened."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from bench import world
from bench.adapters.asgi import UVICORN, Program
from bench.adapters.samia import Samia
from bench.behaved import Client, come_all
from bench.driver import BODY_BYTES, pace
from bench.machine import Cores
from bench.record import Record
from bench.rest import Door
from bench.thread import Message
from samia_chat.embedded.postgres import DEPLOYMENT, Cluster
from samia_chat.embedded.redis import Redis

DATABASE = "bench_scene"
PROCESSES = 2
HEARTBEAT = 5  # seconds instead of 25: a run lasts seconds
SETTINGS = {"SAMIA_HEARTBEAT_SECONDS": str(HEARTBEAT)}
DRAIN_SECONDS = 20.0
READERS = 4  # fresh clients that read threads at the same time
PAGE = 100


class Web(Samia):
    """One of several web processes on the same database, which outlives them."""

    def __init__(
        self, people: Sequence[world.Person], number: int, settings: Mapping[str, str], program: Program
    ) -> None:
        super().__init__(Cores(None, None), people, {**SETTINGS, **settings}, program)
        self.number, self.lives = number, 0

    def serve(self) -> None:
        self.lives += 1
        self.name = f"web_{self.number}_{self.lives}"  # each life has a log of its own
        super().serve()

    @property
    def database(self) -> str:
        return DATABASE

    def kill(self) -> None:
        """As the kernel kills: no time for anything."""
        assert self._process is not None  # it serves
        self._process.kill()
        self._process.wait()
        self._process = None


@dataclass(kw_only=True)
class Count:
    """What must not happen, and how long it took until everybody was level again."""

    lost: int  # acknowledged and not in the database, or not as it was last changed
    doubled: int  # texts stored twice, or acknowledged as new twice
    reordered: int  # that a client heard in another order than the rows have, or under another number
    missing: int  # that a fresh client has and a client does not, or not with the same text
    unacknowledged: int  # never answered, though the client was level again and had sent them anew
    broken: dict[str, int]  # 5xx
    wrong: list[str]  # whatever else is not as documented
    level_seconds: float
    sent: int
    told_to_wait: int
    closes: dict[str, int]

    def faults(self) -> list[str]:
        """In words. Empty when all is well."""
        names = ("lost", "doubled", "reordered", "missing", "unacknowledged")
        found = [f"{getattr(self, name)} {name}" for name in names if getattr(self, name)]
        return found + [f"{count} × {what}" for what, count in self.broken.items()] + self.wrong


@dataclass
class Scene:
    """People and processes, and what a scenario does to them."""

    people: Sequence[world.Person]
    tokens: Sequence[str]
    rate: float
    webs: list[Web]
    record: Record
    redis: Redis  # of this scene alone
    clients: list[Client] = field(default_factory=list)  # all who ever came
    drain_seconds: float = DRAIN_SECONDS  # how long what was sent may take until everybody holds it
    marks: list[float] = field(default_factory=list)
    _talk: asyncio.Task[None] | None = None

    async def enter(self, numbers: Sequence[int], kind: type[Client] = Client) -> list[Client]:
        """Let people come, until each is level."""
        came = [kind(self.record, number, self.people[number], self.tokens[number]) for number in numbers]
        self.clients += came
        await come_all(came)
        if not all(client.is_level for client in came):
            self.record.complain(f"{sum(not client.is_level for client in came)} people were not let in")
        return came

    def mark(self) -> None:
        """From here on it is counted how long it takes until everybody is level."""
        self.marks.append(time.perf_counter())

    def talk(self, among: Sequence[Client]) -> None:
        """So many messages a second by people chosen at random, whatever happens, until `hush`."""
        chance = random.Random(7)
        self._talk = asyncio.create_task(pace(self.rate, lambda late: chance.choice(among).say(BODY_BYTES)))

    def hush(self) -> None:
        if self._talk is not None:
            self._talk.cancel()
            self._talk = None

    def store_unseen(self, members: Sequence[world.Person], count: int) -> None:
        """Store `count` messages in every session of these people without a server, so that nobody is told."""
        with world.superuser(DATABASE) as connection, connection.cursor() as cursor:
            for _ in range(count):
                world.let_all_talk(cursor, members)

    async def until_level(self, clients: Sequence[Client]) -> None:
        """Until all of them are back, or as long as a drain takes for every four hundred of them."""
        deadline = time.perf_counter() + DRAIN_SECONDS * (1 + len(clients) / 400)
        while not all(client.is_level for client in clients) and time.perf_counter() < deadline:
            await asyncio.sleep(0.05)

    # After it --------------------------------------------------------------------------------------------------------

    async def count(self) -> Count:
        await self._drain()
        rows = await asyncio.to_thread(_rows, sorted({name for client in self.clients for name in client.threads}))
        stored = await asyncio.to_thread(world.stored, DATABASE)
        seqs = {name: seq for name, _, seq, _ in rows}
        texts = {name: text for name, _, _, text in rows}
        kept = Counter(text for text in texts.values() if text)  # of a deleted message nothing is left to compare
        said = self.record.said.values()
        strangers = sum(one.id not in seqs and one.text in kept for one in said)
        other_order = sum(
            seqs.get(name, message.seq) != message.seq
            for client in self.clients
            for thread in client.threads.values()
            for name, message in thread.messages.items()
        )
        found = Count(
            lost=sum(one.acked is not None and texts.get(one.id) != one.now for one in said),
            doubled=sum(kept.values()) - len(kept) + strangers + sum(max(0, one.times_new - 1) for one in said),
            reordered=self.record.reordered + other_order,
            missing=await self._missing(),
            unacknowledged=sum(one.acked is None and not one.is_refused for one in said),
            broken=dict(self.record.door.broken),
            wrong=list(self.record.wrong),
            level_seconds=self._level_seconds(),
            sent=len(said),
            told_to_wait=self.record.door.told_to_wait,
            closes=dict(self.record.closes),
        )
        found.wrong += [fault for fault in stored.wrong(stored, 0) if "stored twice" not in fault]
        return found

    async def _drain(self) -> None:
        """Until everything is acknowledged and everybody holds what the rows have."""
        deadline = time.perf_counter() + self.drain_seconds
        while time.perf_counter() < deadline:
            heads = await asyncio.to_thread(_heads)
            if all(
                client.is_level
                and not client.waiting
                and all(thread.revision == heads[name] for name, thread in client.threads.items())
                for client in self.clients
            ) and all(one.acked is not None or one.is_refused for one in self.record.said.values()):
                return
            await asyncio.sleep(0.1)

    async def _missing(self) -> int:
        """Read every thread as a fresh client does, by REST from its newest page on, and compare."""
        by_session: dict[str, list[Client]] = {}
        for client in self.clients:
            for session in client.threads:
                by_session.setdefault(session, []).append(client)
        gate = asyncio.Semaphore(READERS)

        async def one(session: str, clients: list[Client]) -> int:
            async with gate:
                thread = await self._thread(session, clients[-1])
            return sum(client.threads[session].differs(thread) for client in clients)

        return sum(await asyncio.gather(*(one(session, clients) for session, clients in by_session.items())))

    async def _thread(self, session: str, client: Client) -> dict[str, Message]:
        found: dict[str, Message] = {}
        path = f"/api/chat/sessions/{session}/messages?limit={PAGE}"
        older = ""
        while True:
            answer = await client.ask("GET", path + older)
            page = answer.body["results"]
            found |= {one["id"]: Message(one["seq"], one["revision"], one["content"]) for one in page}
            if not answer.body["has_more"]:
                return found
            older = f"&before={page[0]['seq']}"

    def _level_seconds(self) -> float:
        """The longest of all marks: until what was said before it is with everybody, and who was away is back and level."""
        longest = 0.0
        for mark, following in zip(self.marks, [*self.marks, float("inf")][1:], strict=True):
            ends = [
                end for one in self.record.said.values() if one.at <= mark for end in (one.acked, *one.held.values())
            ]
            ends += [end for client in self.clients for lost, end in client.absences if lost < following]
            longest = max([longest, *(end - mark for end in ends if end is not None)])
        return longest


@asynccontextmanager
async def scene(
    people: Sequence[world.Person],
    tokens: Sequence[str],
    rate: float,
    settings: Mapping[str, str],
    *,
    processes: int = PROCESSES,
    program: Program = UVICORN,
) -> AsyncIterator[Scene]:
    """A fresh copy of the world and a Redis, with its processes serving; all of it ends with the block."""
    await asyncio.to_thread(world.fresh_database, DATABASE)
    redis = Redis()
    webs = [Web(people, number, {"REDIS_URL": redis.url, **settings}, program) for number in range(processes)]
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, redis.remove)
        await asyncio.to_thread(redis.start)
        stack.push_async_callback(asyncio.to_thread, world.drop_database, DATABASE)
        for web in webs:
            stack.push_async_callback(asyncio.to_thread, web.end)
        await asyncio.gather(*(asyncio.to_thread(web.serve) for web in webs))
        made = Scene(people, tokens, rate, webs, Record(Door([web.port for web in webs])), redis)
        try:
            yield made
        finally:
            made.hush()
            for client in made.clients:
                client.leave()


def stop_postgresql() -> Cluster:
    """Stop the launcher's cluster without a checkpoint (immediate mode). `start_postgresql` brings it back."""
    with world.superuser("postgres") as connection:
        row = connection.execute("SHOW data_directory").fetchone()
    assert row is not None  # SHOW gives a row
    cluster = Cluster(Path(row[0]), throwaway=True, settings=DEPLOYMENT)
    os.kill(cluster.pid, signal.SIGQUIT)
    while (cluster.data / "postmaster.pid").exists():
        time.sleep(0.05)
    return cluster


def start_postgresql(cluster: Cluster) -> None:
    cluster.hold()
    cluster.release()  # the launcher still holds it, so it stays


def _rows(sessions: Sequence[str]) -> list[tuple[str, str, int, str]]:
    """Id, session, seq and text of all messages in some sessions."""
    query = "SELECT id::text, session_id::text, seq, content FROM chat_messages WHERE session_id = ANY(%s)"
    with world.superuser(DATABASE) as connection:
        return connection.execute(query, [[UUID(session) for session in sessions]]).fetchall()


def _heads() -> dict[str, int]:
    with world.superuser(DATABASE) as connection:
        return dict(connection.execute("SELECT session_id::text, revision FROM chat_session_state").fetchall())
