"""The product under four ASGI servers: throughput, latency, memory of a socket, and what SIGTERM does to people.

uvicorn is what `./samia up` starts. Rounds are interleaved, each server in each round with a fresh database; figures are
medians of the rounds, what must never happen is summed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import uvloop

from bench import machine, report, world
from bench.adapters.asgi import PROGRAMS, Program
from bench.adapters.samia import Client, Samia
from bench.adapters.server import available
from bench.driver import Load, Window, milliseconds
from bench.idle import KIB, hold
from bench.machine import Cores
from bench.options import command_line, parser_of
from bench.report import median, progress
from bench.rest import Connection
from bench.restart import COMERS, RESTARTED, TALKERS, Restart, open_ones, restart
from samia_chat.embedded.terminal import Refusal, one_sentence

NEEDS = ("postgresql", "redis")
OURS = "uvicorn"
SESSIONS = 50  # of two people, under load
RATE = 500
PINGS_RATE = 100.0  # a second, one after the other
FILES = 500  # descriptors of a process beside those of the idle sockets


@dataclass(frozen=True, kw_only=True)
class Plan:
    rounds: int
    idle: int  # sockets
    pings: int
    warm: float  # seconds of load before each window
    closed: float  # seconds of each window
    open: float
    before: float  # seconds of load before SIGTERM
    after: float  # and after the new process serves


@dataclass(frozen=True, kw_only=True)
class Round:
    """What one server did in one round. Pings are (p50, p99) in ms."""

    kib_each: float
    server_mib: float  # before the idle sockets came
    socket_ping: tuple[float, float]
    http_ping: tuple[float, float]
    closed: Window
    open: Window
    lost: int
    doubled: int
    reordered: int
    wrong: list[str]
    restart: Restart


class Served(Samia):
    """The product under one of them."""

    def __init__(self, cores: Cores, people: Sequence[world.Person], program: Program) -> None:
        super().__init__(cores, people, None, program)
        self.name = self.title = program.package

    def versions(self) -> dict[str, str]:
        return {self.program.package: self.program.version()}


def main() -> None:
    options = _options()
    with one_sentence():
        plan = _plan(options)
        machine.allow_files(FILES + 2 * SESSIONS + plan.idle)
        cores = Cores.choose(pinned=not options.no_pin)
        cores.take_driver()
        sessions = max(SESSIONS + (plan.idle + 1) // 2, (TALKERS + COMERS) // 2)
        progress(f"making {sessions} sessions, and {world.OTHER_SESSIONS:,} others with a past")
        people = world.make(sessions)
        chosen = [one for one in PROGRAMS if not options.only or one.package in options.only]
        servers, passed_over = _serving([Served(cores, people, program) for program in chosen])
        found = _measure(servers, plan)
        results = {name: summary(rounds) for name, rounds in found.items()}
        _show(options, plan, servers, passed_over, found, results)
    sys.exit(1 if faults_of(found.get(OURS, [])) else 0)


def _options() -> argparse.Namespace:
    parser = parser_of("servers", __doc__, quick="shorter windows and fewer idle sockets")
    parser.add_argument("--only", choices=[program.package for program in PROGRAMS], action="append")
    return parser.parse_args()


def _plan(options: argparse.Namespace) -> Plan:
    if options.quick:
        return Plan(rounds=options.rounds, idle=300, pings=200, warm=1.0, closed=3.0, open=4.0, before=2.0, after=2.0)
    return Plan(rounds=options.rounds, idle=1000, pings=500, warm=2.0, closed=8.0, open=8.0, before=3.0, after=4.0)


# The run -----------------------------------------------------------------------------------------------------------------


def _serving(servers: Sequence[Served]) -> tuple[list[Served], dict[str, str]]:
    """Those that can be installed and that deliver a message, and why the others cannot."""
    installed, passed_over = available(servers)
    ready = []
    for server in installed:
        try:
            server.start()
            uvloop.run(_try(server))
            ready.append(server)
        except (Refusal, OSError, TimeoutError, RuntimeError) as why:
            passed_over[server.name] = f"it does not serve the product: {why or repr(why)}"
            progress(f"{server.title} is passed over: {passed_over[server.name]}")
        finally:
            server.stop()
    return ready, passed_over


async def _try(server: Served) -> None:
    load = Load(1)
    load.senders = await server.connect(load, range(2))
    load.send(0, 0)
    await load.drain()
    await server.disconnect()
    if load.delivered != 1 or load.errors:
        raise RuntimeError("; ".join(load.errors) or "a message was not delivered")


def _measure(servers: Sequence[Served], plan: Plan) -> dict[str, list[Round]]:
    found: dict[str, list[Round]] = {server.name: [] for server in servers}
    for number in range(1, plan.rounds + 1):
        for server in servers:
            progress(f"round {number} of {plan.rounds}: {server.title} {server.program.version()}")
            found[server.name].append(_round(server, plan))
            _tell(found[server.name][-1])
    return found


def _round(server: Served, plan: Plan) -> Round:
    try:
        server.start()
        server.cores.move_to_server(pid for pids in server.roots().values() for pid in pids)
        return uvloop.run(_drive(server, plan))
    finally:
        server.stop()


async def _drive(server: Served, plan: Plan) -> Round:
    load = Load(SESSIONS)
    stored = server.stored()
    load.senders = await server.connect(load, range(2 * SESSIONS))
    await load.open(RATE // 5, warm=plan.warm, seconds=1.0, roots=server.roots())  # all code is loaded then
    held, idle = await hold(server, load, range(2 * SESSIONS, 2 * SESSIONS + plan.idle))
    for socket in idle:
        socket.leave()
    await asyncio.to_thread(machine.settled, server.roots()["app"], patience=10.0)
    socket_ping, http_ping = await _ping(server, load, plan.pings)
    closed = await load.closed(warm=plan.warm, seconds=plan.closed, roots=server.roots())
    opened = await load.open(RATE, warm=plan.warm, seconds=plan.open, roots=server.roots())
    await server.disconnect()
    wrong = (await asyncio.to_thread(server.stored)).wrong(stored, load.delivered)
    await asyncio.to_thread(server.end)
    return Round(
        kib_each=held.kib_each,
        server_mib=held.before / KIB**2,
        socket_ping=socket_ping,
        http_ping=http_ping,
        closed=closed,
        open=opened,
        lost=load.lost,
        doubled=load.doubled,
        reordered=load.reordered,
        wrong=[*wrong, *load.errors],
        restart=await restart(server.program, server.people, before=plan.before, after=plan.after),
    )


async def _ping(server: Served, load: Load, count: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Of an idle server, a socket's `ping` and GET /healthz on a connection that stays open: p50 and p99 in ms."""
    client = load.senders[0]
    assert isinstance(client, Client)  # the product's adapter makes no others
    over_socket = await _timed(client.ping, count)
    connection = await Connection.open(server.port)

    async def look() -> None:
        answer = await connection.ask("GET", "/healthz")
        if answer.status != 200:
            load.refused(f"GET /healthz: {answer.status}")

    over_http = await _timed(look, count)
    connection.close()
    return over_socket, over_http


