"""Signed-in sockets that only wait: memory of each, processor time of them all, time until they are in.

One server; its sockets come in steps, and after each step memory is read when nothing happens any more (PSS of the server's
processes). Then the last crowd sits for a while: heartbeats, presence, pings of both sides. At the end everybody must answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import uvloop

from bench import machine, report, world
from bench.adapters.samia import Samia
from bench.driver import Load
from bench.idle import KIB, Held, alive, hold, kept_alive
from bench.machine import Cores
from bench.options import command_line, parser_of
from bench.report import median, progress
from samia_chat.embedded.terminal import one_sentence

NEEDS = ("postgresql", "redis")
STEPS = (1000, 5000)
GOAL_KIB = 32.0  # of each, at GOAL_SOCKETS and beyond
GOAL_SOCKETS = 5000
WARM = 50  # sockets that come first: what a server loads and keeps for all of them is not theirs
FILES = 500  # descriptors of a process beside those of the sockets
MINUTE = 60.0


@dataclass(frozen=True, kw_only=True)
class Round:
    """What one server did. `held`: by number of sockets, each with all that came before; `idle_cpu`: seconds in a minute."""

    held: Mapping[int, Held]
    idle_cpu: Mapping[str, float]
    dead: int  # sockets that were closed, or answered nothing
    errors: Sequence[str]


def main() -> None:
    options = _options()
    with one_sentence():
        steps = sorted(set(options.sockets or STEPS))
        machine.allow_files(FILES + WARM + steps[-1])
        cores = Cores.choose(pinned=not options.no_pin)
        cores.take_driver()
        progress(f"making {(WARM + steps[-1] + 1) // 2:,} sessions of two with a past")
        people = world.make((WARM + steps[-1] + 1) // 2)
        server = Samia(cores, people)
        seconds = MINUTE / 2 if options.quick else MINUTE
        rounds = [_one(server, steps, seconds, number) for number in range(1, _rounds(options) + 1)]
        results = {count: summary(rounds, count) for count in steps}
        _show(options, cores, server, seconds, rounds, results)
    sys.exit(1 if faults_of(rounds, results) else 0)


def _options() -> argparse.Namespace:
    parser = parser_of("sockets", __doc__, rounds=None, quick="one round, and half a minute of waiting")
    parser.add_argument(
        "--sockets", type=int, action="append", help="a step; may be given again (default 1000 and 5000)"
    )
    return parser.parse_args()


def _rounds(options: argparse.Namespace) -> int:
    return options.rounds or (1 if options.quick else 3)


# The run -----------------------------------------------------------------------------------------------------------------


def _one(server: Samia, steps: Sequence[int], seconds: float, number: int) -> Round:
    progress(f"round {number}")
    try:
        server.start()
        server.cores.move_to_server(pid for pids in server.roots().values() for pid in pids)
        found = uvloop.run(_drive(server, steps, seconds))
    finally:
        server.stop()
    _tell(found)
    return found


async def _drive(server: Samia, steps: Sequence[int], seconds: float) -> Round:
    load = Load(0)
    everybody = list((await hold(server, load, range(WARM)))[1])
    held: dict[int, Held] = {}
    async with kept_alive(everybody):
        for count in steps:
            more, came = await hold(server, load, range(len(everybody), WARM + count))
            everybody += came
            held[count] = more if not held else held[max(held)].and_then(more)
        cpu = await _idle(server, seconds)
    living = await alive(everybody)
    await server.disconnect()
    return Round(held=held, idle_cpu=cpu, dead=len(everybody) - living, errors=load.errors)


async def _idle(server: Samia, seconds: float) -> dict[str, float]:
    """Processor seconds of a minute, by group."""
    roots = server.roots()
    before, start = machine.seconds(roots), time.perf_counter()
    await asyncio.sleep(seconds)
    share = MINUTE / (time.perf_counter() - start)
    return {name: (now - before[name]) * share for name, now in machine.seconds(roots).items()}


def _tell(found: Round) -> None:
    for count, held in found.held.items():
        progress(
            f"  {count:>6,} sockets: {held.kib_each:.1f} KiB each, server {held.before / KIB**2:.0f} → "
            f"{held.after / KIB**2:.0f} MiB, let in in {held.connect_seconds:.1f} s with {sum(held.cpu.values()):.1f} s of CPU"
        )
    progress(f"  waiting: {sum(found.idle_cpu.values()):.2f} s of CPU a minute; {found.dead} did not answer at the end")


# Results -----------------------------------------------------------------------------------------------------------------


def summary(rounds: Sequence[Round], count: int) -> dict[str, Any]:
    """Medians over the rounds. The minute is of the last step only, when all are there."""
    held = [one.held[count] for one in rounds]
    is_last = count == max(rounds[0].held)
    return {
        "kib_each": median((one.kib_each for one in held), 1),
        "server_mib_before": median((one.before / KIB**2 for one in held), 0),
        "server_mib": median((one.after / KIB**2 for one in held), 0),
        "connect_seconds": median((one.connect_seconds for one in held), 1),
        "connect_cpu": _medians([one.cpu for one in held]),
        "idle_cpu": _medians([one.idle_cpu for one in rounds]) if is_last else None,
    }


def _medians(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: median((one[name] for one in rounds), 2) for name in rounds[0]}


def faults_of(rounds: Sequence[Round], results: Mapping[int, Mapping[str, Any]]) -> list[str]:
    """What must not be, in words: a missed goal, sockets that did not live."""
    found = [
        f"{one['kib_each']} KiB each at {count:,} sockets, and the goal is {GOAL_KIB:.0f}"
        for count, one in results.items()
        if verdict(count, one["kib_each"]) == "missed"
    ]
    found += [f"{one.dead} sockets did not answer at the end" for one in rounds if one.dead]
    return found + [error for one in rounds for error in one.errors]


def verdict(count: int, kib_each: float) -> str:
    if count < GOAL_SOCKETS:
        return ""  # what a process holds once is not spread over enough of them
    return "in order" if kib_each <= GOAL_KIB else "missed"


def markdown(results: Mapping[int, Mapping[str, Any]]) -> str:
    groups = " + ".join(next(iter(results.values()))["connect_cpu"])
    head = (
        "idle, signed in",
        "KiB each",
        "server MiB",
        "all in after s",
        f"CPU s to let them in ({groups})",
        f"CPU s a minute ({groups})",
        f"goal {GOAL_KIB:.0f} KiB",
    )
    return report.table(head, [_row(count, one) for count, one in results.items()])


def _row(count: int, one: Mapping[str, Any]) -> tuple[object, ...]:
    return (
        f"{count:,} sockets",
        f"{one['kib_each']:.1f}",
        f"{one['server_mib_before']:.0f} → {one['server_mib']:.0f}",
        f"{one['connect_seconds']:.1f}",
        _split(one["connect_cpu"]),
        _split(one["idle_cpu"]) if one["idle_cpu"] else "",
        verdict(count, one["kib_each"]),
    )


def _split(cpu: Mapping[str, float]) -> str:
    return f"{sum(cpu.values()):.2f} ({' + '.join(f'{spent:.2f}' for spent in cpu.values())})"


def _show(
    options: argparse.Namespace,
    cores: Cores,
    server: Samia,
    seconds: float,
    rounds: Sequence[Round],
    results: Mapping[int, Mapping[str, Any]],
) -> None:
    versions = {"PostgreSQL": world.server_version(), **server.versions()}
    command = command_line("sockets")
    text, faults = markdown(results), faults_of(rounds, results)
    if options.write:
        note = f"{len(rounds)} rounds, {seconds:.0f} s of waiting in each; sessions of two; {cores}"
        report.write("sockets", f"{report.origin(command, versions, note)}\n\n{text}")
    if options.json:
        about = {"command": command, "versions": versions, "cores": str(cores), "faults": faults}
        print(json.dumps({**results, "about": about, "rounds": [asdict(one) for one in rounds]}))
    else:
        print(report.plain(text))
    for fault in faults:
        progress(f"WRONG  {fault}")


if __name__ == "__main__":
    main()
