"""A bus for resilience tests: it drops a fifth of what a process tells the others, on purpose."""

from __future__ import annotations

import random
from typing import Any

from samia_chat.realtime.bus import Bus
from samia_chat.realtime.events import Event

LOSS = 0.2


class LossyBus(Bus):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._random = random.Random(20)

    def publish(self, events: list[Event]) -> None:
        if self._random.random() >= LOSS:
            super().publish(events)
