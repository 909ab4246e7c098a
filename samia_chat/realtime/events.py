"""What travels: a ready frame, and what a process must know to hand it to the right sockets in the right order."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

_encoder = msgspec.json.Encoder()


def encode(frame: dict[str, Any]) -> str:
    """A frame as it goes over the wire. Raises TypeError for what JSON cannot say, where it is made."""
    return _encoder.encode(frame).decode()


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A frame for everybody in a session.

    With a `revision` it is handed on in order and never dropped silently. `members_revision` is that of the last change of
    members when it was committed: a process that has not yet heard of that change asks before it hands the frame on.
    Without a revision (typing, receipts, presence) it may be dropped. `not_to` names a person whose sockets are left out;
    `further` are sessions whose sockets get it too, each socket once.
    """

    session: UUID
    frame: str
    revision: int | None = None
    members_revision: int = 0
    not_to: UUID | None = None
    further: tuple[UUID, ...] = ()

    def pack(self) -> list[Any]:
        """For the channel layer: built-in types only."""
        not_to = self.not_to.bytes if self.not_to else None
        further = b"".join(session.bytes for session in self.further)
        return [self.session.bytes, self.frame, self.revision, self.members_revision, not_to, further]

    @classmethod
    def unpack(cls, packed: list[Any]) -> Event:
        session, frame, revision, members_revision, not_to, further = packed
        return cls(
            session=UUID(bytes=bytes(session)),
            frame=frame,
            revision=revision,
            members_revision=members_revision,
            not_to=UUID(bytes=bytes(not_to)) if not_to else None,
            further=tuple(UUID(bytes=further[at : at + 16]) for at in range(0, len(further), 16)),
        )
