"""The way of a frame between the kernel and the application, under uvicorn: `--ws samia_chat.realtime.wire:Protocol`.

uvicorn's own class with a short way each for the two things that happen all the time. An application finds them in its scope,
under `extensions["samia.frames"]`; where they are missing (another server, compression, logging of every frame), and for all
else, it has `receive` and `send`, which work beside them and in order with them:

    put(payload)    write a text frame (UTF-8), unless that would have to wait or cannot be done: then False, and `send` is to
                    wait or to say why. What is put in one turn of the event loop goes to the kernel in one piece; who returns
                    in that turn without closing loses it with the connection.
    hear(receiver)  from now on call receiver(text) with each plain text frame, where nothing waits for `receive`. The receiver
                    does not wait for anything, nor does the application between `receive` and what it does with its frames.

Handshakes take turns: when thousands of clients come back at once, the frames of those who are there go between them.

The handshake itself, closing, ping and pong, fragments, whatever breaks the protocol: that stays uvicorn's and websockets'
business. They get every byte that is not of a plain frame, in order (docs/decisions/0013-a-short-way-for-frames.md).
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Generator
from contextvars import copy_context
from functools import partial
from struct import Struct
from types import GeneratorType
from typing import Any
from weakref import WeakKeyDictionary

from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.protocol import CONNECTING, OPEN
from websockets.streams import StreamReader

try:
    from websockets.speedups import apply_mask
except ImportError:  # a platform for which websockets has no compiled wheel
    from websockets.utils import apply_mask

EXTENSION = "samia.frames"
STALLED_SECONDS = 40.0  # a peer that takes nothing for so long, although something waits for it, is gone
HANDSHAKES = 8  # taken up in one turn of the event loop
MAX_GATHERED = 64 * 1024  # bytes; more is written at once, so that the transport can say that it is full

WHOLE_TEXT = 0x81  # the first byte of a text frame that is a whole message, without reserved bits
MASKED = 0x80  # in the second byte, beside the length
MASK_BYTES = 4
IN_2_BYTES, IN_8_BYTES = 126, 127  # lengths that say where the length is
_length = Struct("!H")
_head_2 = Struct("!BBH")
_head_8 = Struct("!BBQ")

Receiver = Callable[[str], None]


class Protocol(WebSocketsSansIOProtocol):
    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._receiver: Receiver | None = None
        self._is_between = False  # whether the parser stands between two frames; known once there is a receiver
        self._max_plain = min(0xFFFF, config.ws_max_size)
        self._gathered = 0  # bytes put since the last flush
        self._at_door = 0  # pieces of the handshake that wait for their turn

    async def run_asgi(self) -> None:
        # Compressed frames are not plain, and whoever logs frames wants to see them all.
        if not self.conn.extensions and not self.conn.debug:
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[EXTENSION] = {"put": self.put, "hear": self.hear}
        await super().run_asgi()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # A closing transport sends what it still has, without end if nobody reads: neither a missing pong nor a close that was
        # never answered would end such a connection. The kernel knows when its last byte was taken. (Linux)
        plug = transport.get_extra_info("socket")
        if plug is not None and plug.family != socket.AF_UNIX and hasattr(socket, "TCP_USER_TIMEOUT"):
            plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(1000 * STALLED_SECONDS))

    # Out -------------------------------------------------------------------------------------------------------------

    def put(self, payload: bytes) -> bool:
        conn = self.conn
        if conn.state is not OPEN or self.disconnected or not self.writable.is_set():
            return False
        if not self._gathered:
            self.loop.call_soon(self._flush)
        # Where websockets keeps what it has to send: whatever else is written takes this with it, and before it.
        conn.writes += (head(len(payload)), payload)
        self._gathered += len(payload)
        if self._gathered > MAX_GATHERED:
            self._flush()
        return True

    def _flush(self) -> None:
        self._gathered = 0
        output = self.conn.data_to_send()
        if output and not self.transport.is_closing():
            self.transport.write(b"".join(output))

    # In --------------------------------------------------------------------------------------------------------------

    def hear(self, receiver: Receiver) -> None:
        # The event loop calls in a context of its own; the application's is the one its task has.
        run: Callable[..., None] = copy_context().run
        self._receiver = partial(run, receiver)
        self._is_between = is_between_frames(self.conn.parser)
        self._forget_handshake()

    def _forget_handshake(self) -> None:
        """Nobody asks for its headers any more, and they would stay as long as the socket: a sixth of its memory."""
        headers: list[tuple[bytes, bytes]] = self.scope["headers"]  # type: ignore[assignment]  # uvicorn makes a list
        headers.clear()
        self.request.headers.clear()
        self.response.headers.clear()

    def data_received(self, data: bytes) -> None:
        # In order, also where it comes in pieces.
        if self._at_door or self.conn.state is CONNECTING:
            self._at_door += 1
            doorway_of(self.loop).queue(partial(self._come_in, data))
        else:
            self._take_in(data)

    def _come_in(self, data: bytes) -> None:
        """Its turn at the door; the peer may have gone meanwhile."""
        self._at_door -= 1
        if not self.disconnected:
            self._take_in(data)

    def _take_in(self, data: bytes) -> None:
        taken = self._take_plain(data, self._receiver) if self._receiver is not None and self._is_between else 0
        if taken < len(data):
            super().data_received(data[taken:] if taken else data)
            self._is_between = is_between_frames(self.conn.parser)

    def _take_plain(self, data: bytes, receiver: Receiver) -> int:
        """Hand the plain frames at the beginning of `data` to the receiver; how many bytes they were.

        The first that is anything else ends it: not whole, within a fragmented message, not UTF-8, behind a close, behind
        something that still waits for `receive`.

        Reading does not pause here. uvicorn pauses it for what waits in its queue, and this waits nowhere: when the call returns,
        the receiver has dealt with the frame. So no client can send faster than it is served; it can only take the process's
        time, and that is what rates are for: beyond them the consumer closes the socket (4429), and then no frame is plain.
        """
        conn, queue = self.conn, self.queue
        at, end = 0, len(data)
        while (
            at + 2 + MASK_BYTES <= end
            and data[at] == WHOLE_TEXT
            and conn.state is OPEN
            and conn.current_size is None
            and queue.empty()
        ):
            length, body = data[at + 1] - MASKED, at + 2 + MASK_BYTES
            if length == IN_2_BYTES:
                length, body = _length.unpack_from(data, at + 2)[0], body + 2
            elif not 0 <= length < IN_2_BYTES:
                break
            stop = body + length
            if stop > end or length > self._max_plain:
                break
            try:
                text = apply_mask(data[body:stop], data[body - MASK_BYTES : body]).decode()
            except UnicodeDecodeError:
                break
            at = stop
            try:
                receiver(text)
            except Exception:  # noqa: BLE001 (logged; the application's own error ends its connection)
                self._give_up()
                return end
        return at

    def _give_up(self) -> None:
        """What uvicorn does when the application fails: the peer sees 1006."""
        self.logger.exception("Exception in ASGI application\n")
        self._flush()
        self.transport.close()


class Doorway:
    """Where handshakes wait for their turn, those of one event loop in the order in which they came."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[Callable[[], None]] = deque()

    def queue(self, answer: Callable[[], None]) -> None:
        if not self._waiting:
            self._loop.call_soon(self._turn)
        self._waiting.append(answer)

    def _turn(self) -> None:
        try:
            for _ in range(min(HANDSHAKES, len(self._waiting))):
                self._waiting.popleft()()
        finally:
            if self._waiting:
                self._loop.call_soon(self._turn)


_doorways: WeakKeyDictionary[asyncio.AbstractEventLoop, Doorway] = WeakKeyDictionary()


def doorway_of(loop: asyncio.AbstractEventLoop) -> Doorway:
    if loop not in _doorways:
        _doorways[loop] = Doorway(loop)
    return _doorways[loop]


def head(length: int) -> bytes:
    """What goes before the payload of a text frame from a server."""
    if length < IN_2_BYTES:
        return bytes((WHOLE_TEXT, length))
    if length <= 0xFFFF:
        return _head_2.pack(WHOLE_TEXT, IN_2_BYTES, length)
    return _head_8.pack(WHOLE_TEXT, IN_8_BYTES, length)


def is_between_frames(parser: Generator[None, None, None]) -> bool:
    """Whether websockets' parser waits for the first byte of a frame.

    An empty buffer does not say so: the parser takes a header out of it piece by piece. Where it waits does, and between frames
    that is the question whether the stream has ended.
    """
    waiting: Any = parser
    while isinstance(waiting.gi_yieldfrom, GeneratorType):
        waiting = waiting.gi_yieldfrom
    return waiting.gi_code is StreamReader.at_eof.__code__
