"""A client in a few lines: what the contract (design §5.4-5) asks of one, and nothing more. The property test drives it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from accounts.models import User
from chat.services.sync import MAX_NAMED
from tests.device import Device, Frame

REVISIONED = (
    "new_message",
    "message_updated",
    "message_deleted",
    "session_updated",
    "participant_added",
    "participant_removed",
)


@dataclass
class Held:
    """One session as a client holds it."""

    revision: int
    status: str = ""
    title: str = ""
    messages: dict[str, Frame] = field(default_factory=dict)
    cursors: dict[str, list[int]] = field(default_factory=dict)  # of the members: delivered, seen, read
    last_seq: int = 0
    unread: int | None = None


@dataclass
class ModelClient:
    person: User
    device: Device | None = None
    sessions: dict[str, Held] = field(default_factory=dict)
    needs_sync: bool = True
    received: list[Frame] = field(default_factory=list)
    max_named: int = MAX_NAMED

    # Frames ----------------------------------------------------------------------------------------------------------

    def take_frames(self) -> None:
        assert self.device is not None
        frames, self.device.frames = self.device.frames, []
        for frame in frames:
            self.received.append(frame)
            self._take(frame)

    def _take(self, frame: Frame) -> None:
        kind, session = frame["type"], frame.get("session")
        if kind == "participant_removed" and "revision" not in frame:
            self.sessions.pop(str(session), None)
        elif kind == "session_created":
            self.needs_sync = True
        elif kind == "heartbeat":
            heads = frame["heads"].items()
            self.needs_sync |= any(s not in self.sessions or self.sessions[s].revision < r for s, r in heads)
        elif kind in REVISIONED:
            self._apply(frame)
        elif kind.startswith("messages_") and session in self.sessions:
            self._receipt(self.sessions[str(session)], frame)

    def _apply(self, frame: Frame) -> None:
        held = self.sessions.get(frame["session"])
        if held is None or frame["revision"] > held.revision + 1:
            self.needs_sync = True
        elif frame["revision"] == held.revision + 1:
            held.revision += 1
            self._change(held, frame)

    def _change(self, held: Held, frame: Frame) -> None:
        match frame["type"]:
            case "new_message" | "message_updated" | "message_deleted":
                message = frame["message"]
                held.messages[message["id"]] = message
                if message["seq"] > held.last_seq:
                    self._advance(held, message)
            case "session_updated":
                held.status, held.title = frame["data"]["status"], frame["data"]["title"]
            case "participant_added":
                who = frame["participant"]
                held.cursors[who["user"]] = [who["delivered_seq"], who["seen_seq"], who["read_seq"]]
            case "participant_removed":
                held.cursors.pop(frame["user"], None)

    def _advance(self, held: Held, message: Frame) -> None:
        """A new message: whoever had read up to the one before has read his own; for others it is unread."""
        before, held.last_seq = held.last_seq, message["seq"]
        sender = message["sender"]
        if sender in held.cursors and held.cursors[sender][2] == before:
            held.cursors[sender] = [message["seq"]] * 3
        if held.unread is not None and sender != str(self.person.pk):
            held.unread += 1

    def _receipt(self, held: Held, frame: Frame) -> None:
        cursors = [frame["delivered"], frame["seen"], frame["read"]]
        if frame["user"] in held.cursors:
            known = held.cursors[frame["user"]]
            held.cursors[frame["user"]] = [max(a, b) for a, b in zip(known, cursors, strict=True)]
        if frame["user"] == str(self.person.pk) and held.unread is not None:
            held.unread = held.last_seq - frame["read"] - frame["own_ahead"]

    # Sync ------------------------------------------------------------------------------------------------------------

    async def sync(self) -> None:
        """Ask until nothing is left to ask for, slice by slice."""
        assert self.device is not None
        after: str | None = None
        while True:
            self.take_frames()
            named, up_to = self.slice(after)
            answer = await self.device.ask("resume", "resumed", sessions=named, after=after, up_to=up_to)
            self.received.append(answer)
            self.merge(answer)
            if answer["more"] or any(entry["more"] for entry in answer["sessions"]):
                continue
            if up_to is None:
                self.needs_sync = False
                return
            after = up_to

    def slice(self, after: str | None) -> tuple[dict[str, int], str | None]:
        """What to name of what comes after an id, and the id up to which that is everything; None: to the end."""
        following = sorted(session for session in self.sessions if after is None or session > after)
        named = following[: self.max_named]
        up_to = named[-1] if len(named) < len(following) else None
        return {session: self.sessions[session].revision for session in named}, up_to

    def merge(self, answer: dict[str, Any]) -> None:
        for session in answer["gone"]:
            self.sessions.pop(session, None)
        for entry in answer["sessions"]:
            self._merge_session(entry)
        for session, told in answer["cursors"].items():
            held = self.sessions[session]
            held.cursors, held.unread = dict(told["users"]), told["unread"]

    def _merge_session(self, entry: dict[str, Any]) -> None:
        session = entry["session"]
        held = self.sessions.get(session["id"])
        if held is None or entry["reset"]:
            held = self.sessions[session["id"]] = Held(revision=0)
        if held.revision > entry["revision"]:
            return  # an event overtook the answer
        held.revision = entry["revision"]
        held.status, held.title, held.last_seq = session["status"], session["title"], session["last_seq"]
        held.messages.update({message["id"]: message for message in entry["messages"]})
        held.cursors = {
            p["user"]: [p["delivered_seq"], p["seen_seq"], p["read_seq"]]
            for p in session["participants"]
            if p["left_at"] is None
        }
        held.unread = session["mine"]["unread"] if session["mine"] else None