async def _timed(ask: Callable[[], Awaitable[None]], count: int) -> tuple[float, float]:
    taken = []
    for _ in range(count):
        start = time.perf_counter()
        async with asyncio.timeout(5):
            await ask()
        taken.append(time.perf_counter() - start)
        await asyncio.sleep(1 / PINGS_RATE)
    taken.sort()
    return milliseconds(taken, 0.50), milliseconds(taken, 0.99)


def _tell(one: Round) -> None:
    window, restart = one.closed, one.restart
    progress(
        f"  {window.per_core_second:.0f} per core-s, {window.cpu_per_1k:.3f} s/1k;"
        f" at {RATE}/s p50 {one.open.p50_ms:.2f}, p99 {one.open.p99_ms:.2f} ms;"
        f" ping {one.socket_ping[0]:.2f} / {one.socket_ping[1]:.2f}, /healthz {one.http_ping[0]:.2f} /"
        f" {one.http_ping[1]:.2f} ms; {one.kib_each:.1f} KiB a socket on {one.server_mib:.0f} MiB"
    )
    progress(
        f"  SIGTERM: ended with {restart.exit_code} after {restart.end_seconds:.2f} s, sockets {restart.closes},"
        f" {restart.count.sent} sent; level after {restart.count.level_seconds:.1f} s"
    )
    for fault in _faults(one):
        progress(f"  WRONG  {fault}")


# Results -----------------------------------------------------------------------------------------------------------------


