"""ClamAV, when it is configured: what it finds is refused by name, and its silence is no permission."""

from __future__ import annotations

import os
import socket
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from storage import scanner
from storage.errors import FileInfected
from storage.scanner import ScannerAway
from tests.cast import World
from tests.database import Truth
from tests.device import Device
from tests.rest import Api, in_thread
from tests.server import free_port
from tests.storage.clamd import EICAR, Clamd, FakeClamd, is_installed


@contextmanager
def clamd(**how: Any) -> Iterator[FakeClamd]:
    found = FakeClamd(**how)
    try:
        with override_settings(CLAMAV=found.address):
            yield found
    finally:
        found.stop()


@pytest.fixture
def harmless(tmp_path: Path) -> Path:
    path = tmp_path / "harmless"
    path.write_bytes(os.urandom(200_000))
    return path


@pytest.fixture
def infected(tmp_path: Path) -> Path:
    path = tmp_path / "infected"
    path.write_bytes(EICAR)
    return path


def test_what_is_clean_passes_whole(harmless: Path) -> None:
    with clamd() as found:
        scanner.scan(harmless)
    assert found.received == [harmless.read_bytes()]


def test_what_is_found_is_named(infected: Path) -> None:
    with clamd(), pytest.raises(FileInfected) as refused:
        scanner.scan(infected)
    assert refused.value.extra == {"signature": "Eicar-Test-Signature"}
    assert "Eicar-Test-Signature" in refused.value.detail


def test_a_name_is_one_line(harmless: Path) -> None:
    with clamd(says=b"stream: a\r\nb\x1b[2J" + b"c" * 500 + b" FOUND\0"), pytest.raises(FileInfected) as refused:
        scanner.scan(harmless)
    name = str(refused.value.extra["signature"])
    assert name.isprintable()
    assert len(name) == 100


@pytest.mark.parametrize(
    "how",
    [
        {"says": b"INSTREAM size limit exceeded. ERROR\0"},
        {"says": b"stream: Can't allocate memory ERROR\0"},
        {"says": b"INSTREAM size limit exceeded. ERROR\0", "breaks": 1},
        {"says": b""},
        {"says": b"stream: OK"},
        {"says": b"stream: OK\0more"},
        {"says": b"stream: OK, as far as I can say\0"},
        {"says": b"OK\0"},
        {"says": b"\xff\xfe\0"},
        {"says": b"x" * 100_000},
        {"breaks": 1},
        {"breaks": 100_000},
        {"silent": True},
    ],
    ids=str,
)
def test_what_is_no_clear_answer_is_none(how: dict[str, Any], harmless: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanner, "ANSWER_SECONDS", 0.3)
    with clamd(**how), pytest.raises(ScannerAway):
        scanner.scan(harmless)


def test_a_scanner_that_is_not_there_is_away(harmless: Path, tmp_path: Path) -> None:
    for address in (
        f"127.0.0.1:{free_port()}",
        f"[::1]:{free_port()}",
        f"unix:{tmp_path / 'nothing'}",
        f"unix:{harmless}",
    ):
        with override_settings(CLAMAV=address), pytest.raises(ScannerAway):
            scanner.scan(harmless)


def test_a_scanner_that_says_nothing_at_all_is_away(harmless: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanner, "ANSWER_SECONDS", 0.3)
    with (
        socket.create_server(("127.0.0.1", 0), backlog=1) as deaf,
        override_settings(CLAMAV=f"127.0.0.1:{deaf.getsockname()[1]}"),
        pytest.raises(ScannerAway),
    ):
        scanner.scan(harmless)


def test_it_says_what_it_is() -> None:
    with clamd():
        assert scanner.ping().startswith("ClamAV 1.4.6")


def test_nothing_is_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"\0" * 10_000_000)
    with socket.create_server(("127.0.0.1", 0)) as sink, override_settings(CLAMAV=f"127.0.0.1:{sink.getsockname()[1]}"):

        def swallow() -> None:
            connection, _ = sink.accept()
            with connection:
                left = len(b"zINSTREAM\0") + 10_000_000 + 4 * (10_000_000 // scanner.PIECE_BYTES + 2)
                while left > 0:
                    left -= len(connection.recv(min(left, 1 << 16)))
                connection.sendall(b"stream: OK\0")

        thread = threading.Thread(target=swallow)
        thread.start()
        tracemalloc.start()
        try:
            scanner.scan(path)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            thread.join()
    assert most < 1_000_000


# Uploads ----------------------------------------------------------------------------------------------------------------


def test_an_infected_upload_is_refused_named_and_on_record(world: World, truth: Truth) -> None:
    with clamd():
        answer = Api(world.client).upload(world.session, EICAR, "notes.txt")
    assert (answer.status, answer.code, answer.body["signature"]) == (422, "file_infected", "Eicar-Test-Signature")
    assert truth.one("SELECT count(*) FROM chat_files") == 0
    assert truth.one("SELECT count(*) FROM chat_messages") == 0
    (row,) = truth.rows("SELECT actor, new_values FROM chat_audit_logs WHERE action = 'access.refused'")
    assert row["actor"] == world.client.pk
    assert row["new_values"]["code"] == "file_infected"
    assert "Eicar-Test-Signature" in row["new_values"]["what"]


def test_a_file_waits_for_a_scanner_that_is_away_and_nobody_opens_it(world: World) -> None:
    with override_settings(CLAMAV=f"127.0.0.1:{free_port()}"):
        sent = Api(world.client).upload(world.session, b"harmless text", "notes.txt")
    assert sent.status == 201
    assert sent.body["file"]["state"] == "processing"
    answer = Api(world.reader).get(f"/chat/files/{sent.body['file']['id']}")
    assert (answer.status, answer.code) == (409, "file_processing")


async def test_staff_are_told_of_a_file_that_waits_and_nobody_else(world: World) -> None:
    api = await in_thread(Api, world.client)
    client, reader, monitor = [await Device(who).open() for who in (world.client, world.reader, world.monitor)]
    with override_settings(CLAMAV=f"127.0.0.1:{free_port()}"):
        sent = await in_thread(api.upload, world.session, b"harmless text", "notes.txt")
    told = await monitor.expect("file_waiting")
    assert (told["session"], told["message"]) == (str(world.session), sent.body["id"])
    await reader.expect("new_message")
    for member in (client, reader):
        await member.nothing("file_waiting")
    with clamd():
        await in_thread(api.upload, world.session, b"more harmless text", "more.txt")
    await monitor.nothing("file_waiting")


# The real one -----------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not os.environ.get("TEST_FULL"), reason="only in ./samia test --full")
@pytest.mark.skipif(not is_installed(), reason="clamd is not installed (Debian: apt-get install clamav-daemon)")
def test_the_real_scanner_speaks_as_ours_does(harmless: Path, infected: Path, tmp_path: Path) -> None:
    real = Clamd().start()
    try:
        with override_settings(CLAMAV=real.address):
            assert scanner.ping().startswith("ClamAV ")
            scanner.scan(harmless)
            with pytest.raises(FileInfected) as refused:
                scanner.scan(infected)
            assert "Eicar-Test-Signature" in str(refused.value.extra["signature"])
            large = tmp_path / "large"
            large.write_bytes(b"\0" * 25_000_000)  # more than it takes
            with pytest.raises(ScannerAway):
                scanner.scan(large)
    finally:
        real.stop()
