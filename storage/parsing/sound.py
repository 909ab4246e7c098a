"""Sound: its packets go into a new file of the same kind, which has a duration, can be searched and says nothing else.

Durations come from what is there. A header is what an encoder once meant: an MP3 that was cut still claims its whole length,
and a browser's recorder ends without having written any.
"""

from __future__ import annotations

import os
import shutil
from array import array
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.codec.context import Flags as CodecFlags
from av.container import InputContainer
from av.filter import Graph

from storage.formats import HEAD_BYTES, M4A, MP3, VOICE_SECONDS, Format, recognise
from storage.parsing import media, traces
from storage.parsing.made import made, path_of
from storage.parsing.messages import Answer, Refused, Wanted

DECODED_SECONDS = 60  # up to here the exact duration and the waveform are found while the upload waits
TRIED_SECONDS = 2  # so much of a longer one is decoded, to know that it is sound
PEAKS = 100
PEAK_RATE = 8000
BLOCK = 40  # samples at that rate: 5 ms
RENDITION_RATE = 48_000
RENDITION_BITS = 64_000  # a second
BROKEN = 0.05  # the share of packets that may fail to decode
FULL = 32767

UNREADABLE = "The sound in this file cannot be decoded."


def judge(source: Path, folder: Path, form: Format, wanted: Wanted) -> Answer:
    path = path_of(folder, "file", form)
    if form is MP3:
        source = _without_end(source, folder)
    with media.opened(source, form) as container:
        streams = media.streams_of(container)
        media.refuse_codecs(streams, form)
        seconds = media.remux(container, streams, path, form)
    longest = VOICE_SECONDS if wanted == "voice" else media.LONGEST_SECONDS
    if seconds > longest:
        raise Refused("file_too_long", f"This is longer than the {longest // 60} minutes that are taken.")
    if seconds > DECODED_SECONDS:
        _decoded(path, form, until=TRIED_SECONDS)
        return Answer(file=made(path, form, duration_ms=round(seconds * 1000)))
    duration_ms, waveform = _decoded(path, form)
    return Answer(file=made(path, form, duration_ms=duration_ms, waveform=waveform))


def _without_end(source: Path, folder: Path) -> Path:
    """A copy without the tags behind the sound, or the file itself where there are none."""
    with open(source, "rb") as file:
        end = traces.end_of_mp3(file)
    if end == source.stat().st_size:
        return source
    copy = folder / "untagged"
    shutil.copyfile(source, copy)
    os.truncate(copy, end)
    return copy


def measure(source: Path) -> Answer:
    """Exact duration and waveform, however long it is."""
    duration_ms, waveform = _decoded(source, _form_of(source))
    return Answer(duration_ms=duration_ms, waveform=waveform)


