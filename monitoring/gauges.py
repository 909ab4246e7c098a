"""What a web process holds at this moment, read when /metrics is asked. When everybody has left, it is back at 0."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from prometheus_client import Gauge

from chat.live import runtime
from chat.live.runtime import Runtime
from monitoring.metrics import registry
from samia_chat.db.pools import connections_by_state
from samia_chat.limits import limiter


def _show(gauge: Gauge, read: Callable[[Runtime], float]) -> None:
    """A figure of what the process runs beside its requests; 0 where nothing of that runs."""
    gauge.set_function(lambda: 0 if (running := runtime.current()) is None else read(running))


rooms = Gauge("samia_rooms", "Sessions with a socket here", registry=registry)
_show(rooms, lambda running: len(running.hub.rooms))

people = Gauge("samia_people", "People with a socket here", registry=registry)
_show(people, lambda running: len(running.hub.users))

presence = Gauge(
    "samia_presence_sockets", "Sockets that this process keeps in the table of presence", registry=registry
)
_show(presence, lambda running: running.presence.count)

typing = Gauge("samia_typing", "Typing signals that are on", registry=registry)
_show(typing, lambda running: running.typing.count)

tasks = Gauge("samia_tasks", "Tasks of the event loop", registry=registry)
_show(tasks, lambda running: len(asyncio.all_tasks(running.hub.loop)))

messages_waiting = Gauge("samia_messages_waiting", "Messages that wait for the database", registry=registry)
_show(messages_waiting, lambda running: running.batcher.waiting)

events_waiting = Gauge(
    "samia_events_waiting",
    "Events that wait: for the one before (order), for the members to be known (members)",
    ["reason"],
    registry=registry,
)
_show(events_waiting.labels("order"), lambda running: sum(len(room.early) for room in list(running.hub.rooms.values())))
_show(
    events_waiting.labels("members"),
    lambda running: sum(len(room.waiting) for room in list(running.hub.rooms.values())),
)

unsent = Gauge("samia_redis_unsent_bytes", "Events for other processes that Redis has not taken", registry=registry)
_show(unsent, lambda running: running.bus.unsent_bytes if running.bus else 0)

buckets = Gauge("samia_rate_buckets", "Rates counted here; one that is full again is forgotten", registry=registry)
buckets.set_function(lambda: len(limiter.buckets))

connections = Gauge(
    "samia_database_connections",
    "Connections of a pool, in use (used) or not (idle)",
    ["pool", "state"],
    registry=registry,
)
for pool in ("default", "aside"):
    for state in ("used", "idle"):
        connections.labels(pool, state).set_function(
            lambda pool=pool, state=state: connections_by_state(pool)[state]  # type: ignore[misc]
        )
