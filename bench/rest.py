"""Requests to the product, on connections that close or stay, and the patience that docs/errors.md asks of a client."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from bench.world import USER_AGENT

TRIES = 60  # with at most WAIT_SECONDS between two: longer than anything fails here
WAIT_SECONDS = 1.0
ANSWER_SECONDS = 60.0  # a storm queues: who gives up early and asks again makes it longer


UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class GaveUp(Exception):
    """A request was tried as often as a client here tries, or refused for good."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: dict[str, str]  # names in small letters
    content: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.content) if self.content else None

    @property
    def retry_after(self) -> float | None:
        said = self.headers.get("retry-after")
        return None if said is None else float(said)


class Refused(GaveUp):
    """For good: another try would be answered in the same way."""

    def __init__(self, what: str, answer: Answer) -> None:
        super().__init__(f"{what}: {answer.status} {answer.body}")
        self.answer = answer

    @property
    def code(self) -> str:
        return str(self.answer.body["code"])


@dataclass(frozen=True, slots=True)
class Took:
    """A request that was carried out, from the wish until the answer: with all tries and what it was told to wait."""

    route: str
    at: float
    seconds: float


@dataclass
class Door:
    """Where the product answers, and what it answered. The processes stand behind it in the place of a proxy's backends."""

    ports: list[int]
    broken: Counter[str] = field(default_factory=Counter)  # 5xx, but for `busy` that says when to come again
    told_to_wait: int = 0  # 429, and 503 with Retry-After
    took: list[Took] = field(default_factory=list)

    def port(self, at: int) -> int:
        return self.ports[at % len(self.ports)]

    async def insist(self, at: int, method: str, path: str, token: str, body: object = None) -> Answer:
        """Ask process `at`, and the next one after each failure, until there is an answer that is final.

        Raises Refused, and GaveUp where there is none.
        """
        why, start = "", time.perf_counter()
        for tried in range(TRIES):
            try:
                answer = await self._ask(at + tried, method, path, token, body)
            except (OSError, EOFError, ValueError) as error:  # refused, broken or cut off
                why = repr(error)
                await asyncio.sleep(random.uniform(0, min(WAIT_SECONDS, 0.05 * 2**tried)))
                continue
            if answer.status < 400:
                self.took.append(Took(route(method, path), start, time.perf_counter() - start))
                return answer
            if answer.status not in (429, 503) or answer.retry_after is None:
                raise Refused(f"{method} {path}", answer)
            why = f"{answer.status} {answer.body}"
            # Beside Retry-After something at random: all who were sent away together would come back together.
            await asyncio.sleep(answer.retry_after + random.uniform(0, WAIT_SECONDS))
        raise GaveUp(f"{method} {path}, {TRIES} times: {why}")

    async def _ask(self, at: int, method: str, path: str, token: str, body: object) -> Answer:
        async with asyncio.timeout(ANSWER_SECONDS):
            answer = await call(self.port(at), method, path, token, body)
        if answer.status in (429, 503) and answer.retry_after is not None:
            self.told_to_wait += 1
        elif answer.status >= 500:
            self.broken[f"{method} {answer.status}"] += 1
        return answer


def route(method: str, path: str) -> str:
    """A request without ids and numbers: "GET /api/chat/sessions/{}/messages?before"."""
    plain, _, query = UUID.sub("{}", path).partition("?")
    names = [parameter.partition("=")[0] for parameter in query.split("&") if parameter]
    return f"{method} {plain}" + (f"?{'&'.join(names)}" if names else "")


class Connection:
    """One that stays open between requests. One request at a time."""

    def __init__(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._port, self._reader, self._writer = port, reader, writer

    @classmethod
    async def open(cls, port: int) -> Connection:
        return cls(port, *await asyncio.open_connection("127.0.0.1", port))

    async def ask(
        self, method: str, path: str, token: str = "", body: object = None, *, is_last: bool = False
    ) -> Answer:
        """Raises OSError, EOFError or ValueError where no whole answer comes."""
        payload = b"" if body is None else json.dumps(body).encode()
        head = [
            f"{method} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self._port}",
            f"User-Agent: {USER_AGENT}",
            "Content-Type: application/json",
            f"Content-Length: {len(payload)}",
            f"Connection: {'close' if is_last else 'keep-alive'}",
        ]
        if token:
            head.append(f"Authorization: Bearer {token}")
        self._writer.write("\r\n".join([*head, "", ""]).encode() + payload)
        first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        if "content-length" not in headers:
            raise ValueError(f"{method} {path}: an answer without a length")
        content = await self._reader.readexactly(int(headers["content-length"]))
        return Answer(status=int(first.split(" ")[1]), headers=headers, content=content)

    def close(self) -> None:
        self._writer.close()


async def call(port: int, method: str, path: str, token: str, body: object = None) -> Answer:
    """On a connection of its own. Raises OSError, EOFError or ValueError where no whole answer comes."""
    connection = await Connection.open(port)
    try:
        return await connection.ask(method, path, token, body, is_last=True)
    finally:
        connection.close()
