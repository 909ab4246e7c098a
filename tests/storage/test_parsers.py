"""Files are judged: what is taken comes out clean and with the right type, what is not has a reason, and the parsers live on."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import pytest
from PIL import Image

from storage.formats import ACCEPTED, FORMATS, recognise
from storage.parsers import Judged, NoParser, ParserPool, Refused, parsers
from storage.parsing.limits import NICENESS
from storage.parsing.media import Clock
from storage.parsing.traces import end_of_mp3
from tests.storage import nasty, samples
from tests.storage.samples import MARK, PLACE, SERIAL

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def clean() -> None:
    """These tests touch no database."""


@pytest.fixture(scope="module")
def pool() -> Iterator[ParserPool]:
    pool = ParserPool(2, recycled_after=10_000)
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, str]]:
    return samples.all_samples(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, str]]:
    return nasty.all_nasty(tmp_path_factory.mktemp("bad"))


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    path = tmp_path / "second.wav"
    path.write_bytes(nasty.wav(1))
    return path


def refusal(pool: ParserPool, source: Path, folder: Path, wanted: str = "attachment") -> Refused:
    with pytest.raises(Refused) as refused:
        pool.judge(source, folder, wanted=wanted)
    return refused.value


def assert_gone(content: bytes, name: str) -> None:
    for mark in (MARK, SERIAL, PLACE):
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            assert mark.encode(encoding) not in content, name


# What is taken -------------------------------------------------------------------------------------------------------


def test_good_files_come_out_clean_with_their_type_and_are_judged_alike_again(
    pool: ParserPool, good: dict[str, tuple[Path, str]], tmp_path: Path
) -> None:
    for name, (source, content_type) in good.items():
        folder, again = tmp_path / name, tmp_path / f"again-{name}"
        folder.mkdir()
        again.mkdir()
        judged = pool.judge(source, folder, wanted="attachment")
        content = judged.path.read_bytes()
        assert judged.content_type == content_type, name
        assert any(form.content_type == content_type and form.kind == judged.kind for form in FORMATS.values()), name
        assert (judged.size, judged.sha256) == (len(content), hashlib.sha256(content).digest()), name
        assert (judged.preview is not None) == (judged.kind == "image"), name
        assert (judged.waveform is not None) == (judged.kind == "audio"), name
        if judged.kind in ("pdf", "text"):
            assert judged.path == source, name
            continue
        assert judged.path.parent == folder, name
        assert_gone(content, name)
        if judged.preview:
            assert_gone(judged.preview.path.read_bytes(), name)
        second = pool.judge(judged.path, again, wanted="attachment")
        assert (second.kind, second.content_type) == (judged.kind, judged.content_type), name
        assert (second.width, second.height) == (judged.width, judged.height), name
        assert (second.duration_ms is None) == (judged.duration_ms is None), name
        slack = 100 if judged.kind == "video" else 10  # a last picture
        assert abs((second.duration_ms or 0) - (judged.duration_ms or 0)) <= slack, name


def test_the_samples_do_tell_something(good: dict[str, tuple[Path, str]]) -> None:
    """Else the test above would prove nothing."""
    silent = {"opaque.png", "grey16.png", "still.gif", "bare.mp3", "document.pdf", "note.txt"}
    for name, (source, _) in good.items():
        assert (MARK.encode() in source.read_bytes()) == (name not in silent), name
    assert MARK.encode("utf-16-le") in good["tagged.mp3"][0].read_bytes()
    assert PLACE.encode() in good["phone.mp4"][0].read_bytes()
    with Image.open(good["photo.jpg"][0]) as photo:
        assert photo.getexif().get_ifd(0x8825)[2] == samples.GPS
    with av.open(str(good["tagged.m4a"][0])) as container:
        assert len(container.streams.video) == 1  # its cover
    with av.open(str(good["phone.mp4"][0])) as container:
        assert container.chapters()


def test_a_photo_stands_upright_small_and_without_its_place(
    pool: ParserPool, good: dict[str, tuple[Path, str]], tmp_path: Path
) -> None:
    judged = pool.judge(good["photo.jpg"][0], tmp_path, wanted="attachment")
    with Image.open(judged.path) as shown:
        assert shown.size == (judged.width, judged.height) == (1024, 2048)
        assert shown.info.get("progressive")
        assert not shown.getexif()
        assert not {"comment", "icc_profile", "xmp", "exif"} & set(shown.info)
        # What was left is above, and what was above is at the right.
        assert_colour(shown, (300, 300), (200, 30, 30))
        assert_colour(shown, (300, 1700), (30, 30, 200))
        assert_colour(shown, (1000, 1000), (255, 255, 255))
    assert judged.preview is not None
    with Image.open(judged.preview.path) as preview:
        assert preview.size == (judged.preview.width, judged.preview.height) == (160, 320)
    assert judged.preview.content_type == "image/jpeg"
    assert judged.preview.sha256 == hashlib.sha256(judged.preview.path.read_bytes()).digest()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_of_a_camera_is_applied(pool: ParserPool, tmp_path: Path, orientation: int) -> None:
    samples.photo(tmp_path / "photo.jpg", orientation)
    with Image.open(tmp_path / "photo.jpg") as photo:
        turned = {2: 0, 4: 1, 3: 3, 8: 2, 6: 4, 5: 5, 7: 6}.get(orientation)
        expected = photo.convert("RGB") if turned is None else photo.convert("RGB").transpose(Image.Transpose(turned))
    judged = pool.judge(tmp_path / "photo.jpg", tmp_path, wanted="attachment")
    avatar = pool.judge(tmp_path / "photo.jpg", tmp_path / "..", wanted="avatar")
    with Image.open(judged.path) as shown:
        for across, down in ((0.2, 0.5), (0.8, 0.5), (0.5, 0.02), (0.5, 0.98), (0.2, 0.2)):
            there = expected.getpixel((int(expected.width * across), int(expected.height * down)))
            assert_colour(shown, (int(shown.width * across), int(shown.height * down)), there)
    with Image.open(avatar.path) as square:
        assert square.size == (256, 256)
        edge = min(expected.size)
        left, top = (expected.width - edge) // 2, (expected.height - edge) // 2
        for across, down in ((0.2, 0.4), (0.8, 0.4), (0.4, 0.02), (0.4, 0.98)):
            there = expected.getpixel((left + int(edge * across), top + int(edge * down)))
            assert_colour(square, (int(256 * across), int(256 * down)), there)


def assert_colour(picture: Image.Image, at: tuple[int, int], expected: tuple[int, ...]) -> None:
    found = picture.convert("RGB").getpixel(at)
    assert all(abs(one - other) <= 12 for one, other in zip(found, expected, strict=True)), (at, found, expected)


def test_colours_are_those_that_the_profile_means(pool: ParserPool, tmp_path: Path) -> None:
    for name, mode in (("rgb.jpg", "RGB"), ("alpha.png", "RGBA")):
        shown = Image.new(mode, (50, 50), (255, 0, 0) if mode == "RGB" else (255, 0, 0, 128))
        shown.save(tmp_path / name, icc_profile=samples.swapped_profile())
        judged = pool.judge(tmp_path / name, tmp_path, wanted="attachment")
        with Image.open(judged.path) as seen:
            assert_colour(seen, (25, 25), (0, 255, 0))
        avatar = pool.judge(tmp_path / name, tmp_path, wanted="avatar")
        with Image.open(avatar.path) as seen:
            assert seen.mode == "RGB"
            assert_colour(seen, (25, 25), (0, 255, 0) if mode == "RGB" else (127, 255, 127))


def test_a_profile_that_cannot_be_read_is_left_out(pool: ParserPool, tmp_path: Path) -> None:
    Image.new("RGB", (50, 50), (255, 0, 0)).save(tmp_path / "a.jpg", icc_profile=b"no profile" * 20)
    Image.new("CMYK", (50, 50), (0, 255, 255, 0)).save(tmp_path / "b.jpg", icc_profile=samples.swapped_profile())
    for name in ("a.jpg", "b.jpg"):
        judged = pool.judge(tmp_path / name, tmp_path, wanted="attachment")
        with Image.open(judged.path) as shown:
            assert shown.mode == "RGB"
            assert_colour(shown, (25, 25), (255, 0, 0))


def test_transparency_stays_and_opaque_pictures_become_jpeg(
    pool: ParserPool, good: dict[str, tuple[Path, str]], tmp_path: Path
) -> None:
    judged = pool.judge(good["drawing.png"][0], tmp_path, wanted="attachment")
    with Image.open(judged.path) as shown:
        assert shown.getpixel((50, 150))[3] == 0
        assert shown.getpixel((50, 80))[3] == 255
    assert judged.preview is not None
    assert judged.preview.content_type == "image/webp"
    colour_key = Image.new("P", (20, 20), 1)
    colour_key.putpalette([255, 0, 0, 0, 0, 255])
    colour_key.save(tmp_path / "key.png", transparency=1)
    with Image.open(pool.judge(tmp_path / "key.png", tmp_path, wanted="attachment").path) as shown:
        assert shown.convert("RGBA").getpixel((5, 5))[3] == 0


def test_sixteen_bits_of_grey_stay_as_light_as_they_were(
    pool: ParserPool, good: dict[str, tuple[Path, str]], tmp_path: Path
) -> None:
    with Image.open(pool.judge(good["grey16.png"][0], tmp_path, wanted="attachment").path) as shown:
        assert_colour(shown, (30, 30), (128, 128, 128))


@pytest.mark.parametrize("name", ["animated.gif", "animated.webp"])
def test_an_animation_moves_on(pool: ParserPool, good: dict[str, tuple[Path, str]], tmp_path: Path, name: str) -> None:
    judged = pool.judge(good[name][0], tmp_path, wanted="attachment")
    with Image.open(judged.path) as shown:
        assert shown.n_frames == 5
        assert shown.info["loop"] == (0 if name == "animated.gif" else 3)
        shown.seek(1)
        shown.load()
        assert shown.info["duration"] == (200 if name == "animated.gif" else 80)
        assert_colour(shown, (15, 20), (200, 0, 50))
        shown.seek(4)
        assert_colour(shown, (45, 20), (200, 0, 200))
    assert judged.preview is not None
    assert judged.preview.content_type == "image/jpeg"
    with Image.open(pool.judge(good[name][0], tmp_path, wanted="avatar").path) as avatar:
        assert not getattr(avatar, "is_animated", False)
        assert avatar.size == (60, 60)


def test_a_gif_that_is_shown_once_is_shown_once(pool: ParserPool, tmp_path: Path) -> None:
    first, *others = samples.frames()
    first.save(tmp_path / "once.gif", save_all=True, append_images=others, duration=100)
    with Image.open(pool.judge(tmp_path / "once.gif", tmp_path, wanted="attachment").path) as shown:
        assert shown.info["loop"] == 1


def test_sound_has_its_true_duration(pool: ParserPool, good: dict[str, tuple[Path, str]], tmp_path: Path) -> None:
    nasty.lying_mp3(tmp_path / "lying.mp3")
    durations = {
        tmp_path / "lying.mp3": 1945,  # whole frames in a third of its bytes
        **{
            good[name][0]: duration
            for name, duration in {
                "tagged.mp3": 2000,
                "bare.mp3": 2000,
                "tagged.wav": 2000,
                "opus.ogg": 2000,
                "vorbis.ogg": 2000,
                "tagged.webm": 2000,
                "recorded.webm": 5000,
                "tagged.m4a": 2000,
                "recorded.mp4": 2500,
            }.items()
        },
    }
    for source, expected in durations.items():
        judged = pool.judge(source, tmp_path, wanted="voice")
        assert judged.duration_ms is not None
        assert abs(judged.duration_ms - expected) <= 15, (source.name, judged.duration_ms)
        with av.open(str(judged.path)) as container:
            assert container.duration is not None, source.name  # as a browser reads it
            assert abs(container.duration / 1000 - expected) <= 50, (source.name, container.duration)
            assert abs(container.start_time or 0) < 50_000, source.name
        measured, waveform = pool.measure(judged.path)
        assert (measured, waveform) == (judged.duration_ms, judged.waveform), source.name
    with av.open(str(tmp_path / "lying.mp3")) as container:
        assert container.duration // 1000 == 6000  # what its header says


def test_a_recording_can_be_searched_and_is_in_one_piece(
    pool: ParserPool, good: dict[str, tuple[Path, str]], tmp_path: Path
) -> None:
    webm = pool.judge(good["recorded.webm"][0], tmp_path, wanted="voice").path.read_bytes()
    cues = b"\x1c\x53\xbb\x6b"
    assert cues in webm
    assert cues not in good["recorded.webm"][0].read_bytes()
    mp4 = pool.judge(good["recorded.mp4"][0], tmp_path, wanted="voice").path.read_bytes()
    assert b"moof" not in mp4
    assert b"moof" in good["recorded.mp4"][0].read_bytes()
    assert mp4.index(b"moov") < mp4.index(b"mdat")


def test_a_recording_that_broke_off_is_as_long_as_what_came(
    pool: ParserPool, good: dict[str, tuple[Path, str]], tmp_path: Path
) -> None:
    content = good["recorded.webm"][0].read_bytes()
    (tmp_path / "cut.webm").write_bytes(content[: int(len(content) * 0.45)])
    judged = pool.judge(tmp_path / "cut.webm", tmp_path, wanted="voice")
    assert judged.duration_ms is not None
    assert 700 < judged.duration_ms < 1000


def test_times_that_go_back_are_put_in_order(
    pool: ParserPool, good: dict[str, tuple[Path, str]], tmp_path: Path
) -> None:
    """Two recordings of Ogg in one file: the second begins at 0 again."""
    samples.sound(tmp_path / "longer.ogg", "ogg", "libopus", seconds=5)
    content = good["opus.ogg"][0].read_bytes() + (tmp_path / "longer.ogg").read_bytes()
    (tmp_path / "chained.ogg").write_bytes(content)
    judged = pool.judge(tmp_path / "chained.ogg", tmp_path, wanted="voice")
    assert judged.duration_ms is not None
    assert abs(judged.duration_ms - 7000) <= 50
    assert judged.waveform is not None
    assert min(judged.waveform) > 100
    with av.open(str(judged.path)) as container:
        times = [packet.dts for packet in container.demux(audio=0) if packet.size]
    assert times == sorted(times)


def test_a_clock_goes_on_when_a_recording_begins_anew_and_smooths_what_wavers() -> None:
    def times(*given: int | None) -> list[int]:
        clock = Clock(SimpleNamespace(time_base=Fraction(1, 1000)), Fraction(1, 10))
        packets = [SimpleNamespace(dts=dts, pts=dts, duration=20) for dts in given]
        for packet in packets:
            clock.set(packet)
        assert all(packet.pts == packet.dts for packet in packets)
        assert clock.end * 1000 == packets[-1].dts + 20
        return [packet.dts for packet in packets]

    assert times(100, 120, 119, 160) == [0, 20, 21, 60]
    assert times(100, 120, 120, None, 180) == [0, 20, 21, 41, 80]
    twice = [*range(100, 2100, 20), *range(0, 5000, 20)]
    assert times(*twice) == list(range(0, 7000, 20))
    assert times(5100, 5120, 0, 20, 520) == [5000, 5020, 5040, 5060, 5560]  # a gap stays one


def test_peaks_follow_the_loudness(pool: ParserPool, tmp_path: Path) -> None:
    def envelope(second: float) -> float:
        return 0.2 if second < 1 else 0.8 if second < 1.5 else 0.0

    for name, container, codec in (
        ("a.wav", "wav", "pcm_s16le"),
        ("a.webm", "webm", "libopus"),
        ("a.mp3", "mp3", "libmp3lame"),
    ):
        samples.sound(tmp_path / name, container, codec, envelope=envelope)
        peaks = pool.judge(tmp_path / name, tmp_path, wanted="voice").waveform
        assert peaks is not None
        assert len(peaks) == 100
        assert all(abs(peak - 51) <= 8 for peak in peaks[3:47]), (name, peaks)
        assert all(abs(peak - 204) <= 16 for peak in peaks[53:72]), (name, peaks)
        assert all(peak <= 8 for peak in peaks[79:97]), (name, peaks)


def test_silence_between_is_silent_in_the_peaks(
    pool: ParserPool, good: dict[str, tuple[Path, str]], tmp_path: Path
) -> None:
    peaks = pool.judge(good["recorded.webm"][0], tmp_path, wanted="voice").waveform
    assert peaks is not None
    assert min(peaks[1:18]) > 100
    assert max(peaks[23:78]) == 0  # from 1 s to 4 s of 5 s
    assert min(peaks[82:99]) > 100


def test_long_sound_is_measured_later(pool: ParserPool, tmp_path: Path) -> None:
    (tmp_path / "long.wav").write_bytes(nasty.wav(61))
    judged = pool.judge(tmp_path / "long.wav", tmp_path, wanted="voice")
    assert (judged.duration_ms, judged.waveform) == (61_000, None)
    assert pool.measure(judged.path) == (61_000, [0] * 100)


def test_a_voice_message_may_be_ten_minutes_long(pool: ParserPool, tmp_path: Path) -> None:
    (tmp_path / "long.wav").write_bytes(nasty.wav(600, rate=1000))
    assert pool.judge(tmp_path / "long.wav", tmp_path, wanted="voice").duration_ms == 600_000
    (tmp_path / "longer.wav").write_bytes(nasty.wav(601, rate=1000))
    assert refusal(pool, tmp_path / "longer.wav", tmp_path, "voice").code == "file_too_long"
    assert pool.judge(tmp_path / "longer.wav", tmp_path, wanted="attachment").duration_ms == 601_000


def test_a_rendition_is_aac_in_one_channel_and_says_nothing(
    pool: ParserPool, good: dict[str, tuple[Path, str]], tmp_path: Path
) -> None:
    for name, expected in (("recorded.webm", 5000), ("vorbis.ogg", 2000), ("tagged.mp3", 2000), ("tagged.m4a", 2000)):
        judged = pool.judge(good[name][0], tmp_path, wanted="voice")
        rendition = pool.render_audio(judged.path, tmp_path)
        content = rendition.path.read_bytes()
        assert (rendition.content_type, rendition.extension) == ("audio/mp4", "m4a")
        assert (rendition.size, rendition.sha256) == (len(content), hashlib.sha256(content).digest())
        assert abs(rendition.duration_ms - expected) <= 50, name
        assert content.index(b"moov") < content.index(b"mdat")
        assert not [word for word in (b"Lavf", b"Lavc", MARK.encode()) if word in content], name
        with av.open(str(rendition.path)) as container:
            (stream,) = container.streams
            assert (stream.codec_context.name, stream.codec_context.layout.name) == ("aac", "mono")
            assert abs(container.duration / 1000 - expected) <= 50


def test_a_phone_s_video_stands_upright_and_keeps_two_streams(
    pool: ParserPool, good: dict[str, tuple[Path, str]], tmp_path: Path
) -> None:
    judged = pool.judge(good["phone.mp4"][0], tmp_path, wanted="attachment")
    assert (judged.width, judged.height) == (64, 96)
    assert judged.duration_ms is not None
    assert abs(judged.duration_ms - 2000) <= 50
    content = judged.path.read_bytes()
    assert b"x264" not in content
    assert b"Lavf" not in content
    assert content.index(b"moov") < content.index(b"mdat")
    with av.open(str(judged.path)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        assert not container.chapters()
        frames = list(container.decode(video=0))
        assert len(frames) == 20
        assert frames[0].rotation == -90
    poster = pool.poster(judged.path, tmp_path, "video")
    with Image.open(poster.path) as shown:
        assert shown.size == (poster.width, poster.height) == (64, 96)
        assert_colour(shown, (20, 20), (200, 30, 30))
        assert_colour(shown, (20, 80), (30, 30, 200))
        assert_colour(shown, (62, 50), (255, 255, 255))


def test_videos_play_from_what_was_copied(pool: ParserPool, good: dict[str, tuple[Path, str]], tmp_path: Path) -> None:
    for name in ("phone.mov", "hevc.mp4", "vp8.webm", "silent-vp9.webm", "av1.webm"):
        judged = pool.judge(good[name][0], tmp_path, wanted="attachment")
        assert (judged.width, judged.height) == (96, 64)
        assert judged.duration_ms is not None
        assert abs(judged.duration_ms - 2000) <= 50, name
        with av.open(str(judged.path)) as container:
            assert len(list(container.decode(video=0))) == 20
            assert container.duration is not None
            if name == "hevc.mp4":
                assert container.streams.video[0].codec_context.codec_tag == "hvc1"
    assert b"x265" not in pool.judge(good["hevc.mp4"][0], tmp_path, wanted="attachment").path.read_bytes()
    assert b"ftypisom" in pool.judge(good["phone.mov"][0], tmp_path, wanted="attachment").path.read_bytes()


def test_streams_beside_picture_and_sound_stay_behind(pool: ParserPool, tmp_path: Path) -> None:
    """A second language, and a track of a sensor."""
    source = tmp_path / "sensors.mp4"
    samples.video(tmp_path / "one.mp4", "mp4", "libx264", "aac")
    with av.open(str(tmp_path / "one.mp4")) as given, av.open(str(source), "w") as output:
        video, audio = given.streams.video[0], given.streams.audio[0]
        copies = [output.add_stream_from_template(one, opaque=True) for one in (audio, video, audio)]
        sensors = output.add_data_stream("bin_data")
        for packet in given.demux(video, audio):
            if not packet.size:
                continue
            if packet.stream is video:
                packet.stream = copies[1]
                output.mux(packet)
                continue
            first, second = av.Packet(bytes(packet)), av.Packet(f"{MARK} 24.7136".encode())
            for copy in (first, second):
                copy.time_base = packet.time_base
                copy.pts, copy.dts, copy.duration = packet.pts, packet.dts, packet.duration
            second.stream = sensors
            output.mux(second)
            packet.stream = copies[0]
            output.mux(packet)
            first.stream = copies[2]
            output.mux(first)
    assert MARK.encode() in source.read_bytes()
    judged = pool.judge(source, tmp_path, wanted="attachment")
    assert_gone(judged.path.read_bytes(), "sensors")
    with av.open(str(judged.path)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]


def test_a_pdf_stays_as_it_is_and_has_a_poster(
    pool: ParserPool, good: dict[str, tuple[Path, str]], tmp_path: Path
) -> None:
    source = good["document.pdf"][0]
    before = source.read_bytes()
    assert pool.judge(source, tmp_path, wanted="attachment").size == len(before)
    poster = pool.poster(source, tmp_path, "pdf")
    assert (poster.width, poster.height, poster.content_type) == (640, 427, "image/jpeg")
    with Image.open(poster.path) as shown:
        assert_colour(shown, (300, 200), (255, 255, 255))
    assert source.read_bytes() == before


# What is refused -----------------------------------------------------------------------------------------------------


def test_nasty_files_are_refused_for_their_reason_at_once_by_the_same_parser(
    pool: ParserPool, bad: dict[str, tuple[Path, str]], wav: Path, tmp_path: Path
) -> None:
    pool.judge(wav, tmp_path, wanted="voice")
    before = pool.pids()
    for name, (source, code) in bad.items():
        started = time.monotonic()
        refused = refusal(pool, source, tmp_path)
        assert refused.code == code, (name, refused)
        assert refused.detail.endswith((".", "taken.")), name
        assert time.monotonic() - started < 5, name
    assert pool.pids() == before
    pool.judge(wav, tmp_path, wanted="voice")


def test_a_packet_that_is_broken_now_and_then_is_passed_over(pool: ParserPool, tmp_path: Path) -> None:
    nasty.broken_packets(tmp_path / "broken.m4a", 0.03)
    judged = pool.judge(tmp_path / "broken.m4a", tmp_path, wanted="voice")
    assert judged.duration_ms is not None
    assert abs(judged.duration_ms - 2000) <= 50


def test_sound_that_comes_late_is_late(pool: ParserPool, tmp_path: Path) -> None:
    """As with Opus in MP4, of which a decoder leaves out the first packets."""
    nasty.broken_packets(tmp_path / "late.m4a", first=2)
    assert pool.judge(tmp_path / "late.m4a", tmp_path, wanted="voice").duration_ms == 2000


def test_sound_may_change_its_shape(pool: ParserPool, tmp_path: Path) -> None:
    """Two MP3 put together, the second with two channels."""
    for name, channels in (("one.mp3", 1), ("two.mp3", 2)):
        samples.sound(tmp_path / name, "mp3", "libmp3lame", channels=channels, options={"id3v2_version": "0"})
    (tmp_path / "both.mp3").write_bytes((tmp_path / "one.mp3").read_bytes() + (tmp_path / "two.mp3").read_bytes())
    judged = pool.judge(tmp_path / "both.mp3", tmp_path, wanted="voice")
    assert judged.duration_ms is not None
    assert abs(judged.duration_ms - 4100) <= 20  # with what the encoders put before and behind
    assert judged.waveform is not None
    assert min(judged.waveform[2:46]) > 100
    assert min(judged.waveform[54:96]) > 100
    assert abs(pool.render_audio(judged.path, tmp_path).duration_ms - 4100) <= 60


def test_only_four_kinds_of_pictures_are_ever_decoded(bad: dict[str, tuple[Path, str]]) -> None:
    """Behind the first bytes stands a second door."""
    code = "import sys, pathlib, storage.parsing.image as i; i.judge(pathlib.Path(sys.argv[1]), pathlib.Path('/'), 'attachment')"
    for name in ("bmp.jpg", "tiff.jpg", "eps.png", "ico.gif", "avif.jpg"):
        command = [sys.executable, "-c", code, str(bad[name][0])]
        outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert "cannot identify image file" in outcome.stderr, name


def test_ffmpeg_opens_files_and_nothing_else(good: dict[str, tuple[Path, str]]) -> None:
    """No address of any kind, should one get that far."""
    address = "data:audio/wav;base64," + base64.b64encode(nasty.wav(1)).decode()
    code = """
