"""The looks in which pages are drawn and judged: sizes, languages, themes."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import product
from typing import Any, TypeVar

import pytest

from tests.browser.tab import DESKTOP, PHONE, TABLET

Test = TypeVar("Test", bound=Callable[..., Any])
IS_FULL = bool(os.environ.get("TEST_FULL"))  # ./samia test --full, and ./samia screenshots
SIZES = {"desktop": DESKTOP, "phone": PHONE, "tablet": TABLET}
LANGUAGES, THEMES = ("en", "ar"), ("dark", "light")
# Each size in both languages and themes: what goes wrong, goes wrong by one of the three.
FEW = {
    "desktop": (("en", "dark"), ("ar", "light")),
    "phone": (("ar", "dark"), ("en", "light")),
    "tablet": (("en", "light"), ("ar", "dark")),
}


def looks(*sizes: str) -> list[tuple[str, str, str]]:
    """(size, language, theme): all of them with --full, else two of each of these sizes."""
    if IS_FULL:
        return list(product(SIZES, LANGUAGES, THEMES))
    return [(size, *look) for size in sizes for look in FEW[size]]


def in_looks(*sizes: str) -> Callable[[Test], Test]:
    """For tests that draw: once for each look, with `size`, `language` and `theme`."""
    in_each = pytest.mark.parametrize(("size", "language", "theme"), looks(*sizes))
    return lambda test: pytest.mark.drawn(in_each(test))
