"""Good files, made in code, with things in them that must not go on. Whatever tells something contains MARK."""

from __future__ import annotations

import io
import math
import struct
from array import array
from collections.abc import Callable, Iterator
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path

import av
import pypdfium2
from av.stream import Disposition
from PIL import Image, ImageCms, ImageDraw
from PIL.PngImagePlugin import PngInfo

MARK = "Mark7Q"
SERIAL = f"{MARK}-serial"
GPS = (24.0, 42.0, 49.123)
TAGS = {"title": f"{MARK} title", "comment": f"{MARK} comment", "artist": f"{MARK} artist"}
PLACE = "+24.7136+046.6753/"
RATE = 48_000


def all_samples(folder: Path) -> dict[str, tuple[Path, str]]:
    """Each with the content type that it is to get."""
    makers: dict[str, tuple[Callable[[Path], object], str]] = {
        "photo.jpg": (photo, "image/jpeg"),
        "commented.jpg": (lambda path: picture().save(path, comment=f"{MARK} comment", exif=exif()), "image/jpeg"),
        "drawing.png": (drawing, "image/webp"),
        "opaque.png": (opaque, "image/jpeg"),
        "grey16.png": (grey16, "image/jpeg"),
        "still.gif": (lambda path: picture().save(path), "image/jpeg"),
        "animated.gif": (animated_gif, "image/webp"),
        "still.webp": (still_webp, "image/jpeg"),
        "animated.webp": (animated_webp, "image/webp"),
        "tagged.mp3": (tagged_mp3, "audio/mpeg"),
        "bare.mp3": (lambda path: sound(path, "mp3", "libmp3lame", options={"id3v2_version": "0"}), "audio/mpeg"),
        "tagged.wav": (lambda path: sound(path, "wav", "pcm_s16le"), "audio/wav"),
        "opus.ogg": (lambda path: sound(path, "ogg", "libopus"), "audio/ogg"),
        "vorbis.ogg": (lambda path: sound(path, "ogg", "vorbis", channels=2), "audio/ogg"),
        "tagged.webm": (lambda path: sound(path, "webm", "libopus"), "audio/webm"),
        "vorbis.webm": (vorbis_webm, "audio/webm"),
        "recorded.webm": (recorded_webm, "audio/webm"),
        "tagged.m4a": (covered_m4a, "audio/mp4"),
        "recorded.mp4": (recorded_mp4, "audio/mp4"),
        "phone.mp4": (phone_mp4, "video/mp4"),
        "phone.mov": (lambda path: video(path, "mov", "libx264", "aac"), "video/mp4"),
        "hevc.mp4": (lambda path: video(path, "mp4", "libx265", "aac"), "video/mp4"),
        "vp8.webm": (lambda path: video(path, "webm", "libvpx", "libopus"), "video/webm"),
        "av1.webm": (av1_webm, "video/webm"),
        "silent-vp9.webm": (lambda path: video(path, "webm", "libvpx-vp9"), "video/webm"),
        "document.pdf": (pdf, "application/pdf"),
        "note.txt": (note, "text/plain; charset=utf-8"),
    }
    made = {}
    for name, (make, content_type) in makers.items():
        make(folder / name)
        made[name] = (folder / name, content_type)
    return made


# Pictures ------------------------------------------------------------------------------------------------------------


