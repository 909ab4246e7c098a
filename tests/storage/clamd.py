"""ClamAV for tests: one of ours that speaks clamd's protocol and says what a test wants, and the real one."""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from samia_chat.embedded import processes

# The test virus of all scanners (eicar.org), in two pieces: as one, scanners of developers' machines would take this file away.
EICAR = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}" + "$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*").encode()


class FakeClamd:
    """A clamd that finds EICAR, or answers `says` to every file; `breaks` off after so many bytes; is `silent`."""

    def __init__(self, *, says: bytes | None = None, breaks: int | None = None, silent: bool = False) -> None:
        self._says, self._breaks, self._silent = says, breaks, silent
        self.received: list[bytes] = []
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def stop(self) -> None:
        self._stopped.set()
        with socket.create_connection(self._listener.getsockname()):
            pass  # wakes it
        self._thread.join(5)
        self._listener.close()

    def _run(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                if self._stopped.is_set():
                    return
                connection.settimeout(5)
                try:
                    self._serve(connection)
                except OSError:
                    continue

    def _serve(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as said:
            command = b""
            while not command.endswith(b"\0"):
                command += said.read(1)
            if command == b"zPING\0":
                connection.sendall(b"PONG\0")
            elif command == b"zVERSION\0":
                connection.sendall(b"ClamAV 1.4.6/27500/Sat Nov 21 10:00:00 2026\0")
            elif command == b"zINSTREAM\0":
                self._judge(connection, said)

    def _judge(self, connection: socket.socket, said: object) -> None:
        content = b""
        while True:
            (length,) = struct.unpack("!I", said.read(4))  # type: ignore[attr-defined]
            if length == 0:
                break
            content += said.read(length)  # type: ignore[attr-defined]
            if self._breaks is not None and len(content) >= self._breaks:
                if self._says is not None:
                    connection.sendall(self._says)
                return
        self.received.append(content)
        if self._silent:
            self._stopped.wait(5)
            return
        answer = b"stream: Eicar-Test-Signature FOUND\0" if EICAR in content else b"stream: OK\0"
        connection.sendall(answer if self._says is None else self._says)


def is_installed() -> bool:
    return shutil.which("clamd") is not None


class Clamd:
    """Debian's clamd on a Unix socket, with one signature: that of EICAR."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="samia-clamd-"))
        (self.folder / "db").mkdir()
        # MD5, size and name, as in clamav's own documentation.
        (self.folder / "db" / "test.hdb").write_text("44d88612fea8a8f36de82e1278abb02f:68:Eicar-Test-Signature\n")
        self.socket = self.folder / "socket"
        lines = [
            f"LocalSocket {self.socket}",
            f"DatabaseDirectory {self.folder / 'db'}",
            f"TemporaryDirectory {self.folder}",
            "Foreground yes",
            "StreamMaxLength 20M",
        ]
        (self.folder / "clamd.conf").write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"unix:{self.socket}"

    def start(self) -> Clamd:
        program = shutil.which("clamd")
        assert program is not None  # asked before
        command = [program, "--config-file", str(self.folder / "clamd.conf")]
        self._process = processes.start(command, environment={"PATH": ""}, log=self.folder / "log")
        deadline = time.monotonic() + 60
        while not self.socket.exists():
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, "clamd did not start"
            time.sleep(0.05)
        return self

    def stop(self) -> None:
        if self._process is not None:
            processes.stop([self._process])
        shutil.rmtree(self.folder, ignore_errors=True)