import sys, av
from pathlib import Path
from storage.formats import WAV
from storage.parsing import media
name = sys.stdin.read()
with av.open(name) as container:
    print(container.streams.audio)
try:
    media.opened(Path(name), WAV)
except av.FFmpegError as error:
    print(type(error).__name__)
"""
    outcome = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, input=address, capture_output=True, text=True, check=True
    )
    assert outcome.stdout.splitlines()[1:] == ["ArgumentError"]


def test_a_refused_kind_says_what_is_accepted(
    pool: ParserPool, bad: dict[str, tuple[Path, str]], tmp_path: Path
) -> None:
    assert ACCEPTED in refusal(pool, bad["zip.png"][0], tmp_path).detail
    assert "HEIC" not in ACCEPTED


def test_two_things_in_one_come_out_as_one(pool: ParserPool, good: dict[str, tuple[Path, str]], tmp_path: Path) -> None:
    """What a browser, an unpacker or a viewer would find beside the picture is not there any more."""
    page, packed = b"<html><script>alert(1)</script></html>", b"PK\3\4" + MARK.encode()
    gif, mp3 = good["animated.gif"][0].read_bytes(), good["bare.mp3"][0].read_bytes()
    cut = mp3[: mp3.index(b"\xff\xfb", 9000) + 20]  # in the middle of a frame, which the tags behind would fill
    cases = {
        "page.gif": gif[:-1] + b"!\xfe" + bytes([len(page)]) + page + b"\0;" + page,
        "page.jpg": good["photo.jpg"][0].read_bytes() + page,
        "packed.jpg": good["photo.jpg"][0].read_bytes() + packed,
        "packed.png": good["opaque.png"][0].read_bytes() + packed,
        "packed.webp": good["still.webp"][0].read_bytes() + packed,
        "packed.mp3": good["tagged.mp3"][0].read_bytes() + packed,
        **{f"cut-{name}.mp3": cut + tag for name, tag in nasty.end_tags().items()},
        "packed.wav": good["tagged.wav"][0].read_bytes() + packed,
        "page.webm": good["tagged.webm"][0].read_bytes() + page,
        "page.mp4": good["phone.mp4"][0].read_bytes() + len(page + bytes(8)).to_bytes(4, "big") + b"free" + page,
    }
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        judged = pool.judge(tmp_path / name, tmp_path, wanted="attachment")
        cleaned = judged.path.read_bytes()
        assert page not in cleaned, name
        assert_gone(cleaned, name)
        assert cleaned[:2] != b"PK", name


def test_tags_behind_an_mp3_are_found_to_their_beginning() -> None:
    for name, tag in nasty.end_tags().items():
        assert end_of_mp3(io.BytesIO(bytes(1000) + tag)) == 1000, name
    for content in (b"", b"TAG", bytes(1000), b"APETAGEX" + bytes(24), b"3DI" + b"\x7f" * 7, b"999999LYRICS200"):
        assert 0 <= end_of_mp3(io.BytesIO(content)) <= len(content)


def test_a_pdf_with_a_script_stays_a_pdf_and_nothing_else(pool: ParserPool, tmp_path: Path) -> None:
    """It is served as a download, and is not ours to change."""
    (tmp_path / "scripted.pdf").write_bytes(nasty.scripted_pdf())
    assert pool.judge(tmp_path / "scripted.pdf", tmp_path, wanted="attachment").content_type == "application/pdf"
    pool.poster(tmp_path / "scripted.pdf", tmp_path, "pdf")
    (tmp_path / "late.pdf").write_bytes(b"<html>" + nasty.scripted_pdf())
    assert refusal(pool, tmp_path / "late.pdf", tmp_path).code == "file_type"


def test_a_voice_message_is_sound_and_an_avatar_a_picture(
    pool: ParserPool, good: dict[str, tuple[Path, str]], tmp_path: Path
) -> None:
    for name, (source, content_type) in good.items():
        kind = content_type.split("/")[0]
        if kind != "audio":
            assert refusal(pool, source, tmp_path, "voice").code == "not_voice", name
        if kind != "image":
            assert refusal(pool, source, tmp_path, "avatar").code == "not_picture", name


def test_a_video_that_hides_in_a_voice_message_is_none(
    pool: ParserPool, good: dict[str, tuple[Path, str]], tmp_path: Path
) -> None:
    assert refusal(pool, good["vp8.webm"][0], tmp_path, "voice").code == "not_voice"
    judged = pool.judge(good["tagged.m4a"][0], tmp_path, wanted="voice")  # its cover is none
    with av.open(str(judged.path)) as container:
        assert [stream.type for stream in container.streams] == ["audio"]


def test_damaged_files_are_taken_or_refused_and_no_parser_is_lost(
    pool: ParserPool, good: dict[str, tuple[Path, str]], wav: Path, tmp_path: Path
) -> None:
    pool.judge(wav, tmp_path, wanted="voice")
    before = pool.pids()
    outcomes = set()

    def outcome(source: Path) -> str:
        try:
            return pool.judge(source, tmp_path, wanted="attachment").kind
        except Refused as refused:
            return refused.code

    for source, _ in good.values():
        content = source.read_bytes()
        for seed in range(3):
            for broken in nasty.flipped(content, seed):
                (tmp_path / "broken").write_bytes(broken)
                outcomes.add(outcome(tmp_path / "broken"))
    assert pool.pids() == before
    assert {"image", "audio", "video", "file_unreadable"} <= outcomes
    refusals = {"file_unreadable", "file_type", "image_too_large", "file_too_long"}
    assert outcomes <= {"image", "audio", "video", "pdf", "text"} | refusals


def test_first_bytes_choose_the_parser(good: dict[str, tuple[Path, str]], bad: dict[str, tuple[Path, str]]) -> None:
    for name, (source, _) in good.items():
        assert recognise(source.read_bytes()[:1024]) is not None, name
    noise = random.Random(3)
    for _ in range(2000):
        assert recognise(noise.randbytes(noise.randrange(64))) in (None, *FORMATS.values())
    assert recognise("آ".encode() * 600)  # cut in the middle of a letter
    assert recognise(b"") is None
    assert recognise(b"a\0b") is None
    assert recognise(b"I think 1 <b and <html> is markup") is not None


# The pool ------------------------------------------------------------------------------------------------------------


def test_a_parser_that_hangs_is_killed_and_replaced(wav: Path, tmp_path: Path) -> None:
    pool = ParserPool(1, judge_seconds=0.5)
    try:
        pool.judge(wav, tmp_path, wanted="voice")
        (hung,) = pool.pids()
        os.kill(hung, signal.SIGSTOP)
        started = time.monotonic()
        assert refusal(pool, wav, tmp_path, "voice").code == "file_unreadable"
        assert time.monotonic() - started < 3
        assert not is_alive(hung)
        pool.judge(wav, tmp_path, wanted="voice")
        assert pool.pids() not in ([], [hung])
    finally:
        pool.close()


def test_a_parser_that_dies_over_a_file_is_replaced(wav: Path, tmp_path: Path) -> None:
    pool = ParserPool(1)
    try:
        pool.judge(wav, tmp_path, wanted="voice")
        (dying,) = pool.pids()
        os.kill(dying, signal.SIGSTOP)
        threading.Timer(0.2, os.kill, (dying, signal.SIGKILL)).start()
        assert refusal(pool, wav, tmp_path, "voice").code == "file_unreadable"
        assert pool.judge(wav, tmp_path, wanted="voice").duration_ms == 1000
    finally:
        pool.close()


def test_a_parser_that_died_between_two_files_costs_neither(wav: Path, tmp_path: Path) -> None:
    pool = ParserPool(1)
    try:
        pool.judge(wav, tmp_path, wanted="voice")
        (pid,) = pool.pids()
        os.kill(pid, signal.SIGKILL)
        wait_until_gone(pid)
        assert pool.judge(wav, tmp_path, wanted="voice").duration_ms == 1000
    finally:
        pool.close()


def test_a_file_that_takes_too_much_memory_is_refused_and_the_next_one_judged(wav: Path, tmp_path: Path) -> None:
    Image.new("RGBA", (4000, 4000), (1, 2, 3, 4)).save(tmp_path / "large.png", compress_level=1)
    pool = ParserPool(1, memory_bytes=220 * 1024 * 1024)
    try:
        assert refusal(pool, tmp_path / "large.png", tmp_path).code == "file_unreadable"
        assert pool.judge(wav, tmp_path, wanted="voice").duration_ms == 1000
    finally:
        pool.close()
    with_usual = ParserPool(1)
    try:
        assert with_usual.judge(tmp_path / "large.png", tmp_path, wanted="attachment").width == 2048
    finally:
        with_usual.close()


def test_a_file_that_takes_too_much_processor_time_ends_its_parser(wav: Path, tmp_path: Path) -> None:
    """Also where nobody is there any more to look at a clock: the kernel counts."""
    (tmp_path / "long.wav").write_bytes(nasty.wav(3 * 3600 - 1))
    pool = ParserPool(1, judge_seconds=10, task_seconds=1)
    try:
        pool.judge(wav, tmp_path, wanted="voice")
        (pid,) = pool.pids()
        with pytest.raises(Refused, match="file_unreadable"):
            pool.measure(tmp_path / "long.wav")
        assert not is_alive(pid)
        with open(f"/proc/{_pid_after(pool, wav, tmp_path)}/limits") as limits:
            (line,) = (line for line in limits if line.startswith("Max cpu time"))
        assert 10 <= int(line.split()[3]) <= 13
    finally:
        pool.close()


def _pid_after(pool: ParserPool, wav: Path, folder: Path) -> int:
    pool.judge(wav, folder, wanted="voice")
    (pid,) = pool.pids()
    return pid


def test_many_threads_share_few_parsers(wav: Path, tmp_path: Path) -> None:
    pool = ParserPool(2)
    seen: set[int] = set()

    def judge(number: int) -> Judged:
        folder = tmp_path / str(number)
        folder.mkdir()
        judged = pool.judge(wav, folder, wanted="voice")
        seen.update(pool.pids())
        assert judged.path.parent == folder
        return judged

    try:
        with ThreadPoolExecutor(8) as threads:
            all_judged = list(threads.map(judge, range(80)))
        assert len({judged.sha256 for judged in all_judged}) == 1
        assert len(seen) == 2
        # The threads that started them are gone; had a child been theirs, the kernel would have ended it.
        time.sleep(0.05)
        assert set(pool.pids()) == seen
        assert all(is_alive(pid) for pid in seen)
    finally:
        pool.close()
    assert not any(is_alive(pid) for pid in seen)


def test_who_waits_too_long_is_told_that_all_are_busy(wav: Path, tmp_path: Path) -> None:
    pool = ParserPool(1, judge_seconds=2, wait_seconds=0.2)
    try:
        pool.judge(wav, tmp_path, wanted="voice")
        os.kill(pool.pids()[0], signal.SIGSTOP)
        busy = threading.Thread(target=lambda: refusal(pool, wav, tmp_path, "voice"))
        busy.start()
        time.sleep(0.1)
        with pytest.raises(NoParser):
            pool.judge(wav, tmp_path, wanted="voice")
        busy.join()
    finally:
        pool.close()


def test_parsers_are_renewed_after_some_files(wav: Path, tmp_path: Path) -> None:
    pool = ParserPool(1, recycled_after=3)
    try:
        pids = []
        for _ in range(7):
            pool.judge(wav, tmp_path, wanted="voice")
            pids += pool.pids()
        assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [3, 3, 1]
    finally:
        pool.close()


def test_a_closed_pool_refuses_and_its_parsers_are_gone(wav: Path, tmp_path: Path) -> None:
    pool = ParserPool(1)
    pool.judge(wav, tmp_path, wanted="voice")
    (pid,) = pool.pids()
    pool.close()
    assert not is_alive(pid)
    with pytest.raises(NoParser):
        pool.judge(wav, tmp_path, wanted="voice")


def test_a_parser_that_cannot_start_is_not_the_file_s_fault(
    wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = {
        "fails": "exit 1",
        "says-nothing-more": "exec >&-; sleep 60",
        "babbles": "cat /dev/zero",
        "is-missing": None,
    }
    for name, body in programs.items():
        program = tmp_path / name
        if body is not None:
            program.write_text(f"#!/bin/sh\n{body}\n")
            program.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(program))
        pool = ParserPool(1)
        started = time.monotonic()
        with pytest.raises(NoParser):
            pool.judge(wav, tmp_path, wanted="voice")
        assert time.monotonic() - started < 5, name
        assert pool.pids() == []
        pool.close()


def test_a_full_disk_is_not_the_file_s_fault(
    pool: ParserPool, good: dict[str, tuple[Path, str]], wav: Path, tmp_path: Path
) -> None:
    full = Path("/dev/full")
    for name, written in (("photo.jpg", "file.jpg"), ("tagged.wav", "file.wav")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / written).symlink_to(full)
        with pytest.raises(NoParser, match="No space left"):
            pool.judge(good[name][0], folder, wanted="attachment")
    with pytest.raises(FileNotFoundError):
        pool.judge(tmp_path / "nothing", tmp_path, wanted="attachment")


def test_a_parser_has_no_secrets_and_little_of_the_machine(
    wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMIA_SECRET_KEY", MARK)
    monkeypatch.setenv("DATABASE_URL", f"postgres://{MARK}")
    pool = ParserPool(1)
    try:
        pool.judge(wav, tmp_path, wanted="voice")
        proc = Path(f"/proc/{pool.pids()[0]}")
        assert MARK.encode() not in (proc / "environ").read_bytes()
        limits = {line[:25].strip(): line[26:].split()[:2] for line in (proc / "limits").read_text().splitlines()}
        assert limits["Max address space"] == [str(1024**3)] * 2
        assert limits["Max core file size"] == ["0", "0"]
        assert limits["Max file size"] == [str(512 * 1024**2)] * 2
        assert limits["Max open files"] == ["32", "32"]
        assert limits["Max processes"] == ["0", "0"]
        assert int(limits["Max cpu time"][0]) <= 12
        assert "NoNewPrivs:\t1" in (proc / "status").read_text()
        assert int((proc / "stat").read_text().rsplit(") ", 1)[1].split()[16]) == min(os.nice(0) + NICENESS, 19)
        assert not [name for name in (proc / "fd").iterdir() if os.readlink(name).startswith("socket")]
    finally:
        pool.close()


def test_a_parser_knows_nothing_of_django() -> None:
    code = "import sys, storage.parsing.__main__; print([name for name in sys.modules if name.startswith(('django', 'psycopg'))])"
    outcome = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert outcome.stdout == "[]\n"


def test_parsing_needs_no_thread_and_no_program(good: dict[str, tuple[Path, str]]) -> None:
    """The kernel does not hold root to the limit on processes, so where the tests are root's, nobody judges here."""
    code = """
import os, sys, threading
from pathlib import Path
from storage.parsing import limits
from storage.parsing.__main__ import carry_out
from storage.parsing.messages import Task
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
limits.confine()
try:
    threading.Thread(target=print).start()
except RuntimeError:
    print("no thread")
folder = Path(sys.argv[1])
for source in sorted(folder.iterdir()):
    answer = carry_out(Task(do="judge", source=str(source), folder=str(folder), seconds=10))
    print(source.name, answer.code, answer.cause)
"""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, (source, _) in good.items():
            shutil.copy(source, folder / file)
            os.chmod(folder / file, 0o644)
        os.chmod(folder, 0o777)
        outcome = subprocess.run([sys.executable, "-c", code, name], cwd=ROOT, capture_output=True, text=True)
    assert outcome.stdout.splitlines() == ["no thread", *(f"{file} None " for file in sorted(good))], outcome.stderr


