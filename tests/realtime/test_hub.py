"""The hub and the outbox by themselves: order, loss, late knowledge, slow clients."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from samia_chat.realtime import hub as hubs
from samia_chat.realtime.events import Event
from samia_chat.realtime.hub import Head, Hub
from samia_chat.realtime.outbox import CAPACITY, Outbox


class FakeSocket:
    def __init__(self, user: UUID) -> None:
        self.user_id, self.login_id, self.role, self.heard_at = user, uuid4(), "client", 0.0
        self.rooms: set[UUID] = set()
        self.looking: set[UUID] = set()
        self.frames: list[str] = []
        self.code: int | None = None

    def push(self, frame: str, *, droppable: bool = False) -> None:
        self.frames.append(frame)

    def close(self, code: int) -> None:
        self.code = code


class FakeDirectory:
    """Memberships that a test sets; `before_answer` happens while the answer is on its way."""

    def __init__(self) -> None:
        self.members_of: dict[UUID, set[UUID]] = {}
        self.revision = 10
        self.members_revision = 1
        self.asked = 0
        self.before_answer: Any = None

    async def heads(self, users: list[UUID], sessions: list[UUID]) -> dict[UUID, Head]:
        found = {
            s: self._head(s, m & set(users)) for s, m in self.members_of.items() if m & set(users) or s in sessions
        }
        await self._pause()
        return found

    async def members(self, sessions: list[UUID]) -> dict[UUID, Head]:
        found = {s: self._head(s, self.members_of[s]) for s in sessions if s in self.members_of}
        await self._pause()
        return found

    def _head(self, session: UUID, members: set[UUID]) -> Head:
        return Head(
            session=session,
            last_seq=0,
            revision=self.revision,
            members_revision=self.members_revision,
            status="active",
            members=frozenset(members),
        )

    async def _pause(self) -> None:
        self.asked += 1
        if self.before_answer is not None:
            hook, self.before_answer = self.before_answer, None
            hook()
        await asyncio.sleep(0.01)


async def a_room() -> tuple[Hub, FakeDirectory, FakeSocket, UUID]:
    directory, session, user = FakeDirectory(), uuid4(), uuid4()
    directory.members_of[session] = {user}
    hub, socket = Hub(directory, None), FakeSocket(user)
    await hub.join(socket)
    return hub, directory, socket, session


def event(session: UUID, revision: int | None, members_revision: int = 1) -> Event:
    return Event(session=session, frame=str(revision), revision=revision, members_revision=members_revision)


async def test_events_are_handed_on_in_order_of_revision() -> None:
    hub, _, socket, session = await a_room()
    for revision in (13, 12, 11, 12, 11, 14):
        hub.deliver(event(session, revision))
    assert socket.frames == ["11", "12", "13", "14"]


async def test_a_missing_event_is_waited_for_a_tenth_of_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    hub, _, socket, session = await a_room()
    hub.deliver(event(session, 12))
    hub.deliver(event(session, 14))
    await asyncio.sleep(hubs.EARLY_SECONDS / 2)
    assert socket.frames == []
    await asyncio.sleep(hubs.EARLY_SECONDS)
    assert socket.frames == ["12", "14"]
    hub.deliver(event(session, 13))  # too late: the client saw the gap and has asked
    hub.deliver(event(session, 15))
    assert socket.frames == ["12", "14", "15"]


async def test_events_of_newer_members_wait_until_they_are_known() -> None:
    hub, directory, socket, session = await a_room()
    directory.members_of[session], directory.members_revision = {uuid4()}, 2
    hub.deliver(event(session, 11, members_revision=2))
    hub.deliver(event(session, None, members_revision=2))
    assert socket.frames == []
    await asyncio.sleep(0.05)
    assert [frame for frame in socket.frames if "participant_removed" not in frame] == []
    assert len(socket.frames) == 1


async def test_a_member_who_stays_gets_what_waited() -> None:
    hub, directory, socket, session = await a_room()
    directory.members_of[session].add(uuid4())
    directory.members_revision = 2
    hub.deliver(event(session, 11, members_revision=2))
    await asyncio.sleep(0.05)
    assert socket.frames == ["11"]


async def test_a_notice_during_the_answer_is_asked_again() -> None:
    """A socket joins while the person is removed: the answer on its way is out of date."""
    directory, session, user = FakeDirectory(), uuid4(), uuid4()
    directory.members_of[session] = {user}
    hub, socket = Hub(directory, None), FakeSocket(user)

    def removed() -> None:
        directory.members_of[session] = set()
        directory.members_revision = 2
        hub.recheck([session])

    directory.before_answer = removed
    await hub.join(socket)
    await asyncio.sleep(0.05)
    assert socket.rooms == set()
    hub.deliver(event(session, 11, members_revision=2))
    assert not [frame for frame in socket.frames if frame == "11"]


async def test_what_was_read_before_a_known_change_is_not_believed() -> None:
    hub, directory, socket, session = await a_room()
    hub.rooms[session].members_revision = 5  # this process knows of a later change
    late = FakeSocket(socket.user_id)
    directory.members_revision = 1
    await hub.join(late)
    assert late.rooms == set()


async def test_questions_that_come_together_are_asked_together() -> None:
    hub, directory, _, session = await a_room()
    before = directory.asked
    for _ in range(50):
        hub.recheck([session, uuid4()])
    await asyncio.sleep(0.1)
    assert directory.asked - before <= 2


async def test_a_lost_event_is_told_by_the_heartbeat_and_not_repeated() -> None:
    hub, directory, socket, session = await a_room()
    directory.revision = 12
    await hub.check_all(announce=False)
    assert len(socket.frames) == 1
    assert f'"{session}":12' in socket.frames[0]
    await hub.check_all(announce=False)
    assert len(socket.frames) == 1


async def test_an_event_on_its_way_is_not_taken_for_lost() -> None:
    hub, directory, socket, session = await a_room()
    directory.revision = 11
    check = asyncio.create_task(hub.check_all(announce=False))
    await asyncio.sleep(hubs.EARLY_SECONDS / 2)
    hub.deliver(event(session, 11))
    await check
    assert socket.frames == ["11"]


async def test_a_database_that_does_not_answer_is_asked_again() -> None:
    hub, directory, socket, session = await a_room()

    def fail() -> None:
        raise OSError

    directory.before_answer = fail
    directory.members_of[session] = set()
    directory.members_revision = 2
    hub.recheck([session])
    await asyncio.sleep(0.5)
    assert socket.rooms == set()


def test_an_event_survives_the_way_through_the_layer() -> None:
    sent = Event(session=uuid4(), frame="x", revision=7, members_revision=3, not_to=uuid4(), further=(uuid4(), uuid4()))
    assert Event.unpack(sent.pack()) == sent
    assert Event.unpack(event(uuid4(), None).pack()).not_to is None


# The outbox ---------------------------------------------------------------------------------------------------------------


class Peer:
    """The server's side of a connection whose client reads only when it is let."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.reads = asyncio.Event()
        self.fails = False

    async def send(self, message: dict[str, Any]) -> None:
        await self.reads.wait()
        if self.fails:
            raise OSError
        self.got.append(message)


