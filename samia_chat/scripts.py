"""The page's modules: by their bare names where files are served as they lie, one bundle for each page once they are collected.

A bundle is committed (`npm run bundle` in frontend/) and used only while it is made of exactly the modules that are there.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import TypedDict

from django.conf import settings
from django.contrib.staticfiles import finders

# Static folder → how its modules are called in import statements.
SPECIFIERS = {"samia_chat/": "samia/", "chat/": "chat/"}


class Bundle(TypedDict):
    """As frontend/bundle.mjs writes it: paths of sources from the repository's root, and a SHA-256 of them and the file."""

    file: str
    digest: str
    sources: list[str]


@cache
def modules() -> dict[str, str]:
    """Every module by its bare name, and its static file: `samia/socket`, `chat/store`, and the vendored ones as in npm."""
    own = {
        SPECIFIERS[folder] + path.removeprefix(folder).removesuffix(".js"): path
        for finder in finders.get_finders()
        for path, _ in finder.list([])
        for folder in SPECIFIERS
        if path.startswith(folder) and path.endswith(".js")
    }
    return {**{name: f"vendor/{file}" for file, name in vendored().items() if file.endswith(".js")}, **own}


def vendored() -> dict[str, str]:
    """The vendored files and the packages they come from."""
    entries = json.loads(found("vendor/vendor.json").read_text())
    return {file: entry["package"] for file, entry in entries.items()}


@cache
def bundles() -> dict[str, str]:
    """The static file of each page's bundle by the name of the page's module. Empty where modules are served one by one:
    while files are served as they lie, so that an edit is seen at once, and where a bundle is older than its modules."""
    known = all_bundles() if settings.IS_COLLECTED else {}
    if any(map(is_stale, known.values())):
        return {}
    return {name: f"bundles/{bundle['file']}" for name, bundle in known.items()}


def all_bundles() -> dict[str, Bundle]:
    """Those that are committed, by the name of the page's module."""
    known: dict[str, Bundle] = json.loads(found("bundles/bundles.json").read_text())
    return known


def is_stale(bundle: Bundle) -> bool:
    """Whether the bundle, or a module it is made of, is another than when it was made."""
    paths = [settings.BASE_DIR / path for path in bundle["sources"]]
    if not all(path.is_file() for path in paths):
        return True
    digest = hashlib.sha256()
    for path in (*paths, found(f"bundles/{bundle['file']}")):
        digest.update(f"{path.relative_to(settings.BASE_DIR).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest() != bundle["digest"]


def served() -> list[str]:
    """The static files of everything that pages run."""
    return sorted((bundles() or modules()).values())


def found(path: str) -> Path:
    """Where a static file of ours lies in the source tree."""
    place = finders.find(path)
    assert isinstance(place, str)  # a file of ours
    return Path(place)
