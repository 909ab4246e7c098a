"""Videos: two streams that play from what was copied."""

from __future__ import annotations

from pathlib import Path

import av
from PIL import Image

from storage.parsers import ParserPool
from tests.storage import samples
from tests.storage.parsing.judging import assert_colour, assert_gone
from tests.storage.samples import MARK


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
