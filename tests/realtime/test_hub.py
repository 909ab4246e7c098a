"""The hub and the outbox by themselves: order, loss, late knowledge, slow clients."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from samia_chat.realtime import hub as hubs
from samia_chat.realtime.events import Event
from samia_chat.realtime.hub import Head, Hub
from samia_chat.realtime.outbox import CAPACITY, CAPACITY_BYTES, Outbox


class FakeSocket:
    def __init__(self, user: UUID) -> None:
        self.user_id, self.login_id, self.role, self.heard_at = user, uuid4(), "client", 0.0
        self.rooms: set[UUID] = set()
        self.looking: set[UUID] = set()
        self.frames: list[str] = []
        self.code: int | None = None

    def push(self, frame: bytes, *, droppable: bool = False) -> None:
        self.frames.append(frame.decode())

    def close(self, code: int) -> None:
        self.code = code


class FakeDirectory:
    """Memberships that a test sets; `before_answer` happens while the answer is on its way, `slow` answers take longer."""

    def __init__(self) -> None:
        self.members_of: dict[UUID, set[UUID]] = {}
        self.revision = 10
        self.members_revision = 1
        self.asked = 0
        self.before_answer: Any = None
        self.slow = 0

    async def heads(self, users: list[UUID], sessions: list[UUID]) -> dict[UUID, Head]:
        found = {
            s: self._head(s, m & set(users)) for s, m in self.members_of.items() if m & set(users) or s in sessions
        }
        await self._pause()
        return found

    async def heads_of(self, user: UUID) -> dict[UUID, Head]:
        return await self.heads([user], [])

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
        self.slow, seconds = max(0, self.slow - 1), 0.08 if self.slow else 0.01
        if self.before_answer is not None:
            hook, self.before_answer = self.before_answer, None
            hook()
        await asyncio.sleep(seconds)


async def a_room() -> tuple[Hub, FakeDirectory, FakeSocket, UUID]:
    directory, session, user = FakeDirectory(), uuid4(), uuid4()
    directory.members_of[session] = {user}
    hub, socket = Hub(directory, None), FakeSocket(user)
    await hub.join(socket)
    return hub, directory, socket, session


def event(session: UUID, revision: int | None, members_revision: int = 1) -> Event:
    return Event(session=session, frame=str(revision).encode(), revision=revision, members_revision=members_revision)


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


async def test_a_notice_reaches_every_answer_that_is_on_its_way() -> None:
    """The slow one, whatever answers came in between and whoever asks at its end."""
    directory, session, user = FakeDirectory(), uuid4(), uuid4()
    directory.members_of[session] = {user}
    hub, slow = Hub(directory, None), FakeSocket(user)
    directory.slow = 1
    joining = asyncio.create_task(hub.join(slow))
    await asyncio.sleep(0)
    await hub.join(FakeSocket(uuid4()))
    directory.members_of[session], directory.members_revision = set(), 2
    hub.recheck([session])
    await asyncio.sleep(0.03)
    directory.slow = 1
    last = asyncio.create_task(hub.join(FakeSocket(uuid4())))
    await joining
    await asyncio.sleep(0.05)
    assert slow.rooms == set()
    await last


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


async def test_heartbeats_of_many_sockets_let_messages_pass() -> None:
    hub, directory, _, session = await a_room()
    turns: list[int] = []
    turn = 0

    class Counting(FakeSocket):
        def push(self, frame: str, *, droppable: bool = False) -> None:
            super().push(frame)
            turns.append(turn)

    async def count() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    sockets = [Counting(uuid4()) for _ in range(3 * hubs.AT_ONCE)]
    directory.members_of[session] |= {socket.user_id for socket in sockets}
    await asyncio.gather(*(hub.join(socket) for socket in sockets))
    counting = asyncio.create_task(count())
    await hub.check_all(announce=True)
    counting.cancel()
    assert [len(of_kind(socket, "heartbeat")) for socket in sockets] == [1] * len(sockets)
    assert max(turns.count(one) for one in set(turns)) <= hubs.AT_ONCE


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


# Those who come while an answer is on its way ------------------------------------------------------------------------------


def of_kind(socket: FakeSocket, kind: str) -> list[dict[str, Any]]:
    """The frames of the hub's own making; events are plain numbers here."""
    frames = [json.loads(frame) for frame in socket.frames]
    return [frame for frame in frames if isinstance(frame, dict) and frame["type"] == kind]


