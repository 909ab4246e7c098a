from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from samia_chat import telemetry
from samia_chat.embedded.redis import Redis
from tests.server import Server

HEARTBEAT = 2


@pytest.fixture
def redis() -> Iterator[Redis]:
    """A Redis of this test's own, so that it may die."""
    server = Redis()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def start() -> Iterator[Any]:
    """Start server processes; they end with the test."""
    with ExitStack() as stack:

        def one(**settings: str) -> Server:
            usual = {"SAMIA_HEARTBEAT_SECONDS": str(HEARTBEAT), "SAMIA_RATE_MESSAGES": "100000"}
            server = Server(**(usual | settings))
            stack.callback(server.stop)
            return server.start()

        yield one


@pytest.fixture
def dropped() -> Iterator[dict[str, int]]:
    """How many events were dropped, by the reason."""
    found: dict[str, int] = {}

    def sink(name: str, fields: dict[str, Any]) -> None:
        if name == "event.dropped":
            found[fields["why"]] = found.get(fields["why"], 0) + fields.get("count", 1)

    telemetry.register(sink)
    yield found
    telemetry._sinks.remove(sink)
