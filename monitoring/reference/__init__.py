"""What the page /docs shows: docs/openapi.yaml and docs/asyncapi.yaml, read once and made ready for the template."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.utils.safestring import SafeString

from monitoring.reference.prose import prose
from monitoring.reference.rest import Group, groups
from monitoring.reference.socket import Socket, read_socket

FILES = ("openapi.yaml", "asyncapi.yaml")


@dataclass(frozen=True, kw_only=True)
class Reference:
    title: str
    version: str
    about: SafeString
    groups: list[Group]
    socket: Socket


@dataclass(frozen=True, kw_only=True)
class File:
    content: bytes
    etag: str


@cache
def file(name: str) -> File:
    """One of FILES. Raises FileNotFoundError where the deployment left docs/ out."""
    content = (Path(settings.BASE_DIR) / "docs" / name).read_bytes()
    return File(content=content, etag=f'"{hashlib.sha256(content).hexdigest()[:32]}"')


@cache
def reference() -> Reference:
    rest, socket = (_read(name) for name in FILES)
    return Reference(
        title=rest["info"]["title"],
        version=rest["info"]["version"],
        about=prose(rest["info"]["description"]),
        groups=groups(rest, settings.PUBLIC_ORIGINS[0]),
        socket=read_socket(socket),
    )


def _read(name: str) -> dict[str, Any]:
    # The C loader is five times as fast, and not on every machine.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, Any] = yaml.load(file(name).content, Loader=loader)  # noqa: S506
    return found
