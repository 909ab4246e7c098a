"""What each part of a stored message costs inside PostgreSQL: row-level security, audit chain, idempotence, keys, indexes.

One connection calls app.send_chat_messages as samia_app with batches of 1, 8 and 32 messages to as many sessions, on copies of
one database from which a part was taken away (bench/pieces.py). Counted is the processor time of that connection's server
process.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from bench import machine, pieces, report, world
from bench.machine import Cores
from bench.options import parser_of
from bench.pieces import Change
from bench.report import progress
from bench.world import Person
from samia_chat.embedded.terminal import one_sentence
from samia_chat.ids import new_id

NEEDS = ("postgresql",)
DATABASE = "bench_parts"
BATCHES = (1, 8, 32)
SESSIONS = 64
SEND = (
    "SELECT code, seq, revision, members_revision, created_at FROM app.send_chat_messages("
    "%s::uuid[], %s::text[], %s::uuid[], %s::uuid[], %s::text[], %s::uuid[])"
)


@dataclass(frozen=True)
class Cost:
    cpu_us: float  # of the server process, for one message
    call_ms: float  # p50 of one call
    wal_bytes: float  # of the journal, for one message


def main() -> None:
    options = _options()
    with one_sentence():
        cores = Cores.choose(pinned=not options.no_pin)
        cores.take_driver()
        cores.move_to_server([int(os.environ["BENCH_PG_PID"])])
        people = world.make(SESSIONS)
        found: dict[str, list[dict[int, Cost]]] = {name: [] for name in pieces.VARIANTS}
        for number in range(1, options.rounds + 1):
            for name, changes in pieces.VARIANTS.items():
                found[name].append(_measure(people, changes, options.seconds))
                progress(f"round {number}: {name}: " + "  ".join(_words(found[name][-1])))
        _show(options, cores, {name: _medians(rounds) for name, rounds in found.items()})


def _options() -> argparse.Namespace:
    parser = parser_of("parts", __doc__, quick="one round of one second: about a minute")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each batch size (default 2)")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 1, 1.0
    return options


def _measure(people: Sequence[Person], changes: Sequence[Change], seconds: float) -> dict[int, Cost]:
    """A fresh copy without the parts, and its cost by batch size."""
    world.fresh_database(DATABASE)
    with world.superuser(DATABASE) as superuser:
        for change in changes:
            change.apply(superuser)
    try:
        return {size: cost_of_calls(DATABASE, people, size, seconds) for size in BATCHES}
    finally:
        world.drop_database(DATABASE)


def cost_of_calls(
    database: str, people: Sequence[Person], size: int, seconds: float, make_id: Callable[[], UUID] = new_id
) -> Cost:
    """Calls of `size` messages, each to a session of its own, one after the other for `seconds`."""
    senders = sorted(people[::2], key=lambda person: person.session.bytes)[:size]
    same = [[person.user for person in senders], [world.context(person) for person in senders]]
    sessions, replies = [person.session for person in senders], [None] * size
    conninfo = world.url("DATABASE_URL", database)
    with psycopg.connect(conninfo, autocommit=True) as connection, world.superuser(database) as superuser:
        connection.execute("SET plan_cache_mode = force_generic_plan")  # as the product's connection has it

        def call() -> None:
            ids = [make_id() for _ in senders]
            texts = [str(made).ljust(100, "x") for made in ids]
            rows = connection.execute(SEND, [*same, sessions, ids, texts, replies], prepare=True).fetchall()
            if any(row[0] != "ok" for row in rows):
                raise RuntimeError(f"a message was refused: {rows}")

        for _ in range(20):  # until every statement has its plan
            call()
        pid = connection.info.backend_pid
        taken, written = [], journal(superuser)
        before, start = sum(machine.tree([pid]).values()), time.perf_counter()
        while (began := time.perf_counter()) - start < seconds:
            call()
            taken.append(1000 * (time.perf_counter() - began))
        spent = sum(machine.tree([pid]).values()) - before
        count = size * len(taken)
        return Cost(
            cpu_us=1e6 * spent / count,
            call_ms=statistics.median(taken),
            wal_bytes=(journal(superuser) - written) / count,
        )


def journal(superuser: psycopg.Connection[Any]) -> int:
    """Bytes that the cluster has written to its journal so far."""
    (written,) = superuser.execute("SELECT pg_current_wal_insert_lsn() - '0/0'").fetchone() or (0,)
    return int(written)


def _medians(rounds: Sequence[dict[int, Cost]]) -> dict[int, Cost]:
    return {
        size: Cost(
            cpu_us=statistics.median(one[size].cpu_us for one in rounds),
            call_ms=statistics.median(one[size].call_ms for one in rounds),
            wal_bytes=statistics.median(one[size].wal_bytes for one in rounds),
        )
        for size in BATCHES
    }


def _words(costs: dict[int, Cost]) -> list[str]:
    return [f"{size}: {cost.cpu_us:.0f} µs, call {cost.call_ms:.2f} ms" for size, cost in costs.items()]


def _show(options: argparse.Namespace, cores: Cores, results: dict[str, dict[int, Cost]]) -> None:
    head = ("µs of PostgreSQL per message", *(f"in calls of {size}" for size in BATCHES), "call of 1, ms")
    rows = []
    for name, costs in results.items():
        whole = {size: None if name == pieces.WHOLE else results[pieces.WHOLE][size].cpu_us for size in BATCHES}
        prices = (report.priced(costs[size].cpu_us, whole[size]) for size in BATCHES)
        rows.append((name, *prices, f"{costs[1].call_ms:.2f}"))
    text = report.table(head, rows)
    if options.write:
        note = f"medians of {options.rounds} rounds of {options.seconds:.0f} s; {cores}"
        origin = report.origin("./samia bench parts", {"PostgreSQL": world.server_version()}, note)
        report.write("parts", f"{origin}\n\n{text}")
    if options.json:
        print(json.dumps({name: {size: vars(cost) for size, cost in costs.items()} for name, costs in results.items()}))
    else:
        print(report.plain(text))


if __name__ == "__main__":
    main()
