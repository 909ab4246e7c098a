"""The socket: one per device, for all sessions of its person.

It loops over `receive()` itself. Channels' own dispatch hops to a thread for every event, also for each one delivered,
which caps a process at about a thousand events a second. Sends go to the batcher without a task of their own; other work
runs in the bounded pool of threads, in a transaction as the person. What is delivered touches no database.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import msgspec
from channels.consumer import AsyncConsumer
from django.conf import settings

from accounts.identity import actor_of, login_user
from accounts.socket_sign_in import Credential
from audit.refusals import record_refusal
from chat import frames
from chat.errors import WrongSessionState
from chat.live import requests, runtime
from chat.live.requests import Request
from chat.live.runtime import RESYNC, SIGNED_OUT
from chat.models import ChatSession
from chat.services import message as messages
from chat.services import presence, receipt, session
from chat.services.presence import Connection
from chat.services.sync import sync
from samia_chat import actor, telemetry
from samia_chat.access import OPEN, READABLE
from samia_chat.actor import Actor
from samia_chat.db.threads import in_transaction
from samia_chat.errors import Busy, NotFound, Problem, TooFast
from samia_chat.limits import limiter
from samia_chat.middleware import agent_text, client_address, new_request_id
from samia_chat.realtime.events import encode
from samia_chat.realtime.hub import Head
from samia_chat.realtime.outbox import Outbox
from samia_chat.realtime.wire import EXTENSION

log = logging.getLogger(__name__)
PROTOCOL = "samia.v1"
TICKET = "ticket."
BAD_FRAME, TOO_BIG, TOO_FAST_CODE = 4400, 4413, 4429
MAX_JOBS = 16  # unanswered requests of one socket, sends aside
MAX_SOCKETS = 50  # of one person
START_SECONDS = 5.0  # a socket waits so long for the process to hear access notices
RECEIPT_SECONDS = 1.0  # receipts of one socket are written at most so often

Event = dict[str, Any]


class ChatConsumer(AsyncConsumer):  # type: ignore[misc]  # channels has no types
    """Implements `samia_chat.realtime.hub.Socket`."""

    # There are thousands of them, and each has more attributes than a dict holds well.
    __slots__ = (
        *("_jobs", "_outbox", "_receipt_job", "_receipts", "_resuming", "_runtime", "_shortcuts", "_was_level"),
        *("heard_at", "id", "joined", "login_id", "looking", "role", "rooms", "user_id", "who"),
    )
    user_id: UUID
    login_id: UUID
    role: str
    who: Actor

    def __init__(self) -> None:
        self.id = uuid4()
        self.rooms: set[UUID] = set()
        self.looking: set[UUID] = set()
        self.joined: set[UUID] = set()
        self.heard_at = time.monotonic()
        self._jobs: set[asyncio.Task[None]] = set()
        self._resuming = asyncio.Lock()
        self._was_level = False
        self._receipts: dict[tuple[UUID, str], int] = {}
        self._receipt_job: asyncio.Task[None] | None = None

    async def __call__(
        self, scope: Event, receive: Callable[[], Awaitable[Event]], send: Callable[[Event], Awaitable[None]]
    ) -> None:
        self._runtime = runtime.ensure_started()
        self._shortcuts = (scope.get("extensions") or {}).get(EXTENSION, {})
        self._outbox = Outbox(send, self._shortcuts.get("put"))
        await receive()  # websocket.connect
        if not await self._admit(scope, send):
            return
        telemetry.observe("socket.opened")
        try:
            await self._listen(receive)
        finally:
            self._leave()

    # The hub's side --------------------------------------------------------------------------------------------------

    def push(self, frame: bytes, *, droppable: bool = False) -> None:
        self._outbox.push(frame, droppable=droppable)

    def close(self, code: int) -> None:
        self._outbox.close(code)

    # Coming and going ------------------------------------------------------------------------------------------------

    async def _admit(self, scope: Event, send: Callable[[Event], Awaitable[None]]) -> bool:
        """Accept the connection of somebody signed in; say why not otherwise."""
        headers = {name.decode("latin1"): value.decode("latin1") for name, value in scope["headers"]}
        protocols = scope.get("subprotocols", ())
        ticket = next((name.removeprefix(TICKET) for name in protocols if name.startswith(TICKET)), None)
        if ticket is None and headers.get("origin") not in settings.PUBLIC_ORIGINS:
            # A page of somebody else's, using the cookie of whoever looks at it.
            telemetry.observe("refused", code="origin", status=403)
            await send({"type": "websocket.close", "code": 4403})
            return False
        base = Actor(
            address=client_address((scope.get("client") or [None])[0], headers.get("x-forwarded-for", "")),
            user_agent=agent_text(headers.get("user-agent", "")),
            request_id=new_request_id(headers.get("x-request-id", "")),
        )
        actor.become(base)
        protocol = PROTOCOL if PROTOCOL in protocols else None
        hub = self._runtime.hub
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._runtime.listening.wait()
            epoch = hub.access_epoch
            found = await self._runtime.admissions.answer(Credential(ticket, headers.get("cookie", "")))
            await send({"type": "websocket.accept", "subprotocol": protocol})
            if found is None:
                await send({"type": "websocket.close", "code": SIGNED_OUT})
                return False
            self._become(found.login_id, actor_of(found.user, base))
            if len(hub.users.get(self.user_id, ())) >= MAX_SOCKETS:
                await send({"type": "websocket.close", "code": TOO_FAST_CODE})
                return False
            heads = await hub.join(self)
            if hub.access_epoch != epoch:
                # Signed out, or given another role, before notices found this socket.
                user = await in_transaction(base, login_user, self.login_id)
                if user is None:
                    self.close(SIGNED_OUT)
                elif user.role != self.role:
                    self.close(RESYNC)
        except asyncio.CancelledError:  # by a server that cancels when the peer is gone
            if self in hub.sockets:
                hub.leave(self)
            raise
        except Exception:
            log.exception("a socket could not be admitted")
            if self in hub.sockets:
                hub.leave(self)
            await send({"type": "websocket.close", "code": 1013})
            return False
        self._welcome(heads)
        return True

    def _become(self, login_id: UUID, who: Actor) -> None:
        assert who.user_id is not None  # of a login
        self.user_id, self.login_id, self.role, self.who = who.user_id, login_id, who.role, who
        actor.become(who)

    def _welcome(self, heads: list[Head]) -> None:
        self._runtime.presence.note(Connection(id=self.id, user_id=self.user_id, state="online"))
        self._answer(
            {
                "type": "welcome",
                "user": self.user_id,
                "heads": {str(head.session): head.revision for head in heads},
                "heartbeat_seconds": settings.HEARTBEAT_SECONDS,
            }
        )

    def _leave(self) -> None:
        hub = self._runtime.hub
        for session_id in list(self.joined):
            self._tell_looking("user_left", session_id)
        hub.leave(self)
        if self.user_id not in hub.users:
            self._runtime.typing.stop_all(self.user_id)
        self._runtime.presence.drop(self.id)
        for job in self._jobs:
            job.cancel()
        telemetry.observe("socket.closed", code=self._outbox.closing or 1000)
        self._outbox.abandon()

    # Frames ----------------------------------------------------------------------------------------------------------

    async def _listen(self, receive: Callable[[], Awaitable[Event]]) -> None:
        """Until the connection is closed. Where the server can, it calls with a frame instead of having it fetched."""
        if "hear" in self._shortcuts:
            self._shortcuts["hear"](self._hear)
        while True:
            event = await receive()
            if event["type"] == "websocket.disconnect":
                return
            self._hear(event.get("text"))

    def _hear(self, text: str | None) -> None:
        """Deal with a frame; None: it was not text. Never waits, so that frames keep their order whichever way they come."""
        self.heard_at = time.monotonic()
        if self._outbox.closing is not None:
            return  # until the server says that the connection is closed
        if text is None:
            self.close(BAD_FRAME)
        elif is_longer(text, settings.FRAME_MAX_BYTES):
            self.close(TOO_BIG)
        elif limiter.take("frame", str(self.user_id)) > 0:
            self.close(TOO_FAST_CODE)
        else:
            self._take(text)

    def _take(self, text: str) -> None:
        try:
            request = requests.decoder.decode(text)
        except msgspec.ValidationError as error:
            self._refuse_form(text, str(error))
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            self.close(BAD_FRAME)
        else:
            try:
                self._carry_out(request)
            except Problem as problem:
                self._refuse(request.ref, problem)

    def _refuse_form(self, text: str, why: str) -> None:
        """JSON, but not one of our frames: an error if it can be answered, the end if it is not even an object with a type."""
        try:
            ref = requests.bare.decode(text).ref
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            self.close(BAD_FRAME)
            return
        telemetry.observe("refused", code="invalid", status=400)
        self._answer(
            {"type": "error", "ref": ref, "code": "invalid", "detail": f"The frame is not as documented: {why}."}
        )

    def _carry_out(self, request: Request) -> None:
        match request:
            case requests.SendMessage():
                self._send(request)
            case requests.Delivered() | requests.Seen() | requests.Read():
                self._note_receipt(request)
            case requests.TypingStart():
                self._member_of(request.session, *OPEN)
                self._runtime.typing.start(request.session, self.user_id, request.kind)
            case requests.TypingStop():
                self._member_of(request.session)
                self._runtime.typing.stop(request.session, self.user_id)
            case requests.SetPresence():
                self._runtime.presence.note(Connection(id=self.id, user_id=self.user_id, state=request.state))
            case requests.Ping():
                self._answer({"type": "pong", "ref": request.ref})
            case requests.Resume():
                self._start(self._resume(request), request)
            case requests.GetOnlineUsers():
                self._start(self._online_users(request), request)
            case requests.JoinSession():
                self._start(self._join(request), request)
            case requests.LeaveSession():
                self._leave_session(request)

    # Sending ---------------------------------------------------------------------------------------------------------

    def _send(self, request: requests.SendMessage) -> None:
        wait = limiter.take("message", str(self.user_id))
        if wait > 0:
            raise TooFast(retry_after=wait)
        draft = messages.new_draft(
            sender=self.who,
            session_id=request.session,
            message_id=request.id,
            content=request.content,
            reply_to=request.reply_to,
        )
        self._runtime.send(draft, partial(self._sent, request.ref))

    def _sent(self, ref: requests.Ref, outcome: messages.Sent | Exception) -> None:
        if isinstance(outcome, Exception):
            self._fail(ref, outcome)
            return
        if outcome.is_replay:
            limiter.give_back("message", str(self.user_id))
        self._answer({"type": "ack", "ref": ref, "message": outcome.message, "replayed": outcome.is_replay})

    # Requests that ask the database -----------------------------------------------------------------------------------

    def _start(self, work: Coroutine[Any, Any, None], request: Request) -> None:
        wait = 1.0 if len(self._jobs) >= MAX_JOBS else limiter.take("read", str(self.user_id))
        if wait > 0:
            work.close()
            raise TooFast(retry_after=wait)
        job = asyncio.get_running_loop().create_task(self._guarded(work, request.ref))
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None], ref: requests.Ref) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 (answered, and logged unless it is a refusal)
            self._fail(ref, error)

    async def _resume(self, request: requests.Resume) -> None:
        # Answers are large: one at a time, and only to a peer that has taken what was before.
        async with self._resuming:
            await self._outbox.drained()
            turn = self._runtime.catching_up if self._was_level else self._runtime.coming
            async with turn:
                answer = await in_transaction(self.who, sync, viewer=self.who, held=request.sessions)
            self._was_level = self._was_level or not answer["more"]
            self._answer({"type": "resumed", "ref": request.ref, **answer})

    async def _online_users(self, request: requests.GetOnlineUsers) -> None:
        users = await in_transaction(self.who, presence.session_presence, request.session)
        if not users:
            raise NotFound
        self._answer({"type": "online_users", "ref": request.ref, "session": request.session, "users": users})

    async def _join(self, request: requests.JoinSession) -> None:
        """Say which session one looks at. Staff who are not in it are let in to look, and that is recorded."""
        found: ChatSession = await in_transaction(self.who, session.may_look, self.who, request.session)
        hub = self._runtime.hub
        if request.session not in self.rooms:
            heads = await hub.directory.heads([], [request.session])
            hub.look(self, heads[found.pk])
        room = hub.rooms.get(request.session)
        if room is None:
            raise NotFound  # removed in this very moment
        if request.session not in self.joined:
            self.joined.add(request.session)
            self._tell_looking("user_joined", request.session)
        self._answer(
            {
                "type": "session_joined",
                "ref": request.ref,
                "session": request.session,
                "revision": room.revision,
                "status": room.status,
            }
        )

    def _leave_session(self, request: requests.LeaveSession) -> None:
        if request.session in self.joined:
            self._tell_looking("user_left", request.session)
            self.joined.discard(request.session)
            self._runtime.hub.look_away(self, request.session)

    def _tell_looking(self, kind: str, session_id: UUID) -> None:
        room = self._runtime.hub.rooms.get(session_id)
        # Members are not told who of the staff looks in: that is on record instead.
        if room is not None and session_id not in self.looking:
            event = frames.looking(kind, session_id, self.user_id, members_revision=room.members_revision)
            self._runtime.hub.accept([event])

    def _member_of(self, session_id: UUID, *states: str) -> None:
        """Raise unless one is a member and the session in one of `states`, if given: no database is asked."""
        room = self._runtime.hub.rooms.get(session_id)
        if room is None or session_id not in self.rooms or session_id in self.looking:
            raise NotFound
        if states and room.status not in states:
            raise WrongSessionState

    # Receipts --------------------------------------------------------------------------------------------------------

    def _note_receipt(self, request: requests.Receipt) -> None:
        """Receipts are cumulative: of those that wait only the highest counts."""
        self._member_of(request.session, *READABLE)
        kind = {requests.Delivered: "delivered", requests.Seen: "seen", requests.Read: "read"}[type(request)]
        key = (request.session, kind)
        self._receipts[key] = max(self._receipts.get(key, 0), request.up_to)
        if self._receipt_job is None:
            self._receipt_job = asyncio.get_running_loop().create_task(self._write_receipts())
            self._jobs.add(self._receipt_job)
            self._receipt_job.add_done_callback(self._jobs.discard)

    async def _write_receipts(self) -> None:
        try:
            while self._receipts:
                waiting, self._receipts = self._receipts, {}
                for (session_id, kind), up_to in waiting.items():
                    await self._guarded(self._move_cursor(session_id, kind, up_to), None)
                await asyncio.sleep(RECEIPT_SECONDS)
        finally:
            self._receipt_job = None

    async def _move_cursor(self, session_id: UUID, kind: str, up_to: int) -> None:
        await in_transaction(
            self.who, receipt.move_cursor, user_id=self.user_id, session_id=session_id, kind=kind, up_to=up_to
        )

    # Answers ---------------------------------------------------------------------------------------------------------

    def _answer(self, frame: dict[str, Any]) -> None:
        self.push(encode(frame))

    def _refuse(self, ref: requests.Ref, problem: Problem) -> None:
        telemetry.observe("refused", code=problem.code, status=problem.status)
        if problem.status == 403:
            record = in_transaction(self.who, record_refusal, code=problem.code, what="socket")
            self._runtime.in_background(record)
        frame: dict[str, Any] = {"type": "error", "ref": ref, "code": problem.code, "detail": problem.detail}
        if problem.retry_after is not None:
            frame["retry_after"] = round(problem.retry_after, 2)
        self._answer(frame)

    def _fail(self, ref: requests.Ref, error: BaseException) -> None:
        if not isinstance(error, Problem):
            log.error("a frame could not be carried out", exc_info=error)
            error = Busy("Something went wrong on our side. Try again.", retry_after=2)
        self._refuse(ref, error)


def is_longer(text: str, size_bytes: int) -> bool:
    """Than so many bytes of UTF-8, where a character takes up to four."""
    return 4 * len(text) > size_bytes and (len(text) > size_bytes or len(text.encode()) > size_bytes)
