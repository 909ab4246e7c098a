"""The bucket, on disk and on S3: the same calls, the same outcomes."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import override_settings

from storage import bucket
from storage.errors import StoreAway
from storage.folder import INCOMING
from tests.server import free_port
from tests.storage.conftest import Place, using
from tests.storage.s3 import S3


def new_key(extension: str = "webm") -> str:
    return bucket.key_of(session_id=uuid4(), owner_id=uuid4(), file_id=uuid4(), extension=extension)


def made(folder: Path, content: bytes = b"the contents") -> Path:
    path = folder / uuid4().hex
    path.write_bytes(content)
    return path


def test_what_is_put_is_got(place: Place, tmp_path: Path) -> None:
    content = os.urandom(300_000)
    key = new_key()
    bucket.put(key, made(tmp_path, content), "audio/webm")
    assert (place.folder / key).read_bytes() == content
    bucket.get(key, tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == content
    assert bucket.digest(key) == (len(content), hashlib.sha256(content).digest())
    assert bucket.exists(key)
    assert bucket.size(key) == len(content)
    assert max(map(len, bucket.pieces(key))) <= bucket.PIECE_BYTES


def test_a_taken_key_is_refused_and_what_is_there_stays(place: Place, tmp_path: Path) -> None:
    key = new_key()
    bucket.put(key, made(tmp_path, b"first"), "text/plain")
    with pytest.raises(FileExistsError):
        bucket.put(key, made(tmp_path, b"second"), "text/plain")
    assert (place.folder / key).read_bytes() == b"first"


def test_removing_is_done_once_or_twice(place: Place, tmp_path: Path) -> None:
    key = new_key()
    bucket.put(key, made(tmp_path), "text/plain")
    for _ in range(2):
        bucket.delete(key)
        assert not bucket.exists(key)
        assert bucket.size(key) is None
    with pytest.raises(FileNotFoundError):
        bucket.get(key, tmp_path / "got")


def test_entries_are_all_objects(place: Place, tmp_path: Path) -> None:
    assert list(bucket.entries()) == []
    keys = {new_key(): os.urandom(number) for number in range(1, 6)}
    for key, content in keys.items():
        bucket.put(key, made(tmp_path, content), "text/plain")
    found = {entry.key: entry for entry in bucket.entries()}
    assert {key: entry.size for key, entry in found.items()} == {key: len(content) for key, content in keys.items()}
    for entry in found.values():
        assert abs(entry.modified - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_bucket_is_made_once(place: Place) -> None:
    bucket.make()
    bucket.make()
    assert place.folder.is_dir()


def test_a_bucket_that_is_not_there_is_made_and_is_no_missing_object(s3: S3, tmp_path: Path) -> None:
    with using(s3, bucket_name="another"):
        with pytest.raises(StoreAway):
            bucket.get(new_key(), tmp_path / "got")
        with pytest.raises(StoreAway):
            list(bucket.entries())
        bucket.make()
        assert list(bucket.entries()) == []
    (s3.folder / "objects" / "another").rmdir()


@pytest.mark.parametrize(
    "key",
    [
        "",
        "a.webm",
        "/etc/passwd",
        "../{0}/{0}/{0}.webm",
        "{0}/../{0}.webm",
        "{0}/{0}/{0}.webm/..",
        "{0}/{0}/{0}",
        "{0}/{0}/{0}.web m",
        "{0}/{0}/{0}.webm\x00",
        "{0}/{0}/{0}.webm\n",
        "{0}//{0}/{0}.webm",
        "{0}/{0}/{0}.WEBM",
        "..%2f{0}/{0}/{0}.webm",
        "{0}\u2215{0}\u2215{0}.webm",
        "{0}/{0}/.{0}.webm",
        "persons/{0}/{0}.webm",
    ],
)
def test_a_key_is_made_of_ids_only(key: str, tmp_path: Path) -> None:
    key = key.format(uuid4())
    for call in (
        lambda: bucket.put(key, made(tmp_path), "text/plain"),
        lambda: bucket.get(key, tmp_path / "got"),
        lambda: bucket.delete(key),
        lambda: bucket.open_range(key, 0, 1),
        lambda: bucket.signed_url(key, content_type="", disposition=""),
    ):
        with pytest.raises(ValueError, match="Not a key of ours"):
            call()


def test_keys_of_people_are_in_no_session() -> None:
    owner, file = uuid4(), uuid4()
    key = bucket.key_of(session_id=None, owner_id=owner, file_id=file, extension="jpg")
    assert key == f"people/{owner}/{file}.jpg"
    with pytest.raises(ValueError, match="Not a key"):
        bucket.key_of(session_id=None, owner_id=owner, file_id=file, extension="jpg/../x")


# A store that is away -------------------------------------------------------------------------------------------------


def all_calls(key: str, source: Path, into: Path) -> Iterator[object]:
    yield lambda: bucket.put(key, source, "text/plain")
    yield lambda: bucket.get(key, into)
    yield lambda: bucket.digest(key)
    yield lambda: bucket.delete(key)
    yield lambda: bucket.exists(key)
    yield lambda: bucket.size(key)
    yield lambda: list(bucket.entries())
    yield bucket.make


def test_a_store_that_does_not_answer_is_away(s3: S3, tmp_path: Path) -> None:
    with using(s3, endpoint_url=f"http://127.0.0.1:{free_port()}"):
        for call in all_calls(new_key(), made(tmp_path), tmp_path / "got"):
            with pytest.raises(StoreAway) as away:
                call()  # type: ignore[operator]
            assert away.value.status == 503
            assert away.value.retry_after


def test_a_store_that_refuses_us_is_away_and_nothing_is_taken_for_missing(s3: S3, tmp_path: Path) -> None:
    with using(s3, secret_key="wrong"):
        for call in all_calls(new_key(), made(tmp_path), tmp_path / "got"):
            with pytest.raises(StoreAway):
                call()  # type: ignore[operator]


def test_a_store_that_comes_back_is_used_again(s3: S3, tmp_path: Path) -> None:
    key = new_key()
    try:
        s3.stop()
        with pytest.raises(StoreAway):
            bucket.put(key, made(tmp_path), "text/plain")
    finally:
        s3.start()
    bucket.put(key, made(tmp_path), "text/plain")
    assert bucket.exists(key)


def test_a_store_that_hangs_is_given_up(s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr("storage.s3.READ_SECONDS", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with using(s3, endpoint_url=f"http://127.0.0.1:{silent.getsockname()[1]}"):
            began = time.monotonic()
            with pytest.raises(StoreAway):
                bucket.put(new_key(), made(tmp_path), "text/plain")
            assert time.monotonic() - began < 5


def test_a_folder_that_is_none_is_away(tmp_path: Path) -> None:
    in_the_way = made(tmp_path)
    files = {"BACKEND": "storage.folder.PrivateFolder", "OPTIONS": {"location": in_the_way}}
    with override_settings(STORAGES={**settings.STORAGES, "files": files}), pytest.raises(StoreAway):
        bucket.put(new_key(), made(tmp_path), "text/plain")


# The folder -----------------------------------------------------------------------------------------------------------


def test_only_the_server_s_user_can_enter_the_folder(tmp_path: Path) -> None:
    key = new_key()
    before = os.umask(0)
    try:
        bucket.put(key, made(tmp_path), "text/plain")
    finally:
        os.umask(before)
    path = settings.FILES_FOLDER / key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (settings.FILES_FOLDER, settings.FILES_FOLDER / INCOMING, path.parent, path.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder


def test_the_folder_is_within_nothing_that_is_served() -> None:
    collected = [settings.BASE_DIR / name for name in (".samia/static", "staticfiles")]  # by `up`, in the image
    served = [*collected, *settings.BASE_DIR.glob("*/static")]
    for folder in (settings.FILES_FOLDER, settings.BASE_DIR / ".samia" / "files"):
        assert not any(folder.is_relative_to(path) for path in served)


KILLED = """
import os, sys
import django
django.setup()
from pathlib import Path
from storage import bucket, folder

