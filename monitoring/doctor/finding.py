from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What is so, and what to do where that is not well. With an error the deployment does not serve as it should."""

    level: Literal["ok", "warning", "error"]
    said: str
    advice: str = ""


def ok(said: str) -> Finding:
    return Finding(level="ok", said=said)


def warning(said: str, advice: str) -> Finding:
    return Finding(level="warning", said=said, advice=advice)


def error(said: str, advice: str) -> Finding:
    return Finding(level="error", said=said, advice=advice)
