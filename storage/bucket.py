"""The private bucket: the one way to it, above Django's storage API, the same on S3 (storage/s3.py) and on disk
(storage/folder.py).

A key names an object and is made of ids only: what a person calls his file is in the database and nowhere in the bucket.
A store that does not answer raises StoreAway, which people see as a 503: nothing was stored, and nothing is lost.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Protocol, cast
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.core.files.storage import storages

from storage.errors import StoreAway

log = logging.getLogger(__name__)
PIECE_BYTES = 64 * 1024
RETRY_SECONDS = 5.0  # what a client is asked to wait for a store that does not answer
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_KEY = re.compile(rf"(?:{_UUID}|people)/{_UUID}/{_UUID}\.[a-z0-9]{{1,8}}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """An object, as a list of the bucket has it."""

    key: str
    size: int
    modified: datetime


class Store(Protocol):
    """What both stores do beside Django's Storage. Each raises FileNotFoundError, FileExistsError or another OSError."""

    def save(self, name: str, content: Any) -> str: ...
    def delete(self, name: str) -> None: ...
    def exists(self, name: str) -> bool: ...
    def size(self, name: str) -> int: ...
    def open(self, name: str) -> Any: ...
    def pieces(self, name: str) -> Iterator[bytes]: ...
    def entries(self) -> Iterator[Entry]: ...
    def make(self) -> None: ...
    def remove_unfinished(self, before: datetime) -> int: ...
    def signed_url(
        self, name: str, *, seconds: int, content_type: str, disposition: str, method: str
    ) -> str | None: ...


def store() -> Store:
    return cast(Store, storages["files"])


def key_of(*, session_id: UUID | None, owner_id: UUID, file_id: UUID, extension: str) -> str:
    """Where a file lies: under its session and owner; avatars and exports, which are in no session, under their owner."""
    return _checked(f"{session_id or 'people'}/{owner_id}/{file_id}.{extension}")


def put(key: str, path: Path, content_type: str) -> None:
    """Store a file as a new object: whole, or not at all. Raises FileExistsError, StoreAway."""
    with path.open("rb") as file, _asked("put"):
        content = File(file, _checked(key))
        content.content_type = content_type  # type: ignore[attr-defined]  # read by the store on S3
        store().save(key, content)


def get(key: str, into: Path) -> None:
    """Write an object into a file. Raises FileNotFoundError, StoreAway."""
    with into.open("wb") as file:
        for piece in pieces(key):
            file.write(piece)


def pieces(key: str) -> Iterator[bytes]:
    """An object in pieces of at most PIECE_BYTES. Raises FileNotFoundError, StoreAway."""
    with _asked("get"):
        yield from store().pieces(_checked(key))


def digest(key: str) -> tuple[int, bytes]:
    """Size and SHA-256 of what is really there. Raises FileNotFoundError, StoreAway."""
    size, sha256 = 0, hashlib.sha256()
    for piece in pieces(key):
        size += len(piece)
        sha256.update(piece)
    return size, sha256.digest()


def delete(key: str) -> None:
    """Remove an object; one that is not there is no error. Raises StoreAway."""
    with _asked("delete"):
        store().delete(_checked(key))


def exists(key: str) -> bool:
    """Raises StoreAway."""
    with _asked("head"):
        return store().exists(_checked(key))


def size(key: str) -> int | None:
    """The size of an object in bytes; None where there is none. Raises StoreAway."""
    try:
        with _asked("head"):
            return store().size(_checked(key))
    except FileNotFoundError:
        return None


def entries() -> Iterator[Entry]:
    """All objects, in no particular order; some that come or go meanwhile may be among them or not. Raises StoreAway."""
    with _asked("list"):
        yield from store().entries()


def remove_stray(key: str) -> None:
    """Remove an object by the name that a list gave it, which need not be of the form of ours. Raises StoreAway."""
    with _asked("delete"):
        store().delete(key)


def remove_unfinished(before: datetime) -> int:
    """Remove what puts that were killed before then have left. Returns how many. Raises StoreAway."""
    with _asked("sweep"):
        return store().remove_unfinished(before)


def make() -> None:
    """Make the bucket, private, unless it is there. Raises StoreAway."""
    with _asked("make"):
        store().make()


def signed_url(
    key: str, *, content_type: str, disposition: str, method: str = "GET", seconds: int | None = None
) -> str | None:
    """An address that opens this object, by this method and with these headers, for a minute at most; None on disk.

    Whoever has it needs no sign-in: it is given after the permission was asked, and is written into no message and no log.
    """
    seconds = settings.FILE_URL_SECONDS if seconds is None else seconds
    if not 0 < seconds <= settings.FILE_URL_SECONDS:
        raise ValueError(f"A signed address lives for at most {settings.FILE_URL_SECONDS} s, not {seconds}.")
    with _asked("sign"):
        return store().signed_url(
            _checked(key), seconds=seconds, content_type=content_type, disposition=disposition, method=method
        )


class Part:
    """A part of an object on disk, open for reading, in pieces."""

    def __init__(self, file: IO[bytes], length: int) -> None:
        self._file = file
        self._left = length
        self._lock = threading.Lock()

    def read(self) -> bytes:
        """The next piece; nothing at the end, and once it is closed."""
        with self._lock:
            if self._file.closed:
                return b""
            piece = self._file.read(min(PIECE_BYTES, self._left))
            self._left -= len(piece)
            return piece

    def close(self) -> None:
        # Waits for a read that is under way in another thread: its descriptor may be somebody else's a moment later.
        with self._lock:
            self._file.close()


def open_range(key: str, start: int, length: int) -> Part:
    """`length` bytes from `start` on; only where signed_url gives None. Raises FileNotFoundError, StoreAway."""
    with _asked("open"):
        file = store().open(_checked(key))
        file.seek(start)
        return Part(file, length)


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError(f"Not a key of ours: {key!r}")
    return key


@contextmanager
def _asked(what: str) -> Iterator[None]:
    """Whatever else goes wrong between us and the store is its absence, for whoever asks; the log says what it was."""
    try:
        yield
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError as error:
        log.error("the store of files does not answer", extra={"what": what, "why": str(error)})
        raise StoreAway(retry_after=RETRY_SECONDS) from error
