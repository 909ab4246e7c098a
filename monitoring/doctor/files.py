"""Where files lie: reachable, writable, and closed to everybody else."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from django.conf import settings

from monitoring.doctor import s3
from monitoring.doctor.finding import Finding, error, ok, warning
from storage import bucket, scanner
from storage.errors import FileInfected, StoreAway
from storage.scanner import ScannerAway

FREE_BYTES = 2 * 10**9
# The test virus of all scanners (eicar.org), in two pieces: as one, scanners would take this file away.
EICAR = r"X5O!P%@AP[4\PZX54(P^)7CC)7}" + "$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def store() -> Iterator[Finding]:
    yield from s3.examine() if settings.S3_BUCKET else _folder()


def _folder() -> Iterator[Finding]:
    folder = settings.FILES_FOLDER
    try:
        bucket.make()
    except StoreAway as problem:
        yield error(
            f"{folder} cannot be made: {problem.__cause__}",
            "Name a folder that the server's user may write in SAMIA_FILES, or a bucket in S3_BUCKET.",
        )
        return
    found = folder.stat()
    if stat.S_IMODE(found.st_mode) & 0o077:
        yield error(f"Others can enter {folder}.", f"chmod 700 {folder}")
    if found.st_uid != os.geteuid():
        yield error(f"{folder} belongs to somebody else.", f"chown {os.geteuid()} {folder}")
    yield from _written()
    free = shutil.disk_usage(folder).free
    if free < FREE_BYTES:
        yield warning(f"Only {free / 1e9:.1f} GB are free where files lie.", "Make room, or move SAMIA_FILES.")
    yield ok(f"Files lie in {folder}, {free / 1e9:.0f} GB free.")
    if settings.WORKERS > 1:
        yield warning(
            "Files lie on the disk of one machine, and several web processes serve.",
            "If they run on several machines, files need a bucket: set S3_BUCKET.",
        )


def _written() -> Iterator[Finding]:
    key = bucket.key_of(session_id=None, owner_id=uuid4(), file_id=uuid4(), extension="probe")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probe"
        path.write_bytes(secrets.token_bytes(1000))
        try:
            bucket.put(key, path, "application/octet-stream")
            size, digest = bucket.digest(key)
            bucket.delete(key)
        except (StoreAway, FileNotFoundError) as problem:
            yield error(
                f"A file cannot be stored and read: {problem.__cause__ or problem}",
                "Is the disk full or mounted read-only, and does its file system know hard links?",
            )
            return
        if (size, digest) != (1000, hashlib.sha256(path.read_bytes()).digest()):
            yield error("What is read is not what was written.", "Do not use this disk.")


def virus_scanner() -> Iterator[Finding]:
    if not settings.CLAMAV:
        yield ok("Not used: files are not scanned for viruses.")
        return
    with tempfile.TemporaryDirectory() as folder:
        virus = Path(folder) / "eicar"
        virus.write_text(EICAR)
        try:
            version = scanner.ping()
            scanner.scan(virus)
        except ScannerAway as problem:
            yield error(
                f"clamd does not answer at {settings.CLAMAV}: {problem}",
                "Files wait meanwhile and nobody can open them. Start clamd, or set SAMIA_CLAMAV to where it listens.",
            )
        except FileInfected:
            yield ok(f"{version} answers, and finds the test virus.")
        else:
            yield error(
                f"{version} answers, but does not find the test virus: it has no signatures.",
                "Run freshclam, and have it run every day.",
            )
