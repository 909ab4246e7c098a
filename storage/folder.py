"""Files on disk: a folder that only the server's user can enter, and that nothing serves."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

from django.core.files.storage import FileSystemStorage

from storage.bucket import PIECE_BYTES, Entry

INCOMING = ".incoming"  # what is being written; a put that is killed leaves it here


class PrivateFolder(FileSystemStorage):
    def __init__(self, location: Path | str) -> None:
        super().__init__(location=location, file_permissions_mode=0o600, directory_permissions_mode=0o700)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """The name itself: a key is of one file, and _save refuses one that is taken."""
        return name

    def _save(self, name: str, content: Any) -> str:
        """Written beside, brought to the disk, and then given its name, which must be free. Raises FileExistsError.

        A link and not a rename, which would replace what has the name already.
        """
        target = Path(self.path(name))
        self._make_folder(target.parent)
        beside = self._make_folder(Path(self.location) / INCOMING) / uuid4().hex
        try:
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                shutil.copyfileobj(content, file, PIECE_BYTES)
                file.flush()
                os.fsync(file.fileno())
            os.link(beside, target)
        finally:
            beside.unlink(missing_ok=True)
        _flush(target.parent)
        return name

    def _make_folder(self, folder: Path) -> Path:
        """The folder and those above it, each only for us, and its name on the disk."""
        if not folder.is_dir():
            self._make_folder(folder.parent)
            try:
                folder.mkdir(mode=0o700)
            except FileExistsError:  # made by somebody else at this moment
                return folder
            _flush(folder.parent)
        return folder

    def make(self) -> None:
        self._make_folder(Path(self.location))

    def exists(self, name: str) -> bool:
        return Path(self.path(name)).is_file()

    def pieces(self, name: str) -> Iterator[bytes]:
        with open(self.path(name), "rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece

    def entries(self) -> Iterator[Entry]:
        for folder, folders, names in os.walk(self.location):
            if folder == self.location and INCOMING in folders:
                folders.remove(INCOMING)
            for name in names:
                path = Path(folder, name)
                try:
                    found = path.lstat()
                except FileNotFoundError:  # gone meanwhile
                    continue
                yield Entry(
                    key=path.relative_to(self.location).as_posix(),
                    size=found.st_size,
                    modified=datetime.fromtimestamp(found.st_mtime, UTC),
                )

    def remove_unfinished(self, before: datetime) -> int:
        count = 0
        incoming = Path(self.location) / INCOMING
        for path in incoming.iterdir() if incoming.is_dir() else ():
            try:
                if path.lstat().st_mtime < before.timestamp():
                    path.unlink()
                    count += 1
            except FileNotFoundError:  # its put has just ended
                continue
        return count

    def signed_url(self, name: str, *, seconds: int, content_type: str, disposition: str, method: str) -> None:
        return None

    def url(self, name: str | None) -> NoReturn:
        raise ValueError("Files on disk have no address: they are opened through the API.")


def _flush(folder: Path) -> None:
    """Bring the names in a folder to the disk: without it a crash may forget a file whose bytes are safe."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
