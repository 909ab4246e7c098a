"""The documents in docs/ that are written from the code. Each is the same whatever the environment and the day."""

from __future__ import annotations

from collections.abc import Callable

from monitoring.documents import access, errors, metrics, openapi, settings

MEND = "manage.py documents --write"
DOCUMENTS: dict[str, Callable[[], str]] = {
    "docs/access.md": access.text,
    "docs/errors.md": errors.text,
    "docs/metrics.md": metrics.text,
    "docs/openapi.yaml": openapi.text,
    "docs/settings.md": settings.text,
}
