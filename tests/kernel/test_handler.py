"""Requests and their threads: one whole request in one, used again, never by two at a time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO, Any

import pytest
from django.db.transaction import non_atomic_requests
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path

from samia_chat import actor, handler
from samia_chat.handler import Handler

pytestmark = pytest.mark.usefixtures("own_urls")
may_go_on = threading.Event()
has_begun = threading.Event()


def where(request: HttpRequest) -> HttpResponse:
    """The thread, and what the middleware around it had said of the caller."""
    return HttpResponse(f"{threading.get_ident()} {actor.current().address}")


@non_atomic_requests  # whoever is broken off from outside, as at the end of a process, gives no connection back
def wait(request: HttpRequest) -> HttpResponse:
    has_begun.set()
    assert may_go_on.wait(10)
    return where(request)


urlpatterns = [path("where", where), path("wait", wait)]


@pytest.fixture
def own_urls() -> Any:
    may_go_on.clear()
    has_begun.clear()
    with override_settings(ROOT_URLCONF=__name__):
        yield
    may_go_on.set()


class Unclosed(Handler):
    """Keeps the bodies of requests: Django leaves that of one that is broken off to the collector."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[IO[bytes]] = []

    async def read_body(self, receive: Any) -> IO[bytes]:
        self.bodies.append(await super().read_body(receive))
        return self.bodies[-1]


async def get(handler: Handler, path: str) -> str:
    """The text of a 200."""
    given = [{"type": "http.request", "body": b"", "more_body": False}]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        if not given:
            await asyncio.Event().wait()  # the caller stays
        return given.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    await handler(scope(path), receive, send)
    assert sent[0]["status"] == 200
    return b"".join(message["body"] for message in sent[1:]).decode()


def scope(path: str) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": f"/{path}",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.9", 1),
    }


@asynccontextmanager
async def waiting(handler: Handler) -> AsyncIterator[asyncio.Task[str]]:
    """A request whose view has begun and does not end before it may."""
    task = asyncio.create_task(get(handler, "wait"))
    assert await asyncio.to_thread(has_begun.wait, 10)
    yield task
    may_go_on.set()


async def test_one_after_the_other_use_the_same_thread() -> None:
    handler = Handler()
    answers = {await get(handler, "where") for _ in range(3)}
    assert len(answers) == 1
    assert answers.pop().endswith(" 127.0.0.9")


async def test_two_at_once_have_a_thread_each() -> None:
    handler = Handler()
    async with waiting(handler) as first:
        second = await get(handler, "where")
    assert await first != second


async def test_a_thread_that_was_left_at_work_is_given_to_nobody() -> None:
    handler = Unclosed()
    async with waiting(handler) as first:
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        async with asyncio.timeout(5):
            assert await get(handler, "where")
    for body in handler.bodies:
        body.close()


async def test_threads_of_a_rush_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "MAX_IDLE", 1)
    busy = Handler()
    async with waiting(busy) as first:
        await get(busy, "where")
    await first
    assert len(busy._idle) == 1
