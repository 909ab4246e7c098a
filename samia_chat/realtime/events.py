"""What travels: a ready frame, and what a process must know to hand it to the right sockets in the right order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

import msgspec

from samia_chat import telemetry

_encoder = msgspec.json.Encoder()


def encode(frame: dict[str, Any]) -> bytes:
    """A frame as it goes over the wire, for all its sockets. Raises TypeError for what JSON cannot say, where it is made."""
    return _encoder.encode(frame)


class Event(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A frame for everybody in a session.

    With a `revision` it is handed on in order and never dropped silently. `members_revision` is that of the last change of
    members when it was committed: a process that has not yet heard of that change asks before it hands the frame on.
    Without a revision (typing, receipts, presence) it may be dropped. `not_to` names a person whose sockets are left out;
    `further` are sessions whose sockets get it too, each socket once. With `users` or `to_staff` it is for the sockets of these
    people and of all staff, and for nobody else in the session; it is not dropped, and has no revision.
    """

    session: UUID
    frame: bytes
    revision: int | None = None
    members_revision: int = 0
    not_to: UUID | None = None
    further: tuple[UUID, ...] = ()
    users: tuple[UUID, ...] = ()
    to_staff: bool = False


class Packet(msgspec.Struct, frozen=True, array_like=True):
    """Events on their way to another process, which may run another version of this program."""

    form: Literal[
        1
    ]  # a process takes no other: after a change of what stands in an event that is not a field at its end
    events: list[Event]  # none: whoever sends it has lost some that he should have sent


MAX_PACKET_BYTES = 1 << 20  # many times a frame
_packer = msgspec.msgpack.Encoder(uuid_format="bytes")
_unpacker = msgspec.msgpack.Decoder(Packet)


def packets(events: Sequence[Event]) -> list[bytes]:
    """All of them in one, or in several where it would be too large. An event that is too large alone is dropped."""
    packed = _packer.encode((1, events))
    if len(packed) <= MAX_PACKET_BYTES:
        return [packed]
    if len(events) == 1:
        telemetry.observe("event.dropped", why="oversized")
        return []
    middle = len(events) // 2
    return packets(events[:middle]) + packets(events[middle:])


def unpack(packed: bytes) -> list[Event]:
    """Raises ValueError for what is truncated, too large, of another form or no packet at all."""
    if len(packed) > MAX_PACKET_BYTES:
        raise ValueError(f"{len(packed)} bytes are more than a packet has")
    events = _unpacker.decode(packed).events
    for event in events:
        event.frame.decode()  # a text that is not UTF-8 would end the connections of all who get it
    return events
