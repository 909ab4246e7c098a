"""Parsers, and files to be judged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.parsers import ParserPool
from tests.storage import nasty, samples


@pytest.fixture(autouse=True)
def clean() -> None:
    """These tests touch no database."""


@pytest.fixture(scope="module")
def pool() -> Iterator[ParserPool]:
    pool = ParserPool(2, recycled_after=10_000)
    yield pool
    pool.close()


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, str]]:
    return samples.all_samples(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="session")
def bad(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, str]]:
    return nasty.all_nasty(tmp_path_factory.mktemp("bad"))


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    path = tmp_path / "second.wav"
    path.write_bytes(nasty.wav(1))
    return path
