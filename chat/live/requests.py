"""The frames that clients send, as types: docs/asyncapi.yaml describes the same. Unknown types and fields are refused."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from chat.services.sync import MAX_NAMED, Held

Ref = Annotated[str, Meta(max_length=64)] | Annotated[int, Meta(ge=0, le=2**53)] | None
Number = Annotated[int, Meta(ge=0, le=2**62)]


class Frame(Struct, tag_field="type", forbid_unknown_fields=True, kw_only=True):
    """`ref` comes back in the answer."""

    ref: Ref = None


class JoinSession(Frame, tag="join_session"):
    session: UUID


class LeaveSession(Frame, tag="leave_session"):
    session: UUID


class SendMessage(Frame, tag="send_message"):
    session: UUID
    content: str
    id: UUID | None = None
    message_type: Literal["text"] = "text"
    reply_to: UUID | None = None


class Delivered(Frame, tag="messages_delivered"):
    session: UUID
    up_to: Number


class Seen(Frame, tag="messages_seen"):
    session: UUID
    up_to: Number


class Read(Frame, tag="messages_read"):
    session: UUID
    up_to: Number


class TypingStart(Frame, tag="typing_start"):
    session: UUID
    kind: Literal["text", "voice"] = "text"


class TypingStop(Frame, tag="typing_stop"):
    session: UUID
    kind: Literal["text", "voice"] = "text"


class SetPresence(Frame, tag="set_presence"):
    state: Literal["online", "away"]


class GetOnlineUsers(Frame, tag="get_online_users"):
    session: UUID


class Resume(Frame, tag="resume", rename={"revisions": "sessions"}):
    revisions: Annotated[dict[UUID, Number], Meta(max_length=MAX_NAMED)]
    after: UUID | None = None
    up_to: UUID | None = None

    @property
    def sessions(self) -> Held:
        return Held(self.revisions, after=self.after, up_to=self.up_to)


class Ping(Frame, tag="ping"):
    pass


Receipt = Delivered | Seen | Read
Request = (
    JoinSession
    | LeaveSession
    | SendMessage
    | Delivered
    | Seen
    | Read
    | TypingStart
    | TypingStop
    | SetPresence
    | GetOnlineUsers
    | Resume
    | Ping
)
decoder = msgspec.json.Decoder(Request)


class _Bare(Struct):
    """Just enough of a frame to answer it."""

    type: str
    ref: Ref = None


bare = msgspec.json.Decoder(_Bare)
