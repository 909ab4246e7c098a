"""A person as a load has him: he signs in, writes, reads, types, changes his mind, goes and comes back.

One thing at a time, and each as the documents ask: own ids, tokens renewed before they end, receipts of what he holds, nothing
sent into a session that is not active. What the moment may refuse all the same (a session is paused while a text is on its way)
he sends again until it is taken or the session has ended.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque

from picows import WSCloseCode

from bench import world
from bench.behaved import RETRY_SECONDS, Client, Frame, Line
from bench.driver import BODY_BYTES
from bench.record import Record, Said
from bench.rest import Answer, GaveUp, Refused
from bench.thread import Thread

PASSWORD = "a password of the bench"  # of everybody
OVER = ("ended", "archived")
RENEW_SECONDS = 60.0  # before the access token ends
CHANGEABLE_SECONDS = 240.0  # of the 300 in which one may change what one sent
SIGN_OUT_SECONDS = 5.0  # within which a socket must end with its sign-in; documented is one
SECOND_DEVICE_SECONDS = (1.0, 4.0)
REPLIES = 0.15  # of messages
BY_REST = 0.2  # of messages and receipts


class Talker(Client):
    def __init__(self, record: Record, number: int, person: world.Person, token: str) -> None:
        super().__init__(record, number, person, token)
        self.chance = random.Random(number)
        self.is_busy = False
        self.recent: deque[Said] = deque(maxlen=20)  # his own that were stored
        self._front = ""  # the session in front of him
        self._refresh = ""
        self._renew_at = 0.0

    @property
    def is_free(self) -> bool:
        return self.is_level and not self.is_busy

    @property
    def own(self) -> list[str]:
        return [name for name, thread in self.threads.items() if thread.is_own]

    # Signing in ------------------------------------------------------------------------------------------------------

    async def come(self) -> None:
        try:
            await self._sign_in()
        except GaveUp as why:
            self.record.complain(str(why))
            return
        await super().come()

    async def _sign_in(self) -> None:
        words = {"email": self.person.email, "password": PASSWORD}
        self._keep(await super().ask("POST", "/api/auth/token", words))

    async def renew(self) -> None:
        """Exchange the refresh token for the next pair. It is good once: never two of these at a time."""
        if self._renew_at < float("inf"):
            self._renew_at = float("inf")
            self._keep(await super().ask("POST", "/api/auth/refresh", {"refresh": self._refresh}))

    def _keep(self, answer: Answer) -> None:
        self.token, self._refresh = answer.body["access"], answer.body["refresh"]
        self._renew_at = time.monotonic() + answer.body["expires_in"] - RENEW_SECONDS

    async def ask(self, method: str, path: str, body: object = None) -> Answer:
        if time.monotonic() > self._renew_at:
            await self.renew()
        return await super().ask(method, path, body)

    async def sign_out_and_in(self) -> None:
        """The socket must end with its sign-in; then as on a new device, with nothing held."""
        self.may_come.clear()
        await self.ask("POST", "/api/auth/logout")
        deadline = time.monotonic() + SIGN_OUT_SECONDS
        while self._line is not None and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        if self._line is not None:
            self.record.complain(f"person {self.number} signed out {SIGN_OUT_SECONDS:.0f} s ago and has a socket")
            self.drop()
        self.threads.clear()
        self._front = ""
        await self._sign_in()
        self.may_come.set()

    # Writing ---------------------------------------------------------------------------------------------------------

    async def write(self) -> bool:
        """A text into the session of the two. False: it is not active."""
        thread = self.threads.get(self.session)
        if thread is None or thread.status != "active":
            return False
        reply_to = self._somebodys(thread) if self.chance.random() < REPLIES else None
        if self.chance.random() < BY_REST:
            await self.post(BODY_BYTES, reply_to)
        else:
            self.say(BODY_BYTES, reply_to=reply_to)
        return True

    def _somebodys(self, thread: Thread) -> str | None:
        return self.chance.choice(list(thread.messages)[-20:]) if thread.messages else None

    async def post_said(self, said: Said) -> None:
        try:
            await super().post_said(said)
        except Refused as refusal:
            if refusal.code != "session_state":
                raise
            self.waiting[said.id] = said  # the session was paused meanwhile, or has ended: the socket tells which
            self._send(said)

    def _send(self, said: Said) -> None:
        if self.is_level and self._line is not None:
            self._line.send(said)

    def refused(self, line: Line, frame: Frame) -> None:
        said = line.sent(frame["ref"])
        if frame["code"] != "session_state":
            super().refused(line, frame)
        elif said is None or said.id not in self.waiting:
            return  # a signal, or a text whose answer came by another way
        elif self._has_ended(said.session):
            said.is_refused = True
            del self.waiting[said.id]
        else:
            line.again(frame["ref"], RETRY_SECONDS)

    def _has_ended(self, session: str) -> bool:
        thread = self.threads.get(session)
        return thread is not None and thread.status in OVER

    def acknowledged(self, said: Said) -> None:
        if said not in self.recent:
            self.recent.append(said)

    async def repeat(self) -> bool:
        """Send something again that was stored long ago: whoever sends must get the stored message and nothing else."""
        if not self.recent:
            return False
        said = self.chance.choice(self.recent)
        if self.chance.random() < BY_REST:
            await super().post_said(said)
        else:
            self.waiting[said.id] = said
            self._send(said)
        return True

    async def edit(self) -> bool:
        text = f"~E{self.chance.getrandbits(40):013d}~".ljust(BODY_BYTES, "y")
        return await self._change("PATCH", text, {"content": text})

    async def delete(self) -> bool:
        return await self._change("DELETE", "", None)

    async def _change(self, method: str, text: str, body: object) -> bool:
        """Change one's own message. False: there is none that may be changed."""
        since = time.perf_counter() - CHANGEABLE_SECONDS
        mine = [said for said in self.recent if said.at > since and said.now and self._is_changeable(said.session)]
        if not mine:
            return False
        said = self.chance.choice(mine)
        try:
            await self.ask(method, f"/api/chat/messages/{said.id}", body)
        except Refused as refusal:
            if refusal.code != "session_state":
                raise
            return False
        said.changed = text
        return True

    def _is_changeable(self, session: str) -> bool:
        thread = self.threads.get(session)
        return thread is not None and thread.status in ("active", "paused")

    async def signal_typing(self) -> bool:
        thread = self.threads.get(self.session)
        if thread is None or thread.status != "active":
            return False
        kind = "typing_start" if self.chance.random() < 0.7 else "typing_stop"
        self.tell(kind, session=self.session, kind="text" if self.chance.random() < 0.9 else "voice")
        return True

    # Reading ---------------------------------------------------------------------------------------------------------

    def take(self, line: Line, frame: Frame) -> None:
        super().take(line, frame)
        if frame["type"] == "new_message" and frame["message"]["sender"] != str(self.person.user):
            thread = self.threads.get(frame["session"])
            if thread is not None and thread.is_own:
                self.tell("messages_delivered", session=frame["session"], up_to=frame["message"]["seq"])

    def came_back(self) -> None:
        for session in self.own:
            if self.threads[session].newest:
                self.tell("messages_delivered", session=session, up_to=self.threads[session].newest)

    async def view(self) -> bool:
        """Open a session: leave the one before, join it, read its newest page, and say so."""
        if not self.own:
            return False
        if self._front in self.threads:
            self.tell("leave_session", session=self._front)
        self._front = self.chance.choice(self.own)
        self.tell("join_session", session=self._front)
        page = await self.ask("GET", f"/api/chat/sessions/{self._front}/messages")
        if page.body["results"]:
            await self._read(self._front, page.body["results"][-1])
        return True

    async def _read(self, session: str, newest: Frame) -> None:
        self.tell("messages_seen", session=session, up_to=newest["seq"])
        chance = self.chance.random()
        if chance > BY_REST:
            self.tell("messages_read", session=session, up_to=newest["seq"])
        elif chance > BY_REST / 2:
            await self.ask("PUT", f"/api/chat/sessions/{session}/read", {"up_to": newest["seq"], "kind": "read"})
        else:
            await self.ask("PUT", f"/api/chat/messages/{newest['id']}/read")

    async def scroll(self) -> bool:
        if not self.own:
            return False
        session = self._front if self._front in self.own else self.own[0]
        before = self.chance.randint(1, max(1, self.threads[session].newest))
        await self.ask("GET", f"/api/chat/sessions/{session}/messages?before={before}")
        return True

    async def list_sessions(self) -> None:
        await self.ask("GET", "/api/chat/sessions")

    async def look_up(self) -> bool:
        """One session with its members."""
        if self.own:
            await self.ask("GET", f"/api/chat/sessions/{self.chance.choice(self.own)}")
        return bool(self.own)

    async def who_is_there(self) -> bool:
        if not self.own:
            return False
        session = self.chance.choice(self.own)
        how = self.chance.randrange(3)
        if how == 0:
            self.tell("get_online_users", session=session)
        else:
            await self.ask("GET", f"/api/chat/sessions/{session}/{('presence', 'participants')[how - 1]}")
        return True

    async def sync(self) -> None:
        held = {name: thread.revision for name, thread in self.threads.items() if thread.is_own}
        answer = await self.ask("POST", "/api/chat/sync", {"sessions": held})
        if answer.body["gone"]:
            self.record.complain(f"person {self.number} was told by REST that a session of his is gone")

    async def be_here_or_away(self) -> None:
        self.tell("set_presence", state=self.chance.choice(("online", "away")))

    # Coming and going ------------------------------------------------------------------------------------------------

    async def go(self) -> None:
        """Lose the connection, without a word or with one. He comes back by himself."""
        if self._line is not None and self.chance.random() < 0.5:
            self.is_level = False
            self._line.transport.send_close(WSCloseCode.GOING_AWAY)
        else:
            self.drop()

    async def use_second_device(self) -> None:
        device = Client(self.record, self.number, self.person, self.token)
        await device.come()
        if not device.is_level:
            self.record.complain(f"a second device of person {self.number} was not let in")
        await asyncio.sleep(self.chance.uniform(*SECOND_DEVICE_SECONDS))
        device.leave()
