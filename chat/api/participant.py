from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from chat.access import SESSIONS
from chat.errors import LastMember, UnknownPerson, WrongSessionState
from chat.models import Participant, Person
from chat.serializers.session import (
    AddInput,
    MineSchema,
    MuteInput,
    ParticipantSchema,
    ParticipantsSchema,
    PresencesSchema,
)
from chat.services import participant as participants
from chat.services.presence import session_presence
from chat.services.session import record_looks
from chat.shapes import mine_shape, participant_shape
from samia_chat.api.views import ViewSet
from samia_chat.api.wire import SignedInRequest
from samia_chat.errors import Forbidden
from samia_chat.openapi import NO_CONTENT, refuses


@extend_schema(tags=["sessions"])
class ParticipantViewSet(ViewSet):
    @extend_schema(responses={200: ParticipantsSchema}, operation_id="participants")
    def list(self, request: SignedInRequest, session: UUID) -> Response:
        """Who is in the session, and who was (`left_at`)."""
        SESSIONS.get(request.user, "view", pk=session)
        record_looks(request.user, [session])
        rows = list(Participant.objects.filter(session_id=session).order_by("joined_at", "id"))
        people = Person.objects.in_bulk([row.user_id for row in rows])
        return Response({"results": [participant_shape(row, people.get(row.user_id)) for row in rows]})

    @extend_schema(
        request=AddInput, responses={200: ParticipantSchema, 201: ParticipantSchema}, operation_id="participant_add"
    )
    @refuses(Forbidden, UnknownPerson, WrongSessionState)
    def create(self, request: SignedInRequest, session: UUID) -> Response:
        """Make somebody a member. Administrators only. A member already: 200, nothing is written."""
        user_id = AddInput.of(request.data)["user"]
        row, is_new = participants.add_participant(by=request.user, session_id=session, user_id=user_id)
        person = Person.objects.filter(pk=user_id).first()
        return Response(participant_shape(row, person), status=201 if is_new else 200)

    @extend_schema(responses={204: NO_CONTENT}, operation_id="participant_remove")
    @refuses(Forbidden, LastMember)
    def destroy(self, request: SignedInRequest, session: UUID, user: UUID) -> Response:
        """End a membership; access ends at once. Administrators only. Again: the same answer."""
        participants.remove_participant(by=request.user, session_id=session, user_id=user)
        return Response(status=204)

    @extend_schema(request=MuteInput, responses={200: MineSchema}, operation_id="session_mute")
    def mute(self, request: SignedInRequest, session: UUID) -> Response:
        """Mute the session for yourself."""
        until = MuteInput.of(request.data)["until"]
        row = participants.mute(user_id=request.user.pk, session_id=session, until=until)
        return Response(mine_shape(row, row.session.state.last_seq))

    @extend_schema(responses={200: PresencesSchema}, operation_id="session_presence")
    def presence(self, request: SignedInRequest, session: UUID) -> Response:
        """Who of the members is online, away or offline."""
        SESSIONS.get(request.user, "view", pk=session)
        return Response({"results": session_presence(session)})
