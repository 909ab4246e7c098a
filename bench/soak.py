"""Ten minutes of mixed load at two web processes: what is lost, what grows, and what is left when everybody has gone.

Pairs and two of the staff do what people do (bench/mix.py), so many times a second. Every ten seconds it is seen what the
processes hold (bench/watch.py). Afterwards rows, chains and what each client has are compared as in `faults`; then everybody
leaves, and nothing of them may remain (bench/verdict.py).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import uvloop

from bench import report, verdict, world
from bench.mix import Mix
from bench.options import command_line, parser_of
from bench.report import progress
from bench.scene import Scene, scene
from bench.staff import Staff
from bench.talker import PASSWORD, Talker
from bench.trend import MINUTE, Moment, Spread, by_minute, spread
from bench.verdict import MIB, Outcome, Plan, Resource
from bench.watch import Figures, Sample, Watch
from samia_chat.embedded.terminal import one_sentence

NEEDS = ("postgresql", "redis")
MINUTES = 10.0
PAIRS = 40
TEXTS_PER_SECOND = 3.0
WARM_SECONDS = 60.0
GONE_SECONDS = 150.0  # rates are swept each minute, and Redis keeps its own for one
HEARTBEAT = 25  # seconds, as it is by default
SETTINGS = {
    "SAMIA_HEARTBEAT_SECONDS": str(HEARTBEAT),
    "SAMIA_RATE_SIGN_IN": "10000000",  # all come from one address
}


def main() -> None:
    options = _options()
    with one_sentence():
        plan = _plan(options)
        progress("making the people and a past")
        people = world.make(plan.pairs) + world.make_staff()
        world.set_password(people, _encoded(PASSWORD))
        outcome = uvloop.run(_soak(people, plan))
        _show(options, outcome)
    sys.exit(1 if outcome.faults() else 0)


def _options() -> argparse.Namespace:
    parser = parser_of("soak", __doc__, rounds=None, quick="one minute: too short to judge memory", has_pin=False)
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"of load (default {MINUTES:.0f})")
    parser.add_argument(
        "--rate", type=float, default=TEXTS_PER_SECOND, help="texts a second; about 14 things are done for each"
    )
    parser.add_argument("--pairs", type=int, default=PAIRS, help=f"of people who talk (default {PAIRS})")
    return parser.parse_args()


def _plan(options: argparse.Namespace) -> Plan:
    seconds = 60.0 if options.quick else 60.0 * options.minutes
    return Plan(seconds=seconds, warm=min(WARM_SECONDS, seconds / 4), rate=options.rate, pairs=options.pairs)


def _encoded(password: str) -> str:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "samia_chat.settings")
    from django.contrib.auth.hashers import make_password

    return make_password(password)


# The run -----------------------------------------------------------------------------------------------------------------


async def _soak(people: Sequence[world.Person], plan: Plan) -> Outcome:
    async with scene(people, [""] * len(people), plan.rate, SETTINGS) as here:
        here.drain_seconds = 2.0 * HEARTBEAT
        watch = Watch(here.webs, here.redis.url)
        before = await watch.look()
        mix = await _enter(here)
        progress(f"{plan.seconds:.0f} s of load: {plan.rate:g} texts a second, and all that goes with them")
        start, spent = time.perf_counter(), watch.spent(here.redis.pid)
        async with watch.watching():
            await mix.warm_up(plan.rate, plan.warm)
            await mix.run(plan.rate, plan.seconds - plan.warm)
        end, now = time.perf_counter(), watch.spent(here.redis.pid)
        deliveries, requests = _deliveries(here), [one for one in here.record.door.took if start <= one.at < end]
        progress("comparing what was stored with what was said and heard")
        count = await here.count()
        progress("everybody leaves")
        after, leaving = await _leave(here, watch, before)
        return Outcome(
            plan=plan,
            count=count,
            before=before,
            samples=watch.samples,
            after=after,
            leaving_seconds=leaving,
            start=start,
            done=dict(mix.done),
            passed_over=dict(mix.passed_over),
            cpu={name: now[name] - spent[name] for name in now},
            deliveries=deliveries,
            requests=requests,
            logged=_logged(web.log for web in here.webs),
        )


async def _enter(here: Scene) -> Mix:
    talkers = [who for who in await here.enter(range(len(here.people) - 2), Talker) if isinstance(who, Talker)]
    staff = [
        who for who in await here.enter(range(len(here.people) - 2, len(here.people)), Staff) if isinstance(who, Staff)
    ]
    return Mix(here.record, list(zip(talkers[::2], talkers[1::2], strict=True)), *staff)


def _deliveries(here: Scene) -> list[Moment]:
    """Of each text that somebody was there to get: when it was said, and the seconds until the other one held it."""
    absences = {client.number: client.absences for client in here.clients}
    found = []
    for said in here.record.said.values():
        held = said.held.get(said.by ^ 1)
        if held is not None and not any(lost <= held and said.at <= back for lost, back in absences[said.by ^ 1]):
            found.append((said.at, held - said.at))
    return found


async def _leave(here: Scene, watch: Watch, before: Sample) -> tuple[Sample, float]:
    """What there is when all are gone, and how long it took until nothing of them was left, or GONE_SECONDS."""
    start = time.perf_counter()
    for client in here.clients:
        client.leave()
    while True:
        sample, waited = await watch.look(), time.perf_counter() - start
        if not verdict.left_behind(sample, before) or waited > GONE_SECONDS:
            return sample, waited
        await asyncio.sleep(1)


def _logged(logs: Iterable[Path]) -> dict[str, int]:
    """Lines of the servers' logs that say more than that a request was answered, by level and message."""
    found: Counter[str] = Counter()
    for line in (line for log in logs for line in log.read_text().splitlines()):
        try:
            entry = json.loads(line)
        except ValueError:
            found["not a log entry"] += 1
            continue
        if entry["level"] != "INFO":
            found[f"{entry['level']}: {entry['message']}"] += 1
    return dict(found)


