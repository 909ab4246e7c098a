"""The short way for frames beside uvicorn's own: the same bytes in, the same for the application and for the peer."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, pairwise
from operator import add
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.exceptions import InvalidState

from samia_chat.realtime import wire
from samia_chat.realtime.outbox import Outbox
from tests.raw_frames import BINARY, CLOSE, CONT, MASK, PING, PONG, TEXT, masked, read_frames

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
MAX_SIZE = 131_072


class Pipe(asyncio.Transport):
    """The kernel's side of a connection: keeps what is written to it, and takes no more than a peer that may not read."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.protocol = protocol
        self.writes: list[bytes] = []
        self.too_late: list[bytes] = []
        self.is_paused = False
        self.closed = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def write(self, data: Any) -> None:
        if data:
            (self.too_late if self.closed else self.writes).append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False


@dataclass
class Application:
    """Keeps what it hears, as the consumer does: whichever way it comes, and nothing more once it has closed."""

    answers: bool = False  # every text is sent back; "close…" closes with 4000, "fail…" is a fault of the application
    heard: list[str | bytes | None] = field(default_factory=list)
    directly: int = 0
    end: dict[str, Any] | None = None
    scope: dict[str, Any] = field(default_factory=dict)

    async def __call__(self, scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        self.scope = scope
        ways = scope["extensions"].get(wire.EXTENSION, {})
        self.outbox = Outbox(send, ways.get("put"))
        await receive()
        await send({"type": "websocket.accept"})
        if ways:
            ways["hear"](self._hear_directly)
        while (event := await receive())["type"] != "websocket.disconnect":
            self.hear(event.get("text") if event.get("text") is not None else event["bytes"])
        self.end = event

    def _hear_directly(self, text: str) -> None:
        self.directly += 1
        self.hear(text)

    def hear(self, what: str | bytes) -> None:
        if self.outbox.closing is not None:
            return
        self.heard.append(what)
        if self.answers and isinstance(what, str):
            if what.startswith("close"):
                self.outbox.close(4000)
            elif what.startswith("fail"):
                raise RuntimeError(what)
            else:
                self.outbox.push(what.encode())


class Line:
    """A connection to the application through `kind`, after the handshake."""

    def __init__(self, kind: type[WebSocketsSansIOProtocol], application: Any, **settings: Any) -> None:
        self.application = application
        config = Config(app=application, **{"ws_max_size": MAX_SIZE, "log_config": None, **settings})
        config.load()
        self.protocol = kind(config, ServerState(), {})
        self.pipe = Pipe(self.protocol)
        self.protocol.connection_made(self.pipe)
        self.was_closed = False

    async def open(self, headers: bytes = b"") -> Line:
        self.protocol.data_received(HANDSHAKE + headers + b"\r\n")
        await settle()
        assert b"".join(self.pipe.writes).startswith(b"HTTP/1.1 101 ")
        self.pipe.writes.clear()
        return self

    async def feed(self, chunks: Sequence[bytes], turns: Sequence[bool] = ()) -> None:
        """As a transport does: not while reading is paused, nothing once it is closed. `turns`: after which chunks the
        application gets to run although it does not have to."""
        for number, chunk in enumerate(chunks):
            if self.pipe.closed:
                break
            try:
                self.protocol.data_received(chunk)
            except InvalidState:  # of uvicorn's own: a text that is not UTF-8, and a close in the same bytes
                self.pipe.close()
            if self.pipe.is_paused or (number < len(turns) and turns[number]):
                await settle()
        await settle()

    @property
    def written(self) -> bytes:
        return b"".join(self.pipe.writes)

    def hang_up(self) -> None:
        self.pipe.close()


async def settle() -> None:
    for _ in range(8):
        await asyncio.sleep(0)


def after(kind: type[WebSocketsSansIOProtocol], application: Application, chunks: Sequence[bytes], **how: Any) -> Line:
    """A connection to which these bytes were sent, and whose peer then left."""

    async def talk() -> Line:
        line = await Line(kind, application, ws_max_size=how.get("max_size", MAX_SIZE)).open()
        await line.feed(chunks, how.get("turns", ()))
        line.was_closed = line.pipe.closed
        line.hang_up()
        await settle()
        return line

    return asyncio.run(talk())


# Both on the same bytes --------------------------------------------------------------------------------------------------

# Masks, and with them what they cover, may look like the beginning of a plain frame.
MASKS = (MASK, bytes(4), b"\x81\x80\x00\x00", b"\x00\x00\x81\x81")
texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", "{}", "x" * 124, "x" * 125, "x" * 126, "x" * 127, "é" * 200, "سلام", "𝄞" * 40]),
)
data = st.one_of(
    st.binary(max_size=8), st.sampled_from([masked(TEXT, b"not a frame"), masked(TEXT, b"", mask=MASKS[2])])
)


