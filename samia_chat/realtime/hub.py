"""One hub per web process: which of its sockets are in which session, and events to them in order.

The member table is built from the database when a socket connects and kept by access notices (PostgreSQL's LISTEN), never
through Redis: access that is withdrawn must reach sockets when that is down, too. A heartbeat reads it again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Protocol
from uuid import UUID, uuid4

from samia_chat import telemetry
from samia_chat.realtime.events import Event, encode
from samia_chat.roles import STAFF

log = logging.getLogger(__name__)
EARLY_SECONDS = 0.1  # how long an event waits for the one before it
AT_ONCE = 50  # sockets that get their heartbeat in one turn of the event loop
# Bounds of what waits, in events. Beyond them events are dropped, and clients ask for what they miss.
MAX_WAITING = 256  # of a session, for its members to be known
MAX_EARLY = 256  # of a session, for the one before


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """How far a session is. `members` are the people in it, where they were asked for."""

    session: UUID
    last_seq: int
    revision: int
    members_revision: int
    status: str
    members: frozenset[UUID] = frozenset()


class Directory(Protocol):
    """Where the hub learns who is in which session."""

    async def heads(self, users: list[UUID], sessions: list[UUID]) -> dict[UUID, Head]:
        """The sessions of these people and these sessions; `members` are those of `users` who are in it."""

    async def heads_of(self, user: UUID) -> dict[UUID, Head]:
        """The sessions of one person."""

    async def members(self, sessions: list[UUID]) -> dict[UUID, Head]:
        """These sessions with all their members; those that are not there are missing."""


class Socket(Protocol):
    """What the hub needs of a socket. Implemented by the consumer."""

    user_id: UUID
    login_id: UUID
    role: str
    heard_at: float  # monotonic seconds of the last frame from the client
    rooms: set[UUID]  # the sessions whose events it gets; kept by the hub
    looking: set[UUID]  # those of them that staff look into without being members

    def push(self, frame: bytes, *, droppable: bool = False) -> None: ...
    def close(self, code: int) -> None: ...


@dataclass(slots=True)
class Room:
    """A session with at least one socket in this process."""

    session: UUID
    revision: int  # of the last event handed on
    members_revision: int
    status: str
    # The newest members_revision that was read for anybody here: an answer older than that is not believed.
    read_revision: int = 0
    sockets: set[Socket] = field(default_factory=set)
    early: dict[int, Event] = field(default_factory=dict)
    waiting: list[Event] = field(default_factory=list)  # for the members to be known
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True, eq=False)  # each is itself, also where several hold the same: it is taken out of a list
class Reading:
    """What happens while members are read: the answer does not have it."""

    stirred: set[UUID] = field(default_factory=set)  # sessions that notices named
    passed: dict[UUID, int] = field(default_factory=dict)  # revisions of sessions that had no socket here


class Hub:
    def __init__(self, directory: Directory, pass_on: Callable[[list[Event]], None] | None) -> None:
        """`pass_on` hands events to the other processes, and does not wait; None: there are none."""
        self.node = uuid4()
        self.loop = asyncio.get_running_loop()
        self.rooms: dict[UUID, Room] = {}
        self.users: dict[UUID, set[Socket]] = {}
        self.sockets: set[Socket] = set()
        self.directory = directory
        self._pass_on = pass_on
        self._to_check: set[UUID] = set()
        self._checking: asyncio.Task[None] | None = None
        self._reads: list[Reading] = []
        # Grows with every notice about a person or a login: what was read of one before may be out of date.
        self.access_epoch = 0

    # Sockets come and go ---------------------------------------------------------------------------------------------

    async def join(self, socket: Socket) -> list[Head]:
        """Admit a socket to all sessions of its person. Their heads, each with the revision its client has to ask for."""
        # Before the question: a notice that arrives while the answer is on its way finds the socket.
        self.sockets.add(socket)
        self.users.setdefault(socket.user_id, set()).add(socket)
        with self._reading():
            heads = await self.directory.heads_of(socket.user_id)
            outdated = {session for session, head in heads.items() if self._is_outdated(head)}
            self.recheck(outdated)
            current = [head for session, head in heads.items() if session not in outdated]
            return [replace(head, revision=self._attach(socket, head)) for head in current]

    def leave(self, socket: Socket) -> None:
        self.sockets.discard(socket)
        others = self.users.get(socket.user_id, set())
        others.discard(socket)
        if not others:
            self.users.pop(socket.user_id, None)
        for session in list(socket.rooms):
            self._detach(socket, session)

    def look(self, socket: Socket, head: Head) -> None:
        """Let a staff socket into a session that it asked to see. Whether it may was decided before."""
        if head.session in socket.rooms:
            return
        if head.session not in self.rooms:
            self.recheck([head.session])  # what was committed since the head was read found no room to go to
        socket.looking.add(head.session)
        self._attach(socket, head)

    def look_away(self, socket: Socket, session: UUID) -> None:
        if session in socket.looking:
            socket.looking.discard(session)
            self._detach(socket, session)
            self.recheck([session])  # he may have become a member meanwhile

    def _is_outdated(self, head: Head) -> bool:
        """Whether it was read before a change of members that this process knows of."""
        room = self.rooms.get(head.session)
        return room is not None and head.members_revision < max(room.members_revision, room.read_revision)

    def _attach(self, socket: Socket, head: Head) -> int:
        """From here on the socket gets the session's events. The revision up to which its client has to ask for itself.

        That may be beyond the head's: an event may have been handed on while the answer was on its way.
        """
        room = self.rooms.get(head.session)
        if room is None:
            passed = [reading.passed.get(head.session, 0) for reading in self._reads]
            room = self.rooms[head.session] = Room(
                session=head.session,
                revision=max(head.revision, *passed, 0),
                members_revision=head.members_revision,
                status=head.status,
            )
        elif head.members_revision > room.members_revision:
            room.read_revision = max(room.read_revision, head.members_revision)
            self.recheck([head.session])  # it was read for this person only: others here may have lost access
        # An older room keeps its revision: an event on its way is still to be handed to those who were there before.
        room.sockets.add(socket)
        socket.rooms.add(head.session)
        return max(head.revision, room.revision)

    def _detach(self, socket: Socket, session: UUID) -> None:
        socket.rooms.discard(session)
        room = self.rooms.get(session)
        if room is None:
            return
        room.sockets.discard(socket)
        if not room.sockets:
            if room.timer is not None:
                room.timer.cancel()
            del self.rooms[session]

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Around a read of members and what is done with it. Sessions that notices name meanwhile are asked for again."""
        reading = Reading()
        self._reads.append(reading)
        try:
            yield
        finally:
            self._reads.remove(reading)
            if reading.stirred:
                self.recheck(reading.stirred)

    # Events ----------------------------------------------------------------------------------------------------------

    def accept_from_thread(self, events: list[Event]) -> None:
        self.loop.call_soon_threadsafe(self.accept, events)

    def accept(self, events: list[Event]) -> None:
        """Events of this process: to its own sockets at once, then to the other processes."""
        for event in events:
            self.deliver(event)
        if self._pass_on is not None:
            self._pass_on(events)

    def deliver(self, event: Event) -> None:
        """To the sockets of this process. Touches no database and asks for no actor."""
        if event.further:
            self._hand_to_several(event)
            return
        if event.users or event.to_staff:
            self._hand_to_people(event)
            return
        room = self.rooms.get(event.session)
        if room is None:
            self._let_pass(event)
        elif event.members_revision > room.members_revision:
            self._keep_waiting(room, event)
        elif event.revision is None:
            self._hand(room, event)
        elif event.revision == room.revision + 1:
            self._hand_in_order(room, event)
        elif event.revision > room.revision:
            room.early[event.revision] = event
            if room.timer is None:
                room.timer = self.loop.call_later(EARLY_SECONDS, self._give_up_waiting, room)
            if len(room.early) > MAX_EARLY:
                room.timer.cancel()
                self._give_up_waiting(room)
        else:
            telemetry.observe("event.dropped", why="repeated")

    def _let_pass(self, event: Event) -> None:
        """Nobody here is in its session; or somebody is about to come, and the answer he waits for does not have it."""
        if event.revision is not None:
            for reading in self._reads:
                reading.passed[event.session] = max(reading.passed.get(event.session, 0), event.revision)

    def _keep_waiting(self, room: Room, event: Event) -> None:
        """Until it is known who may have it."""
        if len(room.waiting) < MAX_WAITING:
            room.waiting.append(event)
        else:
            telemetry.observe("event.dropped", why="waiting")
        self.recheck([event.session])  # and then whoever is behind the head is told

    def _hand_in_order(self, room: Room, event: Event) -> None:
        following: Event | None = event
        while following is not None:
            self._hand(room, following)
            assert following.revision is not None  # only such events come here
            room.revision = following.revision
            following = room.early.pop(room.revision + 1, None)
        if not room.early and room.timer is not None:
            room.timer.cancel()
            room.timer = None

    def _give_up_waiting(self, room: Room) -> None:
        """The missing event was lost. What came early goes out; clients see the gap and ask for what is missing."""
        room.timer = None
        for revision in sorted(room.early):
            self._hand(room, room.early[revision])
            room.revision = max(room.revision, revision)  # it may have been told of meanwhile as lost
        room.early.clear()

    def _hand(self, room: Room, event: Event) -> None:
        self._push(room.sockets, event)

    def _hand_to_several(self, event: Event) -> None:
        rooms = [self.rooms[session] for session in (event.session, *event.further) if session in self.rooms]
        self._push({socket for room in rooms for socket in room.sockets}, event)

    def _hand_to_people(self, event: Event) -> None:
        sockets = {socket for user in event.users for socket in self.users.get(user, ())}
        if event.to_staff:
            sockets |= {socket for socket in self.sockets if socket.role in STAFF}
        for socket in sockets:
            socket.push(event.frame)
        telemetry.observe("event.delivered", count=len(sockets))

    def _push(self, sockets: set[Socket], event: Event) -> None:
        frame, droppable, not_to = event.frame, event.revision is None, event.not_to
        for socket in sockets:
            if not_to is None or socket.user_id != not_to:
                socket.push(frame, droppable=droppable)
        telemetry.observe("event.delivered", count=len(sockets))

    # Access ----------------------------------------------------------------------------------------------------------

    def recheck(self, sessions: Iterable[UUID]) -> None:
        """Ask again who is in these sessions. Questions that come together are asked together."""
        asked = set(sessions)
        if not asked:
            return
        self._to_check |= asked
        for reading in self._reads:
            reading.stirred |= asked
        if self._checking is None:
            self._checking = self.loop.create_task(self._check())

    async def _check(self) -> None:
        try:
            while self._to_check:
                sessions, self._to_check = list(self._to_check), set()
                if not self.sockets:
                    continue
                try:
                    with self._reading():
                        heads = await self.directory.members(sessions)
                        for session in sessions:
                            self._settle(session, heads.get(session))
                except Exception:
                    log.exception("members could not be read; asking again")
                    self._to_check.update(sessions)
                    await asyncio.sleep(0.25)
                    continue
                for head in heads.values():
                    self.loop.call_later(EARLY_SECONDS, self._tell_if_behind, head)
        finally:
            self._checking = None

    def _settle(self, session: UUID, head: Head | None) -> None:
        """Make the member table agree with what was read of all members; then what waited for that is handed on."""
        if head is not None and self._is_outdated(head):
            return  # whatever this process knows that from asked again itself
        members = head.members if head else frozenset()
        room = self.rooms.get(session)
        for socket in list(room.sockets) if room else []:
            if socket.user_id not in members and (session not in socket.looking or head is None):
                self._remove(socket, session)
        if head is None:
            return
        if room is not None:
            room.members_revision = head.members_revision
            room.status = head.status
        for user in members & self.users.keys():
            for socket in self.users[user]:
                self._admit(socket, head)
        room = self.rooms.get(session)
        if room is not None:
            waiting, room.waiting = room.waiting, []
            for event in waiting:
                self.deliver(event)

    def _admit(self, socket: Socket, head: Head) -> None:
        """Of a member. One who looked in before is told as well: from now on the session is his own."""
        if head.session in socket.rooms and head.session not in socket.looking:
            return
        socket.looking.discard(head.session)
        revision = self._attach(socket, head)
        socket.push(encode({"type": "session_created", "session": str(head.session), "revision": revision}))

    def _remove(self, socket: Socket, session: UUID) -> None:
        self._detach(socket, session)
        socket.looking.discard(session)
        socket.push(encode({"type": "participant_removed", "session": str(session)}))

    def _tell_if_behind(self, head: Head) -> None:
        """Something happened of which no event came: it was done from elsewhere, or the event was lost."""
        room = self.rooms.get(head.session)
        if room is not None and room.revision < head.revision:
            frame = encode({"type": "heartbeat", "heads": {str(head.session): head.revision}})
            for socket in room.sockets:
                socket.push(frame)
            room.revision = head.revision

    def close_login(self, login_id: UUID, code: int) -> None:
        self.access_epoch += 1
        for socket in [socket for socket in self.sockets if socket.login_id == login_id]:
            socket.close(code)

    def close_user(self, user_id: UUID, code: int) -> None:
        self.access_epoch += 1
        for socket in list(self.users.get(user_id, ())):
            socket.close(code)

    # Heartbeat -------------------------------------------------------------------------------------------------------

    async def check_all(self, *, announce: bool) -> None:
        """Read all heads and memberships in one query, ask again where the table differs, and tell each socket what it has
        not been handed.

        `announce`: also send a heartbeat to sockets that miss nothing, so that they know the connection lives.
        """
        if not self.sockets:
            return
        asked = set(self.users)
        looked = {session for socket in self.sockets for session in socket.looking}
        heads = await self.directory.heads(list(asked), list(looked))
        self.recheck(self._differing(heads, asked))
        mine: dict[UUID, list[UUID]] = {user: [] for user in asked}
        for head in heads.values():
            for user in head.members:
                mine[user].append(head.session)
        # Events of what was just committed may still be on their way.
        await asyncio.sleep(EARLY_SECONDS)
        behind = {
            session: head.revision
            for session, head in heads.items()
            if (room := self.rooms.get(session)) is not None and room.revision < head.revision
        }
        for count, socket in enumerate(list(self.sockets), 1):
            if count % AT_ONCE == 0:
                await asyncio.sleep(0)  # messages go first: for thousands of sockets this takes a tenth of a second
            ahead = {str(session): behind[session] for session in socket.rooms if session in behind}
            frame: dict[str, object] = {"type": "heartbeat", "heads": ahead}
            if socket.user_id in mine:  # of who came meanwhile nothing was asked
                frame["sessions_digest"] = digest(mine[socket.user_id])
            if ahead or announce:
                socket.push(encode(frame))
        for session, revision in behind.items():
            if (room := self.rooms.get(session)) is not None:
                room.revision = max(room.revision, revision)

    def _differing(self, heads: dict[UUID, Head], asked: set[UUID]) -> set[UUID]:
        """The sessions where the member table is not what was just read.

        They are asked for again, not mended from this: people and rooms that came while the answer was on its way are
        missing from it, and whoever is told that he lost a session forgets what he had of it.
        """
        differing = {room.session for room in self.rooms.values() if self._differs(room, heads, asked)}
        for session, head in heads.items():
            sockets = {socket for user in head.members for socket in self.users.get(user, ())}
            if any(session not in socket.rooms or session in socket.looking for socket in sockets):
                differing.add(session)
        return differing

    def _differs(self, room: Room, heads: dict[UUID, Head], asked: set[UUID]) -> bool:
        head = heads.get(room.session)
        if head is None or (head.members_revision, head.status) != (room.members_revision, room.status):
            return True
        return any(
            socket.user_id in asked and socket.user_id not in head.members and room.session not in socket.looking
            for socket in room.sockets
        )


def digest(sessions: Iterable[UUID]) -> str:
    """The exclusive or of the ids, in hex: the same set gives the same text, in any order and any language."""
    return f"{reduce(lambda found, session: found ^ session.int, sessions, 0):032x}"


_running: Hub | None = None


def running() -> Hub | None:
    """The hub of this process, if it serves sockets."""
    return _running


def set_running(hub: Hub | None) -> None:
    global _running
    _running = hub
