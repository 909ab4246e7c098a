"""What people do and how often: the mix of Mattermost's load test, as far as the product has it, and what is ours.

Theirs, for one text: another session opened 6.52, history read 1.99, unread asked for 1, a session looked up 0.98, the
connection lost 0.144, edits 0.04. What is rarer is done more often than there, so that a run of minutes has some of each.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from bench.driver import pace
from bench.record import Record
from bench.rest import GaveUp
from bench.staff import Staff
from bench.talker import Talker

# For one text written.
WEIGHTS = {
    "write": 1.0,
    "view": 6.52,  # with a receipt for each
    "scroll": 1.99,
    "list": 1.0,
    "look up": 0.98,
    "type": 2.0,
    "go and come back": 0.1,
    "second device": 0.044,
    "edit": 0.04,
    "delete": 0.02,  # theirs: 0.0049
    "repeat": 0.02,
    "who is there": 0.1,
    "here or away": 0.1,
    "sync": 0.1,
    "renew": 0.02,
    "sign out and in": 0.01,  # theirs: 0.0008
    "pause": 0.02,
    "open and end": 0.01,  # theirs: 0.0055
    "staff list": 0.01,
    "staff look in": 0.02,
    "staff come in": 0.02,
}
WARMER = 1.5  # times as much as afterwards
PAUSE_SECONDS = (0.5, 2.0)
LAST_SECONDS = 30.0  # for what is still being done at the end
Act = Callable[[], Awaitable[object]]


class Mix:
    def __init__(self, record: Record, pairs: Sequence[tuple[Talker, Talker]], admin: Staff, monitor: Staff) -> None:
        """`pairs`: a client and a reader each, who talk with one another."""
        self.record = record
        self.done: Counter[str] = Counter()
        self.passed_over: Counter[str] = Counter()  # nobody was free for it, or there was nothing to do it with
        self._pairs, self._admin, self._monitor = pairs, admin, monitor
        self._talkers = [talker for pair in pairs for talker in pair]
        self._chance = random.Random(7)
        self._running: set[asyncio.Task[None]] = set()

    async def warm_up(self, texts_per_second: float, seconds: float) -> None:
        """Harder than what follows: half as much again, and what is rare is less so.

        Memory then has what the load needs at its worst, and each connection has the plans of nearly everything: neither would
        otherwise have settled within minutes.
        """
        flat = {name: weight**0.5 for name, weight in WEIGHTS.items()}
        await self._keep_beginning(flat, WARMER * texts_per_second * sum(WEIGHTS.values()), seconds)

    async def run(self, texts_per_second: float, seconds: float) -> None:
        """So much a second, whatever the server does, for so long; then until all is done."""
        await self._keep_beginning(WEIGHTS, texts_per_second * sum(WEIGHTS.values()), seconds)
        if self._running:
            await asyncio.wait(self._running, timeout=LAST_SECONDS)
        for task in self._running:
            self.record.complain(f"not done {LAST_SECONDS:.0f} s after the end: {task.get_name()}")
            task.cancel()

    async def _keep_beginning(self, weights: Mapping[str, float], per_second: float, seconds: float) -> None:
        names, shares = list(weights), list(weights.values())
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await pace(per_second, lambda late: self._begin(self._chance.choices(names, shares)[0]))

    def _begin(self, name: str) -> None:
        """One thing, by people who do nothing else at that time."""
        chosen = self._choose(name)
        if chosen is None:
            self.passed_over[name] += 1
            return
        people, act = chosen
        for who in people:
            who.is_busy = True
        task = asyncio.create_task(self._carry_out(name, people, act), name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _carry_out(self, name: str, people: Sequence[Talker], act: Act) -> None:
        try:
            is_done = await act() is not False
        except GaveUp as why:
            self.record.complain(f"{name}: {why}")
        except Exception as error:  # noqa: BLE001 (a fault of ours must not pass for one that nobody saw)
            self.record.complain(f"{name}: {error!r}")
        else:
            (self.done if is_done else self.passed_over)[name] += 1
        finally:
            for who in people:
                who.is_busy = False

    def _choose(self, name: str) -> tuple[Sequence[Talker], Act] | None:
        """Who does it, and how; None: nobody is free for it."""
        if name.startswith("staff"):
            return self._choose_staff(name)
        if name in ("pause", "open and end"):
            return self._choose_pair(name)
        free = [talker for talker in self._chance.sample(self._talkers, 8) if talker.is_free]
        return ([free[0]], self._deed(name, free[0])) if free else None

    def _choose_pair(self, name: str) -> tuple[Sequence[Talker], Act] | None:
        client, reader = self._chance.choice(self._pairs)
        needed = [reader] if name == "pause" else [client, reader, self._admin]
        if not all(who.is_free for who in needed):
            return None
        return needed, (lambda: self._pause(reader)) if name == "pause" else lambda: self._open_and_end(client, reader)

    def _choose_staff(self, name: str) -> tuple[Sequence[Talker], Act] | None:
        session = self._chance.choice(self._talkers).session
        if name == "staff come in":
            both = [self._admin, self._monitor]
            are_free = all(who.is_free for who in both)
            return (both, lambda: self._admin.bring(self._monitor, session)) if are_free else None
        who = self._chance.choice([self._admin, self._monitor])
        if not who.is_free:
            return None
        return [who], (who.list_all if name == "staff list" else lambda: who.look(session))

    def _deed(self, name: str, who: Talker) -> Act:
        deeds: dict[str, Act] = {
            "write": who.write,
            "view": who.view,
            "scroll": who.scroll,
            "list": who.list_sessions,
            "look up": who.look_up,
            "type": who.signal_typing,
            "go and come back": who.go,
            "second device": who.use_second_device,
            "edit": who.edit,
            "delete": who.delete,
            "repeat": who.repeat,
            "who is there": who.who_is_there,
            "here or away": who.be_here_or_away,
            "sync": who.sync,
            "renew": who.renew,
            "sign out and in": who.sign_out_and_in,
        }
        return deeds[name]

    # Of two ----------------------------------------------------------------------------------------------------------

    async def _pause(self, reader: Talker) -> None:
        """The client goes on meanwhile: what he says is refused until the session goes on, too."""
        path = f"/api/chat/sessions/{reader.session}"
        await reader.ask("POST", f"{path}/pause", {})
        await asyncio.sleep(self._chance.uniform(*PAUSE_SECONDS))
        await reader.ask("POST", f"{path}/resume", {})

    async def _open_and_end(self, client: Talker, reader: Talker) -> None:
        """A new session for the two, who go on there; then the reader ends the old one."""
        old = client.session
        client.session = reader.session = await self._admin.open_for([client, reader])
        await reader.ask("POST", f"/api/chat/sessions/{old}/end", {})