def frames(opcode: st.SearchStrategy[int] | int, payload: st.SearchStrategy[bytes] = data, **how: Any) -> Any:
    opcode = opcode if isinstance(opcode, st.SearchStrategy) else st.just(opcode)
    return st.builds(masked, opcode, payload, **{"mask": st.sampled_from(MASKS), **how})


plain = frames(TEXT, texts.map(str.encode))
rare = st.one_of(
    frames(BINARY),
    frames(PING, st.binary(max_size=130)),
    frames(PONG),
    frames(TEXT),  # mostly not UTF-8
    frames(st.sampled_from([TEXT, BINARY]), fin=st.just(False)),
    frames(CONT, fin=st.booleans()),
    frames(PING, fin=st.just(False)),
    frames(st.integers(0, 15), reserved=st.integers(0, 7)),
    frames(TEXT, mask=st.none()),
    frames(TEXT, texts.map(str.encode), size_bytes=st.sampled_from([2, 8])),
    frames(TEXT, says=st.sampled_from([301, 65_535, 65_536, 2**40, 2**63])),
    frames(CLOSE, st.sampled_from([b"", b"\x03\xe8", b"\x0f\xa0bye", b"\x00", b"\x03\xedx"])),
    st.just(masked(TEXT, b"a", fin=False) + masked(PING, b"between") + masked(CONT, "é".encode())),
    st.binary(max_size=16),
)


@st.composite
def pieces(draw: st.DrawFn) -> list[bytes]:
    """Frames as a network may deliver them: cut anywhere, often where a frame or a part of its head begins."""
    sent: list[bytes] = draw(st.lists(st.one_of(plain, plain, plain, rare), min_size=1, max_size=8))
    begins = list(accumulate(map(len, sent), initial=0))
    parts = st.builds(add, st.sampled_from(begins), st.sampled_from([0, 0, 1, 2, 4, 6, 8]))
    anywhere, everywhere = st.integers(0, begins[-1]), st.just(range(min(40, begins[-1])))
    cuts = draw(st.one_of(st.lists(st.one_of(parts, parts, anywhere), max_size=8), everywhere))
    edges = sorted({0, begins[-1], *(cut for cut in cuts if cut < begins[-1])})
    stream = b"".join(sent)
    return [stream[start:stop] for start, stop in pairwise(edges)]


unhurried = partial(settings, deadline=None, suppress_health_check=list(HealthCheck))


@unhurried(max_examples=600)
@given(pieces(), st.lists(st.booleans(), max_size=8), st.sampled_from([300, MAX_SIZE]))
@example([masked(TEXT, b"x"), masked(TEXT, b"y", mask=None)], [], MAX_SIZE)
@example([masked(TEXT, b"x", reserved=4)], [], MAX_SIZE)
@example([masked(TEXT, b"x" * 301)], [], 300)
@example([masked(TEXT, b"x", fin=False), masked(TEXT, b"y")], [], MAX_SIZE)  # within a message
@example([b"\x82\x80", masked(TEXT, b"", mask=MASKS[2])], [], MAX_SIZE)  # within a head
@example([masked(BINARY, b"x"), masked(TEXT, b"y")], [], MAX_SIZE)
def test_an_application_hears_the_same_and_a_peer_is_told_the_same(
    chunks: list[bytes], turns: list[bool], max_size: int
) -> None:
    """But for one thing: where the protocol is broken, uvicorn forgets the good frames that it read in the same bytes. Ours
    has handed on those that are plain, as uvicorn does with what it reads byte by byte."""
    theirs = after(WebSocketsSansIOProtocol, Application(), chunks, turns=turns, max_size=max_size)
    ours = after(wire.Protocol, Application(), chunks, turns=turns, max_size=max_size)
    heard, told = ours.application.heard, theirs.application.heard
    if theirs.protocol.conn.parser_exc is None:
        assert heard == told
    else:
        slowly = [bytes([byte]) for chunk in chunks for byte in chunk]
        all_good = after(WebSocketsSansIOProtocol, Application(), slowly, max_size=max_size).application.heard
        assert heard[: len(told)] == told
        assert heard == all_good[: len(heard)]
    assert ours.application.end == theirs.application.end
    assert ours.written == theirs.written  # pongs and closes
    assert ours.was_closed == theirs.was_closed


