"""What a lower layer tells a higher one. Anything may call `observe`; `monitoring` registers the sink that counts.

A sink must be quick and must not raise: it runs inside the send path. One that raises is logged and the work goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)

Sink = Callable[[str, dict[str, Any]], None]
_sinks: list[Sink] = []


def register(sink: Sink) -> None:
    """Add a sink: called with the event's name (`message.sent`) and its fields. Registering twice counts once."""
    if sink not in _sinks:
        _sinks.append(sink)


def observe(event: str, **fields: Any) -> None:
    for sink in _sinks:
        try:
            sink(event, fields)
        except Exception:
            log.exception("telemetry sink failed", extra={"event": event})
