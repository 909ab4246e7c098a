"""REST: a message posted, and a thread's newest page read, a hundred times a second on connections that stay open.

Everything is on: bearer tokens, limits, row-level security, audit chain, Redis. Everybody has a socket open, and each
posted message must reach the other person's once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any
from uuid import uuid4

import uvloop

from bench import report, world
from bench.adapters.samia import Samia
from bench.driver import Load
from bench.machine import Cores
from bench.options import command_line, parser_of
from bench.report import median, progress
from bench.requests import CONNECTIONS, Requests, Times
from bench.rest import Answer
from samia_chat.embedded.terminal import one_sentence

NEEDS = ("postgresql", "redis")
SESSIONS = 50  # of two people
RATE = 100.0
PAGE = 50  # messages of an answer, and at least as many in every thread
SETTLE_SECONDS = 3.0  # presence is announced two seconds after the last one came
TITLES = {"post": "POST of a message", "get": f"GET of the newest {PAGE}"}
GOALS_MS = {"post": (8.0, 25.0)}  # p50 and p99


@dataclass(frozen=True, kw_only=True)
class Plan:
    rounds: int
    rate: float
    warm: float  # seconds of load before each window
    seconds: float  # of each window


@dataclass(frozen=True, kw_only=True)
class Round:
    times: dict[str, Times]  # by the keys of TITLES
    wrong: list[str]


def main() -> None:
    options = _options()
    with one_sentence():
        plan = Plan(
            rounds=options.rounds,
            rate=options.rate,
            warm=2.0 if options.quick else 4.0,
            seconds=5 if options.quick else 20,
        )
        cores = Cores.choose(pinned=not options.no_pin)
        cores.take_driver()
        progress(f"making {SESSIONS} sessions for the load, and {world.OTHER_SESSIONS:,} others with a past")
        server = Samia(cores, world.make(SESSIONS))
        rounds = [_round(server, plan, number) for number in range(1, plan.rounds + 1)]
        results = {name: summary([one.times[name] for one in rounds]) for name in TITLES}
        faults = faults_of(rounds, results)
        _show(options, plan, server, rounds, results, faults)
    sys.exit(1 if faults else 0)


def _options() -> argparse.Namespace:
    parser = parser_of("posts", __doc__, quick="windows of 5 seconds instead of 20")
    parser.add_argument("--rate", type=float, default=RATE, help=f"requests a second (default {RATE:.0f})")
    return parser.parse_args()


# The run -----------------------------------------------------------------------------------------------------------------


def _round(server: Samia, plan: Plan, number: int) -> Round:
    progress(f"round {number} of {plan.rounds}")
    try:
        server.start()
        _fill_threads(server)
        server.cores.move_to_server(pid for pids in server.roots().values() for pid in pids)
        found = uvloop.run(_drive(server, plan))
    finally:
        server.stop()
    for name, times in found.times.items():
        progress(
            f"  {TITLES[name]}: p50 {times.p50_ms:.2f}, p95 {times.p95_ms:.2f}, p99 {times.p99_ms:.2f},"
            f" max {times.max_ms:.0f} ms; {sum(times.split().values()):.2f} s of CPU for 1,000; driver late by"
            f" {times.driver_lag_ms:.1f} ms"
        )
    return found


def _fill_threads(server: Samia) -> None:
    with world.superuser(server.database) as connection, connection.cursor() as cursor:
        for _ in range(PAGE - world.PAST_MESSAGES):
            world.let_all_talk(cursor, server.people)


async def _drive(server: Samia, plan: Plan) -> Round:
    load, requests, stored = Load(SESSIONS), Requests(server.port), server.stored()
    await server.connect(load)
    await asyncio.sleep(SETTLE_SECONDS)
    tokens = world.make_tokens(server.people)
    people = [Poster(load, requests, who, token) for who, token in zip(server.people, tokens, strict=True)]
    load.senders = people
    chance = random.Random(7)

    def post() -> None:
        user = chance.randrange(len(people))
        load.send(user >> 1, user & 1)

    window = partial(requests.open, plan.rate, warm=plan.warm, seconds=plan.seconds, roots=server.roots())
    times = {"post": await window(post), "get": await window(lambda: chance.choice(people).read())}
    await load.drain()
    await server.disconnect()
    wrong = (await asyncio.to_thread(server.stored)).wrong(stored, load.delivered)
    counted = {"lost": load.lost, "doubled": load.doubled, "not acknowledged": load.number - load.acked}
    wrong += [f"{count} {name}" for name, count in counted.items() if count]
    wrong += [f"{count} × {what}" for what, count in requests.failed.items()]
    return Round(times=times, wrong=wrong + load.errors)


@dataclass(frozen=True)
class Poster:
    """Sends as a program does, and reads: a Sender of the load."""

    load: Load
    requests: Requests
    person: world.Person
    token: str

    @property
    def path(self) -> str:
        return f"/api/chat/sessions/{self.person.session}/messages"

    def say(self, number: int, body: bytes) -> None:
        given = {"id": str(uuid4()), "content": body.decode()}
        self.requests.begin("POST", self.path, self.token, given, then=self._was_stored)

    def read(self) -> None:
        self.requests.begin("GET", f"{self.path}?limit={PAGE}", self.token, then=self._was_read)

    def _was_stored(self, answer: Answer) -> None:
        if answer.status == 201:
            self.load.acked += 1
        else:
            self.load.refused(f"POST: {answer.status} {answer.body}")

    def _was_read(self, answer: Answer) -> None:
        if answer.status != 200:
            self.load.refused(f"GET: {answer.status} {answer.body}")


# Results -----------------------------------------------------------------------------------------------------------------


def summary(rounds: Sequence[Times]) -> dict[str, Any]:
    """Medians over the rounds."""
    found: dict[str, Any] = {
        name: median((getattr(one, name) for one in rounds), 2) for name in ("p50_ms", "p95_ms", "p99_ms", "max_ms")
    }
    found["cpu_split"] = {name: median(one.split()[name] for one in rounds) for name in rounds[0].cpu}
    found["cpu_per_1k"] = median(sum(one.split().values()) for one in rounds)
    return found


def verdict(name: str, p50_ms: float, p99_ms: float) -> str:
    """Empty where there is no goal."""
    if name not in GOALS_MS:
        return ""
    p50_goal, p99_goal = GOALS_MS[name]
    return "in order" if p50_ms <= p50_goal and p99_ms <= p99_goal else "missed"


def faults_of(rounds: Sequence[Round], results: dict[str, dict[str, Any]]) -> list[str]:
    """What must not be, in words."""
    missed = [name for name, one in results.items() if verdict(name, one["p50_ms"], one["p99_ms"]) == "missed"]
    found = [f"{TITLES[name]}: {results[name]['p50_ms']} / {results[name]['p99_ms']} ms" for name in missed]
    return found + [fault for one in rounds for fault in one.wrong]


def _show(
    options: argparse.Namespace,
    plan: Plan,
    server: Samia,
    rounds: Sequence[Round],
    results: dict[str, dict[str, Any]],
    faults: Sequence[str],
) -> None:
    versions = {"PostgreSQL": world.server_version(), **server.versions()}
    command = command_line("posts")
    text = markdown(results)
    if options.write:
        note = (
            f"{plan.rounds} rounds, windows of {plan.seconds:.0f} s at {plan.rate:.0f} requests/s on {CONNECTIONS} connections,"
            f" {2 * SESSIONS} people with sockets; {server.cores}"
        )
        report.write("posts", f"{report.origin(command, versions, note)}\n\n{text}")
    if options.json:
        about = {"command": command, "versions": versions, "cores": str(server.cores), "faults": list(faults)}
        print(json.dumps({**results, "about": about, "rounds": [asdict(one) for one in rounds]}))
    else:
        print(report.plain(text))
    for fault in faults:
        progress(f"WRONG  {fault}")


def markdown(results: dict[str, dict[str, Any]]) -> str:
    groups = " + ".join(results["post"]["cpu_split"])
    head = ("", "p50 ms", "p95 ms", "p99 ms", f"CPU s per 1,000 ({groups})", "goal p50 / p99 ms", "verdict")
    return report.table(head, [_row(name, one) for name, one in results.items()])


def _row(name: str, one: dict[str, Any]) -> tuple[object, ...]:
    goal = " / ".join(f"{value:.0f}" for value in GOALS_MS.get(name, ()))
    return (
        TITLES[name],
        *(f"{one[key]:.1f}" for key in ("p50_ms", "p95_ms", "p99_ms")),
        f"{one['cpu_per_1k']:.2f} ({' + '.join(f'{cpu:.2f}' for cpu in one['cpu_split'].values())})",
        goal,
        verdict(name, one["p50_ms"], one["p99_ms"]),
    )


if __name__ == "__main__":
    main()
