"""The names that files have on people's devices: kept to be shown and for the download, never part of a key or path."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

MAX_CHARS = 255
# Control characters, separators of lines, and what reorders or hides what follows: with one of these, a program's name can
# pass for a picture's.
_HIDDEN = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u00ad\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff]")
# Endings that say the same as ours.
_ALIKE = {
    "jpg": {"jpeg", "jpe", "jfif"},
    "m4a": {"mp4", "m4b"},
    "mp4": {"m4v", "mov"},
    "ogg": {"oga", "opus"},
    "txt": {"text", "md", "csv", "log"},
}


def shown_name(claimed: str, extension: str) -> str:
    """A name that is safe to show and to save under, and whose ending says what the file really is.

    `claimed` is what the client said; of a path, its last part. `extension` is ours, without the dot. An ending that says
    something else gets ours behind it: `page.html` of a plain text is saved as `page.html.txt`.
    """
    name = unicodedata.normalize("NFC", claimed).replace("\\", "/").rpartition("/")[2]
    name = " ".join(_HIDDEN.sub("", name).split()).strip(". ")
    stem, suffix = PurePosixPath(name).stem, PurePosixPath(name).suffix.lstrip(".").lower()
    if not stem:
        return f"file.{extension}"
    if suffix == extension or suffix in _ALIKE.get(extension, ()):
        ending = f".{suffix}"
    else:
        stem, ending = name, f".{extension}"
    return stem[: MAX_CHARS - len(ending)].rstrip(". ") + ending
