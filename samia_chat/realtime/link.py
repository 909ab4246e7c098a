"""One connection to Redis without redis-py's streams: what is written goes to the kernel at once, by a plain call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any, cast

import hiredis
from redis.asyncio.connection import Connection, ConnectionPool, SSLConnection, UnixDomainSocketConnection

MAX_ANSWERS = 64  # to whoever asks; further ones nobody asked for

Take = Callable[[bytes, bytes], None]  # a message of a subscription: its channel, what it says


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where a Redis is and how one signs in, as redis-py reads it from a URL. Channels know no database numbers."""

    path: str = ""  # of a Unix socket; empty: host and port
    host: str = ""
    port: int = 0
    tls: SSLContext | None = None
    credentials: tuple[str, ...] = ()  # the words of AUTH
    name: str = ""  # as CLIENT LIST shows it

    @classmethod
    def of(cls, url: str) -> Address:
        """Raises ValueError for what is no address of a Redis."""
        found = ConnectionPool.from_url(url).make_connection()  # type: ignore[no-untyped-call]
        user, password, name = found.username, found.password or "", found.client_name or ""
        credentials = (user, password) if user else (password,) if password else ()
        if isinstance(found, UnixDomainSocketConnection):
            return cls(path=found.path, credentials=credentials, name=name)
        assert isinstance(found, Connection)  # a URL gives no other
        tls = found.ssl_context.get() if isinstance(found, SSLConnection) else None
        return cls(host=found.host, port=int(found.port), tls=tls, credentials=credentials, name=name)


class Link(asyncio.Protocol):
    """Messages of subscriptions go to `take`, everything else that Redis says is an answer to `ask`."""

    def __init__(self, take: Take) -> None:
        self.lost: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self._take = take
        self._reader = hiredis.Reader()
        self._answers: asyncio.Queue[Any] = asyncio.Queue()
        self._fault: Exception | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.write = self._transport.write

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            while (said := self._reader.gets()) is not False:
                self._hear(said)
        except hiredis.ProtocolError as error:
            self._fault = error
            self.cut()

    def _hear(self, said: Any) -> None:
        if isinstance(said, list) and len(said) == 4:  # "pmessage", the pattern, the channel, what was said
            self._take(said[2], said[3])
        elif self._answers.qsize() < MAX_ANSWERS:
            self._answers.put_nowait(said)

    def connection_lost(self, error: Exception | None) -> None:
        why = error or self._fault or ConnectionResetError("Redis closed the connection")
        self.lost.set_result(why)
        self._answers.put_nowait(why)

    @property
    def unsent_bytes(self) -> int:
        """What Redis has not taken yet and the kernel does not hold."""
        return self._transport.get_write_buffer_size()

    def has_room(self, most: int) -> bool:
        """Whether it is open, with no more than `most` bytes unsent."""
        transport = self._transport
        return not transport.is_closing() and transport.get_write_buffer_size() <= most

    async def ask(self, *words: str) -> Any:
        """Raises what Redis answers as an error, and OSError when the connection is lost."""
        self.write(hiredis.pack_command(words))  # type: ignore[arg-type]  # hiredis declares one word
        return await self.answer()

    async def answer(self) -> Any:
        said = await self._answers.get()
        if isinstance(said, Exception):
            raise said
        return said

    def cut(self) -> None:
        """Close it. What the kernel holds already still arrives."""
        self._transport.abort()


async def connect(address: Address, take: Take) -> Link:
    """Signed in. Raises OSError, or what Redis answers; waits as long as the caller lets it."""
    loop = asyncio.get_running_loop()
    if address.path:
        _, link = await loop.create_unix_connection(lambda: Link(take), address.path)
    else:
        _, link = await loop.create_connection(lambda: Link(take), address.host, address.port, ssl=address.tls)
    try:
        if address.credentials:
            await link.ask("AUTH", *address.credentials)
        if address.name:
            await link.ask("CLIENT", "SETNAME", address.name)
    except BaseException:
        link.cut()
        raise
    return link
