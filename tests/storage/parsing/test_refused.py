"""What is refused, for which reason, and what is only passed over."""

from __future__ import annotations

import base64
import io
import random
import subprocess
import sys
import time
from pathlib import Path

import av

from storage.formats import ACCEPTED, FORMATS, recognise
from storage.parsers import ParserPool, Refused
from storage.parsing.traces import end_of_mp3
from tests.storage import nasty, samples
from tests.storage.parsing.judging import ROOT, assert_gone, refusal
from tests.storage.samples import MARK


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
