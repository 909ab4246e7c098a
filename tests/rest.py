"""A REST client that is signed in as somebody, and says what came back."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from accounts.models import User
from accounts.tokens import make_access_token
from tests.cast import make_login

T = TypeVar("T")


async def in_thread(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Run something that asks the database from an async test; its connections go back to the pool."""

    def run() -> T:
        try:
            return function(*args, **kwargs)
        finally:
            connections.close_all()

    return await asyncio.to_thread(run)


async def until(condition: Callable[[], object], *, within: float = 5.0) -> None:
    """Wait for something that happens elsewhere."""
    deadline = time.monotonic() + within
    while not await in_thread(condition):
        assert time.monotonic() < deadline, f"not within {within} s"
        await asyncio.sleep(0.02)


@dataclass
class Answer:
    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> str | None:
        """The stable code of a problem."""
        return self.body.get("code") if isinstance(self.body, dict) else None


def _answer(response: Any) -> Answer:
    content = asyncio.run(_gathered(response)) if response.streaming else response.content
    is_json = "json" in response.headers.get("Content-Type", "")
    return Answer(
        status=response.status_code,
        body=json.loads(content) if is_json and content else content,
        headers=dict(response.headers),
    )


async def _gathered(response: Any) -> bytes:
    """What is streamed, for a test client that does not."""
    return b"".join([piece async for piece in response.streaming_content])


class Api:
    """Requests as `person`, with a bearer token; as nobody without one. Exceptions of ours are answers, not raised."""

    def __init__(self, person: User | None = None, **headers: str) -> None:
        self.person = person
        self.login = make_login(person) if person else None
        self.headers = headers
        if person and self.login:
            token = make_access_token(user_id=person.pk, login_id=self.login.pk)
            self.headers["Authorization"] = f"Bearer {token}"
        self._client = Client(raise_request_exception=False)

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        data = body if isinstance(body, (bytes, str)) else json.dumps(body, default=str) if body is not None else ""
        response = self._client.generic(
            method, f"/api{path}", data, content_type="application/json", headers={**self.headers, **headers}
        )
        return _answer(response)

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, **headers)

    def head(self, path: str, **headers: str) -> Answer:
        return self.request("HEAD", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.request("POST", path, {} if body is None else body, **headers)

    def put(self, path: str, body: Any = None) -> Answer:
        return self.request("PUT", path, {} if body is None else body)

    def patch(self, path: str, body: Any = None) -> Answer:
        return self.request("PATCH", path, {} if body is None else body)

    def delete(self, path: str) -> Answer:
        return self.request("DELETE", path)

    def upload(
        self, to: object, content: bytes, name: str = "file.bin", *, kind: str = "upload", **fields: object
    ) -> Answer:
        """Send a file (`kind` upload) or a recording (voice), as a form."""
        file = SimpleUploadedFile(name, content)
        return self.form(f"/chat/sessions/{to}/{kind}", {"voice" if kind == "voice" else "file": file, **fields})

    def form(self, path: str, fields: dict[str, object], *, method: str = "POST") -> Answer:
        body = encode_multipart(BOUNDARY, fields)
        return _answer(self._client.generic(method, f"/api{path}", body, MULTIPART_CONTENT, headers=self.headers))

    def change_avatar(self, content: bytes, name: str = "me.jpg") -> Answer:
        return self.form("/me/avatar", {"avatar": SimpleUploadedFile(name, content)}, method="PUT")

    def send(self, session: object, content: str = "hello", **fields: Any) -> Answer:
        return self.post(f"/chat/sessions/{session}/messages", {"content": content, **fields})