# Results -----------------------------------------------------------------------------------------------------------------


def _show(options: argparse.Namespace, outcome: Outcome) -> None:
    versions = {"PostgreSQL": world.server_version()}
    versions |= {name: version(name) for name in ("django", "uvicorn", "channels", "psycopg")}
    command = command_line("soak")
    tables = [_counts(outcome), _resources(outcome), _minutes(outcome), _routes(outcome)]
    if options.write:
        plan = outcome.plan
        note = f"{plan.pairs} pairs and two of the staff, {plan.rate:g} texts a second; cores shared by all"
        report.write("soak", "\n\n".join([report.origin(command, versions, note), *tables]))
    if options.json:
        print(json.dumps({**_as_json(outcome), "about": {"command": command, "versions": versions}}))
    else:
        print("\n\n".join(map(report.plain, tables)))
    for line, times in outcome.logged.items():
        progress(f"logged {times} × {line}")
    for fault in outcome.faults():
        progress(f"WRONG  {fault}")


def _counts(outcome: Outcome) -> str:
    count, done = outcome.count, sum(outcome.done.values())
    each = {name: 1000 * seconds / max(1, done) for name, seconds in outcome.cpu.items()}
    late = (f"{1000 * outcome.late(share):g}" for share in (0.5, 0.99))
    rows = (
        ("done, of all kinds", f"{done:,}"),
        ("passed over: nobody was free, or there was nothing to do it with", sum(outcome.passed_over.values())),
        ("texts sent", f"{count.sent:,}"),
        ("lost, doubled, reordered, missing", f"{count.lost}, {count.doubled}, {count.reordered}, {count.missing}"),
        ("5xx", sum(count.broken.values())),
        ("other faults", count.unacknowledged + len(count.wrong) + len(outcome.other_faults())),
        ("told to wait", count.told_to_wait),
        ("CPU ms for each thing done (app + pg + redis)", f"{sum(each.values()):.1f} ({_plus(each)})"),
        ("event loop late, p50 / p99 ms at most", " / ".join(late)),
        ("from said to held by the other one, p50 / p99 ms", _both(spread(taken for _, taken in outcome.deliveries))),
        ("nothing left behind after s", f"{outcome.leaving_seconds:.0f}" if not _left(outcome) else "never"),
    )
    return report.table(("the whole run", ""), rows)


def _left(outcome: Outcome) -> list[str]:
    return verdict.left_behind(outcome.after, outcome.before)


