"""PUT /api/bookings/{id}: the platform's word, once or twice or at the same moment."""

from __future__ import annotations

import threading
import time
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connections

from tests.cast import World
from tests.database import Truth
from tests.rest import Answer, Api


def contents(world: World, **changes: Any) -> dict[str, Any]:
    return {
        "client": world.client.pk,
        "reader": world.reader.pk,
        "service": "Three cards",
        "scheduled_at": "2026-12-01T10:00:00Z",
        "status": "confirmed",
        **changes,
    }


def records(truth: Truth, booking: UUID) -> list[str]:
    rows = truth.rows("SELECT action FROM chat_audit_logs WHERE record_id = %s ORDER BY n", booking)
    return [row["action"] for row in rows]


def test_a_booking_is_made_then_changed_and_the_same_again_writes_nothing(world: World, truth: Truth) -> None:
    api, booking = Api(world.admin), uuid4()
    first = api.put(f"/bookings/{booking}", contents(world))
    again = api.put(f"/bookings/{booking}", contents(world))
    assert (first.status, again.status, again.body) == (201, 200, first.body)
    changed = api.put(f"/bookings/{booking}", contents(world, service="Celtic Cross"))
    assert (changed.status, changed.body["service"]) == (200, "Celtic Cross")
    assert records(truth, booking) == ["booking.created", "booking.changed"]


def test_a_booking_of_unknown_people_or_of_one_is_refused(world: World) -> None:
    api = Api(world.admin)
    for changes in ({"client": uuid4()}, {"reader": uuid4()}, {"reader": world.client.pk}):
        answer = api.put(f"/bookings/{uuid4()}", contents(world, **changes))
        assert (answer.status, answer.code) == (400, "unknown_person")


@pytest.mark.parametrize(("service", "expected"), [("Three cards", ["booking.created"]), ("Celtic Cross", None)])
def test_the_later_of_two_first_puts_is_a_change(
    service: str, expected: list[str] | None, world: World, truth: Truth
) -> None:
    """The first one's row is there and not committed when the second looks for it."""
    api, booking, answers = Api(world.admin), uuid4(), list[Answer]()

    def put() -> None:
        try:
            answers.append(api.put(f"/bookings/{booking}", contents(world)))
        finally:
            connections.close_all()

    second = threading.Thread(target=put)
    with psycopg.connect(truth.connection.info.dsn, password=truth.connection.info.password) as first:
        first.execute(
            "INSERT INTO bookings (id, client_id, reader_id, service, scheduled_at, status, is_emergency)"
            " VALUES (%s, %s, %s, %s, '2026-12-01T10:00:00Z', 'confirmed', false)",
            [booking, world.client.pk, world.reader.pk, service],
        )
        second.start()
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        deadline = time.monotonic() + 10
        while not truth.one(waiting):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    second.join()
    assert answers[0].status == 200, answers[0].body
    assert answers[0].body["service"] == "Three cards"
    assert records(truth, booking) == (expected or ["booking.created", "booking.changed"])
