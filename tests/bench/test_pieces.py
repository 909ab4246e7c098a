from __future__ import annotations

import os

import psycopg
import pytest

from bench import pieces
from bench.pieces import Change, Rewrite


@pytest.mark.parametrize("name", pieces.VARIANTS)
def test_what_is_taken_away_is_there(name: str) -> None:
    """The functions are those of the product: one that has changed must change bench/pieces.py, too."""
    with psycopg.connect(os.environ["TEST_SUPERUSER_URL"]) as connection:
        for change in pieces.VARIANTS[name]:
            change.apply(connection)
        connection.rollback()


def test_a_function_changes_and_keeps_its_owner() -> None:
    owner = "SELECT proowner::regrole::text, proacl::text, prosrc FROM pg_proc WHERE oid = 'app.admit_message'::regproc"
    with psycopg.connect(os.environ["TEST_SUPERUSER_URL"]) as connection:
        before = connection.execute(owner).fetchone()
        for change in _of("app.admit_message", pieces.NO_IDEMPOTENCE):
            change.apply(connection)
        after = connection.execute(owner).fetchone()
        connection.rollback()
    assert before is not None
    assert after is not None
    assert after[:2] == before[:2]
    assert "replayed" in before[2]
    assert "replayed" not in after[2]


def _of(function: str, changes: tuple[Change, ...] | object) -> list[Rewrite]:
    assert isinstance(changes, tuple)
    return [change for change in changes if isinstance(change, Rewrite) and change.function == function]


@pytest.mark.parametrize("definition", ["nothing of it", "piece and piece"])
def test_a_piece_that_is_not_there_once_raises(definition: str) -> None:
    with pytest.raises(LookupError, match=r"app\.f holds this"):
        pieces.replaced(definition, Rewrite(function="app.f", piece="piece"))


def test_a_piece_is_replaced() -> None:
    assert (
        pieces.replaced("a piece of it", Rewrite(function="app.f", piece="piece", instead="slice")) == "a slice of it"
    )
