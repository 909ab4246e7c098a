"""Static files are collected when that is wanted and due, and nothing of the user's is lost by it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from samia_chat.embedded import environment, static_files

COLLECTING = "collecting static files"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Our folder, in a state of its own."""
    monkeypatch.setattr(environment, "STATE", tmp_path)
    monkeypatch.setattr(static_files, "OWN", tmp_path / "static")
    return tmp_path / "static"


def collect(folder: Path | str) -> None:
    static_files.collect_if_changed({**os.environ, "SAMIA_STATIC": str(folder)})


def test_they_are_collected_once(own: Path, capfd: pytest.CaptureFixture[str]) -> None:
    collect(own)
    assert COLLECTING in "".join(capfd.readouterr())
    collect(own)
    assert COLLECTING not in "".join(capfd.readouterr())


def test_they_are_collected_again_where_they_are_gone(own: Path) -> None:
    collect(own)
    (own / "staticfiles.json").unlink()
    collect(own)
    assert (own / "staticfiles.json").exists()


def test_former_versions_leave_our_own_folder(own: Path) -> None:
    own.mkdir()
    (own / "former.js").touch()
    collect(own)
    assert not (own / "former.js").exists()


def test_nothing_leaves_a_folder_of_the_user_s(own: Path, tmp_path: Path) -> None:
    folder = tmp_path / "his"
    folder.mkdir()
    (folder / "letter.txt").write_text("dear")
    collect(folder)
    assert (folder / "staticfiles.json").exists()
    assert (folder / "letter.txt").read_text() == "dear"


def test_nothing_is_collected_without_a_folder(own: Path, capfd: pytest.CaptureFixture[str]) -> None:
    collect("")
    assert COLLECTING not in "".join(capfd.readouterr())
    assert not own.exists()


def test_a_file_in_another_place_is_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "HERE", tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    file = tmp_path / "a" / "one.js"
    file.write_text("1")
    before = environment.digest_of([file])
    assert environment.digest_of([file.rename(tmp_path / "b" / "one.js")]) != before
