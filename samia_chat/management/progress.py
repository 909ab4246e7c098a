"""How far a long command is, on one line of the terminal. Nothing is written where nobody watches."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TextIO

WIDTH = 30
SECONDS = 0.1  # between two drawings


class ProgressBar:
    """Called with what is being done, and how many of how many are done. The line is removed at the end."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._is_watched = out.isatty()
        self._drawn_at = 0.0
        self._began: dict[str, float] = {}

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._is_watched:
            self._write("")

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        began = self._began.setdefault(what, now)
        if not self._is_watched or (now - self._drawn_at < SECONDS and done < total):
            return
        self._drawn_at = now
        filled = WIDTH * done // max(total, 1)
        left = (now - began) * (total - done) / done if done else 0.0
        self._write(f"{what:<10} [{'#' * filled}{' ' * (WIDTH - filled)}] {done:,} of {total:,}, {left:,.0f} s left")

    def _write(self, text: str) -> None:
        self._out.write(f"\r\x1b[K{text}")
        self._out.flush()
