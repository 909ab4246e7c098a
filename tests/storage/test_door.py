"""What a server answers to an upload before it reads the body, and that a server killed in the middle leaves nothing behind."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings

from accounts.models import User
from accounts.tokens import make_access_token
from tests.cast import World, make_login
from tests.database import Truth
from tests.files import picture
from tests.server import Server

BOUNDARY = "samia-boundary"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server(SAMIA_RATE_UPLOADS="3")
    yield server.start()
    server.stop()


def form(content: bytes, name: str = "a.txt", field: str = "file", **fields: str) -> bytes:
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
    parts.append(f"{head}Content-Type: text/plain\r\n\r\n".encode() + content + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def bearer(person: User) -> str:
    return make_access_token(user_id=person.pk, login_id=make_login(person).pk)


class Request:
    """A request whose body is sent when the test says so."""

    def __init__(
        self, server: Server, path: str, length: int, token: str | None = None, *, method: str = "POST"
    ) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=15)
        head = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {length}"]
        head.append(f"Content-Type: multipart/form-data; boundary={BOUNDARY}")
        if token is not None:
            head.append(f"Authorization: Bearer {token}")
        self._socket.sendall("\r\n".join([*head, "", ""]).encode())

    def send(self, body: bytes) -> None:
        self._socket.sendall(body)

    def answer(self) -> tuple[int, Any]:
        """The status and the problem or message. The connection may stay open for a while."""
        got = b""
        while b"\r\n\r\n" not in got:
            got += self._socket.recv(65536)
        head, _, body = got.partition(b"\r\n\r\n")
        lines = head.decode().lower().split("\r\n")
        length = next(int(line.split(":")[1]) for line in lines if line.startswith("content-length"))
        while len(body) < length:
            body += self._socket.recv(65536)
        return int(lines[0].split(" ")[1]), json.loads(body[:length])

    def close(self) -> None:
        self._socket.close()


@pytest.mark.parametrize("what", ["upload", "voice"])
def test_who_is_not_signed_in_is_told_before_he_has_sent_anything(world: World, server: Server, what: str) -> None:
    for token in (None, "forged"):
        request = Request(server, f"/api/chat/sessions/{world.session}/{what}", 5_000_000, token)
        status, problem = request.answer()
        assert (status, problem["code"]) == (401, "signed_out")
        request.close()


def test_what_is_too_long_is_refused_before_it_is_sent(world: World, server: Server) -> None:
    path = f"/api/chat/sessions/{world.session}/upload"
    request = Request(server, path, 13_000_000, bearer(world.client))
    status, problem = request.answer()
    assert (status, problem["code"]) == (413, "too_large")
    request.close()


def test_a_picture_of_oneself_is_refused_at_the_door_as_well(world: World, server: Server) -> None:
    token = bearer(world.client)
    limit = settings.AVATAR_BODY_MAX_BYTES
    for given, length, expected in (
        (None, 1000, (401, "signed_out")),
        ("forged", 1000, (401, "signed_out")),
        (token, limit + 1, (413, "too_large")),
    ):
        request = Request(server, "/api/me/avatar", length, given, method="PUT")
        status, problem = request.answer()
        assert (status, problem["code"]) == expected
        request.close()
    body = form(picture(), "me.jpg", "avatar")
    for _ in range(3):
        request = Request(server, "/api/me/avatar", len(body), token, method="PUT")
        request.send(body)
        status, me = request.answer()
        assert (status, me["id"]) == (200, str(world.client.pk)), me
        request.close()
    request = Request(server, "/api/me/avatar", limit, token, method="PUT")
    status, problem = request.answer()
    assert (status, problem["code"]) == (429, "too_fast")
    request.close()


def test_over_the_rate_is_refused_before_it_is_sent(world: World, server: Server) -> None:
    path = f"/api/chat/sessions/{world.session}/upload"
    token, body = bearer(world.client), form(b"hello")
    for _ in range(3):
        request = Request(server, path, len(body), token)
        request.send(body)
        assert request.answer()[0] == 201
        request.close()
    request = Request(server, path, 5_000_000, token)
    status, problem = request.answer()
    assert (status, problem["code"]) == (429, "too_fast")
    request.close()
    # Each is counted once, and of others each for himself.
    other = Request(server, path, len(body), bearer(world.reader))
    other.send(body)
    assert other.answer()[0] == 201
    other.close()


def test_a_sender_who_leaves_in_the_middle_leaves_nothing(world: World, server: Server, truth: Truth) -> None:
    request = Request(server, f"/api/chat/sessions/{world.session}/upload", 5_000_000, bearer(world.client))
    request.send(form(b"x" * 100_000)[:90_000])
    request.close()
    body = form(b"hello", id=str(uuid4()))
    after = Request(server, f"/api/chat/sessions/{world.session}/upload", len(body), bearer(world.reader))
    after.send(body)
    assert after.answer()[0] == 201
    after.close()
    assert truth.one("SELECT count(*) FROM chat_files") == 1


def test_ten_thousand_parts_are_refused(world: World, server: Server, truth: Truth) -> None:
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nx\r\n'
    body = (part * 10_000 + f"--{BOUNDARY}--\r\n").encode()
    request = Request(server, f"/api/chat/sessions/{world.session}/upload", len(body), bearer(world.admin))
    request.send(body)
    status, problem = request.answer()
    assert status == 400, problem
    request.close()
    assert truth.one("SELECT count(*) FROM chat_files") == 0
