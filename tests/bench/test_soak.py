"""What a soak is judged by: the line through memory, what is left behind, and what a client holds of a session."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from bench import verdict
from bench.rest import route
from bench.scene import Count
from bench.thread import Message, Thread, digest
from bench.trend import by_minute, floors, growth, spread, upper_bound
from bench.verdict import EMPTY, MIB, Outcome, Plan, left_behind, resources
from bench.watch import STUCK, Sample, rollup

ONE, OTHER = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"


def sample(at: float = 0.0, *, memory: float = 100.0, **changes: Any) -> Sample:
    """One web process, with `memory` in MiB."""
    found = Sample(
        at=at,
        webs=({"memory": memory * MIB, "descriptors": 20.0, "threads": 10.0},),
        gauges=({**dict.fromkeys(EMPTY, 0.0), "samia_tasks": 14.0, "samia_database_connections default idle": 1.0},),
        postgresql={"own": 50.0 * MIB, "shared": 90.0 * MIB},
        connections={"idle": 6.0},
        stuck=(),
        redis={"memory": 1.0 * MIB, "clients": 6.0, "keys": 0.0},
        presence=0,
    )
    return replace(found, **changes)


def gauges(**changes: float) -> tuple[dict[str, float], ...]:
    return ({**sample().gauges[0], **changes},)


def outcome(samples: Iterable[Sample], after: Sample | None = None, **changes: Any) -> Outcome:
    count = Count(
        lost=0,
        doubled=0,
        reordered=0,
        missing=0,
        unacknowledged=0,
        broken={},
        wrong=[],
        level_seconds=0.0,
        sent=1,
        told_to_wait=0,
        closes={},
    )
    found = Outcome(
        plan=Plan(seconds=600.0, warm=60.0, rate=4.0, pairs=1),
        count=count,
        before=sample(),
        samples=list(samples),
        after=after or sample(),
        leaving_seconds=1.0,
        start=0.0,
        done={"write": 1},
        passed_over={},
        cpu={"app": 1.0, "pg": 1.0, "redis": 0.0},
        deliveries=[],
        requests=[],
        logged={},
    )
    return replace(found, **changes)


def climbing(by_hour: float, seconds: int = 600) -> list[Sample]:
    """Samples of ten seconds each whose memory grows by so much within an hour of 100 MiB at its middle."""
    return [sample(at, memory=100 + 100 * by_hour * (at - 330) / 3600) for at in range(0, seconds + 1, 10)]


# Memory ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by_hour", "is_wrong"), [(0.0, False), (0.09, False), (0.11, True), (2.0, True), (-1.0, False)]
)
def test_memory_may_grow_by_less_than_a_tenth_an_hour(by_hour: float, is_wrong: bool) -> None:
    found = resources(outcome(climbing(by_hour)))[0]
    assert found.name == "web 1, memory MiB"
    assert found.hour == pytest.approx(by_hour, rel=0.03, abs=1e-9)
    assert bool(found.fault) is is_wrong


@pytest.mark.parametrize(("by_hour", "is_wrong"), [(0.9, False), (1.2, True)])
def test_postgresql_may_grow_by_less_than_itself_within_the_hour_of_a_connection(
    by_hour: float, is_wrong: bool
) -> None:
    changes = [{"own": one.webs[0]["memory"], "shared": 0.0} for one in climbing(by_hour)]
    samples = [sample(10.0 * number, postgresql=memory) for number, memory in enumerate(changes)]
    faults = outcome(samples).faults()
    assert [fault.partition(":")[0] for fault in faults] == ["PostgreSQL, own memory MiB"] * is_wrong


def test_what_settles_in_the_first_minute_is_not_judged() -> None:
    cold = [sample(at, memory=10.0) for at in range(0, 60, 10)]
    assert resources(outcome([*cold, *climbing(0.0)[6:]]))[0].hour == pytest.approx(0, abs=1e-9)


def test_a_short_run_says_nothing_of_memory() -> None:
    found = resources(outcome(climbing(2.0, seconds=300)))[0]
    assert found.hour is None
    assert not found.fault


def test_what_comes_and_goes_is_not_growth() -> None:
    """A password that is hashed takes 100 MiB for a moment."""
    spikes = {300: 300.0, 590: 300.0}
    samples = [
        replace(one, webs=sample(memory=spikes[int(one.at)]).webs) if one.at in spikes else one for one in climbing(0)
    ]
    assert resources(outcome(samples))[0].hour == pytest.approx(0, abs=1e-9)
    assert floors([(0, 5), (10, 3), (59, 4), (60, 7), (70, 8), (80, 9), (120, 99)]) == [(10, 3), (60, 7)]


def test_growth_of_a_line() -> None:
    assert growth([(0, 100), (36, 101), (72, 102)]) == pytest.approx(100 / 101)


# Connections, and what is left -------------------------------------------------------------------------------------------


def test_a_connection_that_hangs_in_a_transaction_is_a_fault() -> None:
    hanging = sample(70, connections={"idle": 5.0, STUCK: 1.0})
    faults = outcome([sample(60), hanging, sample(80)]).faults()
    assert faults == [f"of them {STUCK}: 1 where 0 is the limit"]


def test_more_connections_than_a_process_may_have_are_a_fault() -> None:
    assert not outcome([sample(60, connections={"idle": 10.0, "active": 8.0})]).faults()
    many = outcome([sample(60, connections={"idle": 10.0, "active": 9.0})]).faults()
    assert many == ["PostgreSQL, connections: 19 where 18 is the limit"]


def test_descriptors_come_back_but_for_those_of_connections() -> None:
    opened = ({"memory": 100.0 * MIB, "descriptors": 25.0, "threads": 10.0},)
    pooled = gauges(**{"samia_database_connections default idle": 4.0})
    assert not outcome([sample(60)], sample(webs=opened, gauges=pooled)).faults()
    leaked = outcome([sample(60)], sample(webs=opened)).faults()
    assert leaked == ["web 1, descriptors: 3 more than before anybody came"]


@pytest.mark.parametrize("name", [*EMPTY, "samia_tasks"])
def test_whatever_is_left_of_people_is_named(name: str) -> None:
    left = sample(gauges=gauges(**{name: sample().gauges[0].get(name, 0.0) + 2}))
    assert left_behind(left, sample()) == [f"2 left in {name} of web 1"]


def test_rows_and_keys_that_are_left_are_named() -> None:
    left = sample(presence=3, redis={"memory": 1.0, "clients": 6.0, "keys": 1.0})
    assert left_behind(left, sample()) == ["3 rows of presence left", "1 keys of Redis left"]
    assert not left_behind(sample(), sample())


def test_errors_in_the_log_are_faults_and_warnings_are_not() -> None:
    logged = {"WARNING: events between processes arrive again": 1, "ERROR: a frame could not be carried out": 2}
    assert outcome([sample(60)], logged=logged).faults() == ["2 × ERROR: a frame could not be carried out"]


def test_how_late_the_loop_was_is_counted_after_the_warm_up() -> None:
    def at(seconds: float, quick: float, slow: float) -> Sample:
        buckets = {"0.01": quick, "0.1": quick + slow, "+Inf": quick + slow}
        return sample(seconds, gauges=gauges(**{verdict.LATE + bound: count for bound, count in buckets.items()}))

    found = outcome([at(0, 0, 0), at(60, 0, 1000), at(120, 980, 1020)])
    assert (found.late(0.5), found.late(0.99)) == (0.01, 0.1)
    assert math.isnan(upper_bound({}, 0.5))


# Times -------------------------------------------------------------------------------------------------------------------


def test_times_by_the_minute_in_which_they_began() -> None:
    moments = [(100.0, 0.001), (159.9, 0.003), (160.0, 0.002), (99.9, 9.0), (220.0, 9.0)]
    first, second = by_minute(moments, 100.0, 220.0)
    assert [first.times, first.p50, first.p99] == pytest.approx([2, 3, 3])
    assert [second.times, second.p99] == pytest.approx([1, 2])
    assert math.isnan(spread([]).p99)


def test_requests_by_route() -> None:
    path = f"/api/chat/sessions/{ONE}/messages?before=17&limit=50"
    assert route("GET", path) == "GET /api/chat/sessions/{}/messages?before&limit"
    assert route("POST", "/api/chat/sync") == "POST /api/chat/sync"


def test_memory_as_the_kernel_tells_it() -> None:
    text = "5609-7ffe ---p 00000000 00:00 0    [rollup]\nRss:     1756 kB\nPss_Anon:    112 kB\n"
    assert rollup(text) == {"Rss": 1756 * 1024, "Pss_Anon": 112 * 1024}


# What a client holds -----------------------------------------------------------------------------------------------------


def message(seq: int, revision: int = 0, *, content: str = "", changed: bool = False) -> dict[str, Any]:
    text = content or f"text {seq}"
    at = "2026-03-14T19:02:11Z" if changed else None
    identity = {"id": f"message {seq}", "seq": seq, "revision": revision or seq}
    return {**identity, "content": text, "edited_at": at, "deleted_at": None}


def test_a_message_behind_a_newer_one_is_late_unless_it_was_changed() -> None:
    thread = Thread()
    assert [thread.take(message(seq)) for seq in (5, 7, 6)] == ["new", "new", "late"]
    changed = Thread()
    # In an answer to `resume`: what was said first was edited last.
    assert [changed.take(one) for one in (message(5), message(7), message(6, 8, changed=True))] == ["new"] * 3


def test_what_was_changed_before_the_page_is_not_held() -> None:
    thread = Thread()
    thread.take(message(5))
    assert thread.take(message(2, 6, changed=True)) == "older"
    assert thread.take(message(6)) == "new"
    assert list(thread.messages) == ["message 5", "message 6"]


def test_the_newest_text_stays_whatever_comes_last() -> None:
    thread = Thread()
    thread.take(message(1))
    assert thread.take(message(1, 3, content="edited", changed=True)) == "known"
    assert thread.take(message(1, 2, content="in between", changed=True)) == "known"
    assert thread.messages["message 1"] == Message(1, 3, "edited")
    assert thread.take({**message(1), "seq": 2}) == "other"


def test_what_differs_from_the_whole_thread() -> None:
    thread = Thread()
    for seq in (3, 4):
        thread.take(message(seq))
    whole = {f"message {seq}": Message(seq, seq, f"text {seq}") for seq in range(1, 5)}
    assert thread.differs(whole) == 0
    assert thread.differs({**whole, "message 5": Message(5, 5, "text 5")}) == 1
    assert thread.differs({**whole, "message 4": Message(4, 6, "edited")}) == 1
    assert thread.differs({name: one for name, one in whole.items() if name != "message 3"}) == 1


def test_the_digest_is_the_exclusive_or_of_the_ids() -> None:
    assert digest([]) == "0" * 32
    assert digest([ONE]) == UUID(ONE).hex
    assert digest([ONE, OTHER]) == digest([OTHER, ONE]) == f"{3:032x}"
