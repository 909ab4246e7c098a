from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from chat.api.message import REPLAYED, SENDING
from chat.errors import EmptyMessage
from chat.live.uploads import was_counted
from chat.serializers.message import MessageSchema
from chat.serializers.upload import UploadInput, UploadToInput, VoiceInput
from chat.services.upload import Kind, send_file
from samia_chat import actor
from samia_chat.api.input import once
from samia_chat.api.views import ViewSet, throttle
from samia_chat.api.wire import SignedInRequest
from samia_chat.limits import limiter
from samia_chat.openapi import refuses
from storage.errors import OF_PARSERS, FileInfected, FileTooLarge, StoreAway
from storage.services.file import Upload

RATES: dict[Kind, str] = {"file": "upload", "voice": "voice"}
REFUSALS = (
    *(refusal for refusal in SENDING if refusal is not EmptyMessage),
    FileTooLarge,
    *OF_PARSERS,
    FileInfected,
    StoreAway,
)


@extend_schema(tags=["files"])
class UploadViewSet(ViewSet):
    """Files and voice. Not in the request's transaction: a file is judged and stored between two of its own."""

    parser_classes = [MultiPartParser]

    @extend_schema(
        request={"multipart/form-data": UploadInput},
        responses={200: MessageSchema, 201: MessageSchema},
        parameters=[REPLAYED],
        operation_id="file_send",
    )
    @refuses(*REFUSALS)
    def create(self, request: SignedInRequest, session: UUID) -> Response:
        """Send a file. The same id, sender and file again: 200, nothing is written."""
        given = UploadInput.of(once(request.data))
        return self._send(request, session, "file", given.pop("file"), given)

    @extend_schema(
        request={"multipart/form-data": VoiceInput},
        responses={200: MessageSchema, 201: MessageSchema},
        parameters=[REPLAYED],
        operation_id="voice_send",
    )
    @refuses(*REFUSALS)
    def create_voice(self, request: SignedInRequest, session: UUID) -> Response:
        """Send a voice message. Those of some roles wait until staff approve them: `status` says so."""
        given = VoiceInput.of(once(request.data))
        return self._send(request, session, "voice", given.pop("voice"), given)

    @extend_schema(
        request={"multipart/form-data": UploadToInput},
        responses={200: MessageSchema, 201: MessageSchema},
        parameters=[REPLAYED],
        operation_id="file_send_flat",
    )
    @refuses(*REFUSALS)
    def create_flat(self, request: SignedInRequest) -> Response:
        """The older form, with the session in the body."""
        given = UploadToInput.of(once(request.data))
        return self._send(request, given.pop("session"), "file", given.pop("file"), given)

    def _send(
        self, request: SignedInRequest, session: UUID, kind: Kind, uploaded: Any, given: dict[str, Any]
    ) -> Response:
        key = str(request.user.pk)
        if not was_counted(request._request):
            throttle(RATES[kind], key)
        sent = send_file(
            sender=actor.current(),
            session_id=session,
            upload=Upload(path=Path(uploaded.temporary_file_path()), name=uploaded.name),
            kind=kind,
            caption=given["caption"],
            message_id=given.get("id"),
            reply_to=given["reply_to"],
        )
        if not sent.is_replay:
            return Response(sent.message, status=201)
        limiter.give_back(RATES[kind], key)
        return Response(sent.message, status=200, headers={"Idempotent-Replayed": "true"})
