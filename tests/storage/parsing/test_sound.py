"""Sound: its true duration, its peaks, one clock, one channel."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av

from storage.parsers import ParserPool
from storage.parsing.media import Clock
from tests.storage import nasty, samples
from tests.storage.parsing.judging import refusal
from tests.storage.samples import MARK


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
