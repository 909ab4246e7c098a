"""What a soak found, and what of it must not be: counts that are not 0, memory that grows, what is left behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.rest import Took
from bench.scene import Count
from bench.trend import Moment, floors, growth, upper_bound
from bench.watch import STUCK, Figures, Sample

MIB = 2**20
JUDGED_SECONDS = 300.0  # a line through less says nothing of an hour
FLAT = 0.10  # of the level within an hour
# PostgreSQL's processes are those of connections, and fill their caches as they meet statements, for longer than a run lasts. The
# pools end each within an hour, and what it gathered with it: so much may be there twice.
TWICE = 1.0
# Connections of a process: two pools of SAMIA_DATABASE_POOL_SIZE, one that listens and one that sends.
CONNECTIONS = 2 * 8 + 2
# Of them the one that sends is made with the first message, as is the one that publishes to Redis.
LAZY = 2
# What of a process must be 0 when everybody has left.
EMPTY = (
    "samia_sockets",
    "samia_people",
    "samia_rooms",
    "samia_presence_sockets",
    "samia_typing",
    "samia_messages_waiting",
    "samia_events_waiting order",
    "samia_events_waiting members",
    "samia_redis_unsent_bytes",
    "samia_rate_buckets",
    "samia_database_connections default used",
    "samia_database_connections aside used",
)
LATE = "samia_loop_late_seconds_bucket "
Read = Callable[[Sample], float]


@dataclass(frozen=True, kw_only=True)
class Plan:
    seconds: float
    warm: float  # seconds of them that are not judged
    rate: float  # texts a second
    pairs: int


@dataclass(frozen=True, kw_only=True)
class Resource:
    """How much of something was held, and what is wrong with that."""

    name: str
    before: float  # nobody has come yet
    warm: float  # after the warm-up
    most: float  # under load
    end: float  # of the load
    after: float  # everybody has left
    hour: float | None = None  # growth within an hour, as a share of the level; None: not judged by that
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    plan: Plan
    count: Count
    before: Sample  # nobody has come yet
    samples: Sequence[Sample]  # under load
    after: Sample  # everybody has left
    leaving_seconds: float
    start: float  # of the load, by the clock of the moments
    done: Mapping[str, int]
    passed_over: Mapping[str, int]
    cpu: Figures  # seconds under load: "app", "pg", "redis"
    deliveries: Sequence[Moment]
    requests: Sequence[Took]
    logged: Mapping[str, int]  # what the servers' logs have beside requests

    @property
    def settled(self) -> list[Sample]:
        """Those after the warm-up."""
        return [sample for sample in self.samples if sample.at >= self.plan.warm]

    def other_faults(self) -> list[str]:
        """Those that are not counts, in words."""
        found = [f"{resource.name}: {resource.fault}" for resource in resources(self) if resource.fault]
        found += left_behind(self.after, self.before)
        return found + [f"{times} × {line}" for line, times in self.logged.items() if not line.startswith("WARNING")]

    def faults(self) -> list[str]:
        """All, in words. Empty when all is well."""
        return self.count.faults() + self.other_faults()

    def late(self, share: float) -> float:
        """Seconds that the event loops were late at most in this share of their turns, after the warm-up."""
        first, last = self.settled[0], self.settled[-1]
        buckets: dict[float, float] = {}
        for before, now in zip(first.gauges, last.gauges, strict=True):
            for name in now:
                if name.startswith(LATE):
                    bound = float(name.removeprefix(LATE))
                    buckets[bound] = buckets.get(bound, 0.0) + now[name] - before[name]
        return upper_bound(buckets, share)


# What is held --------------------------------------------------------------------------------------------------------------


def resources(outcome: Outcome) -> list[Resource]:
    webs = [resource for at in range(len(outcome.before.webs)) for resource in _of_web(outcome, at)]
    limit = CONNECTIONS * len(outcome.before.webs)
    return [
        *webs,
        _memory(outcome, "PostgreSQL, own memory MiB", lambda sample: sample.postgresql["own"], limit=TWICE),
        _held(outcome, "PostgreSQL, buffers touched MiB", lambda sample: sample.postgresql["shared"] / MIB),
        _limited(outcome, "PostgreSQL, connections", lambda sample: sum(sample.connections.values()), limit),
        _limited(outcome, f"of them {STUCK}", lambda sample: sample.connections.get(STUCK, 0), 0),
        _held(outcome, "Redis, memory MiB", lambda sample: sample.redis["memory"] / MIB),
        _limited(
            outcome, "Redis, clients", lambda sample: sample.redis["clients"], outcome.settled[0].redis["clients"]
        ),
    ]


def _of_web(outcome: Outcome, at: int) -> list[Resource]:
    name = f"web {at + 1}"

    def gauge(what: str) -> Read:
        return lambda sample: sample.gauges[at][what]

    def pooled(sample: Sample) -> float:
        gauges = sample.gauges[at]
        return sum(count for what, count in gauges.items() if what.startswith("samia_database_connections"))

    return [
        _memory(outcome, f"{name}, memory MiB", lambda sample: sample.webs[at]["memory"], limit=FLAT),
        _regained(outcome, f"{name}, descriptors", lambda sample: sample.webs[at]["descriptors"], pooled),
        _held(outcome, f"{name}, threads", lambda sample: sample.webs[at]["threads"]),
        _held(outcome, f"{name}, tasks", gauge("samia_tasks")),
        _held(outcome, f"{name}, sockets", gauge("samia_sockets")),
        _held(outcome, f"{name}, rooms", gauge("samia_rooms")),
        _held(outcome, f"{name}, rates", gauge("samia_rate_buckets")),
    ]


def _held(outcome: Outcome, name: str, read: Read) -> Resource:
    return Resource(
        name=name,
        before=read(outcome.before),
        warm=read(outcome.settled[0]),
        most=max(map(read, outcome.samples)),
        end=read(outcome.samples[-1]),
        after=read(outcome.after),
    )


def _memory(outcome: Outcome, name: str, read: Read, *, limit: float) -> Resource:
    """`read` in bytes. Wrong where a line through the lowest of each minute after the warm-up climbs by `limit` an hour."""
    points = [(sample.at, read(sample)) for sample in outcome.settled]
    hour = growth(floors(points)) if points[-1][0] - points[0][0] >= JUDGED_SECONDS else None
    fault = f"grows by {hour:.0%} an hour" if hour is not None and hour >= limit else ""
    return replace(_held(outcome, name, lambda sample: read(sample) / MIB), hour=hour, fault=fault)


def _limited(outcome: Outcome, name: str, read: Read, limit: float) -> Resource:
    """Wrong where it was ever above `limit`."""
    found = _held(outcome, name, read)
    most = max(found.most, found.after)
    return replace(found, fault=f"{most:.0f} where {limit:.0f} is the limit" if most > limit else "")


def _regained(outcome: Outcome, name: str, read: Read, kept: Read) -> Resource:
    """Of descriptors: wrong where more are open when everybody has left than before anybody came, beside those of connections
    that are `kept`."""
    found = _held(outcome, name, read)
    more = found.after - found.before - LAZY - (kept(outcome.after) - kept(outcome.before))
    return replace(found, fault=f"{more:.0f} more than before anybody came" if more > 0 else "")


def left_behind(after: Sample, before: Sample) -> list[str]:
    """What is there that should not be when everybody has left, in words."""
    found = []
    for number, (gauges, first) in enumerate(zip(after.gauges, before.gauges, strict=True), 1):
        left = {name: gauges[name] for name in EMPTY}
        left["samia_tasks"] = max(0.0, gauges["samia_tasks"] - first["samia_tasks"])
        found += [f"{count:.0f} left in {name} of web {number}" for name, count in left.items() if count]
    if after.presence:
        found.append(f"{after.presence} rows of presence left")
    if after.redis["keys"]:
        found.append(f"{after.redis['keys']:.0f} keys of Redis left")
    return found
