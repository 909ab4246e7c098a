from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from chat.access import MESSAGES
from chat.errors import (
    AlreadyReviewed,
    BeyondLast,
    EditWindowOver,
    EmptyMessage,
    IdTaken,
    MessageDeleted,
    NotAudio,
    ReplyUnknown,
    WrongSessionState,
)
from chat.live import runtime
from chat.serializers.message import (
    CursorsSchema,
    EditInput,
    MessagePageSchema,
    MessageSchema,
    MessagesQuery,
    ReadInput,
    ReadInSessionInput,
    SendInput,
    SendToInput,
)
from chat.services import message as messages
from chat.services import receipt
from chat.services.message import Sent
from chat.services.reading import thread_page
from samia_chat import actor
from samia_chat.api.views import ViewSet, throttle
from samia_chat.api.wire import SignedInRequest
from samia_chat.errors import Forbidden, NotFound
from samia_chat.limits import limiter
from samia_chat.openapi import refuses

THREAD_QUERY = frozenset({"before", "after", "around", "limit"})
REPLAYED = OpenApiParameter(
    "Idempotent-Replayed",
    str,
    OpenApiParameter.HEADER,
    response=[200],
    required=True,
    enum=["true"],
    description="With 200: it was sent before; nothing was written.",
)
SENDING = (NotFound, Forbidden, WrongSessionState, IdTaken, ReplyUnknown, EmptyMessage)


def thread(request: SignedInRequest, session: UUID) -> Response:
    asked = MessagesQuery.of(request.query_params)
    bounds = {name: asked[name] for name in ("before", "after", "around") if name in asked}
    page = thread_page(request.user, session, limit=asked["limit"], with_unpublished=not bounds, **bounds)
    return Response(page)


@extend_schema(tags=["messages"])
class MessageViewSet(ViewSet):
    """The thread. Not in the request's transaction: a send goes through the batcher, which must not wait for one."""

    query_parameters = {"list": THREAD_QUERY}

    @extend_schema(parameters=[MessagesQuery], responses={200: MessagePageSchema}, operation_id="messages")
    @refuses(WrongSessionState)
    def list(self, request: SignedInRequest, session: UUID) -> Response:
        """Published messages in order of seq; the newest page without bounds."""
        return thread(request, session)

    @extend_schema(
        request=SendInput,
        responses={200: MessageSchema, 201: MessageSchema},
        parameters=[REPLAYED],
        operation_id="message_send",
    )
    @refuses(*SENDING)
    def create(self, request: SignedInRequest, session: UUID) -> Response:
        """Send a text. The same id, sender and contents again: 200, nothing is written."""
        return self._send(request, session, SendInput.of(request.data))

    @extend_schema(
        request=SendToInput,
        responses={200: MessageSchema, 201: MessageSchema},
        parameters=[REPLAYED],
        operation_id="message_send_flat",
    )
    @refuses(*SENDING)
    def create_flat(self, request: SignedInRequest) -> Response:
        """The older form, with the session in the body."""
        given = SendToInput.of(request.data)
        return self._send(request, given.pop("session"), given)

    def _send(self, request: SignedInRequest, session: UUID, given: dict[str, Any]) -> Response:
        key = str(request.user.pk)
        throttle("message", key)
        sent = _send(
            session_id=session, content=given["content"], message_id=given.get("id"), reply_to=given["reply_to"]
        )
        if not sent.is_replay:
            return Response(sent.message, status=201)
        limiter.give_back("message", key)
        return Response(sent.message, status=200, headers={"Idempotent-Replayed": "true"})


def _send(**fields: Any) -> Sent:
    """Through the batcher of this process; where none runs (a test client without a server), on Django's connection."""
    running = runtime.current()
    if running is None:
        return messages.send_message(sender=actor.current(), **fields)
    return running.send_from_thread(messages.new_draft(sender=actor.current(), **fields))


@extend_schema(tags=["messages"])
class OneMessageViewSet(ViewSet):
    query_parameters = {"list_flat": THREAD_QUERY}

    @extend_schema(parameters=[MessagesQuery], responses={200: MessagePageSchema}, operation_id="messages_flat")
    @refuses(WrongSessionState)
    def list_flat(self, request: SignedInRequest, message: UUID) -> Response:
        """The older form of the thread: here the id is the session's."""
        return thread(request, message)

    @extend_schema(request=EditInput, responses={200: MessageSchema}, operation_id="message_edit")
    @refuses(Forbidden, WrongSessionState, EditWindowOver, MessageDeleted, EmptyMessage)
    def partial_update(self, request: SignedInRequest, message: UUID) -> Response:
        """Change a text: your own for five minutes, administrators any time."""
        content = EditInput.of(request.data)["content"]
        return Response(messages.edit_message(by=request.user, message_id=message, content=content))

    @extend_schema(responses={200: MessageSchema}, operation_id="message_delete")
    @refuses(Forbidden, WrongSessionState, EditWindowOver, AlreadyReviewed)
    def destroy(self, request: SignedInRequest, message: UUID) -> Response:
        """Delete a message; its place stays. Your own voice that waits for approval, too. Again: the same answer."""
        return Response(messages.delete_message(by=request.user, message_id=message))

    @extend_schema(request=None, responses={200: CursorsSchema}, operation_id="message_read")
    @refuses(WrongSessionState)
    def read(self, request: SignedInRequest, message: UUID) -> Response:
        """You have read up to this message."""
        row = MESSAGES.get(request.user, "view", pk=message, seq__isnull=False)
        cursors = receipt.move_cursor(user_id=request.user.pk, session_id=row.session_id, kind="read", up_to=row.seq)
        return Response(cursors)

    @extend_schema(request=None, responses={200: MessageSchema}, operation_id="message_played")
    @refuses(Forbidden, WrongSessionState, NotAudio, MessageDeleted)
    def played(self, request: SignedInRequest, message: UUID) -> Response:
        """You, a member, have played this voice message of somebody else. Again: the same answer."""
        return Response(receipt.mark_played(user=request.user, message_id=message))


@extend_schema(tags=["messages"])
class ReadViewSet(ViewSet):
    @extend_schema(request=ReadInput, responses={200: CursorsSchema}, operation_id="session_read")
    @refuses(BeyondLast, WrongSessionState)
    def update(self, request: SignedInRequest, session: UUID) -> Response:
        """Move your own cursor: delivered, seen or read, up to a seq. Never back."""
        return self._move(request, session, ReadInput.of(request.data))

    @extend_schema(request=ReadInSessionInput, responses={200: CursorsSchema}, operation_id="session_read_flat")
    @refuses(NotFound, BeyondLast, WrongSessionState)
    def update_flat(self, request: SignedInRequest) -> Response:
        """The older form, with the session in the body."""
        given = ReadInSessionInput.of(request.data)
        return self._move(request, given["session"], given)

    def _move(self, request: SignedInRequest, session: UUID, given: dict[str, Any]) -> Response:
        cursors = receipt.move_cursor(
            user_id=request.user.pk, session_id=session, kind=given["kind"], up_to=given["up_to"]
        )
        return Response(cursors)
