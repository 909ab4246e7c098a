"""Whether a message costs the same as work grows: with more sessions that talk at once, and with more messages in the tables.

Sessions of two talk in closed loop (as fast as answers come) and at a fixed rate. Then fifty of them talk among ten thousand
and a million stored messages with their audit records (ten million with --full), each in its own database. A row is flat when
a message costs at most a fifth more processor time than in the smallest row.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import msgspec

from bench import million, parts, report, send, world
from bench.adapters.samia import Samia
from bench.driver import Window
from bench.machine import Cores, allow_files
from bench.options import command_line, parser_of
from bench.parts import Cost
from bench.report import progress
from bench.send import Plan, Round
from samia_chat.embedded.terminal import Refusal, one_sentence
from samia_chat.ids import new_id

NEEDS = ("postgresql", "redis")
SESSIONS = (1, 10, 100, 1000)
MESSAGES = (10_000, 1_000_000)
FULL_MESSAGES = 10_000_000
COPY = "bench_among"
TALKING = 50  # sessions among the stored messages
# Messages in a call, and how their ids are made.
CALLS: Mapping[str, tuple[int, Callable[[], UUID]]] = {
    "calls of 1": (1, new_id),
    "calls of 32": (32, new_id),
    "calls of 32, random ids": (32, uuid4),
}
FLAT = 1.2  # times the smallest row
# A second, by people chosen at random. The lower one where a single session does not carry the higher one.
RATE, LOW_RATE, SPARE = 500, 200, 1.2
BYTES_OF_A_MESSAGE = 2_000  # with its record, all indexes and its share of the journal
FILES = 16_000  # descriptors: a socket has one here and one in the server


@dataclass
class Step:
    """One size, and what was seen at it in each round."""

    size: int
    rate: int
    rounds: list[Round] = field(default_factory=list)
    calls: dict[str, list[Cost]] = field(default_factory=lambda: {name: [] for name in CALLS})

    def windows(self, rate: int | None) -> list[Window]:
        return [one.window(rate) for one in self.rounds]

    def cost(self, rate: int | None) -> float:
        """Processor seconds for 1,000 messages."""
        return statistics.median(window.cpu_per_1k for window in self.windows(rate))

    def micros(self, calls: str) -> float:
        """In PostgreSQL, for one message."""
        return statistics.median(cost.cpu_us for cost in self.calls[calls])

    def journal(self, calls: str) -> float:
        """Bytes for one message, from a checkpoint on."""
        return statistics.median(cost.wal_bytes for cost in self.calls[calls])


class Among(Samia):
    """The product among stored messages: on a database that is there already, and is dropped with the server."""

    name = "among"

    def __init__(self, cores: Cores, people: Sequence[world.Person], database: str) -> None:
        super().__init__(cores, people)
        self._database = database

    @property
    def database(self) -> str:
        return self._database

    def start(self) -> None:
        self.serve()

    def stored(self) -> world.Stored:
        """Of the sessions under load: the chains of the past chain nothing."""
        return world.stored(self.database, [person.session for person in self.people[::2]])


def main() -> None:
    options = _options()
    with one_sentence():
        allow_files(FILES)
        cores = Cores.choose(pinned=not options.no_pin)
        cores.take_driver()
        plan = _plan(options)
        sessions = [] if options.only == "messages" else _more_sessions(cores, plan)
        messages = [] if options.only == "sessions" else _more_messages(cores, plan, _sizes(options))
        _show(options, cores, plan, sessions, messages)
        faults = [fault for step in (*sessions, *messages) for fault in send.faults_of(step.rounds)]
        for fault in faults:
            progress(f"WRONG  {fault}")
    sys.exit(1 if faults else 0)


def _options() -> argparse.Namespace:
    parser = parser_of("growth", __doc__, quick="short windows, one round, no million: about three minutes")
    parser.add_argument("--only", choices=["sessions", "messages"], help="one of the two tables")
    parser.add_argument("--full", action="store_true", help="also ten million messages: 20 GB and half an hour more")
    return parser.parse_args()


def _plan(options: argparse.Namespace) -> Plan:
    """`sessions` and `rates` are set for each size. The windows of a whole run hold a heartbeat (25 s) each."""
    if options.quick:
        return Plan(1, 0, warm=1.0, closed=4.0, open=4.0, idle=4.0)
    return Plan(options.rounds, 0, warm=3.0, closed=10.0, open=26.0, idle=26.0)


def _sizes(options: argparse.Namespace) -> list[int]:
    sizes = list(MESSAGES[:1] if options.quick else MESSAGES)
    return [*sizes, FULL_MESSAGES] if options.full else sizes


# More sessions -----------------------------------------------------------------------------------------------------------


def _more_sessions(cores: Cores, plan: Plan) -> list[Step]:
    progress(f"making {max(SESSIONS):,} sessions, and {world.OTHER_SESSIONS:,} others with a past")
    people = world.make(max(SESSIONS))
    rate = _rate_for_one(Samia(cores, people[:2]), plan)
    steps = [Step(size, rate) for size in SESSIONS]
    for number in range(1, plan.rounds + 1):
        for step in steps:
            progress(f"round {number}: {step.size:,} sessions")
            step.rounds.append(_round(Samia(cores, people[: 2 * step.size]), plan, rate))
    return steps


def _rate_for_one(server: Samia, plan: Plan) -> int:
    """The rate at which all sizes are compared: one that a single session carries."""
    only_closed = Plan(1, 1, warm=plan.warm, closed=plan.closed, open=0.0, rates=())
    carried = send.one_round(server, only_closed).window(None).per_second
    rate = RATE if carried >= SPARE * RATE else LOW_RATE
    progress(f"one session carries {carried:.0f} messages a second: all are compared at {rate}")
    return rate


def _round(server: Samia, plan: Plan, rate: int) -> Round:
    sessions = len(server.people) // 2
    return send.one_round(
        server, Plan(1, sessions, warm=plan.warm, closed=plan.closed, open=plan.open, rates=(rate,), idle=plan.idle)
    )


# More messages -----------------------------------------------------------------------------------------------------------


def _more_messages(cores: Cores, plan: Plan, sizes: Sequence[int]) -> list[Step]:
    """Sizes are measured in turns, each time on a copy. That of --full comes last, once, and as it was made."""
    steps = [Step(size, RATE) for size in sizes]
    copied = [step for step in steps if step.size < FULL_MESSAGES]
    try:
        people = {step.size: _make_past(step.size) for step in copied}
        for number in range(1, plan.rounds + 1):
            for step in copied:
                progress(f"round {number}: among {step.size:,} messages")
                world.fresh_database(COPY, _name(step.size))
                _among(step, Among(cores, people[step.size], COPY), plan)
        for step in steps[len(copied) :]:
            for other in copied:
                world.drop_database(_name(other.size))
            progress(f"among {step.size:,} messages")
            _among(step, Among(cores, _make_past(step.size), _name(step.size)), plan)
    finally:
        for step in steps:
            world.drop_database(_name(step.size))
    return steps


def _name(messages: int) -> str:
    return f"bench_past_{messages}"


def _make_past(messages: int) -> Sequence[world.Person]:
    _refuse_too_little_space(messages)
    progress(f"making {messages:,} messages with their audit records")
    people = million.make_past(_name(messages), messages, TALKING)
    progress("  " + ", ".join(f"{count:,} {what}" for what, count in million.size(_name(messages)).items()))
    return people


def _refuse_too_little_space(messages: int) -> None:
    with world.superuser("postgres") as connection:
        (folder,) = connection.execute("SHOW data_directory").fetchone() or (".",)
    wanted, free = 2 * messages * BYTES_OF_A_MESSAGE, shutil.disk_usage(folder).free
    if free < wanted:
        raise Refusal(f"{messages:,} messages need {wanted / 1e9:.0f} GB, and {free / 1e9:.0f} GB are free.")


def _among(step: Step, server: Among, plan: Plan) -> None:
    """Calls first: the database is dropped with the server."""
    server.cores.move_to_server([int(os.environ["BENCH_PG_PID"])])
    for name, (size, make_id) in CALLS.items():
        with world.superuser(server.database) as connection:
            connection.execute("CHECKPOINT")
        cost = parts.cost_of_calls(server.database, server.people, size, plan.closed / 2, make_id)
        progress(f"  {name}: {cost.cpu_us:.0f} µs, {cost.wal_bytes:,.0f} bytes of the journal")
        step.calls[name].append(cost)
    step.rounds.append(_round(server, plan, step.rate))


# Results -----------------------------------------------------------------------------------------------------------------


def verdict(costs: Mapping[str, tuple[float, float]]) -> str:
    """Of each cost, by name, here and in the smallest row: whether it is at most a fifth dearer, and the worst of them."""
    name, times = max(((name, here / smallest) for name, (here, smallest) in costs.items()), key=lambda pair: pair[1])
    return f"{'flat' if times <= FLAT else 'NOT flat'}: {name} × {times:.2f}"


def _show(
    options: argparse.Namespace, cores: Cores, plan: Plan, sessions: Sequence[Step], messages: Sequence[Step]
) -> None:
    tables = {}
    if sessions:
        tables["sessions"] = _sessions_table(sessions)
    if messages:
        tables["messages"] = _messages_table(messages)
    command = command_line("growth")
    note = f"medians of {plan.rounds} rounds; windows of {plan.closed:.0f} and {plan.open:.0f} s; {cores}"
    versions = {"PostgreSQL": world.server_version(), **Samia(cores, []).versions()}
    if options.write:
        origin = report.origin(command, versions, note)
        for name, table in tables.items():
            report.write(f"growth-{name}", f"{origin}\n\n{table}")
    if options.json:
        about = {"command": command, "versions": versions, "cores": str(cores)}
        found = {"sessions": sessions, "messages": messages, "about": about}
        print(msgspec.json.encode(found).decode())  # which has null for the latency of silence
    else:
        print("\n\n".join(map(report.plain, tables.values())))


def _sessions_table(steps: Sequence[Step]) -> str:
    rate, first = steps[0].rate, steps[0]
    head: tuple[str, ...] = (
        "sessions of two that talk",
        "closed loop: a second",
        "a core-second",
        "CPU s per 1,000 (app + pg + redis)",
    )
    head += (f"at {rate}/s: CPU s per 1,000 (app + pg + redis)", "p50 / p99 ms", "silent: % of a core", "verdict")
    rows = [
        (
            f"{step.size:,}",
            *_closed(step),
            _cpu(step.windows(rate)),
            _latency(step.windows(rate)),
            f"{100 * statistics.median(window.busy for window in step.windows(0)):.1f}",
            verdict({f"at {rate}/s": (step.cost(rate), first.cost(rate))}),
        )
        for step in steps
    ]
    return report.table(head, rows)


def _messages_table(steps: Sequence[Step]) -> str:
    first = steps[0]
    head: tuple[str, ...] = (
        "messages lying in the tables",
        "closed loop: a second",
        "a core-second",
        "CPU s per 1,000 (app + pg + redis)",
    )
    head += (f"at {RATE}/s: CPU s per 1,000 (app + pg + redis)", "p50 / p99 ms")
    head += (*(f"{name}: µs of PostgreSQL, journal" for name in CALLS), "verdict")
    rows = []
    for step in steps:
        costs = {
            "closed loop": (step.cost(None), first.cost(None)),
            f"at {RATE}/s": (step.cost(RATE), first.cost(RATE)),
        }
        costs |= {name: (step.micros(name), first.micros(name)) for name in CALLS}
        rows.append(
            (
                f"{step.size:,}",
                *_closed(step),
                _cpu(step.windows(RATE)),
                _latency(step.windows(RATE)),
                *(f"{step.micros(name):.0f}, {step.journal(name) / 1000:.1f} kB" for name in CALLS),
                verdict(costs),
            )
        )
    return report.table(head, rows)


def _closed(step: Step) -> Iterable[str]:
    windows = step.windows(None)
    yield f"{statistics.median(window.per_second for window in windows):,.0f}"
    yield f"{statistics.median(window.per_core_second for window in windows):,.0f}"
    yield _cpu(windows)


def _cpu(windows: Sequence[Window]) -> str:
    parts_of = (f"{statistics.median(window.split()[name] for window in windows):.3f}" for name in windows[0].cpu)
    return f"{statistics.median(window.cpu_per_1k for window in windows):.3f} ({' + '.join(parts_of)})"


def _latency(windows: Sequence[Window]) -> str:
    return " / ".join(
        f"{statistics.median(getattr(window, name) for window in windows):.1f}" for name in ("p50_ms", "p99_ms")
    )


if __name__ == "__main__":
    main()
