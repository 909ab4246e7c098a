"""Pictures: decoded and drawn anew, so that nothing of the file goes on but what is seen.

EXIF with its place and camera, XMP, comments, thumbnails, colour profiles and whatever hangs behind the picture stay behind.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageCms
from PIL.Image import Resampling, Transpose

from storage.formats import JPEG, WEBP, Format
from storage.parsing.made import made, path_of
from storage.parsing.messages import Answer, Made, Refused, Wanted

MAX_PIXELS = 40_000_000  # of a picture; of an animation in all its frames together
MAX_FRAMES = 500
LONGEST = 2048
PREVIEW_PIXELS = 320
POSTER_PIXELS = 640
AVATAR_PIXELS = 256  # it is drawn 80 px wide at most, on screens with up to three to each
QUALITY = 82

TOO_LARGE = f"This picture has more than {MAX_PIXELS // 1_000_000} megapixels. Send it smaller."
TOO_LONG = (
    f"This animation has more than {MAX_FRAMES} pictures, or more than {MAX_PIXELS // 1_000_000} megapixels in all of them. "
    "Send it as a video, or smaller."
)

ORIENTATION = 0x0112  # EXIF
UPRIGHT = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}

# Pillow looks at what a file declares before it takes memory for it, warns from this number on and refuses from twice as many.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2


def judge(source: Path, folder: Path, wanted: Wanted) -> Answer:
    try:
        with Image.open(source, formats=("JPEG", "PNG", "WEBP", "GIF")) as picture:
            if wanted == "avatar":
                return Answer(file=_avatar(picture, folder))
            if picture.format in ("GIF", "WEBP") and getattr(picture, "is_animated", False):
                return _animation(picture, folder)
            return _still(picture, folder)
    except Image.DecompressionBombError as error:
        raise Refused("image_too_large", TOO_LARGE) from error


def save(picture: Image.Image, folder: Path, stem: str, form: Format) -> Made:
    """Write a picture without anything that it brought along."""
    path = path_of(folder, stem, form)
    picture.info.clear()  # Pillow writes comments and profiles that it finds here
    if form is JPEG:
        picture.save(path, "JPEG", quality=QUALITY, progressive=True, optimize=True)
    else:
        picture.save(path, "WEBP", quality=QUALITY, method=4)
    return made(path, form, width=picture.width, height=picture.height)


def _still(picture: Image.Image, folder: Path) -> Answer:
    picture.draft(None, (LONGEST, LONGEST))  # a large JPEG is decoded at a half, a quarter or an eighth
    picture.load()
    turn = UPRIGHT.get(_orientation(picture))
    shown = _plain(picture)
    shown.thumbnail((LONGEST, LONGEST), Resampling.LANCZOS)
    shown = _opaque(_in_srgb(shown.transpose(turn) if turn is not None else shown))
    preview = shown.copy()
    preview.thumbnail((PREVIEW_PIXELS, PREVIEW_PIXELS), Resampling.LANCZOS)
    form = _form_of(shown)
    return Answer(file=save(shown, folder, "file", form), preview=save(preview, folder, "preview", form))


def _avatar(picture: Image.Image, folder: Path) -> Made:
    """The square in the middle, of an animation its first picture, on white: it is drawn over letters."""
    picture.draft(None, (AVATAR_PIXELS, AVATAR_PIXELS))
    picture.load()
    turn = UPRIGHT.get(_orientation(picture))
    shown = _plain(picture)
    edge = min(shown.size)
    left, top = (shown.width - edge) // 2, (shown.height - edge) // 2
    side = min(edge, AVATAR_PIXELS)
    square = shown.resize((side, side), Resampling.LANCZOS, (left, top, left + edge, top + edge), reducing_gap=2.0)
    square = _in_srgb(square.transpose(turn) if turn is not None else square)
    return save(_on_white(square), folder, "file", JPEG)


def _animation(picture: Image.Image, folder: Path) -> Answer:
    """An animated WebP, from GIF, too: a third of the size, and encoded faster than Pillow can choose palettes.

    What is too much is refused and not cut down to a still: nobody should find out afterwards that something else was sent.
    """
    loops = _loops(picture)
    drawn, durations = [], []
    screen: tuple[int, int] | None = None
    for frame in _frames(picture):
        durations.append(min(max(int(frame.info.get("duration", 0)), 0), 60_000))
        copy = frame.convert("RGBA")
        screen = screen or frame.size
        if frame.size != screen:  # a frame of GIF may stick out, and is cut as by a browser
            copy = copy.crop((0, 0, *screen))
        copy.thumbnail((LONGEST, LONGEST), Resampling.LANCZOS)
        copy.info.clear()
        drawn.append(copy)
    first = _opaque(drawn[0])
    preview = first.copy()
    preview.thumbnail((PREVIEW_PIXELS, PREVIEW_PIXELS), Resampling.LANCZOS)
    path = path_of(folder, "file", WEBP)
    drawn[0].save(
        path, "WEBP", save_all=True, append_images=drawn[1:], duration=durations, loop=loops, quality=75, method=0
    )
    return Answer(
        file=made(path, WEBP, width=drawn[0].width, height=drawn[0].height),
        preview=save(preview, folder, "preview", _form_of(preview)),
    )


def _frames(picture: Image.Image) -> Iterator[Image.Image]:
    """Each frame, decoded; counted as they come, because to ask for the number is to read them all."""
    pixels = 0
    for number in range(MAX_FRAMES + 1):
        try:
            picture.seek(number)
        except EOFError:
            return
        pixels += picture.width * picture.height
        if pixels > MAX_PIXELS or number == MAX_FRAMES:
            raise Refused("image_too_large", TOO_LONG)
        picture.load()
        yield picture


def _loops(picture: Image.Image) -> int:
    """How often it is shown, 0 for ever. GIF says how often it is shown again, and nothing if never."""
    loop = picture.info.get("loop")
    if picture.format == "GIF":
        loop = 1 if loop is None else loop and loop + 1
    return min(int(loop or 0), 0xFFFF)


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(ORIENTATION, 1))
    except Exception:  # noqa: BLE001 (bad EXIF raises whatever it likes, and is no part of what is seen)
        return 1


def _plain(picture: Image.Image) -> Image.Image:
    """The picture as L, RGB, RGBA or CMYK."""
    if picture.mode == "RGBA":
        return picture
    if picture.mode.startswith("I"):  # PNG with 16 bits of grey
        return picture.point(lambda value: value / 256).convert("L")
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    if picture.mode in ("L", "RGB", "CMYK"):
        return picture
    return picture.convert("L" if picture.mode == "1" else "RGB")


def _in_srgb(picture: Image.Image) -> Image.Image:
    """The same colours without a profile. A profile that cannot be read is left out."""
    profile = picture.info.get("icc_profile")
    mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    if profile:
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            changed = ImageCms.profileToProfile(picture, own, ImageCms.createProfile("sRGB"), outputMode=mode)
        except (ImageCms.PyCMSError, OSError, ValueError):
            changed = None
        if changed is not None:
            return changed
    return picture.convert("RGB") if picture.mode == "CMYK" else picture


def _opaque(picture: Image.Image) -> Image.Image:
    """Without an alpha channel that says nothing."""
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema() == (255, 255):
        return picture.convert("RGB")
    return picture


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode != "RGBA":
        return picture
    ground = Image.new("RGB", picture.size, "white")
    ground.paste(picture, mask=picture.getchannel("A"))
    return ground


def _form_of(picture: Image.Image) -> Format:
    """JPEG; with transparency WebP, which is small for photos and drawings, as PNG is not."""
    return WEBP if picture.mode == "RGBA" else JPEG
