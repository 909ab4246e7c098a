"""What tests of the parsers ask."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from storage.parsers import ParserPool, Refused
from tests.storage.samples import MARK, PLACE, SERIAL

ROOT = Path(__file__).resolve().parents[3]


def refusal(pool: ParserPool, source: Path, folder: Path, wanted: str = "attachment") -> Refused:
    with pytest.raises(Refused) as refused:
        pool.judge(source, folder, wanted=wanted)
    return refused.value


def assert_gone(content: bytes, name: str) -> None:
    for mark in (MARK, SERIAL, PLACE):
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            assert mark.encode(encoding) not in content, name


def assert_colour(picture: Image.Image, at: tuple[int, int], expected: tuple[int, ...]) -> None:
    found = picture.convert("RGB").getpixel(at)
    assert all(abs(one - other) <= 12 for one, other in zip(found, expected, strict=True)), (at, found, expected)
