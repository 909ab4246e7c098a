"""SIGTERM to one process among people who talk, post and come, and another process in its place."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench import world
from bench.adapters.asgi import Program
from bench.driver import pace
from bench.scene import Count, Scene, scene

TALKERS, COMERS = 40, 160  # people: who are there, and who come while it happens
RATE = 50.0  # messages a second over sockets
POSTS_RATE = 20.0
COMERS_RATE = 20.0
RESTARTED = "1012"  # "come back, elsewhere or later" (docs/asyncapi.yaml)
HANDSHAKE = "handshake "  # how a socket that was never open is counted


@dataclass(frozen=True, kw_only=True)
class Restart:
    """`closes`: how sockets ended from the signal to the end of the process, by code. 5xx and what was lost: `count`."""

    closes: dict[str, int]
    end_seconds: float
    exit_code: int | None
    count: Count

    @property
    def is_asked_back(self) -> bool:
        """Whether every open socket was told to come back."""
        return bool(open_ones(self.closes)) and open_ones(self.closes).keys() == {RESTARTED}

    def faults(self) -> list[str]:
        """In words. Empty when all is well."""
        found = [] if self.is_asked_back else [f"open sockets were closed so: {open_ones(self.closes)}"]
        return found + self.count.faults()


def open_ones(closes: dict[str, int]) -> dict[str, int]:
    """Without those that were never open: their handshake was refused, which is the table's 5xx."""
    return {code: count for code, count in closes.items() if not code.startswith(HANDSHAKE)}


async def restart(program: Program, people: Sequence[world.Person], *, before: float, after: float) -> Restart:
    """`before` and `after` are seconds of load: until the signal, and from when the second process serves."""
    people = people[: TALKERS + COMERS]
    async with scene(people, world.make_tokens(people), RATE, {}, processes=1, program=program) as here:
        talkers = await here.enter(range(TALKERS))
        here.talk(talkers)
        at_work: set[asyncio.Task[object]] = set()
        posters, comers = _in_turn(TALKERS), iter(range(TALKERS, len(people)))

        def post(late: float) -> None:
            at_work.add(asyncio.create_task(talkers[next(posters)].post(100)))

        def come(late: float) -> None:
            number = next(comers, None)
            if number is not None:
                at_work.add(asyncio.create_task(here.enter([number])))

        pumps = [asyncio.create_task(pace(POSTS_RATE, post)), asyncio.create_task(pace(COMERS_RATE, come))]
        await asyncio.sleep(before)
        closes, end_seconds, exit_code = await _replace(here)
        await asyncio.sleep(after)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*at_work)
        here.hush()
        return Restart(closes=closes, end_seconds=end_seconds, exit_code=exit_code, count=await here.count())


def _in_turn(count: int) -> Iterator[int]:
    while True:
        yield from range(count)


async def _replace(here: Scene) -> tuple[dict[str, int], float, int | None]:
    """The closes, the seconds it took the process to end, and its exit code."""
    (web,) = here.webs
    here.mark()
    before, start = Counter(here.record.closes), time.perf_counter()
    exit_code = await asyncio.to_thread(web.end)
    end_seconds = time.perf_counter() - start
    await asyncio.sleep(0.1)  # the last close frames are read
    closes = Counter(here.record.closes) - before
    await asyncio.to_thread(web.serve)
    return dict(closes), end_seconds, exit_code