def render(source: Path, folder: Path) -> Answer:
    """The same sound as every browser plays it: AAC in M4A, one channel."""
    path = path_of(folder, "rendition", M4A)
    form = _form_of(source)
    options = {"fflags": "+bitexact", **media.MUXER_OPTIONS[M4A]}
    samples = 0
    with (
        media.opened(source, form) as container,
        av.open(str(path), "w", format="mp4", container_options=options) as output,
    ):
        stream = output.add_stream("aac", rate=RENDITION_RATE, layout="mono", bit_rate=RENDITION_BITS)
        stream.codec_context.flags |= CodecFlags.bitexact  # no name of an encoder in the packets
        for piece in _evened(Decoder(container, form), RENDITION_RATE, "fltp", slack=0.05):
            samples += piece.samples
            output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    return Answer(file=made(path, M4A, duration_ms=samples * 1000 // RENDITION_RATE))


def _form_of(source: Path) -> Format:
    with open(source, "rb") as file:
        form = recognise(file.read(HEAD_BYTES))
    if form not in media.DEMUXERS:
        raise Refused("file_type", "This is no sound.")
    return form


def _decoded(source: Path, form: Format, until: float = media.LONGEST_SECONDS) -> tuple[int, list[int]]:
    """Duration in milliseconds and peaks: the loudest sample of each hundredth, 255 being the loudest there is."""
    loudest = array("H")  # of each block
    rest = array("h")
    samples = 0
    with media.opened(source, form) as container:
        decoder = Decoder(container, form)
        for piece in _evened(decoder, PEAK_RATE, "s16", slack=0.015):
            samples += piece.samples
            if samples > until * PEAK_RATE:
                break
            rest.frombytes(bytes(piece.planes[0])[: piece.samples * rest.itemsize])
            whole = len(rest) // BLOCK * BLOCK
            loudest.extend(_loudest(rest[first : first + BLOCK]) for first in range(0, whole, BLOCK))
            del rest[:whole]
    if rest:
        loudest.append(_loudest(rest))
    if not samples:
        raise Refused("file_unreadable", UNREADABLE)
    parts = [len(loudest) * number // PEAKS for number in range(PEAKS + 1)]
    peaks = [max(loudest[first : max(last, first + 1)]) for first, last in pairwise(parts)]
    # A decoder gives whole packets, also where the file says that of the last one only a part is meant.
    seconds = min(samples / PEAK_RATE, decoder.end)
    return max(round(seconds * 1000), 1), [min(peak * 255 // FULL, 255) for peak in peaks]


def _loudest(samples: array[int]) -> int:
    return max(max(samples), -min(samples))


class Decoder:
    """The sound, decoded, with times from 0 on. After the last frame `end` says when, in seconds, the file says it is over."""

    def __init__(self, container: InputContainer, form: Format) -> None:
        self._container = container
        # What an MP3's encoder put before the sound is counted and cut off: players begin with the first frame that is left.
        # Elsewhere 0 is 0, and sound that comes later is later.
        self._begins_with_sound = form is MP3
        self.end = float(media.LONGEST_SECONDS)

    def __iter__(self) -> Iterator[AudioFrame]:
        start: int | None = 0 if not self._begins_with_sound else None
        for frame in self._frames():
            if frame.pts is None or frame.time_base is None or not frame.samples:
                continue
            start = frame.pts if start is None else start
            frame.pts -= start
            yield frame

    def _frames(self) -> Iterator[AudioFrame]:
        """A broken packet now and then is passed over, as a player does; more of them are no sound."""
        audio = media.streams_of(self._container).audio
        if audio is None:
            raise Refused("file_unreadable", UNREADABLE)
        audio.codec_context.thread_count = 1
        packets = broken = end = 0
        for packet in self._container.demux(audio):
            packets += 1
            end = max(end, (packet.pts or 0) + packet.duration) if packet.duration else end
            try:
                frames = packet.decode()
            except MemoryError:
                raise
            except av.FFmpegError as error:
                broken += 1
                if broken > 2 + packets * BROKEN:
                    raise Refused("file_unreadable", UNREADABLE) from error
                continue
            yield from frames
        if end and audio.time_base:
            self.end = float(end * audio.time_base)


def _evened(frames: Iterable[AudioFrame], rate: int, sample_format: str, slack: float) -> Iterator[AudioFrame]:
    """One channel at one rate from 0 on; gaps are silence, so that a sample's number is its time.

    `slack`: from how many seconds on silence is put in. Recorders' times waver by a few milliseconds.
    """
    graph: Graph | None = None
    shape: tuple[object, ...] = ()
    done = 0
    for frame in frames:
        now = (frame.format.name, frame.layout.name, frame.sample_rate, frame.time_base)
        if graph is None or now != shape:  # two recordings put together may differ
            for piece in _pulled(graph, None):
                done += piece.samples
                yield piece
            graph, shape = _graph(frame, rate, sample_format, done, slack), now
        for piece in _pulled(graph, frame):
            done += piece.samples
            yield piece
    yield from _pulled(graph, None)


def _graph(frame: AudioFrame, rate: int, sample_format: str, done: int, slack: float) -> Graph:
    graph = Graph()
    first = done * frame.sample_rate // rate  # the filter counts by the rate of what comes in
    graph.link_nodes(
        graph.add_abuffer(
            sample_rate=frame.sample_rate,
            format=frame.format,
            layout=frame.layout,
            time_base=frame.time_base,
        ),
        graph.add("aresample", f"{rate}:async=1:min_hard_comp={slack}:first_pts={first}"),
        graph.add("aformat", f"sample_fmts={sample_format}:channel_layouts=mono"),
        graph.add("abuffersink"),
    ).configure()
    return graph


def _pulled(graph: Graph | None, frame: AudioFrame | None) -> Iterator[AudioFrame]:
    if graph is None:
        return
    graph.push(frame)
    while True:
        try:
            piece = graph.pull()
        except (BlockingIOError, EOFError):  # it wants more, or has given all
            return
        assert isinstance(piece, AudioFrame)  # from an abuffersink
        yield piece
