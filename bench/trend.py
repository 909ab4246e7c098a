"""What a line through samples says of an hour, and how long things took, minute by minute."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.driver import milliseconds

HOUR = 3600.0
MINUTE = 60.0
Moment = tuple[float, float]  # when something began, and how many seconds it took


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Of so many, in milliseconds; NaN of none."""

    times: int
    p50: float
    p99: float


def spread(seconds: Iterable[float]) -> Spread:
    ordered = sorted(seconds)
    return Spread(times=len(ordered), p50=milliseconds(ordered, 0.50), p99=milliseconds(ordered, 0.99))


def by_minute(moments: Iterable[Moment], start: float, end: float) -> list[Spread]:
    """Of each minute from `start` on, by when things began; a last one that is shorter counts if it has half of a minute."""
    count = max(1, round((end - start) / MINUTE))
    minutes: list[list[float]] = [[] for _ in range(count)]
    for at, seconds in moments:
        if start <= at < end:
            minutes[min(count - 1, int((at - start) / MINUTE))].append(seconds)
    return [spread(minute) for minute in minutes]


def floors(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of (seconds, value) the lowest of each minute: what is held when what comes and goes has gone. Of a minute with one
    or two of them that is not known."""
    minutes: dict[int, list[tuple[float, float]]] = {}
    for at, value in points:
        minutes.setdefault(int(at / MINUTE), []).append((at, value))
    return [min(found, key=lambda point: point[1]) for found in minutes.values() if len(found) > 2]


def growth(points: Sequence[tuple[float, float]]) -> float:
    """The growth within an hour of the least-squares line through (seconds, value), as a share of the values' mean."""
    line = statistics.linear_regression(*zip(*points, strict=True))
    return line.slope * HOUR / statistics.fmean(value for _, value in points)


def upper_bound(buckets: dict[float, float], share: float) -> float:
    """The bound of a histogram's bucket below which `share` of its observations lie. {bound: how many at most that}"""
    total = max(buckets.values(), default=0.0)
    return next((bound for bound, count in sorted(buckets.items()) if count >= share * total), float("nan"))
