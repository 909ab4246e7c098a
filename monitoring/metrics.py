"""Prometheus metrics: the sink of `telemetry`, and the page that shows them. No ids of people or sessions as labels."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

registry = CollectorRegistry()

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
notices = Counter("samia_access_notices", "Access notices received", ["kind"], registry=registry)


def count(event: str, fields: dict[str, object]) -> None:
    """The telemetry sink. Events without a metric are let pass."""
    match event:
        case "refused":
            refused.labels(str(fields["code"])).inc()
        case "message.sent":
            messages.labels(str(fields["outcome"])).inc()
        case "message.batch":
            batch_size.observe(float(str(fields["size"])))
            send_seconds.observe(float(str(fields["seconds"])))
        case "event.delivered":
            events.inc(float(str(fields["count"])))
        case "event.dropped":
            dropped.labels(str(fields["why"])).inc(float(str(fields.get("count", 1))))
        case "layer.failed":
            layer_failures.inc()
        case "socket.opened":
            sockets.inc()
        case "socket.closed":
            sockets.dec()
            closed.labels(str(fields["code"])).inc()
        case "loop.late":
            loop_late.observe(float(str(fields["seconds"])))
        case "access.notice":
            notices.labels(str(fields["kind"])).inc()


def page() -> bytes:
    return generate_latest(registry)
