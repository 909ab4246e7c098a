"""Files of messages as the server paints them: what chat/static/chat/attachments.js, player.js, files.js and peaks.js draw."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from uuid import UUID

from django.utils.translation import gettext as _

from chat.models import Message
from chat.shapes import Shape
from samia_chat.digits import localised, number
from storage.models import ChatFile

KB = 1024
MB = KB * KB
GB = KB * MB
# Of a wave: from bar to bar, the width of one with its round ends, the height of silence. A recording whose loudest sound is
# not even CALM (of 255) loud is drawn as quiet as it is.
STEP, WIDTH, LEAST, CALM = 4, 2.5, 3, 64
BARS, HEIGHT = 48, 30  # in a bubble
# The most and the least that a picture takes in a thread.
PICTURE_WIDTH, PICTURE_HEIGHT, PICTURE_LEAST = 328, 320, 120


def wave_box(bars: int, height: int) -> str:
    return f"0 0 {STEP * bars - (STEP - WIDTH):g} {height}"


@dataclass(frozen=True, kw_only=True)
class PaintedFile:
    """`kind` says how it is drawn: audio, image, video or file. `trouble`: why it cannot be opened."""

    kind: str
    name: str
    address: str
    trouble: str
    is_checked: bool  # for a trouble that ends by itself
    about: str
    download: str = ""
    alt: str = ""
    length: str = ""
    label: str = ""
    wave: str = ""
    wave_box: str = wave_box(BARS, HEIGHT)
    speed: str = ""
    width: int = 0
    height: int = 0
    preview: str = ""  # the thumbnail or poster's address


def file_address(file_id: UUID | None) -> str:
    """Where a file is opened; nothing for none."""
    return f"/api/chat/files/{file_id}" if file_id else ""


def heard(message: Shape, viewer: UUID, *, is_member: bool) -> str:
    """Of a voice message: "played" when somebody has heard one's own, "new" while one has not heard another's; else ""."""
    if message["type"] != Message.Type.AUDIO or message["seq"] is None:
        return ""
    if message["sender"] == viewer:
        return "played" if message["played_by"] else ""
    return "new" if is_member and viewer not in message["played_by"] else ""


def painted(message: Shape) -> PaintedFile | None:
    """The file of a message; None of a message without one."""
    file = message["file"]
    if file is None:
        return None
    kind = message["type"]
    trouble = state_words(file)
    if kind not in ("audio", "image", "video") or (trouble and kind != "audio"):
        kind = "file"
    width, height = shown_size(file["width"], file["height"])
    length = length_words(file["duration_ms"] / 1000) if file["duration_ms"] else ""
    address = file_address(file["id"])
    return PaintedFile(
        kind=kind,
        name=file["name"],
        address=address,
        trouble=trouble,
        is_checked=file["state"] == ChatFile.State.PROCESSING,
        about=" · ".join(filter(None, [kind_words(file["name"]), length, size_words(file["size"])])),
        download=_("Download {name}").replace("{name}", file["name"]),
        alt=_alt(message, kind),
        length=length or "–:––",
        label=_("Play voice message, {length}").replace("{length}", length or length_words(0)),
        wave=wave_path(file["waveform"], bars=BARS, height=HEIGHT),
        speed=localised("1×"),
        width=width,
        height=height,
        preview=_preview(address, kind, file["renditions"]),
    )


def _alt(message: Shape, kind: str) -> str:
    name = message["file"]["name"]
    if kind == "video":
        return _("Video {name}").replace("{name}", name)
    return message["content"] or _("Picture {name}").replace("{name}", name)


def _preview(address: str, kind: str, renditions: list[str]) -> str:
    if kind == "image":
        return f"{address}?rendition=thumbnail" if ChatFile.Rendition.THUMBNAIL in renditions else address
    return f"{address}?rendition=poster" if ChatFile.Rendition.POSTER in renditions else ""


def state_words(file: Shape) -> str:
    """Why a file that was sent cannot be opened."""
    words = {
        ChatFile.State.READY.value: "",
        ChatFile.State.PROCESSING.value: _("This file is being checked."),
        ChatFile.State.DELETED.value: _("This file is no longer here."),
    }
    if file["state"] in words:
        return words[file["state"]]
    is_infected = file["reason"] == "file_infected"
    return _("A virus was found in this file.") if is_infected else _("This file cannot be opened.")


def size_words(size: int) -> str:
    """290 kB, 2.4 MB, and of many files together 1.2 GB"""
    if size < MB:
        return _("{size} kB").replace("{size}", number(max(1, floor(size / KB + 0.5))))
    if size < GB:
        return _("{size} MB").replace("{size}", number(floor(size / MB * 10 + 0.5) / 10))
    return _("{size} GB").replace("{size}", number(floor(size / GB * 10 + 0.5) / 10))


def length_words(seconds: float) -> str:
    """0:36, 10:05"""
    whole = max(0, floor(seconds))
    return localised(f"{whole // 60}:{whole % 60:02}")


def kind_words(name: str) -> str:
    """PDF, TXT: the end of its name, as people know it."""
    return name.rpartition(".")[2].upper() if "." in name else ""


def shown_size(width: int | None, height: int | None) -> tuple[int, int]:
    """How large a picture or video is drawn: known before it is there, so that nothing moves when it comes."""
    if not width or not height:
        return PICTURE_WIDTH, PICTURE_WIDTH * 3 // 4
    scale = min(1, PICTURE_WIDTH / width, PICTURE_HEIGHT / height)
    return max(PICTURE_LEAST, floor(width * scale + 0.5)), max(PICTURE_LEAST, floor(height * scale + 0.5))


def wave_path(peaks: list[int] | None, *, bars: int, height: int) -> str:
    """The path of a wave: one line for each bar, the loudest of what falls on it. Peaks not known are silence."""
    known = peaks or [0]
    scale = max(CALM, *known)
    lines = []
    for at in range(bars):
        first = at * len(known) // bars
        last = max(first + 1, (at + 1) * len(known) // bars)
        tall = max(LEAST, max(known[first:last]) / scale * height)
        middle = _rounded((height - tall + WIDTH) / 2)
        lines.append(f"M{_rounded(at * STEP + WIDTH / 2)} {middle}v{_rounded(tall - WIDTH)}")
    return "".join(lines)


def _rounded(value: float) -> str:
    return f"{floor(value * 10 + 0.5) / 10:g}"
