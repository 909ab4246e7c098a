"""docs/asyncapi.yaml as a judge of frames: what is sent, what is received, each by its `type`."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft7Validator, FormatChecker
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.jsonschema import DRAFT7

PATH = Path(__file__).parent.parent / "docs" / "asyncapi.yaml"
ADDRESS = "urn:samia:asyncapi"
# RFC 3339 as this product writes it: UTC, with a time and a Z. fromisoformat alone would take a bare date, too.
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")

formats = FormatChecker(formats=["uuid"])


@formats.checks("date-time", raises=ValueError)
def is_time(value: object) -> bool:
    if not isinstance(value, str):
        return True  # the type is another keyword's matter
    if not _TIME.fullmatch(value):
        raise ValueError("not a time in UTC")
    datetime.fromisoformat(value)
    return True


class WrongFrame(AssertionError):
    """A frame is not as docs/asyncapi.yaml says."""


# Frames of the server that were not as documented, of this test.
wrong: list[WrongFrame] = []


@cache
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(PATH.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return loaded


def payload(side: str, kind: str) -> dict[str, Any]:
    """The payload schema of a frame; `side` is client or server."""
    schema: dict[str, Any] = document()["components"]["messages"][f"{side}.{kind}"]["payload"]
    return schema


def kinds(side: str) -> set[str]:
    """The types of the frames that this side sends."""
    names = (key.split(".", 1) for key in document()["components"]["messages"])
    return {kind for sender, kind in names if sender == side}


@cache
def validator(side: str, kind: str) -> Draft7Validator:
    return _validator(f"#/components/messages/{side}.{kind}/payload")


@cache
def shape_validator(name: str) -> Draft7Validator:
    """Of a schema under components: Message, Session, …"""
    return _validator(f"#/components/schemas/{name}")


def _validator(pointer: str) -> Draft7Validator:
    registry: Registry[Any] = Registry().with_resource(ADDRESS, DRAFT7.create_resource(document()))
    return Draft7Validator({"$ref": f"{ADDRESS}{pointer}"}, registry=registry, format_checker=formats)


def check_sent(frame: dict[str, Any]) -> None:
    """Raise WrongFrame unless a client may send this."""
    _check("client", frame)


def check_received(frame: dict[str, Any]) -> None:
    """Raise WrongFrame unless the server may send this."""
    _check("server", frame)


def _check(side: str, frame: dict[str, Any]) -> None:
    kind = frame.get("type")
    if kind not in kinds(side):
        raise WrongFrame(f"{PATH.name} knows no frame {kind!r} of the {side}: {frame}")
    error = best_match(validator(side, str(kind)).iter_errors(frame))
    if error is not None:
        raise WrongFrame(f"{side} frame {kind!r} at {error.json_path}: {error.message}\nin {frame}")
