"""From a write to the hub: after the commit, whatever thread or process it happened in."""

from __future__ import annotations

import logging
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connection, transaction

from samia_chat import telemetry
from samia_chat.realtime import hub as hubs
from samia_chat.realtime.events import Event

log = logging.getLogger(__name__)
GROUP = "samia.events"


def publish(*events: Event) -> None:
    """Hand events on once the current transaction has committed; at once outside of one. Never raises for the layer's sake."""
    transaction.on_commit(lambda: _hand_on(list(events)), robust=True)


def _hand_on(events: list[Event]) -> None:
    hub = hubs.running()
    if hub is not None:
        hub.accept_from_thread(events)
    else:
        _send_from_outside(events)


def _send_from_outside(events: list[Event]) -> None:
    """From a process without sockets: a worker or a command."""
    try:
        if settings.REDIS_URL:
            async_to_sync(send_to_layer)(events, node="")
        else:
            _wake_by_notice(events)
    except Exception:
        telemetry.observe("layer.failed")
        log.warning("events were not handed on; sockets catch up by heartbeat", exc_info=True)


def _wake_by_notice(events: list[Event]) -> None:
    """Without Redis the one web process is told which sessions moved on, and its clients ask for what is new."""
    with connection.cursor() as cursor:
        for session in dict.fromkeys(event.session for event in events):
            cursor.execute(
                "SELECT pg_notify('samia_access', json_build_object('kind', 'members', 'id', %s)::text)", [str(session)]
            )


async def send_to_layer(events: list[Event], node: str) -> None:
    """One publish for all of them. Raises what the layer raises."""
    await _send({"type": "events", "node": node, "events": [event.pack() for event in events]})


async def probe_layer(node: str, at: float) -> None:
    """Send what `node` recognises as its own when it comes back. Raises what the layer raises."""
    await _send({"type": "probe", "node": node, "at": at})


async def _send(message: dict[str, Any]) -> None:
    layer = get_channel_layer()
    assert layer is not None  # settings always name one
    await layer.group_send(GROUP, message)
