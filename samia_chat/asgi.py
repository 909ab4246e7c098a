"""The ASGI application: requests to Django, sockets to the consumer, and what must be true before either."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "samia_chat.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()  # fills the app registry: what follows imports models

from asgiref.sync import sync_to_async  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from chat.live import runtime  # noqa: E402
from chat.live.consumer import ChatConsumer  # noqa: E402
from samia_chat import problems  # noqa: E402
from samia_chat.checks import refuse_unsafe_database  # noqa: E402
from samia_chat.realtime.events import encode  # noqa: E402

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


async def no_such_socket(scope: Message, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 4404})


sockets = URLRouter(
    [
        path("ws/chat", ChatConsumer.as_asgi()),
        re_path("", no_such_socket),  # type: ignore[arg-type]  # an ASGI application, not a view
    ]
)
router = ProtocolTypeRouter({"http": django_application, "websocket": sockets})


async def application(scope: Message, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    # A server without lifespan (daphne) starts it with the first request.
    runtime.ensure_started()
    if scope["type"] == "http" and declared_length(scope) > settings.BODY_MAX_BYTES:
        await refuse_body(send)
        return
    await router(scope, receive, send)


async def lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                await sync_to_async(refuse_unsafe_database)()
                runtime.ensure_started()
            except Exception as error:  # noqa: BLE001 (the server prints it and ends)
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
        else:
            await runtime.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


def declared_length(scope: Message) -> int:
    """The Content-Length, or 0 where none is given (the parsers count then)."""
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(length) if length.isdigit() else 0


async def refuse_body(send: Send) -> None:
    """413 before a byte of the body is read."""
    problem = problems.body(status=413, code="too_large", detail="The request is larger than is accepted.")
    headers = [(b"content-type", problems.CONTENT_TYPE.encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": encode(problem).encode()})
