"""The driver itself: how much it can drive, and that it sees what a server does wrong.

The server is forty lines that hand each text to the other person and store nothing, so its figures are what no other server
can reach with this driver. Then it is told to lose, double and swap some, and the driver must count exactly those.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

from bench.driver import Load, Socket, Window, connect, connect_all
from bench.machine import Cores
from bench.options import parser_of
from bench.report import progress
from samia_chat.embedded.terminal import one_sentence

NEEDS = ()
SESSIONS = 50
_EVENT, _ACK = b"event", b"ack"


class Forwarder:
    """Hands texts on, and spoils every so many of them where it is told to."""

    def __init__(self) -> None:
        self.peers: dict[int, WSTransport] = {}
        self.seen = 0
        self.lose = self.double = self.swap = 0  # every so many; 0: never
        self.done = {"lost": 0, "doubled": 0, "reordered": 0}
        self._held: dict[int, bytes] = {}

    def hand_on(self, user: int, text: bytes) -> None:
        self.peers[user].send(WSMsgType.TEXT, _ACK)
        self.peers[user].send(WSMsgType.TEXT, _EVENT + text)  # for his own other devices, as the servers do
        self.seen += 1
        if self.lose and self.seen % self.lose == 0:
            self.done["lost"] += 1
            return
        if self.swap and self.seen % self.swap == 0 and user not in self._held:
            self._held[user] = text  # goes out after his next one
            return
        self._to(user ^ 1, text)
        if self.double and self.seen % self.double == 0:
            self.done["doubled"] += 1
            self._to(user ^ 1, text)
        if user in self._held:
            self.done["reordered"] += 1
            self._to(user ^ 1, self._held.pop(user))

    def release(self) -> None:
        """What is held and will have no next one."""
        for user, text in self._held.items():
            self._to(user ^ 1, text)
        self._held.clear()

    def _to(self, user: int, text: bytes) -> None:
        self.peers[user].send(WSMsgType.TEXT, _EVENT + text)


class Seat(WSListener):
    """One person at the forwarder."""

    def __init__(self, forwarder: Forwarder, user: int) -> None:
        self.forwarder, self.user = forwarder, user

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.forwarder.peers[self.user] = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            self.forwarder.hand_on(self.user, frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()


class Client(Socket):
    def say(self, number: int, body: bytes) -> None:
        self.write(body)

    def take(self, frame: bytes) -> None:
        if frame.startswith(_EVENT):
            self.load.heard(self.user, frame)
        else:
            self.load.acked += 1

    def on_ws_connected(self, transport: WSTransport) -> None:
        super().on_ws_connected(transport)
        self.ready.set_result(None)


def main() -> None:
    options = _options()
    with one_sentence():
        cores = Cores.choose()
        cores.take_driver()
        window, counted = uvloop.run(_both(options.seconds))
        rate = f"{window.per_second:,.0f} messages/s with driver and forwarder on one core, p50 {window.p50_ms:.2f} ms"
        found = {"per_second": round(window.per_second), "p50_ms": round(window.p50_ms, 2), "faults": counted}
        print(json.dumps(found) if options.json else rate)
        for name, (made, seen) in counted.items():
            progress(f"  {name}: {made} made, {seen} seen")
    sys.exit(0 if all(made == seen and made for made, seen in counted.values()) else 1)


def _options() -> argparse.Namespace:
    parser = parser_of("ceiling", __doc__, rounds=None, has_write=False, has_pin=False)
    parser.add_argument("--seconds", type=float, default=4.0, help="of the window (default 4)")
    return parser.parse_args()


async def _both(seconds: float) -> tuple[Window, dict[str, tuple[int, int]]]:
    """The window of a faultless server; then what a bad one did and what the driver saw of it."""
    forwarder = Forwarder()
    server = await ws_create_server(
        lambda request: Seat(forwarder, int(request.path.rsplit(b"/", 1)[1])), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    load, sockets = await _connect(port)
    window = await load.closed(warm=1.0, seconds=seconds, roots={})
    forwarder.lose, forwarder.double, forwarder.swap = 101, 103, 107
    await load.open(1000, warm=0.5, seconds=2.0, roots={}, at_end=forwarder.release)
    for socket in sockets:
        socket.leave()
    server.close()
    seen = {"lost": load.lost, "doubled": load.doubled, "reordered": load.reordered}
    return window, {name: (forwarder.done[name], seen[name]) for name in seen}


async def _connect(port: int) -> tuple[Load, Sequence[Socket]]:
    load = Load(SESSIONS)
    people = range(2 * SESSIONS)

    def opening(user: int) -> object:
        return connect(lambda: Client(load, user), f"ws://127.0.0.1:{port}/{user}", {})

    load.senders = await connect_all([lambda user=user: opening(user) for user in people])
    await asyncio.sleep(0.2)
    return load, load.senders


if __name__ == "__main__":
    main()