def summary(rounds: Sequence[Round]) -> dict[str, Any]:
    """Medians over the rounds; counts of what must not happen, and of sockets, are sums."""
    found: dict[str, Any] = {
        "msgs_per_core_s": median((one.closed.per_core_second for one in rounds), 0),
        "cpu_per_1k": median(one.closed.cpu_per_1k for one in rounds),
        "cpu_split": {name: median(one.closed.split()[name] for one in rounds) for name in rounds[0].closed.cpu},
        f"p50_ms_{RATE}": median((one.open.p50_ms for one in rounds), 2),
        f"p99_ms_{RATE}": median((one.open.p99_ms for one in rounds), 2),
        "kib_each": median((one.kib_each for one in rounds), 1),
        "server_mib": median((one.server_mib for one in rounds), 0),
        "end_seconds": median((one.restart.end_seconds for one in rounds), 2),
        "closes": dict(sum((Counter(one.restart.closes) for one in rounds), Counter())),
        "broken": sum(sum(one.restart.count.broken.values()) for one in rounds),
        "acknowledged_and_lost": sum(one.restart.count.lost for one in rounds),
        "wrong": faults_of(rounds),
    }
    for ping in ("socket_ping", "http_ping"):
        for at, name in enumerate(("p50", "p99")):
            found[f"{ping}_{name}_ms"] = median((getattr(one, ping)[at] for one in rounds), 2)
    for name in ("lost", "doubled", "reordered"):
        found[name] = sum(getattr(one, name) for one in rounds)
    return found


def faults_of(rounds: Sequence[Round]) -> list[str]:
    return [fault for one in rounds for fault in _faults(one)]


def _faults(one: Round) -> list[str]:
    """What must not happen, in words."""
    found = [f"{getattr(one, name)} {name}" for name in ("lost", "doubled", "reordered") if getattr(one, name)]
    return found + one.wrong + [f"at SIGTERM: {fault}" for fault in one.restart.faults()]


def _show(
    options: argparse.Namespace,
    plan: Plan,
    servers: Sequence[Served],
    passed_over: dict[str, str],
    found: dict[str, list[Round]],
    results: dict[str, dict[str, Any]],
) -> None:
    versions = {"PostgreSQL": world.server_version()}
    versions |= {name: number for server in servers for name, number in server.versions().items()}
    command = command_line("servers")
    text = markdown(results, plan.idle)
    cores = str(servers[0].cores) if servers else ""
    if options.write:
        note = f"{plan.rounds} rounds, {SESSIONS} sessions of two; windows of {plan.closed:.0f} and {plan.open:.0f} s; {cores}"
        passed = [f"passed over: {name}, {why}" for name, why in passed_over.items()]
        report.write("servers", f"{report.origin(command, versions, note, *passed)}\n\n{text}")
    if options.json:
        about = {"command": command, "versions": versions, "cores": cores, "passed_over": passed_over}
        rounds = {name: [asdict(one) for one in many] for name, many in found.items()}
        print(json.dumps({**results, "about": about, "rounds": rounds}))
    else:
        print(report.plain(text))


def markdown(results: dict[str, dict[str, Any]], idle: int) -> str:
    """A column for each server: there are more measures than servers."""
    if not results:
        return report.table(("no server could be measured",), [])
    rows = {name: _cells(one, idle) for name, one in results.items()}
    measures = next(iter(rows.values()))
    return report.table(("", *rows), [(measure, *(rows[name][measure] for name in rows)) for measure in measures])


def _cells(one: dict[str, Any], idle: int) -> dict[str, str]:
    split = " + ".join(f"{cpu:.3f}" for cpu in one["cpu_split"].values())
    closes = open_ones(one["closes"])
    otherwise = "".join(f", {count} × {code}" for code, count in closes.items() if code != RESTARTED)
    return {
        "messages per core-second": f"{one['msgs_per_core_s']:,.0f}",
        f"CPU s per 1,000 ({' + '.join(one['cpu_split'])})": f"{one['cpu_per_1k']:.3f} ({split})",
        f"p50 / p99 ms at {RATE}/s": f"{one[f'p50_ms_{RATE}']:.1f} / {one[f'p99_ms_{RATE}']:.1f}",
        "ping on a socket, p50 / p99 ms": f"{one['socket_ping_p50_ms']:.2f} / {one['socket_ping_p99_ms']:.2f}",
        "GET /healthz, p50 / p99 ms": f"{one['http_ping_p50_ms']:.2f} / {one['http_ping_p99_ms']:.2f}",
        f"KiB of each of {idle:,} idle sockets": f"{one['kib_each']:.1f}",
        "MiB of the server without them": f"{one['server_mib']:.0f}",
        "lost, doubled, reordered": f"{one['lost']}, {one['doubled']}, {one['reordered']}",
        f"SIGTERM: sockets closed with {RESTARTED}": f"{closes.get(RESTARTED, 0)} of {sum(closes.values())}{otherwise}",
        "SIGTERM: ended after s": f"{one['end_seconds']:.2f}",
        "SIGTERM: answered with 5xx": f"{one['broken']}",
        "SIGTERM: acknowledged and lost": f"{one['acknowledged_and_lost']}",
    }


if __name__ == "__main__":
    main()
