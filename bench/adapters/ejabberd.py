"""A peer: ejabberd, 1-1 chat over WebSocket, every message archived for both people (mod_mam) in PostgreSQL."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Awaitable, Sequence
from pathlib import Path

from picows import WSTransport

from bench import world
from bench.adapters import archive, debian, server
from bench.adapters.server import Unavailable
from bench.driver import Load, Roots, Socket, connect

SOURCE = Path(__file__).resolve().parent.parent / "peers" / "ejabberd"
PATCH = SOURCE / "unix_socket.erl"
FOLDER = server.FOLDER / "ejabberd"
CHANGED = FOLDER / "changed"  # comes before the unpacked modules
RUNNING = server.FOLDER / "ejabberd-running"  # settings and Mnesia of one round
PACKAGES = ("ejabberd", "erlang-p1-pgsql")
WORLD = "bench_ejabberd_world"
SCHEMA = FOLDER / "usr" / "share" / "ejabberd" / "sql" / "pg.sql"
# The server asks, too, and may wait for a minute. Its questions are answered together, in its favour.
ANSWER_SECONDS = 1.0
_OPEN = b'<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="localhost" version="1.0"/>'
_BIND = (
    b'<iq xmlns="jabber:client" type="set" id="bind"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind">'
    b"<resource>%b</resource></bind></iq>" % archive.RESOURCE.encode()
)
_AVAILABLE = b'<presence xmlns="jabber:client"/>'
_ENABLE, _ASK = b'<enable xmlns="urn:xmpp:sm:3"/>', b'<r xmlns="urn:xmpp:sm:3"/>'
_ANSWER = b'<a xmlns="urn:xmpp:sm:3" h="%d"/>'
_HANDLED = re.compile(rb"\bh=['\"](\d+)")
_STANZAS = (b"<message", b"<presence", b"<iq")
_ERROR = re.compile(rb"\btype=['\"]error")


class Client(server.Client):
    """Speaks XMPP over a WebSocket (RFC 7395); asks after each message whether it was handled (XEP-0198)."""

    def __init__(self, load: Load, user: int, person: world.Person, other: world.Person, password: str) -> None:
        super().__init__(load, user, person)
        self._to = str(other.user).encode()
        self._secret = base64.b64encode(f"\0{person.user}\0{password}".encode())
        self._handled = 0  # of our stanzas, by the server
        self._taken = 0  # of the server's, by us
        self._is_answering = False

    def on_ws_connected(self, transport: WSTransport) -> None:
        super().on_ws_connected(transport)
        self.write(_OPEN)

    def say(self, number: int, body: bytes) -> None:
        self.write(
            b'<message xmlns="jabber:client" to="%b@localhost" type="chat" id="%b"><body>%b</body></message>'
            % (self._to, self.new_id(number), body)
        )
        self.write(_ASK)

    def take(self, frame: bytes) -> None:
        self._taken += frame.startswith(_STANZAS)
        if frame.startswith(b"<message"):
            if _ERROR.search(frame, 0, frame.find(b">")):
                self.load.refused(frame.decode())
            else:
                self.load.heard(self.user, frame)
        elif frame.startswith(b"<a "):
            self._acknowledged(frame)
        elif frame.startswith(b"<r "):
            self._answer_soon()
        else:
            self._sign_in(frame)

    def _acknowledged(self, frame: bytes) -> None:
        found = _HANDLED.search(frame)
        assert found is not None  # the standard demands it
        handled = int(found[1])
        self.load.acked += handled - self._handled
        self._handled = handled

    def _answer_soon(self) -> None:
        if not self._is_answering:
            self._is_answering = True
            asyncio.get_running_loop().call_later(ANSWER_SECONDS, self._answer)

    def _answer(self) -> None:
        self._is_answering = False
        if not self.is_leaving:
            self.write(_ANSWER % self._taken)

    def _sign_in(self, frame: bytes) -> None:
        """The next step after what the server said. Stanzas count from <enabled> on, at both ends."""
        if b"<mechanisms" in frame:
            self.write(b'<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">%b</auth>' % self._secret)
        elif frame.startswith(b"<success"):
            self.write(_OPEN)
        elif frame.startswith(b"<stream:features"):
            self.write(_BIND)
        elif frame.startswith(b"<iq") and b"<jid>" in frame:
            self.write(_AVAILABLE)
            self.write(_ENABLE)
        elif frame.startswith(b"<enabled"):
            self._taken = 0
            self.ready.set_result(None)
        elif frame.startswith((b"<failure", b"<failed", b"<stream:error", b"<close")):
            self.load.refused(frame.decode())


class Ejabberd(server.Server):
    name = "ejabberd"
    title = "ejabberd, archive in PostgreSQL"
    home = "/ws"
    template = WORLD

    def prepare(self) -> None:
        """Unpack it under .samia, unless it is there, and make the database that rounds copy."""
        wanted = hashlib.sha256(" ".join(PACKAGES).encode() + PATCH.read_bytes()).hexdigest()
        stamp = FOLDER / "stamp"
        if not stamp.exists() or stamp.read_text() != wanted:
            _install()
            stamp.write_text(wanted)
        archive.make(WORLD, SCHEMA, self.people)

    def versions(self) -> dict[str, str]:
        packages = json.loads((FOLDER / "packages.json").read_text())
        return {
            "ejabberd": packages["ejabberd"].split("-", 1)[0],
            "Erlang/OTP": packages["erlang-base"].split(":", 1)[-1].split("+", 1)[0],
        }

    def configure(self) -> None:
        shutil.rmtree(RUNNING, ignore_errors=True)
        RUNNING.mkdir()
        fields = {"socket": world.socket_folder() / ".s.PGSQL.5432", "database": self.database, "role": archive.ROLE}
        text = (SOURCE / "ejabberd.yml").read_text().format(**fields, port=self.port)
        (RUNNING / "ejabberd.yml").write_text(text)

    def command(self) -> list[str]:
        """One scheduler on one core, and none that waits for work by spinning: that would be counted."""
        return [
            *(*_erlang(), "+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none", "+P", "250000"),
            *("-mnesia", "dir", f'"{RUNNING / "mnesia"}"', "-s", "ejabberd"),
        ]

    def environment(self) -> dict[str, str]:
        return {
            **_places(),
            "HOME": str(RUNNING),
            "ERL_CRASH_DUMP": str(RUNNING / "crash"),
            "EJABBERD_CONFIG_PATH": str(RUNNING / "ejabberd.yml"),
            "EJABBERD_LOG_PATH": str(RUNNING / "ejabberd.log"),
        }

    def tickets(self, people: Sequence[world.Person]) -> list[str]:
        """Passwords, which are good for every round."""
        return [archive.password(person) for person in people]

    def opening(self, load: Load, user: int, ticket: str) -> Awaitable[Socket]:
        person, other = self.people[user], self.people[user ^ 1]
        address = f"ws://127.0.0.1:{self.port}/ws"
        headers = {"Sec-WebSocket-Protocol": "xmpp"}
        return connect(lambda: Client(load, user, person, other, ticket), address, headers)

    def roots(self) -> Roots:
        """It uses no Redis."""
        return {name: pids for name, pids in super().roots().items() if name != "redis"}

    def stored(self) -> archive.Archive:
        return archive.stored(self.database)


# Erlang, from where it was unpacked ----------------------------------------------------------------------------------------


def _install() -> None:
    """Raises Unavailable."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    packages = debian.unpack(PACKAGES, FOLDER, family=("erlang-", "ejabberd"))
    (FOLDER / "packages.json").write_text(json.dumps(packages))
    CHANGED.mkdir()
    compiling = "{ok, Module} = c:c(hd(init:get_plain_arguments())), ok = Module:main(), halt(0)."
    command = [*_erlang(), "-eval", compiling, "-extra", str(PATCH)]
    try:
        outcome = subprocess.run(command, cwd=CHANGED, env=_places(), capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"Erlang does not run from where it was unpacked: {error}") from None
    if outcome.returncode != 0:
        lines = (outcome.stdout + outcome.stderr).strip().splitlines()
        raise Unavailable(f"p1_pgsql could not be led to a Unix socket: {lines[0] if lines else 'without a word'}")


def _erlang() -> list[str]:
    """Erlang on this machine alone: no distribution, so that nothing listens and no epmd is started."""
    return [str(_binaries() / "erlexec"), "-noinput", "-start_epmd", "false", "-pa", str(CHANGED)]


def _binaries() -> Path:
    found = sorted((FOLDER / "usr" / "lib" / "erlang").glob("erts-*/bin"))
    if not found:
        raise Unavailable("the unpacked packages hold no Erlang where Debian's do")
    return found[-1]


def _places() -> dict[str, str]:
    """What the scripts of an installation would set. `erl` itself names the folder it was built for."""
    libraries = [str(path.parent) for path in (FOLDER / "usr" / "lib").glob("*/ejabberd-*")]
    return {
        "ROOTDIR": str(FOLDER / "usr" / "lib" / "erlang"),
        "BINDIR": str(_binaries()),
        "EMU": "beam",
        "PROGNAME": "erl",
        "HOME": str(FOLDER),
        "ERL_LIBS": ":".join(dict.fromkeys(libraries)),
        "LD_LIBRARY_PATH": ":".join(str(path) for path in (FOLDER / "usr" / "lib").glob("*-linux-*")),
    }
