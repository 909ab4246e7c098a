"""What samples of the web process say: the share of each part in its processor time, and its hottest functions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

Frame = tuple[str, str]  # file and function
LOOP = "Runner.run"  # asyncio's, from which uvloop calls everything
EVENT_LOOP, SERVER, OURS = (
    "event loop (uvloop: wait, read, dispatch)",
    "server (uvicorn, websockets, our protocol class)",
    "consumer, hub, outbox",
)
BATCHER, JSON, LIMITER, TELEMETRY = "batcher and its connection", "JSON", "limiter", "telemetry, metrics"
REDIS, OTHER = "events between processes, Redis", "other"
PARTS = (SERVER, OURS, BATCHER, REDIS, EVENT_LOOP, TELEMETRY, JSON, LIMITER, OTHER)
# The first that fits the innermost frame decides; a frame that nothing fits is its caller's: uuid.py of whoever asked it.
# A file or folder, and of it a function or all.
RULES: Sequence[tuple[str, str, str]] = (
    ("samia_chat/realtime/events.py", "encode", JSON),
    ("chat/live/consumer.py", "ChatConsumer._take", JSON),  # what it does itself is to decode
    ("samia_chat/realtime/events.py", "packets", REDIS),
    ("samia_chat/realtime/events.py", "unpack", REDIS),
    ("samia_chat/realtime/bus.py", "", REDIS),
    ("samia_chat/realtime/link.py", "", REDIS),
    ("samia_chat/realtime/publishing.py", "", REDIS),
    ("redis/", "", REDIS),
    ("hiredis/", "", REDIS),
    ("samia_chat/limits.py", "", LIMITER),
    ("samia_chat/telemetry.py", "", TELEMETRY),
    ("monitoring/", "", TELEMETRY),
    ("prometheus_client/", "", TELEMETRY),
    ("chat/live/batcher.py", "", BATCHER),
    ("chat/live/send_connection.py", "", BATCHER),
    ("psycopg/", "", BATCHER),
    ("samia_chat/realtime/wire.py", "", SERVER),
    ("uvicorn/", "", SERVER),
    ("websockets/", "", SERVER),
    ("chat/", "", OURS),
    ("accounts/", "", OURS),
    ("samia_chat/", "", OURS),
)


@dataclass(frozen=True)
class Sample:
    at: float  # perf_counter
    stack: tuple[Frame, ...]  # the innermost first


def read(path: Path) -> list[Sample]:
    samples = []
    for line in path.read_text().splitlines():
        at, stack = json.loads(line)
        samples.append(Sample(at, tuple((file, function) for file, function in stack)))
    return samples


def between(samples: Iterable[Sample], began: float, seconds: float) -> list[Sample]:
    return [sample for sample in samples if began <= sample.at < began + seconds]


def part_of(stack: Sequence[Frame]) -> str:
    work = _called_by_the_loop(stack)
    if not work:
        return EVENT_LOOP if stack[:1] and stack[0][1] == LOOP else OTHER
    for file, function in work:
        for place, name, part in RULES:
            if file.startswith(place) and (not name or function == name or function.startswith(f"{name}.")):
                return part
    return OTHER


def _called_by_the_loop(stack: Sequence[Frame]) -> Sequence[Frame]:
    """What the event loop runs at the moment; nothing where it is at work itself, or does not run."""
    for at, (_, function) in enumerate(stack):
        if function == LOOP:
            return stack[:at]
    return ()


def shares(samples: Sequence[Sample]) -> dict[str, float]:
    """Of each part, 0 to 1."""
    counted = Counter(part_of(sample.stack) for sample in samples)
    return {part: counted[part] / max(1, len(samples)) for part in PARTS}


def functions(samples: Sequence[Sample]) -> dict[str, float]:
    """The share of each function by itself, with the C it calls; that of the event loop is a part and no function."""
    counted = Counter(
        _name(sample.stack[0]) for sample in samples if sample.stack and part_of(sample.stack) != EVENT_LOOP
    )
    return {name: count / max(1, len(samples)) for name, count in counted.most_common()}


def _name(frame: Frame) -> str:
    file, function = frame
    return f"{file}: {function}"
