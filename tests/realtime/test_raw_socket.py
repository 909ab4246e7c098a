"""Bytes that no decent client sends, to a real server process: what is wrong ends its own socket and nothing else."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import User
from tests.cast import World
from tests.raw_frames import BINARY, CLOSE, CONT, PING, PONG, TEXT, masked
from tests.rest import in_thread
from tests.server import Daphne, Server, Wire

RATE_FRAMES = 200
PATIENCE = 10.0


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(SAMIA_RATE_MESSAGES="100000", SAMIA_RATE_FRAMES=str(RATE_FRAMES))
    try:
        yield server.start()
    finally:
        server.stop()


class Raw:
    """A socket of a person to a server process, without a client's good manners."""

    def __init__(self, server: Server, person: User) -> None:
        self._server = server
        self._person = person

    async def open(self, *, further: bytes = b"", receive_bytes: int = 0) -> Raw:
        """`further` goes out in the same segment as the handshake; `receive_bytes` is the size of the kernel's buffer."""
        plug = socket.socket()
        if receive_bytes:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        plug.connect(("127.0.0.1", self._server.port))
        self._reader, self._writer = await asyncio.open_connection(sock=plug, limit=2**10)
        ticket = await in_thread(Wire(self._server, self._person).ticket)
        head = (
            f"GET /ws/chat HTTP/1.1\r\nHost: 127.0.0.1:{self._server.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"Sec-WebSocket-Protocol: samia.v1, ticket.{ticket}\r\n\r\n"
        )
        self.send(head.encode() + further)
        assert (await self._reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        await self.expect("welcome")
        return self

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def frame(self) -> tuple[int, bytes]:
        async with asyncio.timeout(PATIENCE):
            first, length = await self._reader.readexactly(2)
            assert first & 0xF0 == 0x80
            if length >= 126:
                length = int.from_bytes(await self._reader.readexactly(2 if length == 126 else 8), "big")
            return first & 15, await self._reader.readexactly(length)

    async def expect(self, kind: str) -> dict[str, Any]:
        """The next text of this type."""
        while True:
            opcode, payload = await self.frame()
            assert opcode == TEXT, (opcode, payload)
            found: dict[str, Any] = json.loads(payload)
            if found["type"] == kind:
                return found

    async def close_code(self) -> int:
        """Read on until the server closes."""
        while True:
            opcode, payload = await self.frame()
            if opcode == CLOSE:
                return int.from_bytes(payload[:2], "big")

    def cut(self) -> None:
        self._writer.transport.abort()


def ping(ref: int) -> bytes:
    return json.dumps({"type": "ping", "ref": ref}).encode()


async def pongs(raw: Raw, *refs: int) -> None:
    for ref in refs:
        assert (await raw.expect("pong"))["ref"] == ref


async def test_frames_however_the_network_cuts_them(world: World, server: Server) -> None:
    raw = await Raw(server, world.client).open()
    raw.send(masked(TEXT, ping(1)) + masked(TEXT, ping(2)))
    await pongs(raw, 1, 2)
    for byte in masked(TEXT, ping(3)):
        raw.send(bytes([byte]))
        await asyncio.sleep(0.001)
    await pongs(raw, 3)
    long = ping(4).replace(b"{", b"{" + b" " * 60_000)  # more than one read takes
    raw.send(masked(TEXT, ping(5)) + masked(TEXT, long) + masked(TEXT, ping(6), size_bytes=8))
    await pongs(raw, 5, 4, 6)
    raw.cut()


async def test_a_message_in_fragments_with_a_ping_between(world: World, server: Server) -> None:
    raw = await Raw(server, world.client).open()
    text = ping(2)
    raw.send(masked(TEXT, ping(1)) + masked(TEXT, text[:5], fin=False) + masked(PING, b"are you there"))
    raw.send(masked(CONT, text[5:9], fin=False) + masked(CONT, text[9:]) + masked(TEXT, ping(3)))
    await pongs(raw, 1)
    assert await raw.frame() == (PONG, b"are you there")
    await pongs(raw, 2, 3)
    raw.cut()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (masked(TEXT, ping(2), mask=None), 1002),
        (masked(TEXT, ping(2), reserved=4), 1002),
        (masked(3, b""), 1002),
        (masked(CONT, ping(2)), 1002),
        (masked(TEXT, b"a", fin=False) + masked(TEXT, ping(2)), 1002),
        (masked(PING, b"", fin=False), 1002),
        (masked(PING, b"x" * 126), 1002),
        (masked(TEXT, b'{"type": "ping", "ref": "\xff"}'), 1007),
        (masked(TEXT, b"", says=2**40), 1009),
        (masked(TEXT, b"", says=2**17 + 1), 1009),
        (masked(TEXT, b"x" * 65_537), 4413),
        (masked(TEXT, "é".encode() * 32_769), 4413),
        (masked(BINARY, ping(2)), 4400),
        (masked(TEXT, b""), 4400),
        (masked(CLOSE, b"\x03\xe8"), 1000),
    ],
)
async def test_what_is_no_frame_of_ours_ends_the_socket(wrong: bytes, code: int, world: World, server: Server) -> None:
    other = await Wire(server, world.reader).open()
    for further in (b"", masked(TEXT, ping(3))):
        raw = await Raw(server, world.client).open()
        raw.send(masked(TEXT, ping(1)) + wrong + further)
        await pongs(raw, 1)
        assert await raw.close_code() == code
        raw.cut()
    await other.ask("ping", "pong")


