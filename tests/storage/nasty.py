"""Dangerous and broken files, made in code. Each with the code that it is to be refused with."""

from __future__ import annotations

import io
import random
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import av
from PIL import Image

from tests.storage import samples

UNREADABLE, TYPE, LARGE, LONG = "file_unreadable", "file_type", "image_too_large", "file_too_long"


Cases = dict[str, tuple[bytes, str]]


def all_nasty(folder: Path) -> dict[str, tuple[Path, str]]:
    cases: Cases = {**_pictures(), **_media(), **_documents(), **_kinds(), **_noise()}
    for name, (content, _) in cases.items():
        (folder / name).write_bytes(content)
    return {name: (folder / name, code) for name, (_, code) in cases.items()}


def _pictures() -> Cases:
    photo, drawing = content_of(samples.photo, "jpg"), content_of(samples.drawing, "png")
    gif, webp = content_of(samples.animated_gif, "gif"), content_of(samples.animated_webp, "webp")
    text_bomb, profile_bomb = (
        chunk(b"zTXt", b"a\0\0" + zeros(100_000_000)),
        chunk(b"iCCP", b"a\0\0" + zeros(100_000_000)),
    )
    wide = 16_382 | 16_382 << 14
    return {
        "50000-wide.png": (png(50_000, 50_000), LARGE),
        "black-bomb.png": (png(30_000, 30_000, rows=2_000), LARGE),
        "41-megapixels.png": (png(6_400, 6_410, rows=10), LARGE),
        "text-bomb.png": (png(10, 10, rows=10, extra=text_bomb), UNREADABLE),
        "profile-bomb.png": (png(10, 10, rows=10, extra=profile_bomb), UNREADABLE),
        "cut.png": (drawing[: len(drawing) // 2], UNREADABLE),
        "head-only.png": (drawing[:20], UNREADABLE),
        "65500-wide.jpg": (jpeg_declaring(photo, 65_500, 65_500), LARGE),
        "cut.jpg": (photo[: len(photo) // 2], UNREADABLE),
        "cut-in-exif.jpg": (photo[:200], UNREADABLE),
        "100000-frames.gif": (gif_of(100_000), LARGE),
        "501-frames.gif": (gif_of(501), LARGE),
        "large-frames.gif": (gif_of(2, 5_000, 5_000), LARGE),
        "grown-frame.gif": (gif_of(1)[:-1] + gif_frame(40_000, 40_000) + b";", LARGE),
        "cut.gif": (gif[: len(gif) // 2], UNREADABLE),
        "16383-wide.webp": (webp_of(2, 16_383, 16_383), LARGE),
        "16383-wide-lossless.webp": (riff(b"VP8L", b"\x2f" + wide.to_bytes(4, "little")), LARGE),
        "16383-wide-lossy.webp": (riff(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 16_383, 16_383)), LARGE),
        "501-frames.webp": (webp_of(501, 16, 16), LARGE),
        "large-frames.webp": (webp_of(9, 4_000, 1_200), LARGE),
        "cut.webp": (webp[: len(webp) // 2], UNREADABLE),
    }


def _media() -> Cases:
    mp4, webm = content_of(samples.phone_mp4, "mp4"), content_of(samples.recorded_webm, "webm")
    fast = content_of(lambda path: samples.video(path, "mp4", "libx264", options={"movflags": "+faststart"}), "mp4")
    spoken = content_of(lambda path: samples.sound(path, "mp4", "aac", options={"movflags": "+faststart"}), "m4a")
    vp8 = content_of(lambda path: samples.video(path, "webm", "libvpx"), "webm")
    grown = vp8.replace(b"\x9d\x01\x2a\x60\0\x40\0", b"\x9d\x01\x2a" + struct.pack("<HH", 16_383, 16_383))
    assert grown != vp8
    return {
        "cut-before-table.mp4": (mp4[: len(mp4) // 2], UNREADABLE),
        "cut-behind-table.mp4": (fast[:-20], UNREADABLE),
        "cut-behind-table.m4a": (spoken[: len(spoken) // 2], UNREADABLE),
        "box-without-end.mp4": (mp4[:32] + struct.pack(">I4sQ", 1, b"mdat", 2**62) + bytes(64), UNREADABLE),
        "no-tracks.mp4": (b"\0\0\0\x18ftypisom\0\0\0\0isommp41\0\0\0\x08moov", UNREADABLE),
        "noise-packets.m4a": (content_of(lambda path: broken_packets(path, 0.2), "m4a"), UNREADABLE),
        "head-only.webm": (webm[:300], UNREADABLE),
        "grown-frame.webm": (grown, UNREADABLE),
        "large.mp4": (content_of(large_video, "mp4"), LARGE),
        "old-codec.mp4": (content_of(lambda path: samples.video(path, "mp4", "mpeg4", "aac"), "mp4"), TYPE),
        "other-sound.m4a": (content_of(lambda path: samples.sound(path, "mp4", "ac3"), "m4a"), TYPE),
        "4-hours.wav": (wav(4 * 3600, rate=1000), LONG),
        "no-samples.wav": (wav(0), UNREADABLE),
        "other-codec.wav": (wav(1, tag=0x11), TYPE),
    }


def _documents() -> Cases:
    pdf = content_of(samples.pdf, "pdf")
    return {
        "cut.pdf": (pdf[:120], UNREADABLE),
        "head-only.pdf": (b"%PDF-1.7\n", UNREADABLE),
        "no-pages.pdf": (pdf_of(b"<</Type/Pages/Kids[]/Count 0>>"), UNREADABLE),
        "locked.pdf": (pdf_of(b"<</Type/Pages/Kids[3 0 R]/Count 1>>", locked=True), UNREADABLE),
        "latin.txt": ("Café, après-midi".encode("latin-1"), TYPE),
        "utf-16.txt": ("text".encode("utf-16"), TYPE),
        "nul.txt": (b"text\0text", TYPE),
        "late-nul.txt": (b"text " * 1000 + b"\0", TYPE),
        "late-latin.txt": (b"text " * 1000 + b"\xe9t\xe9", TYPE),
        "escape.txt": (b"text \x1b]0;title\x07", TYPE),
    }


def _kinds() -> Cases:
    """Bytes of other kinds; what they are called does not matter, and is a lie."""
    html = b"<script>alert(1)</script>"
    contents = {
        "html.png": b"\n <!DOCTYPE html><html><body>" + html,
        "html.txt": b"<html>" + html,
        "fragment.txt": html,
        "commented.txt": b"<!-- x --><svg onload=alert(1)>",
        "bom.txt": b"\xef\xbb\xbf<HTML>" + html,
        "drawing.jpg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        "prefixed.txt": b'<s:svg xmlns:s="http://www.w3.org/2000/svg"/>',
        "declared.webp": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        "page.pdf": b"<?php system($_GET[0]);",
        "script.txt": b"#!/bin/sh\nrm -rf ~\n",
        "eps.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n",
        "eps-binary.png": b"\xc5\xd0\xd3\xc6" + bytes(60),
        "psd.png": b"8BPS\0\1" + bytes(60),
        "bmp.jpg": _picture_as("BMP"),
        "ico.gif": _picture_as("ICO"),
        "tiff.jpg": _picture_as("TIFF"),
        "tiff-big-endian.jpg": b"MM\0*\0\0\0\x08" + bytes(60),
        "pcx.png": _picture_as("PCX"),
        "tga.png": _picture_as("TGA"),
        "jpeg2000.jpg": _picture_as("JPEG2000"),
        "avif.jpg": _picture_as("AVIF"),
        "heic.jpg": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(60),
        "zip.png": b"PK\3\4" + bytes(60),
        "gzip.txt": b"\x1f\x8b\x08" + bytes(60),
        "rar.txt": b"Rar!\x1a\x07\x01\0" + bytes(60),
        "elf.mp3": b"\x7fELF\2\1\1" + bytes(60),
        "windows.wav": b"MZ\x90\0" + bytes(60),
        "class.ogg": b"\xca\xfe\xba\xbe" + bytes(60),
        "wasm.ogg": b"\0asm\1\0\0\0" + bytes(60),
        "flac.mp3": b"fLaC\0\0\0\x22" + bytes(60),
        "avi.webm": b"RIFF" + bytes(4) + b"AVI LIST" + bytes(60),
        "matroska.webm": b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska\x42\x87\x81\4" + bytes(60),
        "flash.mp4": b"FLV\1\5\0\0\0\x09" + bytes(60),
        "midi.mp3": b"MThd\0\0\0\6" + bytes(60),
        "mpeg-layer-2.mp3": b"\xff\xfd\x80\x04" + bytes(400),
    }
    return {**{name: (content, TYPE) for name, content in contents.items()}, "empty.txt": (b"", "file_empty")}


def _noise() -> Cases:
    """The right first bytes, and then noise."""
    noise = random.Random(7).randbytes(20_000)
    heads = {
        "noise.jpg": b"\xff\xd8\xff\xe0",
        "noise.png": b"\x89PNG\r\n\x1a\n",
        "noise.gif": b"GIF89a",
        "noise.webp": b"RIFF\x20\x4e\0\0WEBPVP8 ",
        "noise.mp3": b"\xff\xfb\x90\x64",
        "noise-tag.mp3": b"ID3\3\0\0\0\0\1\0",
        "noise.wav": b"RIFF\x20\x4e\0\0WAVEfmt \x10\0\0\0",
        "noise.ogg": b"OggS\0\2",
        "noise.webm": b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\1\x42\xf7\x81\1\x42\xf2\x81\4\x42\xf3\x81\x08\x42\x82\x84webm",
        "noise.mp4": b"\0\0\0\x18ftypisom\0\0\0\0isommp41",
        "noise.pdf": b"%PDF-1.7\n",
    }
    return {name: (head + noise, UNREADABLE) for name, head in heads.items()}


def flipped(content: bytes, seed: int) -> Iterator[bytes]:
    """The file with some bytes changed, with a part missing, and with a part twice."""
    chance = random.Random(seed)
    changed = bytearray(content)
    for _ in range(max(len(content) // 500, 4)):
        changed[chance.randrange(12, len(changed))] = chance.randrange(256)
    yield bytes(changed)
    first, last = sorted(chance.randrange(12, len(content)) for _ in range(2))
    yield content[:first] + content[last:]
    yield content[:last] + content[first:]


# Pieces --------------------------------------------------------------------------------------------------------------


def content_of(make: Callable[[Path], object], extension: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"made.{extension}"
        make(path)
        return path.read_bytes()


def _picture_as(form: str) -> bytes:
    buffer = io.BytesIO()
    samples.picture(64, 64).save(buffer, form)
    return buffer.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def zeros(count: int) -> bytes:
    packer, block = zlib.compressobj(1), bytes(1_000_000)
    return b"".join(packer.compress(block) for _ in range(count // len(block))) + packer.flush()


def png(width: int, height: int, *, rows: int = 0, extra: bytes = b"") -> bytes:
    """One bit a pixel, black; with fewer rows than it declares, if so wished."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(bytes(rows * (1 + (width + 7) // 8)), 1))
    return b"\x89PNG\r\n\x1a\n" + head + extra + data + chunk(b"IEND", b"")


def jpeg_declaring(content: bytes, width: int, height: int) -> bytes:
    at = content.rindex(b"\xff\xc0")  # the frame's header; the EXIF before it may hold another picture
    return content[: at + 5] + struct.pack(">HH", height, width) + content[at + 9 :]


def gif_frame(width: int, height: int) -> bytes:
    """Its pixels are missing but for the first."""
    return b"!\xf9\4\0\0\0\0\0," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\2\2\x44\1\0"


def gif_of(count: int, width: int = 1, height: int = 1) -> bytes:
    if width > 1:
        buffer = io.BytesIO()
        first, second = Image.new("P", (width, height), 0), Image.new("P", (width, height), 1)
        first.putpalette(bytes(3) + bytes([255] * 3))
        second.putpalette(bytes(3) + bytes([255] * 3))
        first.save(buffer, "GIF", save_all=True, append_images=[second] * (count - 1))
        return buffer.getvalue()
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(3) + bytes([255] * 3)
    return head + gif_frame(1, 1) * count + b";"


def riff(name: bytes, data: bytes) -> bytes:
    body = b"WEBP" + chunk_of_riff(name, data)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def webp_of(count: int, width: int, height: int) -> bytes:
    """An animation on a canvas of this size, each frame of which changes one pixel."""
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1)).save(buffer, "WEBP", lossless=True)
    pixel = buffer.getvalue()[12:]
    frame = bytes(6) + bytes(6) + (40).to_bytes(3, "little") + b"\0" + pixel
    parts = (
        chunk_of_riff(b"VP8X", b"\2\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")),
        chunk_of_riff(b"ANIM", bytes(6)),
        chunk_of_riff(b"ANMF", frame) * count,
    )
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def chunk_of_riff(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def wav(seconds: int, *, rate: int = 8000, tag: int = 1) -> bytes:
    """Silence of eight bits."""
    data = b"\x80" * (seconds * rate)
    head = b"fmt " + struct.pack("<IHHIIHH", 16, tag, 1, rate, rate, 1, 8)
    return (
        b"RIFF" + struct.pack("<I", 28 + len(data) + 8) + b"WAVE" + head + b"data" + struct.pack("<I", len(data)) + data
    )


def end_tags() -> dict[str, bytes]:
    """Tags that stand behind an MP3, and all of them together."""
    mark = samples.MARK.encode()
    item = struct.pack("<II", len(mark), 0) + b"Artist\0" + mark
    ape = b"APETAGEX" + struct.pack("<IIII8x", 2000, len(item) + 32, 1, 1 << 31)
    lyrics = b"LYRICSBEGINLYR00006" + mark
    frames = samples.id3({b"TIT2": b"\0" + mark})
    tags = {
        "id3v1": b"TAG" + mark.ljust(125, b"\0"),
        "ape": ape + item + ape,
        "lyrics": lyrics + b"%06dLYRICS200" % len(lyrics),
        "id3v2": frames + b"3DI" + frames[3:10],
    }
    return {**tags, "all": tags["id3v2"] + tags["ape"] + tags["lyrics"] + tags["id3v1"]}


def broken_packets(path: Path, share: float = 0.0, first: int = 0) -> None:
    """Two seconds of AAC in MP4, in which this share of the packets is noise, or so many at the beginning."""
    samples.sound(path.with_suffix(".temporary"), "mp4", "aac")
    noise = random.Random(5)
    with av.open(str(path.with_suffix(".temporary"))) as given, av.open(str(path), "w", format="mp4") as output:
        copy = output.add_stream_from_template(given.streams.audio[0])
        for number, packet in enumerate(given.demux(audio=0)):
            if not packet.size:
                continue
            if number < first or int(number * share) != int((number + 1) * share):
                broken = av.Packet(noise.randbytes(packet.size))
                broken.time_base, broken.pts, broken.dts = packet.time_base, packet.pts, packet.dts
                packet = broken
            packet.stream = copy
            output.mux(packet)
    path.with_suffix(".temporary").unlink()


def large_video(path: Path) -> None:
    """One picture of 17 megapixels."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 4160, 4000, "yuv420p"
        frame = av.VideoFrame(stream.width, stream.height, stream.pix_fmt)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.pts = 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def lying_mp3(path: Path) -> None:
    """Its header counts the frames of 6 s, and 2 s are there."""
    samples.sound(path, "mp3", "libmp3lame", seconds=6.0)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 3])


def pdf_of(pages: bytes, *, locked: bool = False, script: bytes = b"") -> bytes:
    objects = [
        b"<</Type/Catalog/Pages 2 0 R"
        + (b"/OpenAction<</S/JavaScript/JS(" + script + b")>>" if script else b"")
        + b">>",
        pages,
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>",
        b"<</Filter/Standard/V 1/R 2/P -4/O<" + b"41" * 32 + b">/U<" + b"42" * 32 + b">>>",
    ]
    content, places = b"%PDF-1.7\n", []
    for number, written in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, written)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"<</Size 5/Root 1 0 R" + (b"/Encrypt 4 0 R/ID[<41><41>]" if locked else b"") + b">>"
    return (
        content
        + b"xref\n0 5\n0000000000 65535 f \n"
        + table
        + b"trailer\n%s\nstartxref\n%d\n%%%%EOF\n" % (trailer, len(content))
    )


def scripted_pdf() -> bytes:
    return pdf_of(b"<</Type/Pages/Kids[3 0 R]/Count 1>>", script=b"app.alert\\(1\\)")
