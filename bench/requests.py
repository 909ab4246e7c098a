"""Requests in an open loop, on connections that stay open: how long each takes, and what they cost the servers."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from bench import machine
from bench.driver import DRAIN_SECONDS, Roots, milliseconds, pace, without_collector
from bench.rest import Answer, Connection

CONNECTIONS = 16  # as a proxy keeps open to a process


@dataclass(frozen=True, kw_only=True)
class Times:
    """What was seen of `answered` requests that began in `seconds`. `cpu` in seconds by group of processes."""

    seconds: float
    answered: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    cpu: dict[str, float]
    driver_lag_ms: float  # how late the driver was at worst in beginning one

    def split(self) -> dict[str, float]:
        """Processor seconds of 1,000 requests, by group."""
        return {name: 1000 * spent / max(1, self.answered) for name, spent in self.cpu.items()}


@dataclass
class Requests:
    """Each takes the connection that has been free longest, or waits for one; the wait is part of its time."""

    port: int
    failed: Counter[str] = field(default_factory=Counter)
    _free: asyncio.Queue[Connection] = field(default_factory=asyncio.Queue)
    _running: set[asyncio.Task[None]] = field(default_factory=set)
    _taken: list[float] = field(default_factory=list)  # seconds of what began in the window
    _is_window: bool = False
    _lag: float = 0.0

    async def connect(self) -> None:
        for _ in range(CONNECTIONS):
            self._free.put_nowait(await Connection.open(self.port))

    def close(self) -> None:
        """Between windows: a server closes connections that are idle for a few seconds."""
        while not self._free.empty():
            self._free.get_nowait().close()

    def begin(self, method: str, path: str, token: str, body: object = None, *, then: Callable[[Answer], None]) -> None:
        """Ask without waiting; `then` gets the answer, whatever it is. Where none comes, that is in `failed`."""
        task = asyncio.create_task(self._carry_out(time.perf_counter(), method, path, token, body, then))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _carry_out(
        self, start: float, method: str, path: str, token: str, body: object, then: Callable[[Answer], None]
    ) -> None:
        is_counted = self._is_window
        connection = await self._free.get()
        try:
            answer = await connection.ask(method, path, token, body)
        except (OSError, EOFError, ValueError) as error:
            self.failed[f"{method}: {error!r}"] += 1
            connection.close()
            connection = await Connection.open(self.port)
        else:
            if is_counted:
                self._taken.append(time.perf_counter() - start)
            then(answer)
        finally:
            self._free.put_nowait(connection)

    async def open(self, rate: float, act: Callable[[], None], *, warm: float, seconds: float, roots: Roots) -> Times:
        """Call `act`, which begins a request, `rate` times a second; the driver never waits."""
        await self.connect()
        pump = asyncio.create_task(pace(rate, lambda late: self._act(late, act)))
        await asyncio.sleep(warm)
        with without_collector():
            self._taken.clear()
            self._lag, self._is_window = 0.0, True
            cpu, start = machine.seconds(roots), time.perf_counter()
            await asyncio.sleep(seconds)
            lasted, self._is_window = time.perf_counter() - start, False
            spent = {name: now - cpu[name] for name, now in machine.seconds(roots).items()}
            pump.cancel()
            await self._drain()
        taken = sorted(self._taken)
        self.close()
        return Times(
            seconds=lasted,
            answered=len(taken),
            p50_ms=milliseconds(taken, 0.50),
            p95_ms=milliseconds(taken, 0.95),
            p99_ms=milliseconds(taken, 0.99),
            max_ms=milliseconds(taken, 1.0),
            cpu=spent,
            driver_lag_ms=1000 * self._lag,
        )

    def _act(self, late: float, act: Callable[[], None]) -> None:
        self._lag = max(self._lag, late)
        act()

    async def _drain(self) -> None:
        if self._running:
            _, late = await asyncio.wait(set(self._running), timeout=DRAIN_SECONDS)
            if late:
                self.failed["never answered"] += len(late)
