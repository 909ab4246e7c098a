"""Pictures: upright, in their colours, small enough, moving where they moved."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from PIL import Image

from storage.parsers import ParserPool
from tests.storage import samples
from tests.storage.parsing.judging import assert_colour


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
        assert square.size == (512, 512)
        edge = min(expected.size)
        left, top = (expected.width - edge) // 2, (expected.height - edge) // 2
        for across, down in ((0.2, 0.5), (0.8, 0.5), (0.5, 0.02), (0.5, 0.98)):
            there = expected.getpixel((left + int(edge * across), top + int(edge * down)))
            assert_colour(square, (int(512 * across), int(512 * down)), there)


def test_colours_are_those_that_the_profile_means(pool: ParserPool, tmp_path: Path) -> None:
    for name, mode in (("rgb.jpg", "RGB"), ("alpha.png", "RGBA")):
        shown = Image.new(mode, (50, 50), (255, 0, 0) if mode == "RGB" else (255, 0, 0, 128))
        shown.save(tmp_path / name, icc_profile=samples.swapped_profile())
        judged = pool.judge(tmp_path / name, tmp_path, wanted="attachment")
        with Image.open(judged.path) as seen:
            assert_colour(seen, (25, 25), (0, 255, 0))
        avatar = pool.judge(tmp_path / name, tmp_path, wanted="avatar")
        with Image.open(avatar.path) as seen:
            assert_colour(seen, (25, 25), (0, 255, 0))


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
