"""What the packets themselves and the headers of codecs tell beside sound and picture, taken out.

A container's tags stay behind by themselves when packets are copied. But H.264 and H.265 carry notes between the pictures (SEI:
the encoder with its settings; of a dash camera the place and the speed), so does AV1, and Vorbis has its comments in its header.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Callable, Sequence
from typing import BinaryIO

from av.bitstream import BitStreamFilterContext
from av.stream import Stream

NOTES = {"h264": "6", "hevc": "39|40", "av1": "5"}  # numbers of NAL units and OBUs
START_CODE = re.compile(rb"\x00?\x00\x00\x01")
# MPEG audio, layer III: bit rates by version 1 and by 2 and 2.5; sampling rates of version 1
MP3_KILOBITS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
MP3_KILOBITS_LOW = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)
MP3_FIELDS = ((19, 3), (17, 3), (12, 15), (10, 3), (9, 1))  # where in the header they are, and how wide
MP3_RATES = (44_100, 48_000, 32_000)
NO_COMMENTS = b"\x03vorbis" + struct.pack("<II", 0, 0) + b"\x01"


def filter_of(original: Stream, copy: Stream) -> BitStreamFilterContext | None:
    """What the packets of this stream must go through; and the header of its copy is cleaned."""
    context = copy.codec_context
    codec = original.codec_context.codec.canonical_name
    filtered = None
    if codec in NOTES:
        filtered = BitStreamFilterContext(f"filter_units=remove_types={NOTES[codec]}", original, copy)
    header = context.extradata
    if header and header.startswith(b"\x00\x00") and codec == "h264":
        context.extradata = without_notes(header, lambda first: first & 0x1F, (6,))
    if header and header.startswith(b"\x00\x00") and codec == "hevc":
        context.extradata = without_notes(header, lambda first: first >> 1 & 0x3F, (39, 40))
    if header and codec == "vorbis":
        context.extradata = without_vorbis_comments(header)
    if codec == "hevc":
        context.codec_tag = "hvc1"  # the name by which Apple's players know it
    return filtered


def end_of_mp3(file: BinaryIO) -> int:
    """Where the tags at the end of a file begin: ID3v1, APEv2, Lyrics3, ID3v2 with a footer.

    In a file that was cut the last frame would be filled up with them.
    """
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        file.seek(max(end - 128, 0))
        last = file.read(min(128, end)).rjust(128, b"\0")
        if last.startswith(b"TAG"):
            length = 128
        elif last[-32:-24] == b"APETAGEX":
            size, flags = struct.unpack("<I4xI", last[-20:-8])
            length = size + (32 if flags >> 31 else 0)
        elif last[-9:] == b"LYRICS200" and last[-15:-9].isdigit():
            length = int(last[-15:-9]) + 15
        elif last[-10:-7] == b"3DI":
            length = 20 + sum(byte << shift for byte, shift in zip(last[-4:], (21, 14, 7, 0), strict=True))
        else:
            break
        end -= max(length, 1)
    return max(end, 0)


def is_mp3_frame(packet: bytes) -> bool:
    """Whether it is as long as its header says. What is left at the end of a file FFmpeg hands on as if it were a frame."""
    if len(packet) < 4:
        return False
    header = int.from_bytes(packet[:4], "big")
    version, layer, bits, rate, padding = (header >> shift & mask for shift, mask in MP3_FIELDS)
    if version == 1 or layer != 1 or bits in (0, 15) or rate == 3:
        return False
    sampling = MP3_RATES[rate] // {3: 1, 2: 2, 0: 4}[version]
    size = 144_000 * MP3_KILOBITS[bits] // sampling if version == 3 else 72_000 * MP3_KILOBITS_LOW[bits] // sampling
    return len(packet) == size + padding


def without_notes(header: bytes, kind_of: Callable[[int], int], notes: Sequence[int]) -> bytes:
    """The parameter sets of H.264 or H.265, each behind a start code, as the filter leaves them. It cleans packets only."""
    units = [unit for unit in START_CODE.split(header) if unit and kind_of(unit[0]) not in notes]
    return b"".join(b"\x00\x00\x00\x01" + unit for unit in units)


def without_vorbis_comments(header: bytes) -> bytes:
    """Three headers, with the lengths of the first two before them as in Ogg's lacing; the second is the comments."""
    if header[0] != 2:
        return header
    lengths, at = [], 1
    for _ in range(2):
        length = 0
        while header[at] == 255:
            length, at = length + 255, at + 1
        lengths.append(length + header[at])
        at += 1
    first = header[at : at + lengths[0]]
    third = header[at + sum(lengths) :]
    return b"\x02" + _laced(len(first)) + _laced(len(NO_COMMENTS)) + first + NO_COMMENTS + third


def _laced(length: int) -> bytes:
    return b"\xff" * (length // 255) + bytes([length % 255])
