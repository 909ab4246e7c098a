"""Results as tables, as JSON, and between the markers of docs/performance.md."""

from __future__ import annotations

import re
import statistics
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import machine

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = DOCS / "performance.md"


def progress(text: str) -> None:
    """To stderr, so that stdout holds results only."""
    print(text, file=sys.stderr, flush=True)


def median(values: Iterable[float], digits: int = 3) -> float:
    return round(statistics.median(values), digits)


def priced(here: float, whole: float | None) -> str:
    """A figure with what is less or more than in the whole; None for the whole itself."""
    return f"{here:.0f}" if whole is None else f"{here:.0f} ({here - whole:+.0f})"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; the first column is text, the others are figures."""
    lines = [f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1)}"]
    lines += [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines)


def plain(markdown: str) -> str:
    """The same table for a terminal: columns of equal width."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown.splitlines()]
    rows = [row for row in rows if not set("".join(row)) <= set("-:")]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return "\n".join("  ".join(_pad(cell, widths[at], at) for at, cell in enumerate(row)) for row in rows)


def _pad(cell: str, width: int, at: int) -> str:
    return cell.ljust(width) if at == 0 else cell.rjust(width)


def origin(command: str, versions: dict[str, str], *more: str) -> str:
    """Where figures come from: the command, the day, the machine and the versions, as one paragraph."""
    found = machine.describe()
    made = ", ".join(f"{name} {number}" for name, number in {**versions, "Python": found["python"]}.items())
    where = f"{found['processor']}, {found['memory']}, {found['system']}, load before {found['load']}"
    day = datetime.now(UTC).date().isoformat()
    return "  \n".join((f"`{command}` at {found['commit']}, {day}", where, made, *more))


def write(name: str, text: str, page: Path = PAGE) -> None:
    """Put `text` between `<!-- bench:name -->` and `<!-- /bench:name -->` of a page of docs/. Raises LookupError."""
    whole = page.read_text()
    start, end = f"<!-- bench:{name} -->", f"<!-- /bench:{name} -->"
    marked = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    if not marked.search(whole):
        raise LookupError(f"{page.name} has no place for {name}: {start} … {end}")
    page.write_text(marked.sub(lambda _: f"{start}\n{text.strip()}\n{end}", whole, count=1))
    progress(f"written to docs/{page.name}")
