"""Prometheus metrics: the sink of `telemetry`, and the page that shows them. No ids of people or sessions as labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

registry = CollectorRegistry()
Fields = dict[str, Any]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
refused = Counter("samia_refused", "Requests and frames refused", ["code"], registry=registry)
messages = Counter("samia_messages", "Messages by outcome of the send", ["outcome"], registry=registry)
send_seconds = Histogram("samia_send_seconds", "From accepted to committed", registry=registry, buckets=_SECONDS)
batch_size = Histogram(
    "samia_batch_size", "Messages per database call", registry=registry, buckets=(1, 2, 4, 8, 16, 32, 64)
)
events = Counter("samia_events", "Events handed to sockets", registry=registry)
dropped = Counter(
    "samia_events_dropped", "Events not handed on: droppable ones, or a socket closed", ["why"], registry=registry
)
layer_failures = Counter("samia_layer_failures", "Publishes that Redis did not take", registry=registry)
sockets = Gauge("samia_sockets", "Open sockets", registry=registry)
closed = Counter(
    "samia_sockets_closed",
    "Sockets that ended: our close code, or 1000 where the client left",
    ["code"],
    registry=registry,
)
loop_late = Histogram(
    "samia_loop_late_seconds", "How late the event loop comes to what is due", registry=registry, buckets=_SECONDS
)
files_refused = Counter("samia_files_refused", "Files that the parsers refused", ["code"], registry=registry)
scanner_away = Counter(
    "samia_scanner_away", "Files that wait because the virus scanner did not answer", registry=registry
)
notices = Counter("samia_access_notices", "Access notices received", ["kind"], registry=registry)


class _Labelled:
    """A counter's children by label: `labels` takes a lock and makes texts of what it is given, at every message."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._children: dict[object, Counter] = {}

    def add(self, label: object, count: float = 1) -> None:
        child = self._children.get(label)
        if child is None:
            child = self._children[label] = self._counter.labels(str(label))
        child.inc(count)


_refused, _messages, _dropped, _closed, _notices, _files_refused = map(
    _Labelled, (refused, messages, dropped, closed, notices, files_refused)
)


def _batch(fields: Fields) -> None:
    batch_size.observe(fields["size"])
    send_seconds.observe(fields["seconds"])


def _socket_closed(fields: Fields) -> None:
    sockets.dec()
    _closed.add(fields["code"])


_takes: dict[str, Callable[[Fields], None]] = {
    "refused": lambda fields: _refused.add(fields["code"]),
    "message.sent": lambda fields: _messages.add(fields["outcome"]),
    "message.batch": _batch,
    "event.delivered": lambda fields: events.inc(fields["count"]),
    "event.dropped": lambda fields: _dropped.add(fields["why"], fields.get("count", 1)),
    "layer.failed": lambda fields: layer_failures.inc(),
    "socket.opened": lambda fields: sockets.inc(),
    "socket.closed": _socket_closed,
    "loop.late": lambda fields: loop_late.observe(fields["seconds"]),
    "file.refused": lambda fields: _files_refused.add(fields["code"]),
    "scanner.away": lambda fields: scanner_away.inc(),
    "access.notice": lambda fields: _notices.add(fields["kind"]),
}


def count(event: str, fields: Fields) -> None:
    """The telemetry sink. Events without a metric are let pass."""
    take = _takes.get(event)
    if take is not None:
        take(fields)


def page() -> bytes:
    return generate_latest(registry)
