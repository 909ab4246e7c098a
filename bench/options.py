"""The options that benchmarks share, and how a run is named beside its figures."""

from __future__ import annotations

import argparse
import sys


def parser_of(
    name: str, doc: str | None, *, rounds: int | None = 3, quick: str = "", has_write: bool = True, has_pin: bool = True
) -> argparse.ArgumentParser:
    """Of `./samia bench NAME`, described by the first line of its module's `doc`. `quick` says what that option shortens;
    with None, no text or False there is no such option."""
    parser = argparse.ArgumentParser(prog=f"samia bench {name}", description=(doc or "").split("\n", 1)[0])
    if rounds is not None:
        parser.add_argument("--rounds", type=int, default=rounds, help=f"interleaved ones (default {rounds})")
    if quick:
        parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout, progress on stderr")
    if has_write:
        parser.add_argument("--write", action="store_true", help="put what was found into docs/performance.md")
    if has_pin:
        parser.add_argument("--no-pin", action="store_true", help="let servers and this process share all cores")
    return parser


def command_line(name: str) -> str:
    """How this run was called, but for where its results go."""
    return " ".join([f"./samia bench {name}", *(word for word in sys.argv[1:] if word not in ("--write", "--json"))])
