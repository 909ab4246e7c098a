"""Downloads from a real server's disk: in pieces, held by nobody, and closed however they end."""

from __future__ import annotations

import hashlib
import http.client
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings

from storage import bucket, download
from tests.cast import World
from tests.database import Truth
from tests.rest import Api
from tests.server import Daphne, Server
from tests.storage.files import row_of, sent_file

MEGABYTE = 1_000_000
CONTENT = os.urandom(10 * MEGABYTE)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(SAMIA_RATE_READS="100000").start()
    yield server
    server.stop()


@pytest.fixture
def file(world: World) -> UUID:
    return sent_file(world.reader, world.session, content=CONTENT)


class Download:
    """A request of which nothing but the answer's head is read yet. With a small window: what is not read stays there."""

    def __init__(self, server: Server, api: Api, file: UUID, **headers: str) -> None:
        self.socket = socket.socket()
        self.socket.settimeout(20)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        self.socket.connect(("127.0.0.1", server.port))
        lines = [f"{name}: {value}" for name, value in {"Host": "127.0.0.1", **api.headers, **headers}.items()]
        self.socket.sendall("\r\n".join([f"GET /api/chat/files/{file} HTTP/1.1", *lines, "", ""]).encode())
        self.answer = http.client.HTTPResponse(self.socket)
        self.answer.begin()
        self.status, self.headers = self.answer.status, self.answer.headers

    def read(self, length: int | None = None) -> bytes:
        """So much, or all that is left, and the end of it."""
        if length is not None:
            return self.answer.read(length)
        try:
            return self.answer.read()
        finally:
            self.close()

    def close(self) -> None:
        self.answer.close()
        self.socket.close()


def open_files(server: Server) -> int:
    """How many objects the server's process has open."""
    assert server._process is not None
    count = 0
    for link in Path(f"/proc/{server._process.pid}/fd").iterdir():
        try:
            count += os.readlink(link).startswith(str(settings.FILES_FOLDER))
        except FileNotFoundError:  # closed meanwhile
            continue
    return count


def memory(server: Server, line: str = "VmRSS") -> int:
    """Bytes."""
    assert server._process is not None
    text = Path(f"/proc/{server._process.pid}/status").read_text()
    return int(text.split(f"{line}:")[1].split()[0]) * 1024


def within(seconds: float, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_file_arrives_whole_and_in_parts(server: Server, world: World, file: UUID) -> None:
    api = Api(world.client)
    answer = Download(server, api, file)
    assert (answer.status, answer.headers["Content-Length"]) == (200, str(len(CONTENT)))
    assert hashlib.sha256(answer.read()).digest() == hashlib.sha256(CONTENT).digest()
    answer = Download(server, api, file, Range="bytes=5000000-5999999")
    assert (answer.status, answer.read()) == (206, CONTENT[5_000_000:6_000_000])
    answer = Download(server, api, file, **{"If-None-Match": answer.headers["ETag"]})
    assert (answer.status, answer.read()) == (304, b"")
    within(5, lambda: open_files(server) == 0)


def test_downloads_are_not_held_in_memory(server: Server, world: World, file: UUID) -> None:
    api = Api(world.client)
    Download(server, api, file).read()
    before = memory(server)
    downloads = [Download(server, api, file) for _ in range(20)]
    assert all(begun.status == 200 for begun in downloads)
    time.sleep(0.5)  # what the server would read ahead, it has read by now
    grown = memory(server) - before
    assert open_files(server) == 20
    assert grown < 20 * MEGABYTE  # of 200 that are on their way
    for begun in downloads:
        assert begun.read(MEGABYTE) == CONTENT[:MEGABYTE]
        begun.close()


def test_a_download_that_waits_holds_nobody_up(server: Server, world: World, truth: Truth, file: UUID) -> None:
    api = Api(world.client)
    downloads = [Download(server, api, file) for _ in range(30)]
    began = time.monotonic()
    assert Download(server, api, file, Range="bytes=0-99").read() == CONTENT[:100]
    assert time.monotonic() - began < 2
    # The request's transaction has ended, and its connection is back in the pool.
    busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in trans%'"
    assert truth.one(busy) == 0
    for begun in downloads:
        begun.close()


def test_a_download_that_is_broken_off_leaves_nothing_open(server: Server, world: World, file: UUID) -> None:
    api = Api(world.client)
    for number in range(15):
        begun = Download(server, api, file)
        begun.read(number * 50_000)
        begun.close()
    within(5, lambda: open_files(server) == 0)
    assert "Traceback" not in server.log.read_text()
    assert Download(server, api, file).read() == CONTENT


def test_there_is_an_end_to_downloads_at_the_same_time(
    world: World, file: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "MAX_STREAMS", 2)
    key = row_of(file).key
    streams = [download.Stream(bucket.open_range(key, 0, 5)) for _ in range(2)]
    answer = Api(world.client).get(f"/chat/files/{file}")
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "busy", "1")
    assert Api(world.client).head(f"/chat/files/{file}").status == 200
    for stream in streams:
        stream.close()
    assert Api(world.client).get(f"/chat/files/{file}").body == CONTENT


def test_an_object_that_is_cut_meanwhile_breaks_the_download(server: Server, world: World, file: UUID) -> None:
    """Content-Length was promised: less than that is an error, for the client too."""
    api = Api(world.client)
    (path,) = (path for path in settings.FILES_FOLDER.rglob("*.webm"))
    os.truncate(path, 3 * MEGABYTE)
    begun = Download(server, api, file)
    with pytest.raises(http.client.IncompleteRead):
        begun.read()
    within(5, lambda: open_files(server) == 0)


def test_the_development_server_streams_as_well(world: World, file: UUID) -> None:
    server = Daphne().start()
    try:
        api = Api(world.client)
        assert Download(server, api, file).read() == CONTENT
        assert Download(server, api, file, Range="bytes=-100").read() == CONTENT[-100:]
    finally:
        server.stop()
