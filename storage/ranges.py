"""Which part of a file is asked for: Range, If-Range and If-None-Match of RFC 9110."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.http import parse_etags

from storage.errors import RangeUnsatisfiable

# One range. Several are let be (RFC 9110, 14.2): a player asks for one, and many small ones cost more than the file.
_RANGE = re.compile(r"bytes=\s*([0-9]*)-([0-9]*)\s*", re.IGNORECASE)
_HUGE = 10**18  # no file reaches so far; Python takes very long numbers ill


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A part of a file: from `start`, `length` bytes of `size`."""

    start: int
    length: int
    size: int

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.size}"


def span_of(header: str, size: int) -> Span | None:
    """The part that a Range header asks for; None for the whole file, also where the header is of no form that we know.

    Raises RangeUnsatisfiable where it begins beyond the end.
    """
    found = _RANGE.fullmatch(header.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        wanted = _number(found[2])  # the last so many
        start, last = max(0, size - wanted), size - 1
        is_there = wanted > 0
    else:
        start, last = _number(found[1]), _number(found[2]) if found[2] else size - 1
        if found[2] and last < start:
            return None
        is_there = start < size
    if not is_there:
        raise RangeUnsatisfiable(headers={"Content-Range": f"bytes */{size}"})
    return Span(start=start, length=min(last, size - 1) - start + 1, size=size)


def _number(digits: str) -> int:
    return int(digits) if len(digits) < 18 else _HUGE


def is_same(if_range: str, etag: str) -> bool:
    """Whether a part may be given to whoever has this: only the same strong tag says that the rest is of the same file."""
    return if_range.strip() == etag


def is_known(if_none_match: str, etag: str) -> bool:
    """Whether the client has this version already."""
    return any(tag == "*" or tag.removeprefix("W/") == etag for tag in parse_etags(if_none_match))
