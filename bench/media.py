"""Files as people send them, made on the spot: pictures, recordings, documents; and the forms that carry them."""

from __future__ import annotations

import io
import math
import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import av
import pypdfium2
from PIL import Image

RATE = 48_000
BOUNDARY = "samia-bench"
TEN_MIB = 10 * 2**20


@dataclass(frozen=True, kw_only=True)
class Sample:
    """`route` is the last part of the address that takes it."""

    title: str
    route: str  # upload or voice
    name: str
    content: bytes

    def form(self, message_id: str) -> bytes:
        field = "voice" if self.route == "voice" else "file"
        head = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="id"\r\n\r\n{message_id}\r\n'
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{self.name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        return head.encode() + self.content + f"\r\n--{BOUNDARY}--\r\n".encode()


@cache
def picture(width: int, height: int, form: str = "JPEG") -> bytes:
    """Noise and a gradient: about as hard to compress as a photograph."""
    noise = Image.effect_noise((width, height), 40).convert("RGB")
    made = io.BytesIO()
    Image.blend(noise, Image.linear_gradient("L").resize((width, height)).convert("RGB"), 0.5).save(
        made, form, quality=90
    )
    return made.getvalue()


@cache
def recording(seconds: float, form: str = "webm", codec: str = "libopus") -> bytes:
    """A tone that swells, in mono."""
    made = io.BytesIO()
    with av.open(made, "w", format=form) as container:
        stream = container.add_stream(codec, rate=RATE)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        for frame in _frames(int(seconds * RATE)):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return made.getvalue()


def _frames(total: int) -> Iterator[av.AudioFrame]:
    # A second of it, again and again: sines in Python would take longer than what is measured.
    second = array("h", (int(9000 * (at / RATE) * math.sin(2 * math.pi * 440 * at / RATE)) for at in range(RATE)))
    for start in range(0, total, 960):
        frame = av.AudioFrame(format="s16", layout="mono", samples=960)
        frame.planes[0].update(second[start % RATE : start % RATE + 960].tobytes())
        frame.sample_rate, frame.pts = RATE, start
        yield frame


@cache
def pdf(pages: int = 3) -> bytes:
    document = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        document.new_page(595, 842)
    made = io.BytesIO()
    document.save(made)
    document.close()
    return made.getvalue()


@cache
def text(size: int) -> bytes:
    return (b"What the cards said on the fourteenth of March, in some detail.\n" * (size // 64 + 1))[:size]


@cache
def large() -> list[Sample]:
    """Of about ten megabytes each."""
    seconds = TEN_MIB / (2 * RATE) - 1
    return [
        Sample(title="text", route="upload", name="a.txt", content=text(TEN_MIB)),
        Sample(title="WAV", route="upload", name="a.wav", content=recording(seconds, "wav", "pcm_s16le")),
        Sample(title="JPEG of 12 megapixels", route="upload", name="a.jpg", content=picture(4000, 3000)),
    ]


@cache
def mixed() -> list[Sample]:
    """What people send, as often as it is in this list."""
    voices = [Sample(title="voice", route="voice", name="v.webm", content=recording(at)) for at in (2, 4, 7, 12, 25)]
    photographs = [picture(*size) for size in ((1600, 1200), (1200, 1600), (800, 600), (3000, 2000))]
    pictures = [Sample(title="picture", route="upload", name="p.jpg", content=content) for content in photographs]
    others = [
        Sample(title="PNG", route="upload", name="p.png", content=picture(600, 400, "PNG")),
        Sample(title="MP3", route="upload", name="s.mp3", content=recording(30, "mp3", "libmp3lame")),
        Sample(title="PDF", route="upload", name="d.pdf", content=pdf()),
        Sample(title="text", route="upload", name="t.txt", content=text(20_000)),
        Sample(title="noise", route="upload", name="n.txt", content=os.urandom(1500).hex().encode()),
    ]
    return [*voices, *pictures, *others]
