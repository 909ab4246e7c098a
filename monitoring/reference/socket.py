"""The frames of docs/asyncapi.yaml, by side, with what holds for all of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from monitoring.reference.fields import Field, Shapes
from monitoring.reference.prose import headings, inline, prose

SIDES = (("client", "Client → server"), ("server", "Server → client"))


@dataclass(frozen=True, kw_only=True)
class Frame:
    id: str
    name: str
    title: str
    summary: SafeString
    text: SafeString
    is_droppable: bool
    is_ordered: bool
    fields: list[Field]
    examples: list[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Side:
    id: str
    title: str
    marks_required: bool  # of what the server sends, only what may be missing is worth a word
    frames: list[Frame]


@dataclass(frozen=True, kw_only=True)
class CloseCode:
    code: int
    name: str
    when: SafeString
    then: SafeString


@dataclass(frozen=True, kw_only=True)
class Socket:
    address: str
    about: SafeString
    headings: list[tuple[str, str]]
    sides: list[Side]
    close_codes: list[CloseCode]


def read_socket(document: dict[str, Any]) -> Socket:
    channel = document["channels"]["chat"]
    about = document["info"]["description"]
    return Socket(
        address=channel["address"],
        about=prose(about, anchors="socket-"),
        headings=headings(about, anchors="socket-"),
        sides=[_side(document, side, title) for side, title in SIDES],
        close_codes=[
            CloseCode(code=each["code"], name=each["name"], when=inline(each["when"]), then=inline(each["then"]))
            for each in channel["x-close-codes"]
        ],
    )


def _side(document: dict[str, Any], side: str, title: str) -> Side:
    shapes = Shapes(document)
    messages = document["components"]["messages"]
    frames = [_frame(shapes, key, messages[key]) for key in messages if key.startswith(f"{side}.")]
    return Side(id=side, title=title, marks_required=side == "client", frames=frames)


def _frame(shapes: Shapes, key: str, message: dict[str, Any]) -> Frame:
    return Frame(
        id=key.replace(".", "-"),
        name=message["name"],
        title=message["title"],
        summary=inline(message["summary"]),
        text=prose(message.get("description", "")),
        is_droppable=message.get("x-droppable", False),
        is_ordered=message.get("x-ordered", False),
        fields=shapes.fields(message["payload"]),
        examples=[
            (example["name"], json.dumps(example["payload"], indent=2, ensure_ascii=False))
            for example in message["examples"]
        ],
    )
