from __future__ import annotations

from datetime import datetime
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from chat.access import MESSAGES
from chat.errors import AlreadyReviewed, NotPending, ReasonNeeded, WrongSessionState
from chat.models import Person, VoiceReview
from chat.serializers.message import MessageSchema
from chat.serializers.upload import ApprovalsSchema, RejectInput
from chat.services import voice_review
from chat.shapes import approval_shape
from samia_chat.api.pages import PageQuery, page
from samia_chat.api.views import ViewSet
from samia_chat.api.wire import SignedInRequest
from samia_chat.errors import Forbidden, NotFound
from samia_chat.openapi import refuses
from storage.errors import FileProcessing, FileRejected


@extend_schema(tags=["approvals"])
class ApprovalViewSet(ViewSet):
    query_parameters = {"list": frozenset({"cursor", "limit"})}

    @extend_schema(parameters=[PageQuery], responses={200: ApprovalsSchema}, operation_id="approvals")
    @refuses(Forbidden)
    def list(self, request: SignedInRequest) -> Response:
        """Voice messages that wait for staff, the newest first."""
        if MESSAGES.rule(request.user, "review") is None:
            raise Forbidden
        asked = PageQuery.of(request.query_params)
        found, following = page(voice_review.waiting(), asked, keys={"created_at": datetime.fromisoformat, "id": UUID})
        people = Person.objects.in_bulk({message.sender_id for message in found})
        return Response({"results": [approval_shape(message, people) for message in found], "next": following})

    @extend_schema(request=None, responses={200: MessageSchema}, operation_id="voice_approve")
    @refuses(NotFound, Forbidden, NotPending, AlreadyReviewed, WrongSessionState, FileProcessing, FileRejected)
    def approve(self, request: SignedInRequest, message: UUID) -> Response:
        """Publish a voice message that waits. Your own decision again changes nothing."""
        approve = VoiceReview.Verdict.APPROVE
        return Response(voice_review.review_voice(by=request.user, message_id=message, verdict=approve))

    @extend_schema(request=RejectInput, responses={200: MessageSchema}, operation_id="voice_reject")
    @refuses(NotFound, Forbidden, NotPending, AlreadyReviewed, ReasonNeeded, WrongSessionState)
    def reject(self, request: SignedInRequest, message: UUID) -> Response:
        """Keep a voice message that waits from being published, and tell its sender why."""
        reason, reject = RejectInput.of(request.data)["reason"], VoiceReview.Verdict.REJECT
        return Response(voice_review.review_voice(by=request.user, message_id=message, verdict=reject, reason=reason))
