"""What each layer costs for a message: application, PostgreSQL, Redis; with and without limiter, metrics and Redis; a profile.

Each variant runs the product on a fresh database in closed loop and at 500 a second. Then the web process is sampled under the
same load, by its own processor time: which part has which share, and which functions are the hottest.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import report, samples, send, world
from bench.adapters.samia import Samia
from bench.driver import Window
from bench.machine import Cores
from bench.options import command_line, parser_of
from bench.report import progress
from bench.send import Plan, Round
from samia_chat.embedded.terminal import one_sentence

NEEDS = ("postgresql", "redis")
SESSIONS = 50
RATE = 500
LAYERS = ("app", "pg", "redis")
HOTTEST = 15  # functions
CLOSED, OPEN = "closed loop", f"at {RATE}/s"


@dataclass(frozen=True, kw_only=True)
class Variant:
    title: str
    without: Sequence[str] = ()  # names of bench/served.py
    settings: Mapping[str, str] = field(default_factory=dict)
    workers: int = 1


WHOLE = Variant(title="as it is: limiter, metrics, Redis, one worker")
VARIANTS = (
    WHOLE,
    Variant(title="without the limiter", without=("limiter",)),
    Variant(title="without metrics", without=("telemetry",)),
    Variant(title="without Redis (one process alone)", settings={"REDIS_URL": ""}),
    Variant(title="without all three", without=("limiter", "telemetry"), settings={"REDIS_URL": ""}),
    Variant(title="two workers", workers=2, settings={"SAMIA_WORKERS": "2"}),
)


class Served(Samia):
    """The product through bench/served.py."""

    name = "served"

    def __init__(
        self, cores: Cores, people: Sequence[world.Person], variant: Variant, samples_in: Path | None = None
    ) -> None:
        without = {"BENCH_WITHOUT": ",".join(variant.without)}
        sampled = {"BENCH_SAMPLES": str(samples_in)} if samples_in else {}
        super().__init__(cores, people, {**variant.settings, **without, **sampled})
        self._workers = variant.workers

    def command(self) -> list[str]:
        words = super().command()
        words[words.index("samia_chat.asgi:application")] = "bench.served:application"
        words[words.index("--workers") + 1] = str(self._workers)
        return words


@dataclass(frozen=True)
class Profile:
    """Shares (0 to 1) by load, and microseconds of the application for one message by load."""

    taken: dict[str, int]  # samples
    micros: dict[str, float]
    parts: dict[str, dict[str, float]]
    functions: dict[str, dict[str, float]]


def main() -> None:
    options = _options()
    with one_sentence():
        cores = Cores.choose(pinned=not options.no_pin)
        cores.take_driver()
        plan = _plan(options)
        progress(f"making {SESSIONS} sessions for the load, and {world.OTHER_SESSIONS:,} others with a past")
        people = world.make(SESSIONS)
        found: dict[str, list[Round]] = {variant.title: [] for variant in VARIANTS}
        for number in range(1, plan.rounds + 1):
            for variant in VARIANTS:
                progress(f"round {number} of {plan.rounds}: {variant.title}")
                found[variant.title].append(send.one_round(Served(cores, people, variant), plan))
        profile, sampled = _profile(cores, people, options.profile_seconds)
        _show(options, cores, plan, found, profile)
        faults = [fault for rounds in (*found.values(), [sampled]) for fault in send.faults_of(rounds)]
        for fault in faults:
            progress(f"WRONG  {fault}")
    sys.exit(1 if faults else 0)


def _options() -> argparse.Namespace:
    parser = parser_of("layers", __doc__, quick="one round, short windows: about three minutes")
    parser.add_argument("--profile-seconds", type=float, default=60.0, help="of each load under samples (default 60)")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.profile_seconds = 1, min(options.profile_seconds, 12.0)
    return options


def _plan(options: argparse.Namespace) -> Plan:
    if options.quick:
        return Plan(options.rounds, SESSIONS, warm=1.0, closed=4.0, open=4.0, rates=(RATE,))
    return Plan(options.rounds, SESSIONS, warm=2.0, closed=10.0, open=10.0, rates=(RATE,))


def _profile(cores: Cores, people: Sequence[world.Person], seconds: float) -> tuple[Profile, Round]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "samples"
        progress(f"sampling the web process, {seconds:.0f} s of each load")
        plan = Plan(1, SESSIONS, warm=2.0, closed=seconds, open=seconds, rates=(RATE,))
        sampled = send.one_round(Served(cores, people, WHOLE, path), plan)
        taken = samples.read(path)
    windows = {CLOSED: sampled.window(None), OPEN: sampled.window(RATE)}
    of_load = {load: samples.between(taken, window.began, window.seconds) for load, window in windows.items()}
    return Profile(
        taken={load: len(some) for load, some in of_load.items()},
        micros={load: _micros(window, "app") for load, window in windows.items()},
        parts={load: samples.shares(some) for load, some in of_load.items()},
        functions={load: samples.functions(some) for load, some in of_load.items()},
    ), sampled


def _micros(window: Window, layer: str) -> float:
    """Of processor time for one message."""
    return 1000 * window.split()[layer]


# Results -----------------------------------------------------------------------------------------------------------------


def _show(
    options: argparse.Namespace, cores: Cores, plan: Plan, found: Mapping[str, list[Round]], profile: Profile
) -> None:
    texts = [_layers_table(found), _parts_table(profile), _functions_table(profile)]
    command = command_line("layers")
    versions = {"PostgreSQL": world.server_version(), **Samia(cores, []).versions()}
    if options.write:
        note = f"medians of {plan.rounds} rounds; windows of {plan.closed:.0f} s; {cores}"
        taken = ", ".join(f"{count:,} {load}" for load, count in profile.taken.items())
        origin = report.origin(command, versions, note, f"samples of the web process: {taken}")
        report.write("layers", "\n\n".join([origin, *texts]))
    if options.json:
        rounds = {title: [asdict(one) for one in many] for title, many in found.items()}
        about = {"command": command, "versions": versions, "cores": str(cores)}
        print(json.dumps({"rounds": rounds, "profile": asdict(profile), "about": about}))
    else:
        print("\n\n".join(map(report.plain, texts)))


def _layers_table(found: Mapping[str, list[Round]]) -> str:
    head: tuple[str, ...] = ("µs of processor time for a message", "a core-second")
    head += tuple(f"{load}: {layer}" for load in (CLOSED, OPEN) for layer in LAYERS)
    head += (f"p50 / p99 ms {OPEN}",)
    whole = _costs(found[WHOLE.title])
    return report.table(head, [_layers_row(title, rounds, whole) for title, rounds in found.items()])


def _layers_row(title: str, rounds: Sequence[Round], whole: Sequence[float]) -> tuple[str, ...]:
    core = statistics.median(one.window(None).per_core_second for one in rounds)
    ends = (statistics.median(getattr(one.window(RATE), name) for one in rounds) for name in ("p50_ms", "p99_ms"))
    costs = (
        report.priced(here, None if title == WHOLE.title else then)
        for here, then in zip(_costs(rounds), whole, strict=True)
    )
    return (title, f"{core:,.0f}", *costs, " / ".join(f"{end:.1f}" for end in ends))


def _costs(rounds: Sequence[Round]) -> list[float]:
    """Microseconds in closed loop and at the rate, of each layer."""
    return [
        statistics.median(_micros(one.window(rate), layer) for one in rounds)
        for rate in (None, RATE)
        for layer in LAYERS
    ]


def _parts_table(profile: Profile) -> str:
    head = (
        "of the application's time",
        *(f"{load}: {what}" for load in (CLOSED, OPEN) for what in ("%", "µs a message")),
    )
    parts = sorted(samples.PARTS, key=lambda part: -profile.parts[CLOSED][part])
    return report.table(head, [(part, *_shares(profile, profile.parts, part)) for part in parts])


def _functions_table(profile: Profile) -> str:
    head = ("function, by itself", *(f"{load}: {what}" for load in (CLOSED, OPEN) for what in ("%", "µs a message")))
    everywhere = {name for of_load in profile.functions.values() for name in of_load}
    hottest = sorted(everywhere, key=lambda name: -sum(of_load.get(name, 0) for of_load in profile.functions.values()))
    rows = [(name, *_shares(profile, profile.functions, name)) for name in hottest[:HOTTEST]]
    return report.table(head, rows)


def _shares(profile: Profile, of: Mapping[str, Mapping[str, float]], name: str) -> list[str]:
    cells = []
    for load in (CLOSED, OPEN):
        share = of[load].get(name, 0.0)
        cells += [f"{100 * share:.1f}", f"{share * profile.micros[load]:.1f}"]
    return cells


if __name__ == "__main__":
    main()
