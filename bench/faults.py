"""Processes killed, PostgreSQL and Redis restarted, events lost, sockets dropped, all under load: what is lost or doubled.

Each scenario has a fresh database and two web processes; the two people of a session are at different ones. The clients do
what docs/asyncapi.yaml asks of them (bench/behaved.py). What must not happen is counted afterwards from the rows, from what
was acknowledged and from what a fresh client reads. Every count must be 0.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version

import uvloop

from bench import report, world
from bench.behaved import Browser, Client, Unwilling
from bench.driver import pace
from bench.machine import allow_files
from bench.options import command_line, parser_of
from bench.report import progress
from bench.scene import DATABASE, HEARTBEAT, Count, Scene, scene, start_postgresql, stop_postgresql
from samia_chat.embedded.terminal import one_sentence

NEEDS = ("postgresql", "redis")
SESSIONS = 20
RATE = 200.0
STORM = 400
MISSED = 10  # messages that each dropped socket misses
LONG_TEXT = 4900  # characters of three bytes each
LONG_RATE = 60.0  # of them a second to each who reads badly: more than the kernel (4 MB) and the server keep for one
POSTS_RATE = 10.0
SLOW_TURN = 0.1  # seconds between two looks of the one who reads slowly
FILES = 500  # descriptors of a process beside those of the storm
Notes = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Plan:
    rate: float
    storm: int  # sockets
    before: float  # seconds of load before anything fails
    after: float  # and after it
    redis_away: float
    window: float  # of a latency


@dataclass(frozen=True, kw_only=True)
class Scenario:
    title: str
    run: Callable[[Scene, Plan], Awaitable[Notes]]
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Outcome:
    count: Count
    notes: Notes
    seconds: float  # of the whole scenario


# What fails --------------------------------------------------------------------------------------------------------------


async def kill(scene: Scene, plan: Plan) -> Notes:
    scene.talk(await scene.enter(TALKERS))
    await asyncio.sleep(plan.before)
    scene.mark()
    scene.webs[0].kill()
    await asyncio.sleep(plan.after)
    return {}


async def postgresql(scene: Scene, plan: Plan) -> Notes:
    scene.talk(await scene.enter(TALKERS))
    await asyncio.sleep(plan.before)
    gone = time.perf_counter()
    cluster = await asyncio.to_thread(stop_postgresql)
    await asyncio.sleep(2)
    await asyncio.to_thread(start_postgresql, cluster)
    scene.mark()
    away = time.perf_counter() - gone
    await asyncio.sleep(plan.after)
    return {"away": f"{away:.1f} s"}


async def redis(scene: Scene, plan: Plan) -> Notes:
    scene.talk(await scene.enter(TALKERS))
    await asyncio.sleep(plan.before)
    await asyncio.to_thread(scene.redis.stop)
    start = time.perf_counter()
    await asyncio.sleep(plan.redis_away)
    meanwhile = scene.record.latency(start, time.perf_counter(), TALKERS)
    await asyncio.to_thread(scene.redis.start)
    scene.mark()
    await asyncio.sleep(plan.after)
    return {"meanwhile p50 / p99": _both(meanwhile)}


async def lossy(scene: Scene, plan: Plan) -> Notes:
    return await _steadily(scene, plan)


async def workers(scene: Scene, plan: Plan) -> Notes:
    return await _steadily(scene, plan)


async def _steadily(scene: Scene, plan: Plan) -> Notes:
    scene.talk(await scene.enter(TALKERS))
    await asyncio.sleep(plan.before)
    start = time.perf_counter()
    await asyncio.sleep(plan.window)
    scene.hush()
    scene.mark()
    await asyncio.sleep(HEARTBEAT / 2)
    return {"p50 / p99": _both(scene.record.latency(start, start + plan.window, TALKERS))}


async def readers(scene: Scene, plan: Plan) -> Notes:
    talkers = await scene.enter(TALKERS)
    writers = await scene.enter(range(2 * SESSIONS, 2 * SESSIONS + 4, 2))
    slow, never = await scene.enter(range(2 * SESSIONS + 1, 2 * SESSIONS + 5, 2), Unwilling)
    scene.talk(talkers)

    def say_long(late: float) -> None:
        for writer in writers:
            writer.say(LONG_TEXT, "✦")

    long = asyncio.create_task(pace(LONG_RATE, say_long))
    await asyncio.sleep(plan.before)
    well = time.perf_counter()
    await asyncio.sleep(plan.window)
    badly = time.perf_counter()
    never.stop_reading()
    turns = asyncio.create_task(_read_slowly(slow))
    await asyncio.sleep(plan.window + plan.before)
    end = time.perf_counter()
    for task in (long, turns):
        task.cancel()
    scene.hush()
    scene.mark()
    slow.read_again()
    never.read_again()
    await asyncio.sleep(1)
    return {
        "others p50 / p99": _both(scene.record.latency(badly, end, TALKERS)),
        "when all read": _both(scene.record.latency(well, badly, TALKERS)),
    }


async def _read_slowly(client: Client) -> None:
    while True:
        client.stop_reading()
        await asyncio.sleep(SLOW_TURN)
        client.read_again()
        await asyncio.sleep(0)


async def rolling(scene: Scene, plan: Plan) -> Notes:
    talkers = await scene.enter(TALKERS)
    scene.talk(talkers)
    posts: set[asyncio.Task[None]] = set()
    by_rest = asyncio.create_task(pace(POSTS_RATE, lambda late: posts.add(asyncio.create_task(talkers[0].post(100)))))
    await asyncio.sleep(plan.before)
    for web in scene.webs:
        scene.mark()
        await asyncio.to_thread(web.end)
        await asyncio.to_thread(web.serve)
        await asyncio.sleep(plan.before)
    by_rest.cancel()
    await asyncio.gather(*posts)
    if not scene.record.closes["1012"]:
        scene.record.complain("no socket was closed with 1012")
    return {"by REST": str(len(posts))}


async def storm(scene: Scene, plan: Plan) -> Notes:
    talkers = await scene.enter(TALKERS)
    start = time.perf_counter()
    numbers = range(2 * SESSIONS, 2 * SESSIONS + plan.storm)
    await asyncio.to_thread(world.sign_in_browsers, DATABASE, [scene.people[number] for number in numbers])
    dropped = await scene.enter(numbers, Browser)
    coming = time.perf_counter() - start
    scene.talk(talkers)
    await asyncio.sleep(plan.before)
    calm = time.perf_counter()
    await asyncio.sleep(plan.window)
    dropped_at = time.perf_counter()
    for client in dropped:
        client.may_come.clear()
        client.drop()
    away = [client.person for client in dropped]
    await asyncio.to_thread(scene.store_unseen, away, MISSED)
    begun = time.perf_counter()
    scene.mark()
    for client in dropped:
        client.may_come.set()
    await scene.until_level(dropped)
    end = time.perf_counter()
    await asyncio.sleep(1)
    return {
        "sockets": str(len(dropped)),
        "first coming": f"{coming:.1f} s",
        "others p50 / p99": _both(scene.record.latency(begun, end, TALKERS)),
        "before": _both(scene.record.latency(calm, dropped_at, TALKERS)),
    }


TALKERS = range(2 * SESSIONS)
SCENARIOS = {
    "kill": Scenario(title="one of two web processes killed (kill -9)", run=kill),
    "postgresql": Scenario(title="PostgreSQL restarted (immediate mode)", run=postgresql),
    "redis": Scenario(title="Redis stopped and back", run=redis),
    "lossy": Scenario(
        title="the bus drops 20 % of events", run=lossy, settings={"DJANGO_SETTINGS_MODULE": "tests.lossy_settings"}
    ),
    "readers": Scenario(title="one client reads slowly, one not at all", run=readers),
    "workers": Scenario(title="nothing fails; sessions across two processes", run=workers),
    "rolling": Scenario(title="both processes restarted, one after the other", run=rolling),
    "storm": Scenario(title="sockets drop at once and resume", run=storm),
}


# The run -----------------------------------------------------------------------------------------------------------------


def main() -> None:
    options = _options()
    with one_sentence():
        plan = _plan(options)
        allow_files(FILES + 2 * plan.storm)
        chosen = options.only or list(SCENARIOS)
        progress("making the people and a past")
        people = world.make(SESSIONS + max(2, plan.storm // 2 if "storm" in chosen else 0))
        found = {name: _one(name, people, plan) for name in chosen}
        _show(options, plan, found)
    sys.exit(1 if any(outcome.count.faults() for outcome in found.values()) else 0)


def _options() -> argparse.Namespace:
    parser = parser_of("faults", __doc__, rounds=None, quick="shorter: a few seconds of load in each", has_pin=False)
    parser.add_argument("--only", choices=list(SCENARIOS), action="append", help="this scenario; may be given again")
    parser.add_argument("--storm", type=int, default=None, help=f"sockets that drop at once (default {STORM})")
    parser.add_argument("--rate", type=float, default=RATE, help=f"messages a second (default {RATE:.0f})")
    return parser.parse_args()


def _plan(options: argparse.Namespace) -> Plan:
    storm = options.storm or (STORM // 4 if options.quick else STORM)
    if options.quick:
        return Plan(rate=options.rate, storm=storm, before=1.5, after=4.0, redis_away=4.0, window=4.0)
    return Plan(rate=options.rate, storm=storm, before=3.0, after=8.0, redis_away=10.0, window=8.0)


def _one(name: str, people: Sequence[world.Person], plan: Plan) -> Outcome:
    scenario = SCENARIOS[name]
    progress(f"{name}: {scenario.title}")
    start = time.perf_counter()
    outcome = uvloop.run(_play(scenario, people, plan))
    outcome.seconds = time.perf_counter() - start
    _tell(outcome)
    return outcome


async def _play(scenario: Scenario, people: Sequence[world.Person], plan: Plan) -> Outcome:
    async with scene(people, world.make_tokens(people), plan.rate, scenario.settings) as here:
        notes = await scenario.run(here, plan)
        here.hush()
        return Outcome(count=await here.count(), notes=notes, seconds=0.0)


def _tell(outcome: Outcome) -> None:
    count = outcome.count
    notes = ", ".join(f"{name} {what}" for name, what in outcome.notes.items())
    progress(
        f"  {count.sent} sent in {outcome.seconds:.0f} s, level after {count.level_seconds:.1f} s; closes {count.closes},"
        f" told to wait {count.told_to_wait}; {notes}"
    )
    for fault in count.faults():
        progress(f"  WRONG  {fault}")


# Results -----------------------------------------------------------------------------------------------------------------


def _both(latency: tuple[float, float]) -> str:
    return f"{latency[0]:.1f} / {latency[1]:.0f} ms"


def _show(options: argparse.Namespace, plan: Plan, found: Mapping[str, Outcome]) -> None:
    versions = {"PostgreSQL": world.server_version()}
    versions |= {name: version(name) for name in ("django", "uvicorn", "channels", "redis", "hiredis", "psycopg")}
    command = command_line("faults")
    text = markdown(found)
    if options.write:
        note = f"{SESSIONS} sessions of two, {plan.rate:.0f} messages a second; heartbeat {HEARTBEAT} s; cores shared by all"
        report.write("faults", f"{report.origin(command, versions, note)}\n\n{text}")
    if options.json:
        rows = {name: {**asdict(one), "faults": one.count.faults()} for name, one in found.items()}
        print(json.dumps({**rows, "about": {"command": command, "versions": versions}}))
    else:
        print(report.plain(text))


def markdown(found: Mapping[str, Outcome]) -> str:
    head = ("", "sent", "lost", "doubled", "reordered", "missing", "5xx", "other", "level after s", "beside")
    return report.table(head, [_row(SCENARIOS[name].title, outcome) for name, outcome in found.items()])


def _row(title: str, outcome: Outcome) -> tuple[object, ...]:
    count = outcome.count
    broken, other = sum(count.broken.values()), count.unacknowledged + len(count.wrong)
    closes = [
        f"{times} closed with {code}" if code.isdigit() else f"{times} {code}" for code, times in count.closes.items()
    ]
    beside = ", ".join([*(f"{name} {what}" for name, what in outcome.notes.items()), *closes])
    counts = (count.lost, count.doubled, count.reordered, count.missing, broken, other)
    return (title, f"{count.sent:,}", *counts, f"{count.level_seconds:.1f}", beside)


if __name__ == "__main__":
    main()
