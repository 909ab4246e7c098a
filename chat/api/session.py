from __future__ import annotations

from datetime import datetime
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from chat.access import SESSIONS
from chat.errors import BookingCancelled, NoReader, NoStaff, ReasonNeeded, UnknownPerson, WrongSessionState
from chat.models import ChatSession
from chat.serializers.session import (
    ChangeInput,
    OpenInput,
    ReasonInput,
    SessionPageSchema,
    SessionSchema,
    SessionsQuery,
    SyncInput,
    SyncSchema,
)
from chat.services import session as sessions
from chat.services.reading import session_shapes, with_state
from chat.services.sync import sync
from chat.shapes import Shape
from samia_chat.access import Person
from samia_chat.api.pages import page
from samia_chat.api.views import ViewSet
from samia_chat.api.wire import SignedInRequest
from samia_chat.errors import Forbidden, NotFound
from samia_chat.openapi import refuses


def shape_of(session_id: UUID, viewer: Person) -> Shape:
    """A session as every answer of one shows it. It holds the last message: staff who are not in it leave a record."""
    shape = session_shapes(with_state(ChatSession.objects.filter(pk=session_id)), viewer)[0]
    if shape["last_message"]:
        sessions.record_looks(viewer, [session_id])
    return shape


@extend_schema(tags=["sessions"])
class SessionViewSet(ViewSet):
    query_parameters = {"list": frozenset({"cursor", "limit", "type", "status"})}

    @extend_schema(parameters=[SessionsQuery], responses={200: SessionPageSchema}, operation_id="sessions")
    def list(self, request: SignedInRequest) -> Response:
        """The sessions you may see, the latest activity first, with unread and last message."""
        asked = SessionsQuery.of(request.query_params)
        rows = with_state(SESSIONS.scope(request.user))
        rows = rows.filter(**{name: asked[name] for name in ("type", "status") if name in asked})
        found, following = page(rows, asked, keys={"active_at": datetime.fromisoformat, "id": UUID})
        shapes = session_shapes(found, request.user)
        sessions.record_looks(request.user, [shape["id"] for shape in shapes if shape["last_message"]])
        # active_at in the table moves once a minute; within a page the order is exact.
        shapes.sort(key=lambda shape: shape["active_at"], reverse=True)
        return Response({"results": shapes, "next": following})

    @extend_schema(request=OpenInput, responses={200: SessionSchema, 201: SessionSchema}, operation_id="session_open")
    @refuses(NotFound, Forbidden, NoReader, BookingCancelled, NoStaff, UnknownPerson)
    def create(self, request: SignedInRequest) -> Response:
        """Open a session. For a booking that has a live one, that one is answered (200)."""
        given = OpenInput.of(request.data)
        session_id, is_new = sessions.open_session(
            kind=given["type"],
            title=given["title"],
            booking_id=given.get("booking"),
            people=given.get("people"),
        )
        return Response(shape_of(session_id, request.user), status=201 if is_new else 200)

    @extend_schema(responses={200: SessionSchema}, operation_id="session")
    def retrieve(self, request: SignedInRequest, session: UUID) -> Response:
        """A session with its members, counters and last message."""
        SESSIONS.get(request.user, "view", pk=session)
        return Response(shape_of(session, request.user))

    @extend_schema(request=ChangeInput, responses={200: SessionSchema}, operation_id="session_change")
    @refuses(Forbidden)
    def partial_update(self, request: SignedInRequest, session: UUID) -> Response:
        """Change the title. Administrators only."""
        sessions.update_session(by=request.user, session_id=session, **ChangeInput.of(request.data))
        return Response(shape_of(session, request.user))

    @extend_schema(
        request=ReasonInput,
        responses={200: SessionSchema},
        operation_id="session_verb",
        parameters=[
            OpenApiParameter("verb", str, "path", enum=["end", "lock", "unlock", "pause", "resume", "archive"])
        ],
    )
    @refuses(Forbidden, WrongSessionState, ReasonNeeded)
    def act(self, request: SignedInRequest, session: UUID, verb: str) -> Response:
        """End, pause, resume, lock, unlock or archive. Repeated, it answers the same and writes nothing."""
        reason = ReasonInput.of(request.data)["reason"]
        sessions.change_state(by=request.user, session_id=session, verb=verb, reason=reason)
        return Response(shape_of(session, request.user))


@extend_schema(tags=["sync"])
class SyncViewSet(ViewSet):
    @extend_schema(request=SyncInput, responses={200: SyncSchema}, operation_id="sync")
    def create(self, request: SignedInRequest) -> Response:
        """What has changed since the revisions a client holds."""
        held = SyncInput.of(request.data)["sessions"]
        return Response(sync(viewer=request.user, held=held))
