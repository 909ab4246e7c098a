"""What all clients of a run said, hold and met."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import uuid4

from bench.driver import milliseconds
from bench.rest import Door


@dataclass(slots=True)
class Said:
    """A message: who said it and when, when it was acknowledged, and who holds it since when."""

    id: str
    text: str
    session: str
    by: int
    at: float
    reply_to: str | None = None
    acked: float | None = None
    held: dict[int, float] = field(default_factory=dict)
    times_new: int = 0  # answers that it was stored now
    changed: str | None = None  # its text after the last change that was acknowledged; empty: deleted
    is_refused: bool = False  # for good: its session ended first

    @property
    def now(self) -> str:
        """The text that everybody should have."""
        return self.text if self.changed is None else self.changed


@dataclass
class Record:
    """What all clients of a run said, hold and met."""

    door: Door
    said: dict[str, Said] = field(default_factory=dict)
    reordered: int = 0
    wrong: list[str] = field(default_factory=list)
    closes: Counter[str] = field(default_factory=Counter)
    tries: int = 0  # to connect that failed

    def note(self, by: int, session: str, size: int, filling: str = "x", reply_to: str | None = None) -> Said:
        number = len(self.said) + 1
        text = f"~F{number:09d}~".ljust(size, filling)
        said = Said(str(uuid4()), text, session, by, time.perf_counter(), reply_to)
        self.said[said.id] = said
        return said

    def acknowledge(self, message: str, *, is_replay: bool) -> Said:
        said = self.said[message]
        said.acked = said.acked or time.perf_counter()
        said.times_new += not is_replay
        return said

    def complain(self, what: str) -> None:
        if len(self.wrong) < 20:
            self.wrong.append(what)

    def latency(self, start: float, end: float, members: Iterable[int]) -> tuple[float, float]:
        """p50 and p99 in ms from the wish to send until the other one holds it, of what `members` said in between."""
        among = set(members)
        chosen = [said for said in self.said.values() if start <= said.at < end and said.by in among]
        taken = sorted(said.held[said.by ^ 1] - said.at for said in chosen if said.by ^ 1 in said.held)
        return milliseconds(taken, 0.50), milliseconds(taken, 0.99)
