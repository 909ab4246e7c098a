"""Pictures that stand side by side, as the server paints them: chat/static/chat/grid.js gives the same ones their places.

Both are held against tests/browser/grids.json.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from chat.models import Message
from chat.shapes import Shape
from storage.models import ChatFile

SOON = timedelta(minutes=1)
MOST = 10


@dataclass(frozen=True)
class Cell:
    """A place in a row; `after`: how many follow in it."""

    columns: int
    column: int
    after: int


def cells(lines: list[Shape | None]) -> dict[int, Cell]:
    """The places of those that stand in a grid, by their number. None is a line that is no message."""
    found: dict[int, Cell] = {}
    for run in _runs(lines):
        if len(run) > 1:
            found |= {at: _cell(place, len(run)) for place, at in enumerate(run)}
    return found


def _runs(lines: list[Shape | None]) -> list[list[int]]:
    """Pictures that belong together."""
    runs: list[list[int]] = []
    for at, message in enumerate(lines):
        if message is None or not _is_bare_picture(message):
            continue
        before = lines[at - 1] if runs and runs[-1][-1] == at - 1 else None
        if before is not None and len(runs[-1]) < MOST and _are_together(before, message):
            runs[-1].append(at)
        else:
            runs.append([at])
    return runs


def _is_bare_picture(message: Shape) -> bool:
    """A picture that says nothing else."""
    return (
        message["type"] == Message.Type.IMAGE
        and message["file"] is not None
        and message["file"]["state"] == ChatFile.State.READY
        and message["seq"] is not None
        and not message["content"]
        and not message["reply_to"]
    )


def _are_together(one: Shape, other: Shape) -> bool:
    pause: timedelta = abs(other["created_at"] - one["created_at"])
    return one["sender"] == other["sender"] and pause <= SOON


def _cell(place: int, length: int) -> Cell:
    columns = 2 if length in (2, 4) else 3
    column = place % columns
    in_row = min(columns, length - (place - column))
    return Cell(columns, column, in_row - column - 1)
