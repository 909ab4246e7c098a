"""Questions asked together: one at a time on its way, answers to whom they belong, a failure to all who asked."""

from __future__ import annotations

import asyncio

import pytest

from samia_chat.gathering import Gathering


class Oracle:
    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.may_answer = asyncio.Event()

    async def ask(self, questions: list[int]) -> list[int]:
        self.asked.append(questions)
        await self.may_answer.wait()
        if 13 in questions:
            raise ValueError("unlucky")
        return [10 * question for question in questions]


async def test_what_comes_meanwhile_is_asked_together() -> None:
    oracle = Oracle()
    gathering = Gathering(oracle.ask, at_most=3)
    questions = [asyncio.ensure_future(gathering.answer(number)) for number in range(6)]
    await asyncio.sleep(0)
    late = asyncio.ensure_future(gathering.answer(2))  # one that was asked before is asked again
    oracle.may_answer.set()
    assert await asyncio.gather(*questions, late) == [0, 10, 20, 30, 40, 50, 20]
    assert oracle.asked == [[0, 1, 2], [3, 4, 5], [2]]
    assert await gathering.answer(7) == 70  # alone, at once


async def test_a_failure_is_everybodys_who_asked_and_nobodys_after() -> None:
    oracle = Oracle()
    oracle.may_answer.set()
    gathering = Gathering(oracle.ask)
    found = await asyncio.gather(gathering.answer(1), gathering.answer(13), return_exceptions=True)
    assert [type(one) for one in found] == [ValueError, ValueError]
    assert await gathering.answer(1) == 10


async def test_who_leaves_does_not_hold_the_others_up() -> None:
    oracle = Oracle()
    gathering = Gathering(oracle.ask, at_most=1)
    first, second, third = (asyncio.ensure_future(gathering.answer(number)) for number in range(3))
    await asyncio.sleep(0.01)
    first.cancel()  # on its way
    second.cancel()  # waiting
    oracle.may_answer.set()
    async with asyncio.timeout(1):
        assert await third == 20
    assert oracle.asked == [[0], [2]]
    with pytest.raises(asyncio.CancelledError):
        await first
