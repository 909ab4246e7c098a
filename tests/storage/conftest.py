from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from tests.storage.s3 import S3


@dataclass
class Place:
    """Where objects lie in this test, and the folder in which that can be seen."""

    name: str
    folder: Path
    s3: S3 | None


@pytest.fixture(scope="session")
def _s3() -> Iterator[S3]:
    server = S3().start()
    yield server
    server.remove()


@pytest.fixture
def s3(_s3: S3) -> Iterator[S3]:
    """The S3 server, empty; started by the first test that needs it."""
    _s3.empty()
    with using(_s3):
        yield _s3


@contextmanager
def using(server: S3, **options: Any) -> Iterator[None]:
    files = server.storages(**options)
    with override_settings(
        STORAGES={**settings.STORAGES, "files": files},
        S3_BUCKET=files["OPTIONS"]["bucket_name"],
        S3_ENDPOINT_URL=files["OPTIONS"]["endpoint_url"],
        S3_PUBLIC_ENDPOINT_URL=files["OPTIONS"]["public_endpoint_url"],
        BUCKET_ORIGIN=files["OPTIONS"]["public_endpoint_url"],
    ):
        yield


@pytest.fixture(params=["disk", "s3"])
def place(request: pytest.FixtureRequest) -> Place:
    """The same test on both stores."""
    if request.param == "disk":
        return Place("disk", settings.FILES_FOLDER, None)
    server: S3 = request.getfixturevalue("s3")
    return Place("s3", server.objects, server)
