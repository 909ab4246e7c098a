"""What the server paints of texts is what the page's modules draw: the same tables judge both (frontend/tests/words.test.mjs)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chat.painted_text import beginning_of, emoji_in
from samia_chat.templatetags.samia import split_links

TABLES = Path(__file__).resolve().parent.parent / "browser"


def cases(name: str) -> list[tuple[object, object]]:
    return [(given, expected) for given, expected in json.loads((TABLES / f"{name}.json").read_text())]


@pytest.mark.parametrize(("text", "count"), cases("emoji"))
def test_a_few_emoji_are_found_and_nothing_else(text: str, count: int) -> None:
    assert emoji_in(text) == count


@pytest.mark.parametrize(("pieces", "length"), cases("folds"))
def test_a_long_text_begins_where_it_is_cut(pieces: list[tuple[str, int]], length: int | None) -> None:
    text = "".join(piece * times for piece, times in pieces)
    beginning = beginning_of(text)
    assert (None if beginning is None else len(beginning)) == length
    assert text.startswith(beginning or "")


@pytest.mark.parametrize(("text", "parts"), cases("links"))
def test_addresses_are_found(text: str, parts: list[list[object]]) -> None:
    assert [list(part) for part in split_links(text)] == parts
