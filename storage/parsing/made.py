"""A file that was written into the caller's folder, measured."""

from __future__ import annotations

import hashlib
from pathlib import Path

from storage.formats import FORMATS, Format
from storage.parsing.messages import Made


def path_of(folder: Path, stem: str, form: Format) -> Path:
    """Where a child writes, and where its parent looks."""
    return folder / f"{stem}.{form.extension}"


def made(
    path: Path,
    form: Format,
    *,
    width: int | None = None,
    height: int | None = None,
    duration_ms: int | None = None,
    waveform: list[int] | None = None,
) -> Made:
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    return Made(
        format=next(name for name, one in FORMATS.items() if one is form),
        size=path.stat().st_size,
        sha256=digest,
        width=width,
        height=height,
        duration_ms=duration_ms,
        waveform=waveform,
    )
