"""What is wrong with a deployment, and what to do about it: `manage.py doctor`.

Nothing is changed, but for a probe that is put into the bucket and removed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from monitoring.doctor import deployment, files
from monitoring.doctor.finding import Finding, error

CHECKS: dict[str, Callable[[], Iterator[Finding]]] = {
    "settings": deployment.settings_are_sound,
    "database": deployment.database,
    "worker": deployment.worker,
    "redis": deployment.redis,
    "files": files.store,
    "clamav": files.virus_scanner,
}


def examine() -> Iterator[tuple[str, Finding]]:
    """All findings, each with what it is about. A check that fails in a way that nobody thought of is a finding, too."""
    for about, check in CHECKS.items():
        try:
            for finding in check():
                yield about, finding
        except Exception as problem:  # noqa: BLE001 (the others are still to be made)
            said = f"This could not be examined: {type(problem).__name__}: {problem}"
            yield about, error(said, "If the advice above does not help, this is a fault of ours.")
