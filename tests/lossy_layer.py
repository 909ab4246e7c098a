"""A channel layer for resilience tests: it drops on purpose, as the Channels specification suggests there should be one."""

from __future__ import annotations

import random
from typing import Any

from samia_chat.realtime.layer import PubSubLayer

LOSS = 0.2


class LossyLayer(PubSubLayer):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._random = random.Random(20)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if message["type"] != "events" or self._random.random() >= LOSS:
            await self._get_layer().group_send(group, message)
