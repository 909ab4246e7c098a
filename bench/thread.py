"""What a client holds of a session."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from typing import Any
from uuid import UUID


@dataclass(slots=True)
class Message:
    seq: int
    revision: int  # of its last change
    text: str  # empty once it is deleted


@dataclass(slots=True)
class Thread:
    """A session from the first message on of the page with which the client began."""

    is_own: bool = True  # False: staff look into it
    status: str = "active"
    revision: int = 0
    first: int = 0  # seq; 0: of an empty thread all is held
    newest: int = 0  # seq
    messages: dict[str, Message] = field(default_factory=dict)  # by id, in the order in which they came

    def take(self, message: dict[str, Any]) -> str:
        """A message in an answer or a frame: "new", "late" (new, but behind a newer one), "known", "older" than the first, or
        "other" (it was known under another number)."""
        name, seq = message["id"], message["seq"]
        known = self.messages.get(name)
        if known is not None:
            if message["revision"] > known.revision:
                known.revision, known.text = message["revision"], message["content"]
            return "known" if known.seq == seq else "other"
        # An answer to `resume` has what changed in the order of changes: then a number says nothing of the order.
        is_changed = message["edited_at"] is not None or message["deleted_at"] is not None
        if is_changed and seq < self.first:
            return "older"
        is_late = seq < self.newest and not is_changed
        self.messages[name] = Message(seq, message["revision"], message["content"])
        self.first = min(self.first or seq, seq)
        self.newest = max(self.newest, seq)
        return "late" if is_late else "new"

    def differs(self, thread: dict[str, Message]) -> int:
        """Messages that the whole thread has from our first one on and we have not, or not so, and the other way round."""
        since = {name: one for name, one in thread.items() if one.seq >= self.first}
        others = since.keys() ^ self.messages.keys()
        return len(others) + sum(
            self.messages[name].text != one.text for name, one in since.items() if name not in others
        )


def digest(sessions: list[str]) -> str:
    """As docs/asyncapi.yaml has it: the exclusive or of the ids, in 32 hexadecimal digits."""
    return f"{reduce(lambda found, session: found ^ UUID(session).int, sessions, 0):032x}"
