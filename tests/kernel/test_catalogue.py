"""Every text of the product is there in Arabic, and what the server reads is what the catalogue says."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from chat.words import PLURALS, TEXTS

HERE = Path(__file__).resolve().parent.parent.parent
CATALOGUES = sorted((HERE / "locale").glob("*/LC_MESSAGES/django.po"))
HOW = "run: python locale/catalogue.py"
MODULES = [*HERE.glob("chat/static/chat/*.js"), *HERE.glob("samia_chat/static/samia_chat/*.js")]
TEXT = r'"((?:[^"\\\\]|\\\\.)*)"'


@pytest.fixture(scope="module")
def tool() -> dict[str, Any]:
    return runpy.run_path(str(HERE / "locale" / "catalogue.py"), run_name="catalogue")


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_every_text_is_translated_and_compiled(path: Path, tool: dict[str, Any]) -> None:
    catalogue, wanted = tool["read"](path), tool["sources"]()
    assert len(wanted) > 50  # the sources are found at all
    assert set(catalogue.entries) == wanted, HOW
    assert [key for key, texts in catalogue.entries.items() if not all(texts)] == []
    assert path.with_suffix(".mo").read_bytes() == tool["compiled"](catalogue), HOW


def test_there_is_arabic() -> None:
    assert [path.parts[-3] for path in CATALOGUES] == ["ar"]


def test_every_text_of_the_page_reaches_it_and_no_other() -> None:
    source = "\n".join(path.read_text() for path in MODULES)
    assert set(TEXTS) == set(re.findall(rf"(?<![\w.])t\(\s*{TEXT}", source))
    assert set(PLURALS) == set(re.findall(rf"(?<![\w.])tn\(\s*{TEXT},\s*{TEXT}", source))
