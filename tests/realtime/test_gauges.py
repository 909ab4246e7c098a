"""What /metrics says of what a process holds: there while people are, and nothing of it once they have left."""

from __future__ import annotations

import asyncio
import time

from django.db import connections
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from samia_chat.limits import limiter
from tests.cast import World
from tests.device import Device
from tests.rest import in_thread, until

OF_PEOPLE = ("samia_sockets", "samia_people", "samia_presence_sockets", "samia_rooms", "samia_typing")
WAITING = ("messages_waiting", "events_waiting order", "events_waiting members", "redis_unsent_bytes")
IN_USE = tuple(f"samia_database_connections {pool} used" for pool in ("default", "aside"))


def gauges() -> dict[str, float]:
    """By name, with the values of labels after it."""
    page = Client().get("/metrics").content.decode()
    samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    return {" ".join([sample.name, *sample.labels.values()]): sample.value for sample in samples}


def are_zero(*names: str) -> bool:
    shown = gauges()
    return not any(shown[name] for name in names)


async def test_what_a_process_holds_is_shown_and_goes_back_to_nothing(world: World) -> None:
    reader, client = await Device(world.reader).open(), await Device(world.client).open()
    client.send("typing_start", session=world.session)
    await reader.expect("typing_start")
    shown = await in_thread(gauges)
    assert [shown[name] for name in OF_PEOPLE] == [2, 2, 2, 1, 1]
    assert [shown[f"samia_{name}"] for name in WAITING] == [0, 0, 0, 0]
    assert shown["samia_tasks"] > 0
    assert shown["samia_rate_buckets"] > 0
    await reader.hang_up()
    await client.hang_up()
    await until(lambda: are_zero(*OF_PEOPLE))


def test_connections_in_use_are_told_from_idle_ones(world: World) -> None:
    assert [gauges()[name] for name in IN_USE] == [1, 0]  # this thread has made the world
    connections.close_all()
    shown = gauges()
    assert [shown[name] for name in IN_USE] == [0, 0]
    assert shown["samia_database_connections default idle"] >= 1


async def test_how_late_the_event_loop_is(world: World) -> None:
    await Device(world.client).open()
    before = await in_thread(gauges)
    await asyncio.sleep(0.2)
    time.sleep(0.3)  # nothing else runs meanwhile
    await asyncio.sleep(0.2)
    after = await in_thread(gauges)
    within, all_of_them = (
        after[bucket] - before[bucket]
        for bucket in ("samia_loop_late_seconds_bucket 0.1", "samia_loop_late_seconds_bucket +Inf")
    )
    assert all_of_them > within


def test_a_rate_is_held_until_it_is_full_again() -> None:
    limiter.take("frame", "somebody")
    assert gauges()["samia_rate_buckets"] == 1
    limiter.give_back("frame", "somebody")
    limiter.sweep()
    assert gauges()["samia_rate_buckets"] == 0
