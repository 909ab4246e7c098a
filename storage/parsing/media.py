"""What sound and video have in common: opening a file with few means, and writing its packets into a clean one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from storage.formats import M4A, MP3, MP4, OGG, WAV, WEBM, WEBM_SOUND, Format
from storage.parsing import traces
from storage.parsing.messages import Refused

MAX_PIXELS = 2 * 3840 * 2160  # of one picture of a video
LONGEST_SECONDS = 3 * 60 * 60

PCM = ("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_alaw", "pcm_mulaw")
CODECS: dict[Format, tuple[str, ...]] = {
    MP3: ("mp3",),
    WAV: PCM,
    OGG: ("opus", "vorbis", "flac"),
    M4A: ("aac", "opus", "mp3", "flac", "alac"),
    MP4: ("h264", "hevc", "vp9", "av1"),
    WEBM_SOUND: ("opus", "vorbis"),
    WEBM: ("vp8", "vp9", "av1"),
}
# The demuxer is ours to choose: FFmpeg's own guess would also find playlists, which name other files.
DEMUXERS = {MP3: "mp3", WAV: "wav", OGG: "ogg", M4A: "mp4", MP4: "mp4", WEBM_SOUND: "webm", WEBM: "webm"}
MUXER_OPTIONS: dict[Format, dict[str, str]] = {
    MP3: {"id3v2_version": "0", "write_id3v1": "0"},
    M4A: {"movflags": "+faststart"},
    MP4: {"movflags": "+faststart"},
}
# FFmpeg's names of what decodes the codecs above. Nothing else is opened, not even to look what a stream is.
DECODERS = (
    "mp3float",
    "mp3",
    *PCM,
    "opus",
    "vorbis",
    "flac",
    "alac",
    "aac",
    "h264",
    "hevc",
    "vp8",
    "vp9",
    "libdav1d",
    "av1",
)

av.logging.set_level(None)
av.logging.set_libav_level(av.logging.PANIC)


@dataclass(frozen=True, kw_only=True)
class Streams:
    """The first of each. A cover is a picture of the record and no video."""

    video: VideoStream | None
    audio: AudioStream | None


def opened(source: Path, form: Format) -> InputContainer:
    options = {
        "protocol_whitelist": "file",
        "codec_whitelist": ",".join(DECODERS),
        "max_pixels": str(MAX_PIXELS),
    }
    return av.open(str(source), "r", format=DEMUXERS[form], options=options, metadata_errors="ignore")


def streams_of(container: InputContainer) -> Streams:
    pictures = [one for one in container.streams.video if not one.disposition & Disposition.attached_pic]
    return Streams(video=next(iter(pictures), None), audio=next(iter(container.streams.audio), None))


def refuse_codecs(streams: Streams, form: Format) -> None:
    """Only what browsers play, by decoders that we open."""
    sound = M4A if form is MP4 else WEBM_SOUND if form is WEBM else form
    for stream, allowed in ((streams.video, CODECS[form]), (streams.audio, CODECS[sound])):
        if stream is None:
            continue
        codec = stream.codec_context.codec.canonical_name if stream.codec_context else "something unknown"
        if codec not in allowed:
            raise Refused("file_type", f"This file holds {codec}. In such a file {', '.join(allowed)} can be played.")


def refuse_cut_mp4(source: Path) -> None:
    """An MP4 whose boxes go on behind the end of the file: its table names pictures and sound that are not there."""
    size = source.stat().st_size
    with open(source, "rb") as file:
        at = 0
        while at < size:
            file.seek(at)
            head = file.read(16).ljust(16, b"\0")
            length = int.from_bytes(head[:4], "big")
            if length == 1:
                length = int.from_bytes(head[8:], "big")
            if length == 0:  # to the end
                return
            at += max(length, 8)
    if at != size:
        raise Refused("file_unreadable", "This file was cut off: its end is missing.")


def remux(container: InputContainer, streams: Streams, path: Path, form: Format) -> Fraction:
    """Copy the packets of the streams into a new file and nothing else. Returns where its last packet ends, in seconds.

    Times begin at 0 (a recorder's begin when its page was opened) and never go back. Gaps stay: sound and picture keep
    together. What lies before 0, the run-up of an encoder, stays there; players leave it out.
    """
    kept: list[VideoStream | AudioStream] = [one for one in (streams.video, streams.audio) if one is not None]
    options = {"fflags": "+bitexact", **MUXER_OPTIONS.get(form, {})}
    start = Fraction(0) if form in (MP3, WAV) else _start(kept)  # there the demuxer counts, from 0
    clocks = {one.index: Clock(one, start) for one in kept}
    with av.open(str(path), "w", format=DEMUXERS[form], container_options=options) as output:
        copies = {one.index: output.add_stream_from_template(one, opaque=True) for one in kept}
        filters = {one.index: traces.filter_of(one, copies[one.index]) for one in kept}
        for packet in container.demux(kept):
            if not packet.size or (form is MP3 and not traces.is_mp3_frame(bytes(packet))):
                continue
            index = packet.stream_index
            clocks[index].set(packet)
            cleaned = filters[index]
            for clean in cleaned.filter(packet) if cleaned else (packet,):
                clean.stream = copies[index]
                output.mux_one(clean)
        if not any(clock.end for clock in clocks.values()):
            raise Refused("file_unreadable", "There is neither sound nor picture in this file.")
    return max(clock.end for clock in clocks.values())


def _start(streams: Sequence[VideoStream | AudioStream]) -> Fraction:
    starts = [one.start_time * one.time_base for one in streams if one.start_time is not None and one.time_base]
    return max(min(starts, default=Fraction(0)), Fraction(0))


class Clock:
    """Gives the packets of one stream times that a muxer takes."""

    def __init__(self, stream: VideoStream | AudioStream, start: Fraction) -> None:
        assert stream.time_base  # FFmpeg gives every stream one
        self._unit = stream.time_base
        self._shift = -round(start / self._unit)
        self._restart = round(1 / self._unit)
        self._last: int | None = None
        self._next = 0
        self._end = 0

    @property
    def end(self) -> Fraction:
        """In seconds, of what has come so far."""
        return self._end * self._unit

    def set(self, packet: av.Packet[Any]) -> None:
        dts = packet.dts if packet.dts is not None else packet.pts
        dts = self._next if dts is None else dts + self._shift
        pts = dts if packet.pts is None else packet.pts + self._shift
        if self._last is not None and dts <= self._last:
            # A little back is a recorder's rounding. A second and more is a new beginning, such as of chained Ogg: go on.
            step = self._last + 1 - dts
            if dts < self._last - self._restart:
                step = self._next - dts
                self._shift += step
            dts, pts = dts + step, pts + step
        self._last = dts
        pts, duration = max(pts, dts), packet.duration or 0  # WebM does not say how long a last picture is shown
        packet.dts, packet.pts = dts, pts
        self._next = dts + max(duration, 1)
        self._end = max(self._end, pts + duration)
