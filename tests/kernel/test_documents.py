"""The documents written from the code: current, the same in every environment, and refused where they cannot be written."""

from __future__ import annotations

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from drf_spectacular.drainage import warn
from drf_spectacular.generators import SchemaGenerator

from monitoring.documents import DOCUMENTS, MEND, access, errors, openapi
from monitoring.documents import settings as settings_document
from samia_chat import settings as source
from samia_chat.access import MATRICES, OPEN_MODELS
from samia_chat.errors import Problem


def documents(option: str) -> str:
    out = StringIO()
    call_command("documents", option, stdout=out)
    return out.getvalue()


def test_the_documents_are_current() -> None:
    documents("--check")


def test_what_is_stale_is_named_and_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "BASE_DIR", tmp_path)
    with pytest.raises(CommandError, match=MEND) as refused:
        documents("--check")
    assert all(name in str(refused.value) for name in DOCUMENTS)
    documents("--write")
    documents("--check")
    (tmp_path / "docs" / "errors.md").write_text("# Errors\n")
    with pytest.raises(CommandError, match=r"Out of date: docs/errors\.md\. "):
        documents("--check")
    assert "Wrote docs/errors.md." in documents("--write")
    assert "Nothing to write" in documents("--write")


def test_they_are_the_same_in_another_environment() -> None:
    other = {
        "SAMIA_PUBLIC_ORIGINS": "https://chat.example.com",
        "SAMIA_RATE_MESSAGES": "7",
        "SAMIA_MESSAGE_EDIT_WINDOW": "1",
        "DATABASE_URL": "postgresql://nobody@localhost:1/nothing",
        "REDIS_URL": "redis://localhost:1/0",
        "LANGUAGE": "ar",
        "TZ": "Asia/Beirut",
    }
    command = [sys.executable, "manage.py", "documents", "--check"]
    done = subprocess.run(
        command, env={**os.environ, **other}, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_nothing_of_this_machine_is_in_them() -> None:
    for make in DOCUMENTS.values():
        text = make()
        assert str(settings.BASE_DIR) not in text
        assert settings.SECRET_KEY not in text


def test_every_setting_is_described() -> None:
    described = {setting.name for _, found in settings_document.sections() for setting in found}
    known = {name for name in source._known if not name.endswith("_FILE")}
    assert described - known <= {"DATABASE_OWNER_URL"}  # read by the commands that change the schema
    assert known <= described


def test_a_setting_without_a_comment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_document.inspect, "getsource", lambda module: 'A = 1  # of A\nB = env_int("B", 2)\n')
    with pytest.raises(settings_document.Undocumented, match="B"):
        settings_document.text()


def test_a_setting_is_read_from_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = '# Times ---\n# Seconds of peace,\n# and quiet.\nB = env_int("B", 2, least=1)\nC = env_bool("C", True)  # loud\n'
    monkeypatch.setattr(settings_document.inspect, "getsource", lambda module: lines)
    ((title, (b, c)),) = settings_document.sections()
    assert title == "Times"
    assert (b.name, b.default, b.kind, b.what) == ("B", "2", "whole number, at least 1", "Seconds of peace, and quiet.")
    assert (c.name, c.default, c.kind, c.what) == ("C", "1", "1 or 0", "loud")


def test_every_refusal_has_a_code_of_its_own_and_a_sentence() -> None:
    refusals = errors.refusals()
    assert len({problem.code for problem in refusals}) == len(refusals) > 20
    for problem in refusals:
        assert (problem.__doc__ or "").strip() != (Problem.__doc__ or "").strip(), problem
        assert 400 <= problem.status < 600, problem


def test_every_table_is_in_the_matrix() -> None:
    text = access.text()
    for label in [*MATRICES, *OPEN_MODELS]:
        assert label in text


def test_what_cannot_be_described_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    describe = SchemaGenerator.get_schema

    def with_a_warning(self: SchemaGenerator, **options: object) -> object:
        found = describe(self, **options)
        warn("this cannot be described")
        return found

    monkeypatch.setattr(SchemaGenerator, "get_schema", with_a_warning)
    with pytest.raises(openapi.Unclean, match="this cannot be described"):
        openapi.text()
