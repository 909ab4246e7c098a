"""Bytes that no decent client sends, to a real server process: what is wrong ends its own socket and nothing else."""

from __future__ import annotations

import asyncio
import json
import socket
import time
import urllib.request
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
def server(start: Any) -> Server:
    started: Server = start(SAMIA_RATE_FRAMES=str(RATE_FRAMES))
    return started


class Raw:
    """A socket of a person to a server process, without a client's good manners."""

    def __init__(self, server: Server, person: User, *, further: bytes = b"", receive_bytes: int = 0) -> None:
        """`further` goes out in the same segment as the handshake; `receive_bytes` is the size of the kernel's buffer."""
        self._server = server
        self._person = person
        self._further = further
        self._receive_bytes = receive_bytes

    async def __aenter__(self) -> Raw:
        plug = socket.socket()
        if self._receive_bytes:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_bytes)
        plug.connect(("127.0.0.1", self._server.port))
        self._reader, self._writer = await asyncio.open_connection(sock=plug, limit=2**10)
        ticket = await in_thread(Wire(self._server, self._person).ticket)
        head = (
            f"GET /ws/chat HTTP/1.1\r\nHost: 127.0.0.1:{self._server.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"Sec-WebSocket-Protocol: samia.v1, ticket.{ticket}\r\n\r\n"
        )
        self.send(head.encode() + self._further)
        assert (await self._reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        await self.expect("welcome")
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._writer.transport.abort()
        await asyncio.sleep(0.01)

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

    async def control(self) -> tuple[int, bytes]:
        """The next frame that is not a text."""
        while True:
            opcode, payload = await self.frame()
            if opcode != TEXT:
                return opcode, payload

    async def close_code(self) -> int:
        while (frame := await self.control())[0] == PING:  # the server asks now and then who is still there
            pass
        opcode, payload = frame
        assert opcode == CLOSE
        return int.from_bytes(payload[:2], "big")


def ping(ref: int) -> bytes:
    return json.dumps({"type": "ping", "ref": ref}).encode()


async def pongs(raw: Raw, *refs: int) -> None:
    for ref in refs:
        assert (await raw.expect("pong"))["ref"] == ref


async def test_frames_however_the_network_cuts_them(world: World, server: Server) -> None:
    async with Raw(server, world.client) as raw:
        raw.send(masked(TEXT, ping(1)) + masked(TEXT, ping(2)))
        await pongs(raw, 1, 2)
        for byte in masked(TEXT, ping(3)):
            raw.send(bytes([byte]))
            await asyncio.sleep(0.001)
        await pongs(raw, 3)
        long = ping(4).replace(b"{", b"{" + b" " * 60_000)  # more than one read takes
        raw.send(masked(TEXT, ping(5)) + masked(TEXT, long) + masked(TEXT, ping(6), size_bytes=8))
        await pongs(raw, 5, 4, 6)


async def test_a_message_in_fragments_with_a_ping_between(world: World, server: Server) -> None:
    async with Raw(server, world.client) as raw:
        text = ping(2)
        raw.send(masked(TEXT, ping(1)) + masked(TEXT, text[:5], fin=False) + masked(PING, b"are you there"))
        raw.send(masked(CONT, text[5:9], fin=False) + masked(CONT, text[9:]) + masked(TEXT, ping(3)))
        await pongs(raw, 1)
        assert await raw.control() == (PONG, b"are you there")
        await pongs(raw, 2, 3)


# What a client may send instead of a frame of ours, and the code of the close that it gets for it.
WRONG = [
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
]


async def test_what_is_no_frame_of_ours_ends_the_socket(world: World, server: Server) -> None:
    other = await Wire(server, world.reader).open()
    for wrong, code in WRONG:
        for further in (b"", masked(TEXT, ping(3))):
            async with Raw(server, world.client) as raw:
                raw.send(masked(TEXT, ping(1)) + wrong + further)
                await pongs(raw, 1)
                assert await raw.close_code() == code, wrong[:40]
    await other.ask("ping", "pong")


async def test_a_connection_cut_within_a_frame_leaves_nothing(world: World, server: Server) -> None:
    other = await Wire(server, world.reader).open()
    async with Raw(server, world.client) as raw:
        await other.expect("presence_changed", user=str(world.client.pk), state="online")
        raw.send(masked(TEXT, ping(1)) + masked(TEXT, ping(2))[:-1])
        await pongs(raw, 1)
    await other.expect("presence_changed", user=str(world.client.pk), state="offline", within=20)


async def test_a_frame_before_the_handshake_is_answered_does_no_harm(world: World, server: Server) -> None:
    """No client may send one. uvicorn's HTTP side drops what came with the handshake."""
    async with Raw(server, world.client, further=masked(TEXT, ping(1))) as raw:
        raw.send(masked(TEXT, ping(2)))
        await pongs(raw, 2)


async def test_a_client_that_does_not_read_is_put_off_and_then_sent_away(world: World, start: Any) -> None:
    server = start(SAMIA_RATE_FRAMES="10000")
    client = await Wire(server, world.client).open()
    async with Raw(server, world.reader, receive_bytes=4096) as slow:
        await until_slow(server, client, world)
        assert await slow.close_code() == 4410
    await client.ask("ping", "pong")


async def test_a_client_that_never_reads_is_gone_after_a_while(world: World, start: Any) -> None:
    """Also for those who see that it is online: nothing that is sent to it, not even its close, ever gets there."""
    server = start(SAMIA_RATE_FRAMES="10000", wire="tests.impatient_wire:Protocol")
    client = await Wire(server, world.client).open()
    async with Raw(server, world.reader, receive_bytes=4096):
        await until_slow(server, client, world)
        async with asyncio.timeout(40):
            # Asked for: what is told may be dropped, and the one who says so much is slow himself.
            while str(world.reader.pk) in await people_online(client, world):
                await asyncio.sleep(0.5)


async def people_online(client: Wire, world: World) -> set[str]:
    users = (await client.ask("get_online_users", "online_users", session=world.session))["users"]
    return {user["user"] for user in users if user["state"] != "offline"}


async def until_slow(server: Server, client: Wire, world: World) -> None:
    """Say so much that the buffers of the kernel, of the server and of the socket's outbox are full."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for _ in range(50):
            await client.send("send_message", session=world.session, content="س" * 4900)
        await client.ask("ping", "pong")
        if overflows(server):
            return
    raise AssertionError("whoever does not read is never sent away")


def overflows(server: Server) -> bool:
    with urllib.request.urlopen(f"{server.address}/metrics", timeout=5) as answer:
        return 'why="overflow"' in answer.read().decode()


async def test_a_flood_ends_with_its_own_socket(world: World, server: Server) -> None:
    other = await Wire(server, world.reader).open()
    async with Raw(server, world.client) as raw:
        raw.send(b"".join(masked(TEXT, ping(number)) for number in range(20 * RATE_FRAMES)))
        await pongs(raw, *range(RATE_FRAMES))
        assert await raw.close_code() == 4429
    await other.ask("ping", "pong")


async def test_daphne_serves_the_same_socket(world: World) -> None:
    """`manage.py runserver`: a server that knows nothing of the short way."""
    server = Daphne()
    try:
        server.start()
        client, reader = await Wire(server, world.client).open(), await Wire(server, world.reader).open()
        sent = await client.say(world.session, "مرحبا")
        assert (await reader.expect("new_message"))["message"] == sent
        async with Raw(server, world.client) as raw:
            raw.send(masked(TEXT, ping(1)) + masked(BINARY, b"x"))
            await pongs(raw, 1)
            assert await raw.close_code() == 4400
    finally:
        await in_thread(server.stop)