step = sys.argv[3]
def die(*args, **kwargs):
    os.kill(os.getpid(), 9)
if step == "writing":
    folder.shutil.copyfileobj = lambda source, target, size: (target.write(source.read(5)), target.flush(), die())
elif step == "written":
    folder.os.link = die
elif step == "named":
    folder.Path.unlink = die
bucket.put(sys.argv[1], Path(sys.argv[2]), "text/plain")
"""


@pytest.mark.parametrize(("step", "is_there"), [("writing", False), ("written", False), ("named", True)])
def test_a_put_that_is_killed_leaves_a_whole_object_or_none(step: str, is_there: bool, tmp_path: Path) -> None:
    key, content = new_key(), b"the whole contents"
    command = [sys.executable, "-c", KILLED, key, str(made(tmp_path, content)), step]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "samia_chat.settings"}
    done = subprocess.run(command, env=environment, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=60)
    assert done.returncode == -9, done.stderr
    assert [entry.key for entry in bucket.entries()] == ([key] if is_there else [])
    assert len(list((settings.FILES_FOLDER / INCOMING).iterdir())) == 1
    assert bucket.remove_unfinished(datetime.now(UTC) - timedelta(minutes=1)) == 0  # it may still be at work
    assert bucket.remove_unfinished(datetime.now(UTC) + timedelta(minutes=1)) == 1
    if not is_there:
        bucket.put(key, made(tmp_path, content), "text/plain")
    assert (settings.FILES_FOLDER / key).read_bytes() == content
    assert list((settings.FILES_FOLDER / INCOMING).iterdir()) == []


def test_a_put_holds_no_more_than_a_piece_in_memory(place: Place, tmp_path: Path) -> None:
    import tracemalloc

    path = made(tmp_path, b"\0" * 10_000_000)
    bucket.put(new_key(), made(tmp_path), "text/plain")  # what is loaded by the first
    tracemalloc.start()
    try:
        bucket.put(new_key(), path, "text/plain")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 3_000_000  # boto3 reads a megabyte at a time for the signature
