"""Everything a web process runs beside its requests: started with the server, or by the first request that needs it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

import redis.asyncio as aioredis
from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from accounts.identity import live_logins
from accounts.socket_sign_in import Credential, SignedIn, signed_in
from chat import frames
from chat.errors import refusal_of
from chat.live.batcher import Batcher
from chat.live.directory import Directory
from chat.live.presence import PresenceKeeper
from chat.live.typing import TypingSignals
from chat.services import message as messages
from chat.services.message import Draft, Sent, Stored
from samia_chat import actor, telemetry
from samia_chat.db.threads import in_transaction
from samia_chat.errors import Busy
from samia_chat.gathering import Gathering
from samia_chat.limits import limiter
from samia_chat.realtime import hub as hubs
from samia_chat.realtime.bus import Bus
from samia_chat.realtime.events import Event
from samia_chat.realtime.hub import Hub
from samia_chat.realtime.notices import Notice, listen

log = logging.getLogger(__name__)
ANSWER_SECONDS = 15.0  # a view waits so long for its message to be stored
IDLE_SECONDS = 120.0  # a socket that sends nothing for so long is closed
# What is worked on at the same time. The rest waits in the event loop, where waiting costs nothing: more threads would take
# the interpreter from the loop, and when all clients come back at once no message would be delivered for seconds.
REQUESTS = 8
UPLOADS = 4
RESUMES = 2  # of sockets that come, and as many of those that have missed something since: they do not queue behind the others
TICK_SECONDS = 0.1  # how often it is measured how late the event loop is
AGAIN_SECONDS = 1.0  # after which a job that ended by itself is started again

SIGNED_OUT, DEACTIVATED, IDLE, RESYNC, RESTART = 4401, 4403, 4408, 4410, 1012


class Runtime:
    def __init__(self) -> None:
        self.bus = self._make_bus() if settings.REDIS_URL else None
        self.hub = Hub(Directory(), self.bus.publish if self.bus else None)
        self.batcher = Batcher(settings.DATABASE_URL)
        self.admissions: Gathering[Credential, SignedIn | None] = Gathering(self._admit)
        self.requests = asyncio.Semaphore(REQUESTS)
        self.uploads = asyncio.Semaphore(UPLOADS)
        self.coming = asyncio.Semaphore(RESUMES)
        self.catching_up = asyncio.Semaphore(RESUMES)
        self.presence = PresenceKeeper(self.hub.node)
        self.typing = TypingSignals(self._tell_typing)
        self.listening = asyncio.Event()  # set once notices have been listened to: before, nobody is admitted
        self._tasks: list[asyncio.Task[None]] = []
        self._background: set[asyncio.Task[Any]] = set()

    def in_background(self, work: Coroutine[Any, Any, Any]) -> None:
        """Carry something out whose end nobody waits for, and that goes on when its socket has left."""
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def start(self) -> None:
        jobs = [self._listen, self._beat, self.presence.run, self._keep_limits, self._tick]
        if self.bus is not None:
            jobs.append(self.bus.run)
        self._tasks = [asyncio.get_running_loop().create_task(self._keep_up(job)) for job in jobs]
        hubs.set_running(self.hub)

    async def _keep_up(self, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a job until cancelled. None is meant to end by itself: one that does is in the log, and begins again."""
        while True:
            try:
                await job()
                log.error("a job of this process has ended", extra={"job": job.__name__})
            except Exception:
                log.exception("a job of this process has failed", extra={"job": job.__name__})
            await asyncio.sleep(AGAIN_SECONDS)

    async def stop(self) -> None:
        """Close sockets so that their clients come back elsewhere, and finish what was accepted."""
        hubs.set_running(None)
        for socket in list(self.hub.sockets):
            socket.close(RESTART)
        await self.batcher.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._background, return_exceptions=True)
        with suppress(Exception):
            await self.presence.stop()

    async def _admit(self, credentials: list[Credential]) -> list[SignedIn | None]:
        return await in_transaction(actor.NOBODY, signed_in, credentials)

    # Sending ---------------------------------------------------------------------------------------------------------

    def send(self, draft: Draft, then: Callable[[Sent | Exception], None]) -> None:
        """Store a draft through the batcher, announce it, and then call `then` with it, a refusal, or Busy.

        A callback and not a coroutine: a task for every message would cost a tenth of what the message costs here.
        """
        self.batcher.submit(draft).add_done_callback(partial(self._stored, draft, then))

    def send_from_thread(self, draft: Draft) -> Sent:
        """The same for a view. Raises the refusal, or Busy; a message that is late may still be stored."""
        if connection.in_atomic_block:
            # Its locks could be what our own batch waits for, and PostgreSQL cannot see that we wait for each other.
            raise RuntimeError("a caller with an open transaction sends on its own connection (send_message)")
        answer = asyncio.run_coroutine_threadsafe(self._send_and_wait(draft), self.hub.loop)
        try:
            return answer.result(ANSWER_SECONDS)
        except TimeoutError:
            raise Busy("The message was not stored in time. Send it again with the same id.", retry_after=2) from None

    async def _send_and_wait(self, draft: Draft) -> Sent:
        outcome: asyncio.Future[Sent | Exception] = asyncio.get_running_loop().create_future()
        self.send(draft, lambda how: None if outcome.done() else outcome.set_result(how))
        sent = await outcome
        if isinstance(sent, Exception):
            raise sent
        return sent

    def _stored(
        self, draft: Draft, then: Callable[[Sent | Exception], None], answer: asyncio.Future[tuple[Stored, bool]]
    ) -> None:
        error = answer.exception()
        if error is not None:
            assert isinstance(error, Exception)  # nobody cancels what the batcher was given
            then(error)
            return
        stored, is_retry = answer.result()
        telemetry.observe("message.sent", outcome=stored.code)
        if stored.code == "ok":
            event, sent = messages.announce(draft, stored)
            self.hub.accept([event])
            self.typing.stop(draft.session_id, event_user(draft))
            then(sent)
        elif stored.code == "replayed":
            self.in_background(self._tell_replayed(draft, is_retry, then))
        else:
            then(refusal_of(stored.code) or RuntimeError(f"a send answered {stored.code!r}"))

    async def _tell_replayed(self, draft: Draft, is_retry: bool, then: Callable[[Sent | Exception], None]) -> None:
        try:
            sent = await self._replayed(draft, is_retry)
        except Exception as error:  # noqa: BLE001 (handed to whoever waits)
            then(error)
        else:
            then(sent)

    async def _replayed(self, draft: Draft, is_retry: bool) -> Sent:
        sent = await in_transaction(draft.sender, messages.replayed, message_id=draft.message_id)
        if not is_retry:
            return sent
        # The connection broke after the commit and before the answer: nobody was told yet.
        self.hub.accept([frames.message_event("new_message", sent.message, members_revision=0)])
        return Sent(message=sent.message, is_replay=False)

    def _tell_typing(self, kind: str, session: UUID, user: UUID, what: str) -> None:
        room = self.hub.rooms.get(session)
        if room is not None:
            event = frames.typing(kind, session, user, what, members_revision=room.members_revision)
            self.hub.accept([event])

    # Access notices --------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        await listen(settings.DATABASE_URL, on_notice=self._on_notice, on_return=self._on_return)

    def _on_notice(self, notice: Notice) -> None:
        match notice.kind:
            case "members":
                self.hub.recheck([notice.id])
            case "login":
                self.hub.close_login(notice.id, SIGNED_OUT)
            case "closed":
                self.hub.close_user(notice.id, DEACTIVATED)
            case "role":
                # The client comes back at once, under what the person is now.
                self.hub.close_user(notice.id, RESYNC)
            case _:
                log.error("access notice of an unknown kind", extra={"kind": notice.kind})

    async def _on_return(self) -> None:
        """The notices were away. Sockets whose login ended meanwhile are found by asking for each."""
        await self._check_logins()
        await self.hub.check_all(announce=False)
        self.listening.set()

    async def _check_logins(self) -> None:
        sockets = list(self.hub.sockets)
        if not sockets:
            return
        live = await in_transaction(actor.system("hub"), live_logins, [socket.login_id for socket in sockets])
        for socket in sockets:
            if socket.login_id not in live:
                socket.close(SIGNED_OUT)
            elif live[socket.login_id] != (socket.user_id, socket.role):
                socket.close(RESYNC)

    # Other processes ---------------------------------------------------------------------------------------------------

    def _make_bus(self) -> Bus:
        bus: Bus = import_string(settings.EVENT_BUS)(settings.REDIS_URL, self._take, self._on_loss)
        return bus

    def _take(self, event: Event) -> None:
        """Of another process; our own sockets have ours already."""
        self.hub.deliver(event)

    def _on_loss(self) -> None:
        self.in_background(self._read_what_was_lost())

    async def _read_what_was_lost(self) -> None:
        with suppress(Exception):  # the database does not answer; the next heartbeat asks again
            await self.hub.check_all(announce=False)

    @property
    def layer_is_up(self) -> bool:
        """Whether events of other processes arrive, or there are none."""
        return self.bus is None or self.bus.is_up

    # Time ------------------------------------------------------------------------------------------------------------

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(settings.HEARTBEAT_SECONDS)
            now = time.monotonic()
            for socket in list(self.hub.sockets):
                if now - socket.heard_at > IDLE_SECONDS:
                    socket.close(IDLE)
            try:
                await self.hub.check_all(announce=True)
            except Exception:
                log.warning("heartbeat: the database does not answer", exc_info=True)

    async def _tick(self) -> None:
        """Measure how late a task runs that has nothing to wait for but its turn: every socket waits as long."""
        while True:
            due = time.monotonic() + TICK_SECONDS  # uvloop's own clock stands still while callbacks run
            await asyncio.sleep(TICK_SECONDS)
            telemetry.observe("loop.late", seconds=max(0.0, time.monotonic() - due))

    async def _keep_limits(self) -> None:
        redis = aioredis.Redis.from_url(settings.REDIS_URL, socket_timeout=1) if settings.REDIS_URL else None
        turns = 0
        while True:
            await asyncio.sleep(1)
            turns += 1
            if redis is not None:
                with suppress(Exception):  # alone meanwhile; /readyz says degraded
                    await limiter.reconcile(redis)
            if turns % 60 == 0:
                limiter.sweep()


def event_user(draft: Draft) -> UUID:
    assert draft.sender.user_id is not None  # the SQL function refuses drafts of nobody
    return draft.sender.user_id


_runtime: Runtime | None = None


def current() -> Runtime | None:
    """This process's runtime, if it runs."""
    return _runtime


def ensure_started() -> Runtime:
    """Start the runtime on this event loop, unless it runs already."""
    global _runtime
    if _runtime is None:
        _runtime = Runtime()
        _runtime.start()
    return _runtime


async def stop() -> None:
    global _runtime
    if _runtime is not None:
        runtime, _runtime = _runtime, None
        await runtime.stop()