def picture(width: int = 400, height: int = 300) -> Image.Image:
    """Red at the left, blue at the right, a white bar at the top."""
    shown = Image.new("RGB", (width, height), (200, 30, 30))
    draw = ImageDraw.Draw(shown)
    draw.rectangle((width // 2, 0, width, height), fill=(30, 30, 200))
    draw.rectangle((0, 0, width, height // 8), fill=(255, 255, 255))
    return shown


def exif(orientation: int = 1) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010F] = f"{MARK} maker"
    tags[0x9286] = f"{MARK} user comment"
    tags.get_ifd(0x8769)[0xA431] = SERIAL
    tags.get_ifd(0x8825).update({1: "N", 2: GPS, 3: "E", 4: GPS, 29: f"{MARK} date"})
    return tags.tobytes()


XMP = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:li>{MARK} xmp</rdf:li></x:xmpmeta>".encode()


def photo(path: Path, orientation: int = 6) -> None:
    """As a phone held upright takes it: the pixels lie on their side."""
    picture(2600, 1300).save(
        path,
        exif=exif(orientation),
        xmp=XMP,
        comment=f"{MARK} comment",
        icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        quality=90,
    )
    with open(path, "ab") as file:
        file.write(f"{MARK} behind the end".encode())


def swapped_profile() -> bytes:
    """A colour profile in which red means green, and green red."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    places = {}
    for at in range(132, 132 + 12 * int.from_bytes(profile[128:132], "big"), 12):
        name, first, size = struct.unpack(">4sII", profile[at : at + 12])
        places[name] = slice(first, first + size)
    red, green = places[b"rXYZ"], places[b"gXYZ"]
    profile[red], profile[green] = profile[green], profile[red]
    return bytes(profile)


def drawing(path: Path) -> None:
    info = PngInfo()
    info.add_text("Comment", f"{MARK} text")
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    info.add_text("Packed", f"{MARK} packed text", zip=True)
    shown = picture().convert("RGBA")
    ImageDraw.Draw(shown).rectangle((0, 100, 100, 200), fill=(0, 0, 0, 0))
    shown.save(path, pnginfo=info, exif=exif())


def opaque(path: Path) -> None:
    picture().convert("RGBA").save(path)


def grey16(path: Path) -> None:
    shown = Image.new("I;16", (64, 64), 0x8000)
    shown.save(path)


def frames(count: int = 5, size: int = 60) -> list[Image.Image]:
    drawn = []
    for number in range(count):
        frame = Image.new("RGB", (size, size), (255, 255, 255))
        ImageDraw.Draw(frame).rectangle((number * 10, 10, number * 10 + 10, 30), fill=(200, 0, 50 * number))
        drawn.append(frame)
    return drawn


def animated_gif(path: Path) -> None:
    first, *others = frames()
    first.save(path, save_all=True, append_images=others, duration=[100, 200, 100, 100, 100], loop=0, comment=MARK)


def still_webp(path: Path) -> None:
    picture().save(path, exif=exif(), xmp=XMP)


def animated_webp(path: Path) -> None:
    first, *others = frames()
    first.save(path, save_all=True, append_images=others, duration=80, loop=3, exif=exif(), xmp=XMP)


# Sound ---------------------------------------------------------------------------------------------------------------


def evenly(_: float) -> float:
    return 0.5


def tone(seconds: float, envelope: Callable[[float], float] = evenly, channels: int = 1) -> Iterator[av.AudioFrame]:
    """A sine of 440 Hz, as loud as the envelope says at each second, in frames of 20 ms."""
    count = RATE // 50
    for first in range(0, int(seconds * RATE), count):
        samples = array("h")
        for number in range(first, min(first + count, int(seconds * RATE))):
            value = int(32767 * envelope(number / RATE) * math.sin(2 * math.pi * 440 * number / RATE))
            samples.extend([value] * channels)
        frame = av.AudioFrame("s16", "mono" if channels == 1 else "stereo", len(samples) // channels)
        frame.planes[0].update(samples.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
        frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
        yield frame


def sound(
    path: Path,
    container: str,
    codec: str,
    *,
    seconds: float = 2.0,
    envelope: Callable[[float], float] = evenly,
    channels: int = 1,
    options: dict[str, str] | None = None,
    begins: float = 0.0,
    gap: tuple[float, float] | None = None,
    cover: bool = False,
) -> None:
    """`gap`: after so many seconds nothing for so many. `begins`: the time of the first sample."""
    with av.open(str(path), "w", format=container, container_options=options or {}) as output:
        output.metadata.update(TAGS)
        layout = "mono" if channels == 1 else "stereo"
        strict = {"strict": "experimental"} if codec == "vorbis" else {}
        stream = output.add_stream(codec, rate=RATE, layout=layout, options=strict)
        stream.metadata["title"] = f"{MARK} stream"
        jpeg = None
        if cover:
            jpeg = output.add_stream("mjpeg", rate=1)
            jpeg.width = jpeg.height = 32
            jpeg.pix_fmt = "yuvj420p"
            jpeg.disposition = Disposition.attached_pic
        for frame in tone(seconds, envelope, channels):
            late = begins + (gap[1] if gap and frame.pts / RATE >= gap[0] else 0)
            frame.pts += int(late * RATE)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        if jpeg is not None:
            frame = av.VideoFrame(32, 32, "yuvj420p")
            frame.pts = 0
            output.mux(jpeg.encode(frame))
            output.mux(jpeg.encode(None))


def id3(frames: dict[bytes, bytes]) -> bytes:
    """An ID3v2.3 tag."""
    body = b"".join(name + struct.pack(">IH", len(data), 0) + data for name, data in frames.items())
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\3\0\0" + size + body


def jpeg_bytes() -> bytes:
    buffer = io.BytesIO()
    picture(64, 64).save(buffer, "JPEG", comment=f"{MARK} cover")
    return buffer.getvalue()


def tagged_mp3(path: Path) -> None:
    """With a cover, a private frame, a text in UTF-16, an old tag at the end, and text that is no UTF-8."""
    sound(path, "mp3", "libmp3lame", options={"id3v2_version": "0"})
    tag = id3(
        {
            b"TIT2": b"\1" + MARK.encode("utf-16"),
            b"TPE1": b"\0" + MARK.encode() + b"\xff\xfe\x80",
            b"APIC": b"\0image/jpeg\0\3\0" + jpeg_bytes(),
            b"PRIV": b"owner\0" + MARK.encode(),
        }
    )
    path.write_bytes(tag + path.read_bytes() + b"TAG" + MARK.encode().ljust(125, b"\0"))


def vorbis_webm(path: Path) -> None:
    """WebM keeps Vorbis's own header, and in it who made it and comments."""
    ogg = path.with_suffix(".temporary")
    sound(ogg, "ogg", "vorbis", channels=2)
    with av.open(str(ogg)) as given, av.open(str(path), "w") as output:
        copy = output.add_stream_from_template(given.streams.audio[0])
        header = copy.codec_context.extradata
        maker, comment = f"{MARK} maker".encode(), f"ARTIST={MARK}".encode()
        comments = b"\3vorbis" + b"".join(
            (struct.pack("<I", len(maker)), maker, struct.pack("<II", 1, len(comment)), comment, b"\1")
        )
        # Two lengths of one byte each, then the three headers.
        first, third = header[3 : 3 + header[1]], header[3 + header[1] + header[2] :]
        copy.codec_context.extradata = bytes((2, header[1], len(comments))) + first + comments + third
        for packet in given.demux(audio=0):
            if packet.size:
                packet.stream = copy
                output.mux(packet)
    ogg.unlink()


def recorded_webm(path: Path, seconds: float = 2.0) -> None:
    """As Chromium's MediaRecorder writes: no duration, no index, and time that began with the page. 3 s of silence missing."""
    sound(path, "webm", "libopus", seconds=seconds, options={"live": "1"}, begins=7.5, gap=(1.0, 3.0))


def recorded_mp4(path: Path) -> None:
    """The same recorder with MP4: fragments, Opus."""
    movflags = "frag_keyframe+empty_moov+default_base_moof"
    sound(path, "mp4", "libopus", seconds=2.5, options={"movflags": movflags, "frag_duration": "500000"})


def covered_m4a(path: Path) -> None:
    sound(path, "mp4", "aac", cover=True)


# Video ---------------------------------------------------------------------------------------------------------------


def video(
    path: Path,
    container: str,
    codec: str,
    sound_codec: str | None = None,
    *,
    count: int = 20,
    size: tuple[int, int] = (96, 64),
    options: dict[str, str] | None = None,
) -> None:
    """Ten pictures a second, the left half red, the right half blue."""
    buffer = picture(*size).tobytes()
    with av.open(str(path), "w", format=container, container_options=options or {}) as output:
        output.metadata.update({**TAGS, "location": PLACE})
        output.set_chapters(
            [
                {
                    "id": 1,
                    "start": 0,
                    "end": 1000,
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": f"{MARK} chapter"},
                }
            ]
        )
        quiet = {"x265-params": "log-level=none"} if codec == "libx265" else {}
        stream = output.add_stream(codec, rate=10, options=quiet)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.metadata["handler_name"] = f"{MARK} handler"
        audio = output.add_stream(sound_codec, rate=RATE, layout="mono") if sound_codec else None
        tones = tone(count / 10)
        for number in range(count):
            frame = av.VideoFrame(*size, "rgb24")
            plane = frame.planes[0]
            rows = (buffer[row * size[0] * 3 :][: size[0] * 3].ljust(plane.line_size, b"\0") for row in range(size[1]))
            plane.update(b"".join(rows).ljust(plane.buffer_size, b"\0"))
            frame = frame.reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            output.mux(stream.encode(frame))
            for _ in range(5 if audio else 0):
                output.mux(audio.encode(next(tones)))
        output.mux(stream.encode(None))
        if audio:
            output.mux(audio.encode(None))


def av1_webm(path: Path) -> None:
    """In a process of its own: where it is root this encoder puts the thread that calls it among those in real time
    (SCHED_FIFO, 99) for good, and every server and browser that the tests start later inherits that."""
    child = get_context("spawn").Process(target=video, args=(path, "webm", "libsvtav1", "libopus"))
    child.start()
    child.join()
    assert child.exitcode == 0


def phone_mp4(path: Path) -> None:
    """Held upright: the pictures lie on their side and the box says how to turn them. Its note of the encoder bears our mark."""
    video(path, "mp4", "libx264", "aac", options={"movflags": "use_metadata_tags"})
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 4 + 40  # version 0: the matrix
    quarter = struct.pack(">9i", 0, 0x10000, 0, -0x10000, 0, 0, 64 << 16, 0, 0x40000000)
    content[at : at + 36] = quarter
    note = content.index(b"x264 - core")
    content[note : note + len(MARK)] = MARK.encode()
    path.write_bytes(content)


# Documents -----------------------------------------------------------------------------------------------------------


def pdf(path: Path) -> None:
    document = pypdfium2.PdfDocument.new()
    document.new_page(300, 200)
    document.new_page(300, 200)
    document.save(str(path))


def note(path: Path) -> None:
    path.write_text("السلام عليكم\r\n\tIs 1 < 2? Yes. 🙂\n")