@unhurried(max_examples=300)
@given(pieces(), st.lists(st.booleans(), max_size=8))
def test_answers_are_whole_and_in_the_order_of_what_they_answer(chunks: list[bytes], turns: list[bool]) -> None:
    """uvicorn's application runs after everything that was read at once; ours may answer before a close in the same bytes."""
    theirs = after(WebSocketsSansIOProtocol, Application(answers=True), chunks, turns=turns)
    ours = after(wire.Protocol, Application(answers=True), chunks, turns=turns)
    heard, told = ours.application.heard, theirs.application.heard
    assert heard[: len(told)] == told
    texts = [what.encode() for what in heard if isinstance(what, str)]
    written = read_frames(ours.written)
    assert [text for opcode, text in written if opcode == TEXT] == texts[: sum(opcode == TEXT for opcode, _ in written)]
    if all(opcode != CLOSE for opcode, _ in written) and not ours.was_closed:
        assert sorted(written) == sorted(read_frames(theirs.written))
        assert sum(opcode == TEXT for opcode, _ in written) == len(texts)


@unhurried(max_examples=50)
@given(st.lists(st.lists(plain, min_size=1, max_size=4), min_size=1, max_size=4))
def test_frames_that_come_whole_are_heard_directly(segments: list[list[bytes]]) -> None:
    ours = after(wire.Protocol, Application(), [b"".join(segment) for segment in segments])
    assert ours.application.directly == len(ours.application.heard) == sum(map(len, segments))


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 100_000])
async def test_a_frame_of_any_size_and_in_any_number_of_segments(size: int) -> None:
    text = ("é" * size).encode()[: size - size % 2].decode() + "x" * (size % 2)
    whole = masked(TEXT, text.encode())
    line = await Line(wire.Protocol, Application()).open()
    await line.feed([whole, *(whole[at : at + 1] for at in range(min(len(whole), 300))), whole[300:], whole])
    assert line.application.heard == [text] * 3
    assert line.application.directly == (2 if size <= 65_535 else 0)


# In ----------------------------------------------------------------------------------------------------------------------


