"""Video: the first stream of pictures and the first of sound go into a new file, and nothing else does.

What phones put beside them stays behind: places, times, names of devices, tracks of sensors, subtitles.
"""

from __future__ import annotations

from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from PIL import Image

from storage.formats import HEAD_BYTES, JPEG, Format, recognise
from storage.parsing import media
from storage.parsing.image import POSTER_PIXELS, save
from storage.parsing.made import made, path_of
from storage.parsing.messages import Answer, Refused

TRIED_PACKETS = 250  # in which a first picture must come

UNREADABLE = "The pictures in this video cannot be decoded."


def judge(source: Path, folder: Path, form: Format) -> Answer:
    path = path_of(folder, "file", form)
    with media.opened(source, form) as container:
        streams = media.streams_of(container)
        media.refuse_codecs(streams, form)
        if streams.video and streams.video.codec_context.width * streams.video.codec_context.height > media.MAX_PIXELS:
            raise Refused("image_too_large", "The pictures of this video are larger than 3840 × 4320.")
        seconds = media.remux(container, streams, path, form)
    if seconds > media.LONGEST_SECONDS:
        raise Refused("file_too_long", f"This is longer than the {media.LONGEST_SECONDS // 60} minutes that are taken.")
    with media.opened(path, form) as container:
        frame = _first(container)
        width, height = _shown(frame)
    return Answer(file=made(path, form, width=width, height=height, duration_ms=round(seconds * 1000)))


def poster(source: Path, folder: Path) -> Answer:
    """The first picture that can be decoded."""
    with open(source, "rb") as file:
        form = recognise(file.read(HEAD_BYTES))
    if form not in media.DEMUXERS:
        raise Refused("file_type", "This is no video.")
    with media.opened(source, form) as container:
        frame = _first(container)
        shrink = min(POSTER_PIXELS / max(frame.width, frame.height), 1)
        size = {"width": max(round(frame.width * shrink), 1), "height": max(round(frame.height * shrink), 1)}
        picture: Image.Image = frame.to_image(**size)  # type: ignore[no-untyped-call]  # its stub says less
        if frame.rotation:
            picture = picture.rotate(frame.rotation, expand=True)
    return Answer(file=save(picture, folder, "poster", JPEG))


def _first(container: InputContainer) -> VideoFrame:
    video = media.streams_of(container).video
    if video is None:
        raise Refused("file_unreadable", UNREADABLE)
    video.codec_context.thread_count = 1
    video.codec_context.options = {"max_pixels": str(media.MAX_PIXELS)}
    for number, packet in enumerate(container.demux(video)):
        if number == TRIED_PACKETS:
            break
        try:
            frames = packet.decode()
        except MemoryError:
            raise
        except av.FFmpegError:
            continue
        if frames:
            return frames[0]
    raise Refused("file_unreadable", UNREADABLE)


def _shown(frame: VideoFrame) -> tuple[int, int]:
    """Width and height as a player turns the picture."""
    return (frame.height, frame.width) if frame.rotation % 180 else (frame.width, frame.height)
