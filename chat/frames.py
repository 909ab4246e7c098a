"""The frames that tell of changes. Each function is one frame of docs/asyncapi.yaml, ready to be published."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from chat.shapes import Shape
from samia_chat.realtime.events import Event, encode


def message_event(kind: str, message: Shape, *, members_revision: int) -> Event:
    """`new_message`, `message_updated` or `message_deleted`, with the whole message."""
    session: UUID = message["session"]
    return Event(
        session=session,
        revision=message["revision"],
        members_revision=members_revision,
        frame=encode({"type": kind, "session": session, "revision": message["revision"], "message": message}),
    )


def voice_event(kind: str, message: Shape) -> Event:
    """`voice_approval_needed`, `voice_approved`, `voice_rejected` or `voice_withdrawn`: for the sender's devices and staff."""
    frame = {"type": kind, "session": message["session"], "message": message}
    return Event(session=message["session"], users=(message["sender"],), to_staff=True, frame=encode(frame))


def file_waiting(message: Shape) -> Event:
    """For staff: the file of a message waits, because the virus scanner does not answer."""
    frame = {"type": "file_waiting", "session": message["session"], "message": message["id"]}
    return Event(session=message["session"], to_staff=True, frame=encode(frame))


def session_updated(session: Shape, *, revision: int, members_revision: int) -> Event:
    return Event(
        session=session["id"],
        revision=revision,
        members_revision=members_revision,
        frame=encode({"type": "session_updated", "session": session["id"], "revision": revision, "data": session}),
    )


def participant_added(session_id: UUID, participant: Shape, *, revision: int) -> Event:
    frame = {"type": "participant_added", "session": session_id, "revision": revision, "participant": participant}
    return Event(session=session_id, revision=revision, members_revision=revision, frame=encode(frame))


def participant_removed(session_id: UUID, user_id: UUID, *, revision: int) -> Event:
    """For those who stay. The one who was removed hears only that it is over, from the hub."""
    frame = {"type": "participant_removed", "session": session_id, "revision": revision, "user": user_id}
    return Event(session=session_id, revision=revision, members_revision=revision, frame=encode(frame))


def receipt(kind: str, session_id: UUID, user_id: UUID, cursors: dict[str, int]) -> Event:
    """`kind` is delivered, seen or read; `cursors` are all three, so that one lost receipt is made good by the next."""
    frame: dict[str, Any] = {"type": f"messages_{kind}", "session": session_id, "user": user_id, **cursors}
    return Event(session=session_id, frame=encode(frame))


def typing(kind: str, session_id: UUID, user_id: UUID, what: str, *, members_revision: int) -> Event:
    """`kind` is typing_start or typing_stop, `what` is text or voice."""
    frame = {"type": kind, "session": session_id, "user": user_id, "kind": what}
    return Event(session=session_id, members_revision=members_revision, not_to=user_id, frame=encode(frame))


def looking(kind: str, session_id: UUID, user_id: UUID, *, members_revision: int) -> Event:
    """`user_joined` or `user_left`: who has the session open in front of him."""
    frame = {"type": kind, "session": session_id, "user": user_id}
    return Event(session=session_id, members_revision=members_revision, not_to=user_id, frame=encode(frame))


def person_changed(user_id: UUID, avatar: UUID | None, sessions: list[UUID]) -> Event:
    """His picture. To everybody in one of `sessions` (at least one), himself on his other devices included."""
    first, *further = sessions
    frame = encode({"type": "person_changed", "user": user_id, "avatar": avatar})
    return Event(session=first, further=tuple(further), frame=frame)


def presence_changed(presence: Shape, sessions: list[UUID]) -> Event:
    """To everybody who shares one of `sessions` (at least one) with the person."""
    first, *further = sessions
    frame = encode({"type": "presence_changed", **presence})
    return Event(session=first, further=tuple(further), not_to=presence["user"], frame=frame)
