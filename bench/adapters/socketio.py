"""The peer: Socket.IO + Redis adapter + pg (bench/peers/socketio), which stores by a call of our own SQL function."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Sequence
from urllib.parse import urlencode, urlsplit

from bench import world
from bench.adapters import server
from bench.adapters.node import Package
from bench.driver import Load, Socket, connect
from bench.machine import Cores

PACKAGE = Package("socketio")
_OPEN, _CONNECTED, _PING, _PONG = b"0", b"40", b"2", b"3"  # Engine.IO 4 and Socket.IO 5 packets
_EVENT, _ACK, _OK = b'42["new_message"', b"43", b'[{"code":"ok"'


class Client(server.Client):
    """Speaks Engine.IO over a WebSocket; each message asks for an acknowledgement."""

    def say(self, number: int, body: bytes) -> None:
        self.write(
            b'42%d["send_message",{"session":"%b","id":"%b","content":"%b"}]'
            % (number, self.session, self.new_id(number), body)
        )

    def take(self, frame: bytes) -> None:
        if frame.startswith(_EVENT):
            self.load.heard(self.user, frame)
        elif frame.startswith(_ACK):
            if frame.find(_OK, 2, 24) >= 0:
                self.load.acked += 1
            else:
                self.load.refused(frame.decode())
        elif frame == _PING:
            self.write(_PONG)
        elif frame.startswith(_CONNECTED):
            self.ready.set_result(None)
        elif frame.startswith(_OPEN):
            self.write(_CONNECTED)


class SocketIO(server.Server):
    def __init__(self, cores: Cores, people: Sequence[world.Person], *, is_batched: bool = False) -> None:
        super().__init__(cores, people)
        self.is_batched = is_batched
        self.name = "socketio_batched" if is_batched else "socketio_redis"
        self.title = f"Socket.IO, Redis, our SQL {'in our batches' if is_batched else 'one by one'}"

    def prepare(self) -> None:
        PACKAGE.prepare()

    def versions(self) -> dict[str, str]:
        return PACKAGE.versions()

    def command(self) -> list[str]:
        return ["node", str(PACKAGE.folder / "server.js")]

    def environment(self) -> dict[str, str]:
        return {
            "NODE_ENV": "production",
            "PORT": str(self.port),
            "CALLS": "batched" if self.is_batched else "single",
            "PG_FOLDER": str(world.socket_folder()),
            "PG_DATABASE": self.database,
            "REDIS_SOCKET": urlsplit(os.environ["BENCH_REDIS_URL"]).path,
        }

    def opening(self, load: Load, user: int, ticket: str) -> Awaitable[Socket]:
        """Nobody signs in here: the person is named in the query, and believed."""
        person = self.people[user]
        who = urlencode({"user": person.user, "role": person.role, "session": person.session})
        address = f"ws://127.0.0.1:{self.port}/socket.io/?EIO=4&transport=websocket&{who}"
        return connect(lambda: Client(load, user, person), address, {"User-Agent": world.USER_AGENT})