async def test_who_comes_during_a_check_keeps_his_sessions() -> None:
    """The check asked before he came, so its answer says nothing of him, nor of the rooms that he brought."""
    hub, directory, _, session = await a_room()
    other, looked_at = uuid4(), uuid4()
    late, staff = FakeSocket(uuid4()), FakeSocket(uuid4())
    directory.members_of |= {other: {late.user_id}, looked_at: {uuid4()}}
    directory.members_of[session].add(late.user_id)
    await hub.join(staff)
    directory.slow = 1
    check = asyncio.create_task(hub.check_all(announce=True))
    await asyncio.sleep(0.01)
    await hub.join(late)
    hub.look(staff, (await directory.heads([], [looked_at]))[looked_at])
    await check
    await asyncio.sleep(0.05)
    assert (late.rooms, staff.rooms, staff.looking) == ({session, other}, {looked_at}, {looked_at})
    assert of_kind(late, "participant_removed") == of_kind(staff, "participant_removed") == []
    assert all("sessions_digest" not in beat for beat in of_kind(late, "heartbeat"))


async def test_who_is_admitted_during_a_check_stays() -> None:
    hub, directory, socket, _ = await a_room()
    directory.slow = 1
    check = asyncio.create_task(hub.check_all(announce=False))
    await asyncio.sleep(0.01)
    added = uuid4()
    directory.members_of[added] = {socket.user_id}
    hub.recheck([added])
    await check
    await asyncio.sleep(0.05)
    assert added in socket.rooms
    assert len(of_kind(socket, "session_created")) == 1
    assert of_kind(socket, "participant_removed") == []


async def test_a_check_removes_who_is_no_member_and_admits_who_is() -> None:
    """Without any notice: it was lost."""
    hub, directory, socket, session = await a_room()
    added = uuid4()
    directory.members_of = {session: {uuid4()}, added: {socket.user_id}}
    await hub.check_all(announce=False)
    await asyncio.sleep(0.05)
    assert socket.rooms == {added}
    assert [frame["session"] for frame in of_kind(socket, "participant_removed")] == [str(session)]


async def test_an_older_answer_does_not_remove_who_came_by_a_newer_one() -> None:
    """He was made a member after the members were read and before the answer is there, and has connected since."""
    hub, directory, _, session = await a_room()
    directory.slow = 1
    hub.recheck([session])
    await asyncio.sleep(0.01)
    late = FakeSocket(uuid4())
    directory.members_of[session].add(late.user_id)
    directory.members_revision = 2
    await hub.join(late)
    await asyncio.sleep(0.15)
    assert late.rooms == {session}
    assert of_kind(late, "participant_removed") == []


async def test_what_is_handed_on_during_a_join_is_named_in_the_heads() -> None:
    hub, _, socket, session = await a_room()
    late = FakeSocket(socket.user_id)
    joining = asyncio.create_task(hub.join(late))
    await asyncio.sleep(0)
    hub.deliver(event(session, 11))
    assert [head.revision for head in await joining] == [11]
    assert late.frames == []


async def test_what_passes_before_the_first_socket_is_there_is_named_in_the_heads() -> None:
    directory, session, socket = FakeDirectory(), uuid4(), FakeSocket(uuid4())
    directory.members_of[session] = {socket.user_id}
    hub = Hub(directory, None)
    joining = asyncio.create_task(hub.join(socket))
    await asyncio.sleep(0)
    for revision in (11, 12, None):
        hub.deliver(event(session, revision))
    assert [head.revision for head in await joining] == [12]
    hub.deliver(event(session, 13))
    assert socket.frames == ["13"]


@pytest.mark.parametrize("is_held", [True, False])
async def test_one_who_is_added_hears_of_the_revision_to_ask_for(is_held: bool) -> None:
    hub, directory, _, session = await a_room()
    if not is_held:
        session = uuid4()
    added = FakeSocket(uuid4())
    await hub.join(added)
    directory.members_of.setdefault(session, set()).add(added.user_id)
    hub.recheck([session])
    await asyncio.sleep(0)
    hub.deliver(event(session, 11))
    await asyncio.sleep(0.05)
    assert [frame["revision"] for frame in of_kind(added, "session_created")] == [11]


async def test_who_looks_in_is_told_of_what_passed_since_the_head_was_read() -> None:
    directory, session, staff = FakeDirectory(), uuid4(), FakeSocket(uuid4())
    directory.members_of[session] = {uuid4()}
    hub = Hub(directory, None)
    await hub.join(staff)
    head = (await directory.heads([], [session]))[session]
    hub.deliver(event(session, 11))  # no room takes it
    directory.revision = 11
    hub.look(staff, head)
    await asyncio.sleep(hubs.EARLY_SECONDS + 0.05)
    assert [beat["heads"] for beat in of_kind(staff, "heartbeat")] == [{str(session): 11}]


async def test_who_looks_in_and_is_made_a_member_is_told_once() -> None:
    directory, session, staff = FakeDirectory(), uuid4(), FakeSocket(uuid4())
    directory.members_of[session] = {uuid4()}
    hub = Hub(directory, None)
    await hub.join(staff)
    hub.look(staff, (await directory.heads([], [session]))[session])
    directory.members_of[session].add(staff.user_id)
    directory.members_revision = directory.revision = 11
    for _ in range(2):
        hub.recheck([session])
        await asyncio.sleep(0.05)
    assert of_kind(staff, "session_created") == [{"type": "session_created", "session": str(session), "revision": 11}]
    assert (staff.rooms, staff.looking) == ({session}, set())


