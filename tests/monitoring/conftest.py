from __future__ import annotations

from tests.storage.conftest import _s3, s3

__all__ = ["_s3", "s3"]
