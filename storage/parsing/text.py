"""Plain text: UTF-8 without control characters. Kept byte for byte."""

from __future__ import annotations

from pathlib import Path

from storage.formats import ACCEPTED, CONTROLS, TEXT
from storage.parsing.made import made
from storage.parsing.messages import Answer, Refused


def judge(source: Path) -> Answer:
    try:
        text = source.read_bytes().decode()
    except UnicodeDecodeError:
        text = "\0"
    if CONTROLS.search(text):
        raise Refused("file_type", f"This is not plain text in UTF-8. Accepted are: {ACCEPTED}.")
    return Answer(is_kept=True, file=made(source, TEXT))