async def test_what_came_before_the_application_listens_is_heard_first() -> None:
    may_begin = asyncio.Event()

    class Late(Application):
        async def __call__(self, scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
            async def later(message: Any) -> None:
                await send(message)
                await may_begin.wait()

            await super().__call__(scope, receive, later)

    line = await Line(wire.Protocol, Late()).open()
    line.protocol.data_received(masked(TEXT, b"1") + masked(TEXT, b"2"))
    assert line.pipe.is_paused
    may_begin.set()
    await settle()
    assert not line.pipe.is_paused
    line.protocol.data_received(masked(TEXT, b"3") + masked(BINARY, b"4"))
    assert line.application.heard == ["1", "2", "3"]
    assert line.pipe.is_paused  # what waits for `receive` stops reading, as ever
    line.protocol.data_received(masked(TEXT, b"5"))  # had been read by then, under TLS
    await settle()
    line.protocol.data_received(masked(TEXT, b"6"))
    assert line.application.heard == ["1", "2", "3", b"4", "5", "6"]
    assert line.application.directly == 2
    assert not line.pipe.is_paused


async def test_the_receiver_runs_in_the_context_of_its_application() -> None:
    who: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")
    found: list[str] = []

    class Named(Application):
        async def __call__(self, scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
            who.set("somebody")
            await super().__call__(scope, receive, send)

        def hear(self, what: str | bytes) -> None:
            found.append(who.get())

    line = await Line(wire.Protocol, Named()).open()
    await line.feed([masked(TEXT, b"x"), masked(TEXT, b"a", fin=False) + masked(CONT, b"b")])
    assert found == ["somebody", "somebody"]
    assert line.application.directly == 1


@pytest.mark.parametrize("kind", [WebSocketsSansIOProtocol, wire.Protocol])
async def test_a_fault_of_the_application_ends_the_connection(
    kind: type[WebSocketsSansIOProtocol], caplog: pytest.LogCaptureFixture
) -> None:
    line = await Line(kind, Application(answers=True)).open()
    with caplog.at_level(logging.ERROR):
        await line.feed([masked(TEXT, b"good") + masked(TEXT, b"fail") + masked(TEXT, b"more"), masked(TEXT, b"more")])
    assert "Exception in ASGI application" in caplog.text
    assert line.application.heard == ["good", "fail"]
    assert line.pipe.closed
    assert read_frames(line.written) == [(TEXT, b"good")]  # and no close: 1006


async def test_after_a_close_nothing_is_heard_and_the_reply_ends_it() -> None:
    line = await Line(wire.Protocol, Application(answers=True)).open()
    await line.feed([masked(TEXT, b"a") + masked(TEXT, b"close") + masked(TEXT, b"b")])
    await line.feed([masked(TEXT, b"c")])
    assert line.application.heard == ["a", "close"]
    assert line.application.directly == 2
    assert not line.protocol.put(b"d")
    assert line.application.end is not None
    assert line.application.end["code"] == 4000
    assert not line.pipe.closed
    await line.feed([masked(CLOSE, b"\x0f\xa0")])
    assert line.pipe.closed
    assert read_frames(line.written) == [(TEXT, b"a"), (CLOSE, b"\x0f\xa0")]


async def test_compressed_and_logged_connections_go_the_whole_way(caplog: pytest.LogCaptureFixture) -> None:
    compressed = await Line(wire.Protocol, Application(answers=True)).open(DEFLATE)
    with caplog.at_level(logging.DEBUG, "uvicorn.error"):
        logged = await Line(wire.Protocol, Application(answers=True)).open()
    for line in (compressed, logged):
        assert wire.EXTENSION not in line.application.scope["extensions"]
        await line.feed([masked(TEXT, b"x")])
        assert line.application.heard == ["x"]


# Out ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
async def test_a_frame_goes_out_as_websockets_writes_it(size: int) -> None:
    payload = b"x" * size
    line = await Line(wire.Protocol, Application()).open()
    line.application.outbox.push(payload)
    await settle()
    line.protocol.conn.send_text(payload)
    assert line.written == b"".join(line.protocol.conn.data_to_send())


async def test_what_is_put_in_one_turn_goes_out_at_once_and_in_order() -> None:
    line = await Line(wire.Protocol, Application()).open()
    outbox = line.application.outbox
    for number in range(5):
        outbox.push(str(number).encode())
    assert line.pipe.writes == []
    await settle()
    assert len(line.pipe.writes) == 1
    outbox.push(b"5")
    line.protocol.data_received(masked(PING, b"p"))  # the pong takes along what waits
    assert len(line.pipe.writes) == 2
    outbox.push(b"6")
    outbox.close(4000)
    outbox.push(b"too late")
    assert len(line.pipe.writes) == 3
    await settle()
    kinds = [(TEXT, str(number).encode()) for number in range(5)]
    assert read_frames(line.written) == [*kinds, (TEXT, b"5"), (PONG, b"p"), (TEXT, b"6"), (CLOSE, b"\x0f\xa0")]
    assert len(line.pipe.writes) == 3


async def test_a_turn_gathers_no_more_than_the_transport_would_take() -> None:
    line = await Line(wire.Protocol, Application()).open()
    for _ in range(4):
        line.application.outbox.push(b"x" * (wire.MAX_GATHERED // 2 + 1))
    assert len(line.pipe.writes) == 2
    await settle()
    assert len(line.pipe.writes) == 2


async def test_what_waits_for_a_full_transport_waits_in_the_outbox() -> None:
    line = await Line(wire.Protocol, Application()).open()
    outbox = line.application.outbox
    outbox.push(b"0")
    line.protocol.pause_writing()
    for number in range(1, 5):
        outbox.push(str(number).encode(), droppable=number == 3)
    await settle()
    assert read_frames(line.written) == [(TEXT, b"0")]  # put before it was full
    for number in range(400):
        outbox.push(f"m{number}".encode())
    assert outbox.closing == 4410
    line.protocol.resume_writing()
    await settle()
    assert read_frames(line.written) == [(TEXT, b"0"), (TEXT, b"1"), (CLOSE, (4410).to_bytes(2, "big"))]


async def test_after_waiting_frames_take_the_short_way_again_and_in_order() -> None:
    line = await Line(wire.Protocol, Application()).open()
    outbox = line.application.outbox
    line.protocol.pause_writing()
    outbox.push(b"0")
    outbox.push(b"1")
    line.protocol.resume_writing()
    outbox.push(b"2")  # the transport has room, but what waited goes before
    await settle()
    outbox.push(b"3")
    await settle()
    assert read_frames(line.written) == [(TEXT, str(number).encode()) for number in range(4)]


async def test_a_peer_that_is_gone_is_written_nothing() -> None:
    line = await Line(wire.Protocol, Application()).open()
    line.application.outbox.push(b"x")
    line.hang_up()
    await settle()
    line.application.outbox.push(b"y")
    assert line.application.outbox.closing == 1006
    assert line.pipe.writes == line.pipe.too_late == []


async def test_shutting_down_sends_what_was_put_and_1012() -> None:
    line = await Line(wire.Protocol, Application()).open()
    line.application.outbox.push(b"x")
    line.protocol.shutdown()
    await settle()
    assert read_frames(line.written) == [(TEXT, b"x"), (CLOSE, (1012).to_bytes(2, "big"))]
    assert line.pipe.closed
    assert line.application.end == {"type": "websocket.disconnect", "code": 1012}


# The doorway ------------------------------------------------------------------------------------------------------------


async def turns(count: int) -> None:
    """Let the event loop go round so many times."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_handshakes_take_turns_and_frames_go_between_them() -> None:
    door, taken = wire.Doorway(asyncio.get_running_loop()), list[int]()
    for number in range(2 * wire.HANDSHAKES + 1):
        door.queue(partial(taken.append, number))
    frames = []
    for _ in range(4):
        await turns(1)
        frames.append(len(taken))
    assert frames == [wire.HANDSHAKES, 2 * wire.HANDSHAKES, 2 * wire.HANDSHAKES + 1, 2 * wire.HANDSHAKES + 1]
    assert taken == sorted(taken)
    door.queue(partial(taken.append, 99))  # it is open again
    await turns(1)
    assert taken[-1] == 99


async def test_one_that_fails_at_the_door_holds_nobody_up() -> None:
    loop, taken, said = asyncio.get_running_loop(), list[int](), list[object]()
    loop.set_exception_handler(lambda _, context: said.append(context["exception"]))
    door = wire.Doorway(loop)
    door.queue(partial(int, "x"))
    door.queue(partial(taken.append, 1))
    await turns(3)
    assert taken == [1]
    assert [type(error) for error in said] == [ValueError]


async def test_who_has_gone_while_he_waited_at_the_door_is_not_let_in() -> None:
    started = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        started.append(scope)

    config = Config(application, ws_max_size=MAX_SIZE)
    config.load()
    protocol = wire.Protocol(config, ServerState(), {}, asyncio.get_running_loop())
    protocol.connection_made(Pipe(protocol))
    protocol.data_received(HANDSHAKE + b"\r\n")
    protocol.connection_lost(None)
    await turns(5)
    assert started == []
