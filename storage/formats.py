"""What files are accepted, and which parser their first bytes call for.

A name and a Content-Type are claims of whoever uploads; neither is looked at. The first bytes only choose the parser: it is the
parser (`storage.parsing`) that judges. No Django here: the child process that parses imports this.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["image", "audio", "video", "pdf", "text"]

HEAD_BYTES = 1024  # of a file, enough to recognise it
VOICE_SECONDS = 10 * 60  # a voice message lasts no longer
ACCEPTED = (
    "JPEG, PNG, WebP and GIF pictures; MP3, WAV, WebM, Ogg and M4A sound; MP4 and WebM video; PDF; plain text in UTF-8"
)


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format that we store, with the type and extension that we give it."""

    kind: Kind
    content_type: str
    extension: str


JPEG = Format(kind="image", content_type="image/jpeg", extension="jpg")
PNG = Format(kind="image", content_type="image/png", extension="png")
WEBP = Format(kind="image", content_type="image/webp", extension="webp")
GIF = Format(kind="image", content_type="image/gif", extension="gif")
MP3 = Format(kind="audio", content_type="audio/mpeg", extension="mp3")
WAV = Format(kind="audio", content_type="audio/wav", extension="wav")
OGG = Format(kind="audio", content_type="audio/ogg", extension="ogg")
WEBM_SOUND = Format(kind="audio", content_type="audio/webm", extension="webm")
M4A = Format(kind="audio", content_type="audio/mp4", extension="m4a")
WEBM = Format(kind="video", content_type="video/webm", extension="webm")
MP4 = Format(kind="video", content_type="video/mp4", extension="mp4")
PDF = Format(kind="pdf", content_type="application/pdf", extension="pdf")
TEXT = Format(kind="text", content_type="text/plain; charset=utf-8", extension="txt")

FORMATS = {
    f"{one.kind}/{one.extension}": one
    for one in (JPEG, PNG, WEBP, GIF, MP3, WAV, OGG, WEBM_SOUND, M4A, WEBM, MP4, PDF, TEXT)
}

# Pictures in the same box as MP4: HEIC, HEIF, AVIF, Canon's raw. No parser here reads them.
_PICTURE_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis", b"crx "}
_DOCTYPE_WEBM = re.compile(rb"\x42\x82.{1,8}webm", re.DOTALL)  # a length stands between the field's id and its value
# Control characters that no text needs; an escape sequence would be carried out by a terminal.
CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")
# What a browser would take for a page if it guessed (whatwg, MIME sniffing), and what a shell or Ghostscript would run.
_MARKUP = re.compile(
    r"[\s\ufeff]*("
    r"<(!doctype|html|head|body|script|iframe|style|title|meta|link|base|form|table|div|font|object|embed|svg|math|h1|br|p|a|b)"
    r"(?![\w-])|<[?!%]|<\w+[^<>]*\bxmlns\b|#!|%!ps)",
    re.IGNORECASE,
)


def recognise(head: bytes) -> Format | None:
    """The format whose parser is to judge a file that begins so; None where no parser is meant for it.

    For WebM and MP4 the answer is the video: whether they hold one is for the parser to find out.
    """
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    if head.startswith(b"RIFF"):
        return {b"WEBP": WEBP, b"WAVE": WAV}.get(head[8:12])
    if head.startswith(b"OggS"):
        return OGG
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return WEBM if _DOCTYPE_WEBM.search(head, 0, 64) else None
    if head[4:8] == b"ftyp":
        return None if head[8:12] in _PICTURE_BRANDS else MP4
    if head.startswith(b"ID3") or _is_mp3_frame(head):
        return MP3
    if head.startswith(b"%PDF-"):
        return PDF
    return TEXT if _is_text(head) else None


def _is_mp3_frame(head: bytes) -> bool:
    """A header of MPEG audio, layer III, with a version, bit rate and sampling rate that exist."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return False
    return head[1] & 0x18 != 0x08 and head[2] >> 4 not in (0, 15) and head[2] & 0x0C != 0x0C


def _is_text(head: bytes) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)  # the last character may be cut
    except UnicodeDecodeError:
        return False
    return bool(text) and not CONTROLS.search(text) and not _MARKUP.match(text)
