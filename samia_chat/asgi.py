"""The ASGI application: requests to Django, sockets to the consumer, and what must be true before either."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import IO, Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "samia_chat.settings")

import django

django.setup(set_prefix=False)  # fills the app registry: what follows imports models

from asgiref.sync import sync_to_async  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.core.handlers.asgi import ASGIRequest  # noqa: E402
from django.db import OperationalError, connections  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from django.http.response import HttpResponseBase  # noqa: E402
from django.urls import get_resolver, path, re_path  # noqa: E402
from psycopg_pool import PoolTimeout  # noqa: E402

from chat.live import runtime, uploads  # noqa: E402
from chat.live.consumer import ChatConsumer  # noqa: E402
from samia_chat import problems, telemetry  # noqa: E402
from samia_chat.checks import refuse_unsafe_database  # noqa: E402
from samia_chat.errors import Problem, TooLarge  # noqa: E402
from samia_chat.handler import Handler  # noqa: E402
from samia_chat.realtime.events import encode  # noqa: E402

IN_MEMORY_BYTES = 64 * 1024  # of a body without a length; more goes to a temporary file
PIECE_BYTES = 64 * 1024
LINGER_SECONDS = 5.0  # how long the rest of a refused body is read, so that its sender gets to see the answer

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


# Whoever asks for them wants to know how it is now.
NEVER_WAITING = frozenset({"/healthz", "/readyz", "/metrics"})


class Requests(Handler):
    """Requests, each in a thread, with a bound on those that are worked on at the same time.

    The others wait in the event loop (chat/live/runtime.py says why).
    """

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        assert isinstance(request, ASGIRequest)
        if request.path in NEVER_WAITING:
            return await super().get_response_async(request)
        running = runtime.ensure_started()
        # Uploads have a bound of their own: each is judged for seconds, and nobody else waits for that.
        async with running.requests if uploads.rate_of(request.scope) is None else running.uploads:
            return await super().get_response_async(request)


async def no_such_socket(scope: Message, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 4404})


sockets = URLRouter(
    [
        path("ws/chat", ChatConsumer.as_asgi()),
        re_path("", no_such_socket),  # type: ignore[arg-type]  # an ASGI application, not a view
    ]
)
router = ProtocolTypeRouter({"http": Requests(), "websocket": sockets})


# The event loop waits so long for each thread that is at work before it gets the interpreter back. Python's default is ten times
# as much: with eight requests at work, that is 40 ms for every message.
sys.setswitchinterval(0.0005)

_is_safe = False


async def application(scope: Message, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    # A server without lifespan (daphne) starts with the first request.
    await refuse_unsafe()
    runtime.ensure_started()
    if scope["type"] == "http":
        await serve(scope, receive, send)
    else:
        await router(scope, receive, send)


async def refuse_unsafe() -> None:
    """Raise ImproperlyConfigured rather than serve on a database that is not as it must be. Asked until it is, then never."""
    global _is_safe
    if not _is_safe:
        await sync_to_async(_check_database)()
        _is_safe = True


def _check_database() -> None:
    try:
        refuse_unsafe_database()
    finally:
        connections.close_all()  # back to the pool: this thread serves no requests


async def lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                await refuse_unsafe()
                runtime.ensure_started()
                settle()
            except Exception as error:  # noqa: BLE001 (the server prints it and ends)
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
        else:
            await runtime.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


def settle() -> None:
    """Load what the first request would, and take all that is there now out of garbage collection.

    Else each full collection walks through Django and everything else that stays for good: a hundred milliseconds in which
    no message moves, every few thousand messages.
    """
    get_resolver().url_patterns  # noqa: B018 (a property that imports every view)
    gc.collect()
    gc.freeze()


# Bodies ---------------------------------------------------------------------------------------------------------------


async def serve(scope: Message, receive: Receive, send: Send) -> None:
    """Hand a request on whose body has a length within the limit; refuse the others.

    A body sent in chunks has no length. Django would store it without end before anybody is asked who he is, and DRF would
    take it for empty; so it is read here, as far as is accepted, and handed on with its length.
    """
    length, most = declared_length(scope), uploads.most_bytes(scope)
    if length is not None and length > most:
        await refuse_body(TooLarge(), receive, send, is_more=True)
        return
    rate = uploads.rate_of(scope)
    if rate is not None:
        try:
            await uploads.admit(scope, rate)
        except (Problem, OperationalError, PoolTimeout) as refusal:
            await refuse_body(refusal, receive, send, is_more=True)
            return
    if length is not None:
        await router(scope, receive, send)
        return
    with tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES) as body:
        size = 0
        is_more = True
        while is_more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            piece = message.get("body", b"")
            size += len(piece)
            is_more = message.get("more_body", False)
            if size > most:
                await refuse_body(TooLarge(), receive, send, is_more=is_more)
                return
            body.write(piece)
        body.seek(0)
        await router(with_length(scope, size), replay(body, size, receive), send)


def declared_length(scope: Message) -> int | None:
    """The Content-Length, which the server enforces; None without one that can be believed."""
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"")
    return int(length) if length.isdigit() and b"transfer-encoding" not in headers else None


def with_length(scope: Message, size: int) -> Message:
    others = [
        (name, value) for name, value in scope["headers"] if name not in (b"content-length", b"transfer-encoding")
    ]
    return {**scope, "headers": [*others, (b"content-length", str(size).encode())] if size else others}


def replay(body: IO[bytes], size: int, receive: Receive) -> Receive:
    """A `receive` that gives what was read, and after it what the server says further."""
    left: int | None = size

    async def replayed() -> Message:
        nonlocal left
        if left is None:
            return await receive()
        piece = body.read(PIECE_BYTES)
        left -= len(piece)
        is_more = left > 0
        if not is_more:
            left = None
        return {"type": "http.request", "body": piece, "more_body": is_more}

    return replayed


async def refuse_body(refusal: Exception, receive: Receive, send: Send, *, is_more: bool) -> None:
    """Answer a problem, and keep no more of the body.

    What is still on its way is read for a while and thrown away: a connection that is closed with unread bytes is reset,
    and the sender would see that instead of the answer.
    """
    found = problems.of(refusal)
    assert found is not None  # of() knows all that come here
    problem, further = found
    telemetry.observe("refused", code=problem["code"], status=problem["status"])
    body = encode(problem)
    headers = {
        "content-type": problems.CONTENT_TYPE,
        "content-length": str(len(body)),
        "connection": "close",
        **further,
    }
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem["status"], "headers": encoded})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while is_more:
                is_more = (await receive()).get("more_body", False)  # also false when the sender has left
    await send({"type": "http.response.body"})
