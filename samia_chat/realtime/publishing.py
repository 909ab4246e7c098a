"""From a write to the hub: after the commit, whatever thread or process it happened in."""

from __future__ import annotations

import logging
import time
from functools import cache

import redis
from django.conf import settings
from django.db import connection, transaction
from redis.backoff import NoBackoff
from redis.retry import Retry

from samia_chat import telemetry
from samia_chat.realtime import hub as hubs
from samia_chat.realtime.bus import OUTSIDE
from samia_chat.realtime.events import Event, packets

log = logging.getLogger(__name__)
OUTSIDE_SECONDS = 1.0  # a worker or a command waits so long for Redis, and after that
PAUSE_SECONDS = 5.0  # not again for so long

_silent_until = 0.0


def publish(*events: Event) -> None:
    """Hand events on once the current transaction has committed; at once outside of one. Never raises for Redis's sake."""
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
            _send_to_redis(events)
        else:
            _wake_by_notice(events)
    except Exception:
        telemetry.observe("layer.failed")
        log.warning("events were not handed on; sockets catch up by heartbeat", exc_info=True)


def _send_to_redis(events: list[Event]) -> None:
    """Raises what redis raises; then nothing more is tried for a while, so that long work is not held up by a dead Redis."""
    global _silent_until
    if time.monotonic() < _silent_until:
        telemetry.observe("layer.failed")
        return
    try:
        for packed in packets(events):
            _redis(settings.REDIS_URL).publish(OUTSIDE, packed)
    except redis.RedisError:
        _silent_until = time.monotonic() + PAUSE_SECONDS
        raise


@cache
def _redis(url: str) -> redis.Redis:
    # Once again without a pause: the connection may have been closed since it was last used.
    return redis.Redis.from_url(
        url, socket_timeout=OUTSIDE_SECONDS, socket_connect_timeout=OUTSIDE_SECONDS, retry=Retry(NoBackoff(), 1)
    )


def _wake_by_notice(events: list[Event]) -> None:
    """Without Redis the one web process is told which sessions moved on, and its clients ask for what is new."""
    with connection.cursor() as cursor:
        for session in dict.fromkeys(event.session for event in events):
            cursor.execute(
                "SELECT pg_notify('samia_access', json_build_object('kind', 'members', 'id', %s)::text)", [str(session)]
            )
