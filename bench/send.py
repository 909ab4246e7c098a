"""Messages stored and delivered, beside Socket.IO and ejabberd: a core's throughput, latency, nothing lost.

Rounds are interleaved, each server in each round with a fresh database. Figures are medians of the rounds; what must never
happen (lost, doubled, reordered) is summed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import uvloop

from bench import report, world
from bench.adapters.ejabberd import Ejabberd
from bench.adapters.samia import Samia
from bench.adapters.server import Server, available
from bench.adapters.socketio import SocketIO
from bench.driver import Load, Window
from bench.machine import Cores
from bench.options import command_line, parser_of
from bench.report import median, progress
from samia_chat.embedded.terminal import one_sentence

NEEDS = ("postgresql", "redis")
RATES = (500, 2000)
OURS = Samia.name


@dataclass(frozen=True)
class Plan:
    rounds: int
    sessions: int
    warm: float  # seconds of load before each window
    closed: float  # seconds of each window
    open: float
    rates: Sequence[int] = RATES  # of the open windows, per second
    idle: float = 0.0  # seconds before all others in which nobody says anything; its window is that of rate 0


@dataclass
class Round:
    """What one server did in one round."""

    windows: list[Window]
    lost: int
    doubled: int
    reordered: int
    unacknowledged: int
    wrong: list[str] = field(default_factory=list)  # of what was stored, and what the server refused

    def window(self, rate: int | None) -> Window:
        return next(window for window in self.windows if window.rate == rate)


def main() -> None:
    options = _options()
    with one_sentence():
        cores = Cores.choose(pinned=not options.no_pin)
        cores.take_driver()
        plan = _plan(options)
        progress(f"making {plan.sessions} sessions for the load, and {world.OTHER_SESSIONS:,} others with a past")
        servers, passed_over = available(_chosen(options, cores, world.make(plan.sessions)))
        found = _measure(servers, plan)
        results = {server.name: summary(found[server.name]) for server in servers}
        _show(options, cores, plan, servers, results, passed_over, found)
        faults = [f"{name}: {fault}" for name, rounds in found.items() for fault in faults_of(rounds)]
        for fault in faults:
            progress(f"WRONG  {fault}")
    sys.exit(1 if any(fault.startswith(f"{OURS}:") for fault in faults) else 0)


def _options() -> argparse.Namespace:
    parser = parser_of("send", __doc__, quick="shorter windows: at most three minutes in all")
    parser.add_argument("--sessions", type=int, default=50, help="of two people each (default 50)")
    parser.add_argument("--only", choices=["ours", "socketio_redis", "ejabberd", "socketio_batched"], action="append")
    parser.add_argument("--batched", action="store_true", help="also Socket.IO with our batching, a peer nobody ships")
    return parser.parse_args()


def _plan(options: argparse.Namespace) -> Plan:
    if options.quick:
        return Plan(options.rounds, options.sessions, warm=0.5, closed=2.0, open=1.5)
    return Plan(options.rounds, options.sessions, warm=2.0, closed=10.0, open=8.0)


def _chosen(options: argparse.Namespace, cores: Cores, people: Sequence[world.Person]) -> list[Server]:
    servers: list[Server] = [Samia(cores, people), SocketIO(cores, people), Ejabberd(cores, people)]
    if options.batched or "socketio_batched" in (options.only or ()):
        servers.append(SocketIO(cores, people, is_batched=True))
    return [server for server in servers if not options.only or server.name in options.only]


def _measure(servers: Sequence[Server], plan: Plan) -> dict[str, list[Round]]:
    found: dict[str, list[Round]] = {server.name: [] for server in servers}
    for number in range(1, plan.rounds + 1):
        for server in servers:
            progress(f"round {number} of {plan.rounds}: {server.title}")
            found[server.name].append(one_round(server, plan))
    return found


def one_round(server: Server, plan: Plan) -> Round:
    try:
        server.start()
        server.cores.move_to_server(pid for pids in server.roots().values() for pid in pids)
        return uvloop.run(_drive(server, plan))
    finally:
        server.stop()


async def _drive(server: Server, plan: Plan) -> Round:
    load = Load(plan.sessions)
    before = server.stored()
    load.senders = await server.connect(load)
    await asyncio.sleep(server.settle_seconds)
    windows = []
    if plan.idle:
        windows.append(await load.idle(seconds=plan.idle, roots=server.roots()))
    windows.append(await load.closed(warm=plan.warm, seconds=plan.closed, roots=server.roots()))
    _tell(windows[-1])
    for rate in plan.rates:
        windows.append(await load.open(rate, warm=plan.warm, seconds=plan.open, roots=server.roots()))
        _tell(windows[-1])
    await server.disconnect()
    stored = await asyncio.to_thread(server.stored)
    return Round(
        windows=windows,
        lost=load.lost,
        doubled=load.doubled,
        reordered=load.reordered,
        unacknowledged=load.number - load.acked,
        wrong=[*stored.wrong(before, load.delivered), *load.errors],
    )


def _tell(window: Window) -> None:
    split = " + ".join(f"{name} {cpu:.3f}" for name, cpu in window.split().items())
    progress(
        f"  {window.kind:6} {window.rate or '':>4}  {window.per_second:6.0f}/s  {window.per_core_second:6.0f} per core-s"
        f"  {window.cpu_per_1k:.3f} s/1k ({split})  p50 {window.p50_ms:.2f}  p95 {window.p95_ms:.2f}"
        f"  p99 {window.p99_ms:.2f} ms  driver {100 * window.driver_busy:.0f} %"
    )


# Results -----------------------------------------------------------------------------------------------------------------


def summary(rounds: Sequence[Round]) -> dict[str, Any]:
    """Medians over the rounds; counts of what must not happen are sums."""
    closed = [one.window(None) for one in rounds]
    found: dict[str, Any] = {
        "msgs_per_core_s": median((window.per_core_second for window in closed), 0),
        "msgs_per_s": median((window.per_second for window in closed), 0),
        "cpu_per_1k": median(window.cpu_per_1k for window in closed),
        "cpu_split": {name: median(window.split()[name] for window in closed) for name in closed[0].cpu},
        "p50_ms_closed": median((window.p50_ms for window in closed), 2),
        "p99_ms_closed": median((window.p99_ms for window in closed), 2),
    }
    for rate in RATES:
        windows = [one.window(rate) for one in rounds]
        found[f"cpu_per_1k_{rate}"] = median(window.cpu_per_1k for window in windows)
        for name in ("p50", "p95", "p99", "max"):
            found[f"{name}_ms_{rate}"] = median((getattr(window, f"{name}_ms") for window in windows), 2)
    for name in ("lost", "doubled", "reordered", "unacknowledged"):
        found[name] = sum(getattr(one, name) for one in rounds)
    found["wrong"] = [fault for one in rounds for fault in one.wrong]
    return found


def ratios(results: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Our messages per core-second to those of each peer, of medians; empty when ours was not measured."""
    if OURS not in results:
        return {}
    ours = results[OURS]["msgs_per_core_s"]
    return {name: round(ours / max(1, one["msgs_per_core_s"]), 2) for name, one in results.items() if name != OURS}


