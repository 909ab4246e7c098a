"""Whatever is taken comes out clean, with the right type, and is judged alike again."""

from __future__ import annotations

import hashlib
from pathlib import Path

import av
from PIL import Image

from storage.formats import FORMATS
from storage.parsers import ParserPool
from tests.storage import samples
from tests.storage.parsing.judging import assert_colour, assert_gone
from tests.storage.samples import MARK, PLACE


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
