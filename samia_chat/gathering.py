"""Questions of many callers, asked together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class Gathering(Generic[Q, A]):
    """Ask for one, and it is asked for all that wait: a question alone leaves at once; what comes meanwhile goes together.

    When sockets come by the thousand, a transaction for each is what they would wait for.
    """

    def __init__(self, ask: Callable[[list[Q]], Awaitable[Sequence[A]]], *, at_most: int = 64) -> None:
        """`ask` answers questions in their order; what it raises, each of them raises."""
        self._ask = ask
        self._at_most = at_most
        self._waiting: deque[tuple[Q, asyncio.Future[A]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def answer(self, question: Q) -> A:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[A] = loop.create_future()
        self._waiting.append((question, answer))
        if self._task is None:
            self._task = loop.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._ask_together()
        finally:
            self._task = None

    async def _ask_together(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._at_most))]
        batch = [(question, answer) for question, answer in batch if not answer.done()]  # who left meanwhile
        if not batch:
            return
        try:
            found = await self._ask([question for question, _ in batch])
        except Exception as error:  # noqa: BLE001 (handed to all who asked)
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error)
        else:
            for (_, answer), one in zip(batch, found, strict=True):
                if not answer.done():
                    answer.set_result(one)
