"""WebSocket frames as bytes, right and wrong ones (RFC 6455, 5.2)."""

from __future__ import annotations

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MASK = b"\x37\xfa\x21\x3d"


def masked(
    opcode: int,
    payload: bytes,
    *,
    fin: bool = True,
    reserved: int = 0,
    mask: bytes | None = MASK,
    size_bytes: int = 0,
    says: int | None = None,
) -> bytes:
    """A client's frame. `size_bytes`: of an extended length (0: as few as are needed); `says`: a length that is a lie."""
    length = len(payload) if says is None else says
    size_bytes = max(size_bytes, 0 if length < 126 else 2 if length < 2**16 else 8)
    second = (0x80 if mask else 0) | {0: length, 2: 126, 8: 127}[size_bytes]
    first = (0x80 if fin else 0) | reserved << 4 | opcode
    head = bytes((first, second)) + (length.to_bytes(size_bytes, "big") if size_bytes else b"")
    return head + (mask + covered(payload, mask) if mask else payload)


def covered(payload: bytes, mask: bytes) -> bytes:
    return bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def read_frames(stream: bytes) -> list[tuple[int, bytes]]:
    """Opcode and payload of a server's frames: each whole, unmasked, nothing left over."""
    found, at = [], 0
    while at < len(stream):
        assert stream[at] & 0xF0 == 0x80, stream[at]
        assert stream[at + 1] < 0x80
        body, length = at + 2, stream[at + 1]
        if length >= 126:
            body += 2 if length == 126 else 8
            length = int.from_bytes(stream[at + 2 : body], "big")
        assert body + length <= len(stream)
        found.append((stream[at] & 15, stream[body : body + length]))
        at = body + length
    return found