def test_parsers_die_with_a_killed_parent_even_while_they_are_stopped(wav: Path, tmp_path: Path) -> None:
    with running(
        f"judge(pool); print(*pool.pids(), flush=True); os.kill(pool.pids()[0], {signal.SIGSTOP}); time.sleep(60)",
        wav,
        tmp_path,
    ) as parent:
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
        parent.wait()
    wait_until_gone(pid)


def test_an_exit_ends_the_parsers_and_a_fork_has_its_own(wav: Path, tmp_path: Path) -> None:
    code = """
judge(pool); mine = pool.pids()
forked = os.fork()
if not forked:
    assert pool.pids() == []
    judge(pool)
    assert pool.pids() and pool.pids() != mine
    print(*pool.pids(), flush=True)
    sys.exit(0)
assert os.waitpid(forked, 0)[1] == 0
judge(pool)
assert pool.pids() == mine
print(*mine, flush=True)
"""
    with running(code, wav, tmp_path) as parent:
        lines = parent.stdout.read().split()
        assert parent.wait() == 0
    assert len(set(lines)) == 2
    for pid in lines:
        wait_until_gone(int(pid))


def running(code: str, wav: Path, folder: Path) -> subprocess.Popen[str]:
    """A Python process with a pool, and the code."""
    start = f"""
import os, sys, time
from pathlib import Path
from storage.parsers import ParserPool
pool = ParserPool(1)
def judge(pool): assert pool.judge(Path({str(wav)!r}), Path({str(folder)!r}), wanted="voice").duration_ms == 1000
"""
    return subprocess.Popen([sys.executable, "-c", start + code], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def is_alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 5
    while is_alive(pid):
        assert time.monotonic() < deadline, "it lives on"
        time.sleep(0.02)


def test_there_is_one_pool_for_a_process() -> None:
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(lambda _: parsers(), range(50)))) == 1