# Bounds --------------------------------------------------------------------------------------------------------------------


async def test_what_waits_for_its_members_is_bounded_and_the_rest_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, dropped: dict[str, int]
) -> None:
    monkeypatch.setattr(hubs, "MAX_WAITING", 5)
    hub, directory, socket, session = await a_room()
    directory.slow = 1
    directory.revision, directory.members_revision = 30, 2
    for revision in range(11, 31):
        hub.deliver(event(session, revision, members_revision=2))
    assert len(hub.rooms[session].waiting) == 5
    await asyncio.sleep(0.3)
    assert [frame for frame in socket.frames if frame.isdigit()] == ["11", "12", "13", "14", "15"]
    assert [beat["heads"] for beat in of_kind(socket, "heartbeat")] == [{str(session): 30}]
    assert dropped == {"waiting": 15}


async def test_what_came_too_early_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "MAX_EARLY", 5)
    hub, _, socket, session = await a_room()
    for revision in range(12, 18):
        hub.deliver(event(session, revision))
    assert socket.frames == ["12", "13", "14", "15", "16", "17"]  # the client sees the gap
    hub.deliver(event(session, 18))
    await asyncio.sleep(hubs.EARLY_SECONDS * 1.5)
    assert socket.frames[-1] == "18"
    assert hub.rooms[session].early == {}


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
        outbox.push(str(number).encode())
    outbox.close(4401)
    outbox.push(b"too late")
    await asyncio.sleep(0.01)
    assert [message.get("text") or message["code"] for message in peer.got] == ["0", "1", "2", "3", "4", 4401]


async def test_a_slow_client_loses_what_may_be_lost_first() -> None:
    peer = Peer()
    outbox = Outbox(peer.send)
    outbox.push(b"first")
    await asyncio.sleep(0)
    for number in range(CAPACITY):
        outbox.push(f"m{number}".encode(), droppable=number % 2 == 0)
    for number in range(10):
        outbox.push(f"typing {number}".encode(), droppable=True)  # not even taken in
    for number in range(CAPACITY // 2):
        outbox.push(f"n{number}".encode())
    peer.reads.set()
    await asyncio.sleep(0.05)
    texts = [message["text"] for message in peer.got]
    assert texts == ["first", *(f"m{n}" for n in range(1, CAPACITY, 2)), *(f"n{n}" for n in range(CAPACITY // 2))]
    assert outbox.closing is None


async def test_a_client_that_never_reads_is_closed_to_begin_anew() -> None:
    peer = Peer()
    outbox = Outbox(peer.send)
    for number in range(CAPACITY + 2):
        outbox.push(str(number).encode())
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
    outbox.push(b"x")
    await asyncio.sleep(0.01)
    outbox.push(b"y")
    await asyncio.sleep(0.01)
    outbox.abandon()


async def test_a_peer_that_reads_gets_its_frame_at_once_and_without_a_task() -> None:
    peer = Peer()
    peer.reads.set()
    outbox = Outbox(peer.send)
    before = asyncio.all_tasks()
    outbox.push(b"x")
    assert peer.got == [{"type": "websocket.send", "text": "x"}]
    assert asyncio.all_tasks() == before


async def test_what_waits_is_bounded_in_bytes_too() -> None:
    peer = Peer()
    outbox = Outbox(peer.send)
    outbox.push(b"first")
    large = b"x" * (CAPACITY_BYTES // 3)
    for _ in range(2):
        outbox.push(large)
    outbox.push(large, droppable=True)
    outbox.push(large)  # the third place was the droppable one's
    assert outbox.closing is None
    outbox.push(large)
    assert outbox.closing == 4410
    peer.reads.set()
    await asyncio.sleep(0.01)
    assert [message.get("text") or message["code"] for message in peer.got] == ["first", 4410]


async def test_drained_is_when_the_peer_has_taken_everything() -> None:
    peer = Peer()
    outbox = Outbox(peer.send)
    await outbox.drained()  # nothing was ever sent
    outbox.push(b"x")
    outbox.push(b"y")
    drained = asyncio.ensure_future(outbox.drained())
    await asyncio.sleep(0.01)
    assert not drained.done()
    peer.reads.set()
    await drained
    assert [message["text"] for message in peer.got] == ["x", "y"]


async def test_a_cancelled_wait_reaches_what_was_begun_in_place() -> None:
    """The server's own `send` may hold something: it must be told when it is given up."""
    told: list[str] = []

    async def send(message: dict[str, Any]) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            told.append("cancelled")
            raise

    outbox = Outbox(send)
    outbox.push(b"x")
    outbox.push(b"y")
    await asyncio.sleep(0.01)
    outbox.abandon()
    await asyncio.sleep(0.01)
    assert told == ["cancelled"]
