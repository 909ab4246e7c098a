"""Pictures and recordings made on the spot, as cameras and browsers' recorders make them."""

from __future__ import annotations

import io
import math
from array import array

import av
from PIL import Image


def tone(*, seconds: float, form: str = "webm", codec: str = "libopus", rate: int = 48000, hertz: int = 440) -> bytes:
    """A sine in mono."""
    made = io.BytesIO()
    with av.open(made, "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.layout = "mono"
        total, step = int(seconds * rate), 960
        for start in range(0, total, step):
            count = min(step, total - start)
            samples = array(
                "h", (int(12000 * math.sin(2 * math.pi * hertz * (start + i) / rate)) for i in range(count))
            )
            frame = av.AudioFrame(format="s16", layout="mono", samples=count)
            frame.planes[0].update(samples.tobytes())
            frame.sample_rate, frame.pts = rate, start
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return made.getvalue()


def picture(size: tuple[int, int] = (640, 480), form: str = "JPEG") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, "purple").save(made, form)
    return made.getvalue()