def faults_of(rounds: Sequence[Round]) -> list[str]:
    """What must not happen, in words."""
    counted = ("lost", "doubled", "reordered", "unacknowledged")
    found = [f"{getattr(one, name)} {name}" for one in rounds for name in counted if getattr(one, name)]
    return found + [fault for one in rounds for fault in one.wrong]


def _show(
    options: argparse.Namespace,
    cores: Cores,
    plan: Plan,
    servers: Sequence[Server],
    results: dict[str, dict[str, Any]],
    passed_over: dict[str, str],
    found: dict[str, list[Round]],
) -> None:
    versions = {
        "PostgreSQL": world.server_version(),
        **{k: v for server in servers for k, v in server.versions().items()},
    }
    command = command_line("send")
    text = markdown(servers, results)
    note = f"{plan.rounds} rounds, {plan.sessions} sessions of two; windows of {plan.closed:g} and {plan.open:g} s; {cores}"
    beneath = footnote(servers, results)
    if options.write:
        report.write("send", f"{report.origin(command, versions, note)}\n\n{text}\n\n{beneath}")
    if options.json:
        rounds = {name: [asdict(one) for one in many] for name, many in found.items()}
        missing = dict.fromkeys(passed_over)
        about = {"command": command, "versions": versions, "cores": str(cores), "passed_over": passed_over}
        print(json.dumps({**missing, **results, "ratios": ratios(results), "about": about, "rounds": rounds}))
    else:
        print("\n".join(part for part in (report.plain(text), beneath) if part))


def markdown(servers: Sequence[Server], results: dict[str, dict[str, Any]]) -> str:
    latencies = (f"p50 / p99 ms at {rate}/s" for rate in RATES)
    head = (
        "",
        "messages per core-second",
        "CPU s per 1,000 (app + pg + redis)",
        *latencies,
        "lost, doubled, reordered",
    )
    rows = []
    for server in servers:
        one = results[server.name]
        split = " + ".join(f"{cpu:.3f}" for cpu in one["cpu_split"].values())
        latency = (f"{one[f'p50_ms_{rate}']:.1f} / {one[f'p99_ms_{rate}']:.1f}" for rate in RATES)
        wrong = f"{one['lost']}, {one['doubled']}, {one['reordered']}"
        rows.append(
            (server.title, f"{one['msgs_per_core_s']:,.0f}", f"{one['cpu_per_1k']:.3f} ({split})", *latency, wrong)
        )
    return report.table(head, rows)


def footnote(servers: Sequence[Server], results: Mapping[str, Mapping[str, Any]]) -> str:
    """What stands beneath the table; nothing when there is nothing to compare."""
    titles = {server.name: server.title for server in servers}
    times = [f"{ratio:.2f} × {titles[name]}" for name, ratio in ratios(results).items()]
    return f"Ours in messages per core-second, of medians: {'; '.join(times)}." if times else ""


if __name__ == "__main__":
    main()
