"""An S3 server of our own for tests: rclone's, which checks signatures. Its objects are files in a folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from samia_chat.embedded import processes
from tests.server import free_port

KEY, SECRET = "test-key", "test-secret-of-some-length"
BUCKET = "chat-files"


class S3:
    """The server. `stop` and `start` again keep its address and its objects."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="samia-s3-"))
        self.objects = self.folder / "objects" / BUCKET
        self.objects.mkdir(parents=True)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, auth: bool = True) -> S3:
        """Without `auth` it asks nobody for a signature."""
        rclone = Path(sys.executable).with_name("rclone")
        # Tests change the folder themselves: what is in it is asked nearly every time. (At 0 rclone is busy with nothing else.)
        freshness = ("--dir-cache-time", "1ms", "--poll-interval", "0")
        command = [
            *(str(rclone), "serve", "s3", "--addr", f"127.0.0.1:{self.port}"),
            *(("--auth-key", f"{KEY},{SECRET}") if auth else ()),
            *("--vfs-cache-mode", "off", *freshness, str(self.objects.parent)),
        ]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        self._process = processes.start(command, environment=environment, log=self.folder / "log")
        deadline = time.monotonic() + 20
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, "rclone did not start"
            time.sleep(0.02)

    def stop(self) -> None:
        if self._process is not None:
            processes.stop([self._process])
            self._process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def empty(self) -> None:
        for path in self.objects.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def environment(self) -> dict[str, str]:
        """For a server or command that shall use it."""
        return {
            "S3_BUCKET": BUCKET,
            "S3_ENDPOINT_URL": self.url,
            "S3_ACCESS_KEY": KEY,
            "S3_SECRET_KEY": SECRET,
        }

    def storages(self, **options: Any) -> dict[str, Any]:
        """STORAGES["files"] in this process."""
        return {
            "BACKEND": "storage.s3.PrivateBucket",
            "OPTIONS": {
                "bucket_name": BUCKET,
                "region_name": "us-east-1",
                "endpoint_url": self.url,
                "public_endpoint_url": self.url,
                "access_key": KEY,
                "secret_key": SECRET,
                "addressing_style": "path",
                **options,
            },
        }