def _plus(each: Figures) -> str:
    return " + ".join(f"{each[name]:.1f}" for name in ("app", "pg", "redis"))


def _both(found: Spread) -> str:
    return f"{found.p50:.1f} / {found.p99:.0f}"


def _resources(outcome: Outcome) -> str:
    head = ("held", "before", "after warm-up", "most", "at the end", "all have left", "an hour", "verdict")
    return report.table(head, [_row(resource) for resource in verdict.resources(outcome)])


def _row(one: Resource) -> tuple[object, ...]:
    figures = [
        f"{value:.{1 if 'MiB' in one.name else 0}f}" for value in (one.before, one.warm, one.most, one.end, one.after)
    ]
    return (one.name, *figures, "" if one.hour is None else f"{one.hour:+.1%}", one.fault or "in order")


def _minutes(outcome: Outcome) -> str:
    """Memory is that at the end of the minute."""
    start, end = outcome.start, outcome.start + outcome.plan.seconds
    delivered = by_minute(outcome.deliveries, start, end)
    requests = by_minute([(one.at, one.seconds) for one in outcome.requests], start, end)
    rows = []
    for minute, (sent, asked) in enumerate(zip(delivered, requests, strict=True), 1):
        sample = min(outcome.samples, key=lambda one: abs(one.at - MINUTE * minute))
        memory = [f"{web['memory'] / MIB:.1f}" for web in sample.webs]
        own = f"{sample.postgresql['own'] / MIB:.1f}"
        rows.append((minute, *memory, own, f"{sent.times:,}", _both(sent), f"{asked.times:,}", _both(asked)))
    webs = (f"web {number} MiB" for number in range(1, len(outcome.before.webs) + 1))
    head = ("minute", *webs, "PostgreSQL MiB", "texts", "p50 / p99 ms until held", "requests", "p50 / p99 ms")
    return report.table(head, rows)


def _routes(outcome: Outcome) -> str:
    rows = [
        (route, f"{whole.times:,}", _both(whole), f"{max(_p99s(minutes), default=float('nan')):.0f}")
        for route, (whole, minutes) in _by_route(outcome).items()
    ]
    return report.table(("request", "times", "p50 / p99 ms", "worst minute's p99"), rows)


def _p99s(minutes: Sequence[Spread]) -> list[float]:
    return [minute.p99 for minute in minutes if minute.times]


def _by_route(outcome: Outcome) -> dict[str, tuple[Spread, list[Spread]]]:
    """Of each kind of request the whole run and each minute; the most frequent first."""
    moments: dict[str, list[Moment]] = {}
    for one in outcome.requests:
        moments.setdefault(one.route, []).append((one.at, one.seconds))
    ordered = sorted(moments.items(), key=lambda item: -len(item[1]))
    start, end = outcome.start, outcome.start + outcome.plan.seconds
    return {route: (spread(taken for _, taken in found), by_minute(found, start, end)) for route, found in ordered}


def _as_json(outcome: Outcome) -> dict[str, object]:
    start, end = outcome.start, outcome.start + outcome.plan.seconds
    return {
        "plan": asdict(outcome.plan),
        "count": asdict(outcome.count),
        "faults": outcome.faults(),
        "done": dict(outcome.done),
        "passed_over": dict(outcome.passed_over),
        "cpu_seconds": outcome.cpu,
        "loop_late_seconds": {"p50": outcome.late(0.5), "p99": outcome.late(0.99)},
        "logged": dict(outcome.logged),
        "leaving_seconds": outcome.leaving_seconds,
        "delivered_by_minute": [asdict(one) for one in by_minute(outcome.deliveries, start, end)],
        "requests": {
            route: {**asdict(whole), "by_minute": [asdict(minute) for minute in minutes]}
            for route, (whole, minutes) in _by_route(outcome).items()
        },
        "resources": [asdict(one) for one in verdict.resources(outcome)],
        "samples": [_sample(one) for one in (outcome.before, *outcome.samples, outcome.after)],
    }


def _sample(sample: Sample) -> dict[str, object]:
    """Without what only counts up."""
    gauges = [{name: held[name] for name in (*verdict.EMPTY, "samia_tasks")} for held in sample.gauges]
    return {**asdict(sample), "gauges": gauges}


if __name__ == "__main__":
    main()
