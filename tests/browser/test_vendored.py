"""What is committed and was not written here: each file is the one that npm's package gave, and of the version it names."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest
from django.conf import settings

FOLDERS = ("samia_chat/static/vendor", "tests/browser/vendor")


@pytest.mark.parametrize("folder", FOLDERS)
def test_files_are_those_that_were_vendored(folder: str) -> None:
    place = Path(settings.BASE_DIR) / folder
    entries = json.loads((place / "vendor.json").read_text())
    assert {file.name for file in place.iterdir()} == {"vendor.json", *entries}
    digests = {
        name: base64.b64encode(hashlib.sha384((place / name).read_bytes()).digest()).decode() for name in entries
    }
    assert digests == {name: entry["sha384"] for name, entry in entries.items()}


def test_versions_are_those_of_the_lock() -> None:
    lock = json.loads((Path(settings.BASE_DIR) / "frontend/package-lock.json").read_text())["packages"]
    for folder in FOLDERS:
        entries = json.loads((Path(settings.BASE_DIR) / folder / "vendor.json").read_text()).values()
        assert {entry["package"]: entry["version"] for entry in entries} == {
            entry["package"]: lock[f"node_modules/{entry['package']}"]["version"] for entry in entries
        }