async def test_frames_go_out_in_order_and_then_the_close() -> None:
    peer = Peer()
    outbox = Outbox(peer.send)
    peer.reads.set()
    for number in range(5):
        outbox.push(str(number))
    outbox.close(4401)
    outbox.push("too late")
    await asyncio.sleep(0.01)
    assert [message.get("text") or message["code"] for message in peer.got] == ["0", "1", "2", "3", "4", 4401]


async def test_a_slow_client_loses_what_may_be_lost_first() -> None:
    peer = Peer()
    outbox = Outbox(peer.send)
    outbox.push("first")
    await asyncio.sleep(0)
    for number in range(CAPACITY):
        outbox.push(f"m{number}", droppable=number % 2 == 0)
    for number in range(10):
        outbox.push(f"typing {number}", droppable=True)  # not even taken in
    for number in range(CAPACITY // 2):
        outbox.push(f"n{number}")
    peer.reads.set()
    await asyncio.sleep(0.05)
    texts = [message["text"] for message in peer.got]
    assert texts == ["first", *(f"m{n}" for n in range(1, CAPACITY, 2)), *(f"n{n}" for n in range(CAPACITY // 2))]
    assert outbox.closing is None


async def test_a_client_that_never_reads_is_closed_to_begin_anew() -> None:
    peer = Peer()
    outbox = Outbox(peer.send)
    for number in range(CAPACITY + 2):
        outbox.push(str(number))
        await asyncio.sleep(0)
    assert outbox.closing == 4410
    peer.reads.set()
    await asyncio.sleep(0.01)
    assert peer.got[-1] == {"type": "websocket.close", "code": 4410}


async def test_a_peer_that_is_gone_takes_nothing_down() -> None:
    peer = Peer()
    peer.fails = True
    peer.reads.set()
    outbox = Outbox(peer.send)
    outbox.push("x")
    await asyncio.sleep(0.01)
    outbox.push("y")
    await asyncio.sleep(0.01)
    outbox.abandon()
