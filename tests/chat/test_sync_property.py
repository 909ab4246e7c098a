"""Promise 1 and 2 at once, under a layer that loses, doubles and reorders: after a sync every client holds what a fresh
one gets, and nothing he may not see ever reached him.

Two members and an administrator who looks in, real sockets, the real database; events pass through faults that Hypothesis
chooses. What each person may see is noted by the machine itself when a change is committed.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from accounts.identity import actor_of
from accounts.models import User
from chat.live import runtime
from chat.services import message as messages
from chat.services import participant as participants
from chat.services import receipt
from chat.services import session as sessions
from chat.services.sync import Held as Named
from chat.services.sync import sync
from samia_chat import actor
from samia_chat.actor import Actor
from samia_chat.errors import Problem
from samia_chat.limits import limiter
from samia_chat.realtime.events import Event
from tests.cast import make_person, make_session
from tests.chat.model_client import Held, ModelClient
from tests.database import Truth
from tests.device import Device
from tests.rest import in_thread

IS_FULL = bool(os.environ.get("TEST_FULL"))
PEOPLE = st.sampled_from(["client", "reader"])
SESSIONS = st.sampled_from([0, 1])
VIEWERS = st.sampled_from(["client", "reader", "staff"])
FAULT = st.sampled_from(["none", "none", "drop", "double", "hold"])


class Talk(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.truth = Truth()
        self.truth.empty()
        limiter.reset()
        self.fault = "none"
        self.held_back: list[Event] = []
        self.sent: list[tuple[int, str, UUID]] = []  # session, sender, message

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        async def end() -> None:
            for client in self.clients.values():
                if client.device is not None:
                    await client.device.hang_up()
            await runtime.stop()

        self.run(end())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
        self.truth.connection.close()

    @initialize()
    def begin(self) -> None:
        people = {name: make_person(name, name) for name in ("client", "reader")}
        people["staff"], third = make_person("staff", "admin"), make_person("third")
        self.people: dict[str, User] = people
        # Both are in the first session; the second is the client's and somebody else's.
        self.sessions = [make_session(people["client"], people["reader"]), make_session(people["client"], third)]
        self.members = [{"client", "reader"}, {"client"}]
        self.members_checked = [set(members) for members in self.members]  # as they were at the last check
        # The reader's client asks in slices of one session, the others' at once.
        self.clients = {name: ModelClient(person) for name, person in people.items()}
        self.clients["reader"].max_named = 1
        # (session, revision) of each change → whom it may reach
        self.audience: dict[tuple[str, int], set[str]] = {}
        self.run(self._start())

    async def _start(self) -> None:
        hub = runtime.ensure_started().hub
        self.deliver, hub.deliver = hub.deliver, self._with_faults  # type: ignore[method-assign]
        for client in self.clients.values():
            await self._connect(client)

    def _with_faults(self, event: Event) -> None:
        """What the layer between two processes may do to an event."""
        waiting, self.held_back = self.held_back, []
        if self.fault == "hold":
            self.held_back = [event]
        elif self.fault != "drop":
            self.deliver(event)
            if self.fault == "double":
                self.deliver(event)
        for late in waiting:
            self.deliver(late)

    async def _connect(self, client: ModelClient) -> None:
        client.device = await Device(client.person).open()
        if client is self.clients["staff"]:
            for session in self.sessions:
                await client.device.ask("join_session", "session_joined", session=session)
        await client.sync()
        if client is self.clients["staff"]:
            # A viewer who is no member names what he looks at.
            client.sessions.update({str(s): Held(revision=0) for s in self.sessions if str(s) not in client.sessions})
            await client.sync()

    # What people do ------------------------------------------------------------------------------------------------

    def act(self, name: str, session: int, function: Any, **fields: Any) -> Any:
        """Carry out a service as somebody. Refusals are part of life; what was committed gets its audience."""

        def work() -> Any:
            who = actor.system("test") if name == "system" else actor_of(self.people[name], Actor())
            with actor.acting_as(who):
                return function(**fields)

        before = self._revision(session)
        try:
            return self.run(in_thread(work))
        except Problem:
            return None
        finally:
            for revision in range(before + 1, self._revision(session) + 1):
                self.audience[str(self.sessions[session]), revision] = {*self.members[session], "staff"}
            limiter.reset()

    def _revision(self, session: int) -> int:
        return self.truth.one("SELECT revision FROM chat_session_state WHERE session_id = %s", self.sessions[session])

    @rule(name=PEOPLE, session=SESSIONS, fault=FAULT, text=st.text(min_size=1, max_size=20))
    def send(self, name: str, session: int, fault: str, text: str) -> None:
        self.fault = fault
        who = actor_of(self.people[name], Actor())
        sent = self.act(
            name,
            session,
            messages.send_message,
            sender=who,
            session_id=self.sessions[session],
            content=text,
            message_id=uuid4(),
        )
        if sent is not None:
            self.sent.append((session, name, sent.message["id"]))

    @precondition(lambda self: self.sent)
    @rule(which=st.integers(min_value=0), fault=FAULT, text=st.text(min_size=1, max_size=20))
    def edit(self, which: int, fault: str, text: str) -> None:
        self.fault = fault
        session, name, message = self.sent[which % len(self.sent)]
        self.act(name, session, messages.edit_message, by=self.people[name], message_id=message, content=text)

    @precondition(lambda self: self.sent)
    @rule(which=st.integers(min_value=0), fault=FAULT, by_staff=st.booleans())
    def delete(self, which: int, fault: str, by_staff: bool) -> None:
        self.fault = fault
        session, name, message = self.sent[which % len(self.sent)]
        who = "staff" if by_staff else name
        self.act(who, session, messages.delete_message, by=self.people[who], message_id=message)

    @rule(name=PEOPLE, session=SESSIONS, fault=FAULT, kind=st.sampled_from(receipt.KINDS), back=st.integers(0, 3))
    def receive(self, name: str, session: int, fault: str, kind: str, back: int) -> None:
        self.fault = fault
        last = self.truth.one("SELECT last_seq FROM chat_session_state WHERE session_id = %s", self.sessions[session])
        self.act(
            name,
            session,
            receipt.move_cursor,
            user_id=self.people[name].pk,
            session_id=self.sessions[session],
            kind=kind,
            up_to=max(0, last - back),
        )

    @rule(session=SESSIONS, fault=FAULT, verb=st.sampled_from(["pause", "resume", "lock", "unlock"]))
    def change_state(self, session: int, fault: str, verb: str) -> None:
        self.fault = fault
        fields = {"session_id": self.sessions[session], "verb": verb, "reason": "test"}
        self.act("staff", session, sessions.change_state, by=self.people["staff"], **fields)

    @rule(session=SESSIONS, fault=FAULT)
    def remove_the_reader(self, session: int, fault: str) -> None:
        self.fault = fault
        self.members[session].discard("reader")
        fields = {"session_id": self.sessions[session], "user_id": self.people["reader"].pk}
        self.act("staff", session, participants.remove_participant, by=self.people["staff"], **fields)

    @rule(session=SESSIONS, fault=FAULT)
    def add_the_reader(self, session: int, fault: str) -> None:
        self.fault = fault
        self.members[session].add("reader")
        fields = {"session_id": self.sessions[session], "user_id": self.people["reader"].pk}
        self.act("staff", session, participants.add_participant, by=self.people["staff"], **fields)

    @rule(name=VIEWERS)
    def disconnect(self, name: str) -> None:
        client = self.clients[name]
        if client.device is not None:
            self.run(client.device.hang_up())
            client.take_frames()
            client.device = None

    @rule(name=VIEWERS)
    def come_back(self, name: str) -> None:
        client = self.clients[name]
        if client.device is None:
            self.run(self._connect(client))
            self._compare(client)

    @rule(name=VIEWERS)
    def level(self, name: str) -> None:
        client = self.clients[name]
        if client.device is not None:
            self.run(client.sync())
            self._compare(client)

    # What must hold --------------------------------------------------------------------------------------------------

    def _compare(self, client: ModelClient) -> None:
        """Everything a client holds is what a fresh one gets."""
        fresh = ModelClient(client.person)

        def ask() -> Any:
            held = {UUID(session): 0 for session in client.sessions} if client is self.clients["staff"] else {}
            with actor.acting_as(actor_of(client.person, Actor())):
                return sync(viewer=client.person, held=Named(held))

        import msgspec

        fresh.merge(msgspec.json.decode(msgspec.json.encode(self.run(in_thread(ask)))))
        assert client.sessions == fresh.sessions

    @invariant()
    def nothing_foreign_arrived(self) -> None:
        for name, client in getattr(self, "clients", {}).items():
            if client.device is not None:
                self.run(asyncio.sleep(0.002))
                client.take_frames()
            for frame in client.received:
                if "revision" in frame and frame["type"] != "session_created":
                    assert self._may_have(name, frame["session"], frame["revision"]), (name, frame)
                for entry in frame.get("sessions", ()):
                    assert name == "staff" or name in self.members[self._index(entry["session"]["id"])]
            client.received.clear()
        self.members_checked = [set(members) for members in self.members]

    def _may_have(self, name: str, session: str, revision: int) -> bool:
        """Whether somebody may be handed what was announced with this revision since the last check."""
        audience = self.audience.get((session, revision))
        index = self._index(session)
        # Whoever came back meanwhile sees the session from its beginning, so also what was said without him.
        if audience is None or name in audience or name in self.members[index]:
            return True
        # Removed since the last check: until then he might be handed what was announced before he had come back.
        return name in self.members_checked[index] and any(
            name in those for (where, later), those in self.audience.items() if where == session and later > revision
        )

    def _index(self, session: str) -> int:
        return [str(s) for s in self.sessions].index(session)


TestConvergence = Talk.TestCase
TestConvergence.pytestmark = [pytest.mark.timeout(1800 if IS_FULL else 120)]  # about half a second an example
TestConvergence.settings = settings(
    max_examples=400 if IS_FULL else 40,
    stateful_step_count=40 if IS_FULL else 25,
    deadline=None,
    derandomize=not IS_FULL,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