async def test_a_connection_cut_within_a_frame_leaves_nothing(world: World, server: Server) -> None:
    other = await Wire(server, world.reader).open()
    raw = await Raw(server, world.client).open()
    await other.expect("presence_changed", user=str(world.client.pk), state="online")
    raw.send(masked(TEXT, ping(1)) + masked(TEXT, ping(2))[:-1])
    await pongs(raw, 1)
    raw.cut()
    await other.expect("presence_changed", user=str(world.client.pk), state="offline", within=20)


async def test_a_frame_before_the_handshake_is_answered_does_no_harm(world: World, server: Server) -> None:
    """No client may send one. uvicorn's HTTP side drops what came with the handshake."""
    raw = await Raw(server, world.client).open(further=masked(TEXT, ping(1)))
    raw.send(masked(TEXT, ping(2)))
    await pongs(raw, 2)
    raw.cut()


async def test_a_client_that_does_not_read_is_put_off_and_then_sent_away(world: World, server: Server) -> None:
    slow = await Raw(server, world.reader).open(receive_bytes=4096)
    client = await Wire(server, world.client).open()
    text = "\N{ARABIC LETTER SEEN}" * 4900
    for _ in range(RATE_FRAMES - 20):
        await client.send("send_message", session=world.session, content=text)
    await client.expect("ack", ref=RATE_FRAMES - 20, within=30)
    assert await slow.close_code() == 4410
    slow.cut()
    await client.ask("ping", "pong")


async def test_a_flood_ends_with_its_own_socket(world: World, server: Server) -> None:
    other = await Wire(server, world.reader).open()
    raw = await Raw(server, world.client).open()
    raw.send(b"".join(masked(TEXT, ping(number)) for number in range(20 * RATE_FRAMES)))
    await pongs(raw, *range(RATE_FRAMES))
    assert await raw.close_code() == 4429
    raw.cut()
    await other.ask("ping", "pong")


async def test_daphne_serves_the_same_socket(world: World) -> None:
    """`manage.py runserver`: a server that knows nothing of the short way."""
    server = Daphne()
    try:
        server.start()
        client, reader = await Wire(server, world.client).open(), await Wire(server, world.reader).open()
        sent = await client.say(world.session, "مرحبا")
        assert (await reader.expect("new_message"))["message"] == sent
        raw = await Raw(server, world.client).open()
        raw.send(masked(TEXT, ping(1)) + masked(BINARY, b"x"))
        await pongs(raw, 1)
        assert await raw.close_code() == 4400
        raw.cut()
    finally:
        await in_thread(server.stop)
