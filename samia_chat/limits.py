"""Rates: a token bucket per process, user and kind, reconciled between processes through Redis once a second.

Counting stays in memory, so a send never waits for Redis; a process that cannot reach it counts alone, and /readyz says so.
Between two reconciliations N processes may together grant up to N bursts; the debt is then paid off before more is granted.
"""

from __future__ import annotations

import heapq
import time
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.conf import settings

MAX_BUCKETS = 100_000  # at about 300 bytes; beyond them the fullest tenth is forgotten


@dataclass(slots=True)
class Bucket:
    tokens: float
    at: float  # monotonic seconds of the last refill
    spent: float = 0.0  # since the last reconciliation


@dataclass(frozen=True, slots=True)
class Rate:
    capacity: float
    per_second: float


# For many buckets in one call: with one for each, two thousand people at work held up the event loop for 60 ms every second.
# KEYS: buckets; ARGV[1], as JSON, of each: spent since last time, capacity, refill per second. Returns the tokens left of
# each, possibly below zero.
RECONCILE = """
local now = redis.call('TIME'); now = tonumber(now[1]) + tonumber(now[2]) / 1e6
local asked, left = cjson.decode(ARGV[1]), {}
for i, key in ipairs(KEYS) do
  local spent, capacity, rate = unpack(asked[i])
  local held = redis.call('HMGET', key, 't', 'a')
  local tokens = tonumber(held[1]) or capacity
  local at = tonumber(held[2]) or now
  tokens = math.min(capacity, tokens + (now - at) * rate) - spent
  redis.call('HSET', key, 't', tostring(tokens), 'a', tostring(now))
  redis.call('PEXPIRE', key, math.ceil((capacity - tokens) / rate * 1000) + 60000)
  left[i] = tostring(tokens)
end
return left
"""
AT_ONCE = 200  # buckets in a call: it holds up Redis and the event loop for about a millisecond


def _rates() -> dict[str, Rate]:
    per_minute = {
        "message": settings.RATE_MESSAGES,
        "upload": settings.RATE_UPLOADS,
        "voice": settings.RATE_VOICE,
        "write": settings.RATE_WRITES,
        "read": settings.RATE_READS,
        "frame": settings.RATE_FRAMES,
    }
    rates = {kind: Rate(capacity=count, per_second=count / 60) for kind, count in per_minute.items()}
    rates["sign_in"] = Rate(capacity=settings.RATE_SIGN_IN, per_second=settings.RATE_SIGN_IN / 20)
    return rates


@dataclass
class Limiter:
    buckets: dict[tuple[str, str], Bucket] = field(default_factory=dict)
    touched: set[tuple[str, str]] = field(default_factory=set)  # those that Redis has not been told of

    def take(self, kind: str, key: str) -> float:
        """Take one token. Returns 0, or the seconds until there is one (nothing is taken then)."""
        rate = _rates_of[kind] if _rates_of else self.reload()[kind]
        now = time.monotonic()
        name = (kind, key)
        bucket = self.buckets.get(name)
        if bucket is None:
            if len(self.buckets) >= MAX_BUCKETS:
                self._make_room()
            bucket = self.buckets[name] = Bucket(tokens=rate.capacity, at=now)
        else:
            bucket.tokens = min(rate.capacity, bucket.tokens + (now - bucket.at) * rate.per_second)
            bucket.at = now
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / rate.per_second
        bucket.tokens -= 1
        bucket.spent += 1
        self.touched.add(name)
        return 0.0

    def give_back(self, kind: str, key: str) -> None:
        """Return a token: a replayed message does not count."""
        bucket = self.buckets.get((kind, key))
        if bucket is not None:
            bucket.tokens += 1
            bucket.spent -= 1

    def reload(self) -> dict[str, Rate]:
        """Read the rates from the settings again (tests change them)."""
        _rates_of.clear()
        _rates_of.update(_rates())
        return _rates_of

    def reset(self) -> None:
        self.buckets.clear()
        self.touched.clear()
        self.reload()

    async def reconcile(self, redis: Any) -> None:
        """Tell Redis what was spent here, and take over what is left for everybody. Raises what redis raises: then what was
        spent is told when its bucket is next drawn from."""
        names, self.touched = list(self.touched), set()
        for at in range(0, len(names), AT_ONCE):
            await self._reconcile(redis, names[at : at + AT_ONCE])

    async def _reconcile(self, redis: Any, names: list[tuple[str, str]]) -> None:
        sent = {name: bucket.spent for name in names if (bucket := self.buckets.get(name)) is not None}
        keys = [f"samia:rate:{kind}:{key}" for kind, key in sent]
        rates = (_rates_of[kind] for kind, _ in sent)
        asked = [(spent, rate.capacity, rate.per_second) for spent, rate in zip(sent.values(), rates, strict=True)]
        told = await redis.eval(RECONCILE, len(keys), *keys, msgspec.json.encode(asked))
        for name, left in zip(sent, told, strict=True):
            bucket = self.buckets.get(name)
            if bucket is not None:  # else it was forgotten meanwhile
                bucket.spent -= sent[name]
                bucket.tokens = min(bucket.tokens, float(left))

    def sweep(self) -> None:
        """Forget buckets that are full again: they say nothing a new one would not.

        Also when Redis was not told, or there is none: what was spent is paid off there as well by now.
        """
        now = time.monotonic()
        for name, bucket in list(self.buckets.items()):
            if _fullness(name, bucket, now) >= 1:
                self._forget(name)

    def _make_room(self) -> None:
        """Forget what says least. Called where strangers make up names faster than theirs are swept (addresses, say)."""
        now = time.monotonic()
        fullness = {name: _fullness(name, bucket, now) for name, bucket in list(self.buckets.items())}
        for name in heapq.nlargest(max(1, MAX_BUCKETS // 10), fullness, key=fullness.__getitem__):
            self._forget(name)

    def _forget(self, name: tuple[str, str]) -> None:
        self.buckets.pop(name, None)
        self.touched.discard(name)


def _fullness(name: tuple[str, str], bucket: Bucket, now: float) -> float:
    rate = _rates_of[name[0]]
    return (bucket.tokens + (now - bucket.at) * rate.per_second) / rate.capacity


_rates_of: dict[str, Rate] = {}
limiter = Limiter()
