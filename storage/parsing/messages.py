"""What the web process asks of a child and what it answers: a length of four bytes, then msgpack."""

from __future__ import annotations

import struct
from typing import Literal

import msgspec

Wanted = Literal["attachment", "voice", "avatar"]
Code = Literal[
    "file_type",
    "file_unreadable",
    "file_empty",
    "image_too_large",
    "file_too_long",
    "not_voice",
    "not_picture",
]

length = struct.Struct("!I")
MAX_ANSWER_BYTES = 64 * 1024


class Refused(Exception):
    """This file is not taken. `code` is for programs, `detail` the sentence for people."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done with one file. Whatever is made is written into `folder`."""

    do: Literal["judge", "render_audio", "measure", "poster"]
    source: str
    folder: str = ""
    wanted: Wanted = "attachment"
    kind: str = ""  # poster: of a video or a pdf
    seconds: int  # of processor time


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A file in the folder. Its path follows from stem and format; a path would be the child's word."""

    format: str  # a key of FORMATS
    size: int
    sha256: bytes
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None
    waveform: list[int] | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of: ready (said once, at the start), a refusal, or what was made and measured."""

    is_ready: bool = False
    is_last: bool = False  # the child ends now
    code: Code | None = None
    detail: str = ""
    cause: str = ""  # what a parser raised, for our log
    is_our_fault: bool = False  # and not the file's: the disk is full, a folder may not be written
    is_kept: bool = False  # the source itself is what is to be stored
    file: Made | None = None
    preview: Made | None = None
    duration_ms: int | None = None
    waveform: list[int] | None = None
