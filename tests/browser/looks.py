"""The looks in which pages are drawn and judged: sizes, languages, themes."""

from __future__ import annotations

import os
from itertools import product

IS_FULL = bool(os.environ.get("TEST_FULL"))  # ./samia test --full
LANGUAGES, THEMES = ("en", "ar"), ("dark", "light")
# Each size in both languages and themes: what goes wrong, goes wrong by one of the three.
FEW = (("en", "dark"), ("ar", "light"))
OTHER_FEW = (("ar", "dark"), ("en", "light"))


def looks(*sizes: str) -> list[tuple[str, str, str]]:
    """(size, language, theme): all of them with --full, else two of each size."""
    if IS_FULL:
        return list(product(sizes, LANGUAGES, THEMES))
    return [(size, *look) for at, size in enumerate(sizes) for look in (OTHER_FEW if at % 2 else FEW)]
