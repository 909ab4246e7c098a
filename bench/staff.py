"""Staff as a load has them: they look into sessions, list all, open new ones, and bring one another in for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from bench import world
from bench.behaved import Frame, Line
from bench.record import Record
from bench.rest import Refused
from bench.talker import Talker
from bench.thread import Thread

LOOK_SECONDS = (0.5, 3.0)
HEAR_SECONDS = 10.0  # within which a change of members must have been heard of; documented is one, for who is connected


class Staff(Talker):
    """An administrator or a monitor."""

    def __init__(self, record: Record, number: int, person: world.Person, token: str) -> None:
        super().__init__(record, number, person, token)
        self._guest_in = ""  # the session that he is a member of for a while

    async def look(self, session: str) -> bool:
        """Look into a session of others for a while: what happens there is heard as by its members."""
        if session in self.threads:
            return False
        self.looking.add(session)
        self.tell("join_session", session=session)
        page = (await self.ask("GET", f"/api/chat/sessions/{session}/messages")).body
        thread = self.threads[session] = Thread(is_own=False, revision=page["revision"])
        for message in page["results"]:
            self._hold(thread, message)
        if self.is_level and self._line is not None:
            self._line.ask()  # what was committed after the page was read
        await asyncio.sleep(self.chance.uniform(*LOOK_SECONDS))
        self.tell("leave_session", session=session)
        self.looking.discard(session)
        self.threads.pop(session, None)
        return True

    async def list_all(self) -> None:
        """Two pages of all there are."""
        path = "/api/chat/sessions?limit=50&status=active"
        page = await self.ask("GET", path)
        if page.body["next"]:
            await self.ask("GET", f"{path}&cursor={page.body['next']}")

    async def open_for(self, people: Sequence[Talker]) -> str:
        """A new session of these people, who hear of it without asking."""
        users = [str(who.person.user) for who in people]
        answer = await self.ask("POST", "/api/chat/sessions", {"type": "general", "people": users})
        session = str(answer.body["id"])
        await self._until(lambda: all(session in who.threads for who in people), "a new session was not heard of")
        return session

    async def bring(self, guest: Staff, session: str) -> bool:
        """Make a colleague a member for a while. False: the session has ended."""
        path = f"/api/chat/sessions/{session}/participants"
        guest._guest_in = session
        try:
            await self.ask("POST", path, {"user": str(guest.person.user)})
        except Refused as refusal:
            if refusal.code != "session_state":
                raise
            return False
        await self._until(lambda: session in guest.threads, "a new member did not hear of his session")
        await asyncio.sleep(self.chance.uniform(*LOOK_SECONDS))
        await self.ask("DELETE", f"{path}/{guest.person.user}")
        await self._until(lambda: session not in guest.threads, "a former member did not hear that he is none")
        return True

    async def _until(self, is_so: Callable[[], bool], complaint: str) -> None:
        deadline = time.monotonic() + HEAR_SECONDS
        while not is_so():
            if time.monotonic() > deadline:
                self.record.complain(complaint)
                return
            await asyncio.sleep(0.02)

    def lose(self, session: str) -> None:
        if session == self._guest_in:
            self.threads.pop(session, None)
        else:
            super().lose(session)

    def refused(self, line: Line, frame: Frame) -> None:
        # A receipt for a session that he was removed from at that moment.
        if frame["code"] != "not_found" or line.sent(frame["ref"]) is not None:
            super().refused(line, frame)
