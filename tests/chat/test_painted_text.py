"""What the server paints of texts is what the page's modules draw: the same tables judge both (frontend/tests/words.test.mjs)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chat.painted_grid import cells
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


@pytest.mark.parametrize(("name", "messages", "places"), json.loads((TABLES / "grids.json").read_text()))
def test_pictures_that_belong_together_get_places(name: str, messages: list[Any], places: list[str]) -> None:
    found = cells([drawn(message) for message in messages])
    said = [
        f"{cell.columns} {cell.column} {cell.after}" if (cell := found.get(at)) else "" for at in range(len(messages))
    ]
    assert said == places, name


def drawn(given: dict[str, Any] | None) -> dict[str, Any] | None:
    """A message of the table as pages have it."""
    if given is None:
        return None
    at = datetime(2026, 11, 21, 9, 0, tzinfo=UTC) + timedelta(seconds=given["at"])
    file = {"state": given.get("state", "ready")}
    return {"type": "image", "content": "", "reply_to": None, "seq": 1, "file": file, "created_at": at, **given}
