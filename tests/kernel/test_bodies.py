"""What a server does with bodies that it is sent, and before the first request: real processes, real connections."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from accounts.models import User
from accounts.tokens import make_access_token
from chat.live import runtime
from samia_chat import asgi
from tests.cast import World, make_login
from tests.database import Truth
from tests.server import Server, free_port

CHUNK = b"x" * 64 * 1024
Answer = tuple[int, Any]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    yield server.start()
    server.stop()


def ask(server: Server, method: str, path: str, body: Any, person: User | None = None, **headers: str) -> Answer:
    """A request; a body that is an iterator goes out in chunks. All of it is sent before the answer is read."""
    if person is not None:
        token = make_access_token(user_id=person.pk, login_id=make_login(person).pk)
        headers["Authorization"] = f"Bearer {token}"
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request(method, path, body, headers={"Content-Type": "application/json", **headers})
        response = connection.getresponse()
        return response.status, json.loads(response.read() or b"null")
    finally:
        connection.close()


def pieces(text: str, size: int) -> Iterator[bytes]:
    data = text.encode()
    for at in range(0, len(data), size):
        yield data[at : at + size]


def test_a_body_in_chunks_is_read_like_any_other(world: World, server: Server) -> None:
    status, me = ask(server, "PATCH", "/api/me", pieces('{"display_name": "In Pieces"}', 5), world.client)
    assert (status, me["display_name"]) == (200, "In Pieces")
    path = f"/api/chat/sessions/{world.session}/messages"
    text = "a message in chunks" * 200
    status, message = ask(server, "POST", path, pieces(json.dumps({"content": text}), 100), world.client)
    assert (status, message["content"]) == (201, text)


def test_a_body_in_chunks_that_does_not_fit_into_memory_is_read_as_well(world: World, server: Server) -> None:
    body = json.dumps({"display_name": "x" * 1_000_000})
    status, problem = ask(server, "PATCH", "/api/me", pieces(body, 10_000), world.client)
    assert (status, problem["code"], list(problem["errors"])) == (400, "invalid", ["display_name"])


def test_no_body_in_chunks_is_no_body(world: World, server: Server) -> None:
    status, problem = ask(server, "POST", "/api/auth/token", iter([b""]))
    assert (status, problem["code"]) == (400, "invalid")


@pytest.mark.parametrize("has_length", [True, False])
@pytest.mark.parametrize("path", ["/api/auth/token", "/api/me", "/nowhere"])
def test_a_body_beyond_the_limit_is_refused_and_its_sender_sees_that(
    has_length: bool, path: str, world: World, server: Server
) -> None:
    count = settings.BODY_MAX_BYTES // len(CHUNK) + 40
    headers = {"Content-Length": str(count * len(CHUNK))} if has_length else {}
    started = time.monotonic()
    status, problem = ask(server, "POST", path, (CHUNK for _ in range(count)), **headers)
    assert (status, problem["code"]) == (413, "too_large")
    assert time.monotonic() - started < asgi.LINGER_SECONDS


def test_who_never_ends_is_refused_at_the_limit(world: World, server: Server) -> None:
    """Nothing of what comes after the limit is kept, and the connection ends soon."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.putrequest("POST", "/api/auth/token")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    started = time.monotonic()
    with suppress(OSError):  # a reset, or a broken pipe
        while time.monotonic() - started < 4 * asgi.LINGER_SECONDS:
            connection.send(b"%x\r\n%s\r\n" % (len(CHUNK), CHUNK))
            time.sleep(0.002)
    assert asgi.LINGER_SECONDS / 2 < time.monotonic() - started < 2 * asgi.LINGER_SECONDS
    connection.close()


# Before the first request -------------------------------------------------------------------------------------------------


async def ask_application(path: str) -> int:
    """A request to the application itself, as a server without lifespan sends it."""
    sent: list[dict[str, Any]] = []

    messages = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        while not messages:
            await asyncio.sleep(1)  # the caller stays until he is answered
        return messages.pop()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1")]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers}
    await asgi.application(scope, receive, send)
    return int(sent[0]["status"])


async def test_without_lifespan_the_database_is_checked_before_the_first_request(
    truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    def check() -> None:
        nonlocal asked
        asked += 1
        if asked < 3:
            raise ImproperlyConfigured("not on this database")

    monkeypatch.setattr(asgi, "_is_safe", False)
    monkeypatch.setattr(asgi, "refuse_unsafe_database", check)
    for _ in range(2):
        with pytest.raises(ImproperlyConfigured):
            await ask_application("/healthz")
        assert runtime.current() is None
    assert [await ask_application("/healthz") for _ in range(2)] == [200, 200]
    assert asked == 3


async def test_so_many_requests_are_worked_on_at_once_and_the_health_of_the_process_is_told_beside_them(
    truth: Truth,
) -> None:
    requests = runtime.ensure_started().requests
    for _ in range(runtime.REQUESTS):
        await requests.acquire()
    waiting = asyncio.create_task(ask_application("/api/me"))
    assert [await ask_application(path) for path in ("/healthz", "/readyz")] == [200, 200]
    await asyncio.sleep(0.1)
    assert not waiting.done()
    requests.release()
    assert await waiting == 401


def test_daphne_serves_nobody_as_the_owner_of_the_tables() -> None:
    port = free_port()
    command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "samia_chat.asgi:application"]
    environment = {**os.environ, "DATABASE_URL": os.environ["DATABASE_OWNER_URL"]}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        status = None
        deadline = time.monotonic() + 20
        while status is None and time.monotonic() < deadline:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                connection.request("GET", "/healthz")
                status = connection.getresponse().status
            except OSError:
                time.sleep(0.1)
            finally:
                connection.close()
        assert status == 500
    finally:
        process.terminate()
        output = process.communicate(timeout=15)[0]
    assert "whom row-level security does not bind" in output
