"""A Redis of our own for tests and benchmarks: Debian's server, on a Unix socket, without persistence."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from samia_chat.embedded import processes
from samia_chat.embedded.terminal import Refusal


class Redis:
    def __init__(self, *options: str) -> None:
        """`options` of redis-server beside the usual ones."""
        self._options = options
        self.folder = Path(tempfile.mkdtemp(prefix="samia-redis-"))
        self.socket = self.folder / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def pid(self) -> int:
        assert self._process is not None  # asked for after start()
        return self._process.pid

    def start(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise Refusal("redis-server is not installed. On Debian or Ubuntu: apt-get install redis-server")
        options = ["--port", "0", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "no"]
        self._process = processes.start(
            [program, *options, "--dir", str(self.folder), *self._options],
            environment={"PATH": ""},
            log=self.folder / "log",
        )
        deadline = time.monotonic() + 10
        while not self.socket.exists():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise Refusal(f"redis-server did not start:\n{(self.folder / 'log').read_text()[-500:]}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop the server; its address stays, so that `start` brings it back."""
        if self._process is not None:
            processes.stop([self._process])
            self._process = None
            self.socket.unlink(missing_ok=True)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
