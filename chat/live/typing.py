"""Typing signals: in memory only. One that is not repeated within 5 s is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

EXPIRES_SECONDS = 5.0
REPEAT_SECONDS = 2.0  # a signal repeated sooner only lasts longer


@dataclass(slots=True)
class Signal:
    what: str
    told_at: float
    timer: asyncio.TimerHandle


class TypingSignals:
    def __init__(self, tell: Callable[[str, UUID, UUID, str], None]) -> None:
        """`tell(frame type, session, user, what)` publishes a start or a stop."""
        self._tell = tell
        self._signals: dict[tuple[UUID, UUID], Signal] = {}
        self._loop = asyncio.get_running_loop()

    @property
    def count(self) -> int:
        """Signals that are on."""
        return len(self._signals)

    def start(self, session: UUID, user: UUID, what: str) -> None:
        now = self._loop.time()
        known = self._signals.pop((session, user), None)
        if known is not None:
            known.timer.cancel()
        is_news = known is None or known.what != what or now - known.told_at >= REPEAT_SECONDS
        if is_news:
            self._tell("typing_start", session, user, what)
        timer = self._loop.call_later(EXPIRES_SECONDS, self.stop, session, user)
        told_at = now if is_news or known is None else known.told_at
        self._signals[session, user] = Signal(what=what, told_at=told_at, timer=timer)

    def stop(self, session: UUID, user: UUID) -> None:
        """The signal is over, if there was one."""
        known = self._signals.pop((session, user), None)
        if known is not None:
            known.timer.cancel()
            self._tell("typing_stop", session, user, known.what)

    def stop_all(self, user: UUID) -> None:
        for session, somebody in list(self._signals):
            if somebody == user:
                self.stop(session, somebody)
