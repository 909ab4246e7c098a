from __future__ import annotations

from uuid import UUID

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from chat.access import MESSAGES
from chat.errors import EditWindowOver, WrongSessionState
from chat.models import Message
from chat.serializers.message import MessageSchema
from chat.serializers.upload import SessionFilesSchema
from chat.services.message import delete_message
from chat.services.reading import with_files
from chat.services.session import may_look
from chat.shapes import message_shape
from samia_chat.api.pages import PageQuery, page
from samia_chat.api.views import ViewSet
from samia_chat.api.wire import SignedInRequest
from samia_chat.errors import Forbidden, NotFound
from samia_chat.openapi import refuses
from storage.api import FileViewSet


class MessageFileViewSet(FileViewSet):
    """Files of messages: opened as all files are, and deleted with their message."""

    @extend_schema(responses={200: MessageSchema}, operation_id="file_delete", tags=["files"])
    @refuses(Forbidden, WrongSessionState, EditWindowOver)
    def destroy(self, request: SignedInRequest, file: UUID) -> HttpResponseBase:
        """Delete a file, which is to delete its message; its place stays. Again: the same answer."""
        message = MESSAGES.scope(request.user).filter(file_id=file).first()
        if message is None:
            raise NotFound
        return Response(delete_message(by=request.user, message_id=message.pk))


@extend_schema(tags=["files"])
class SessionFileViewSet(ViewSet):
    query_parameters = {"list": frozenset({"cursor", "limit"})}

    @extend_schema(parameters=[PageQuery], responses={200: SessionFilesSchema}, operation_id="session_files")
    @refuses(WrongSessionState)
    def list(self, request: SignedInRequest, session: UUID) -> Response:
        """The published messages of a session that have a file, the newest first."""
        asked = PageQuery.of(request.query_params)
        may_look(request.user, session)
        rows = Message.objects.filter(
            session_id=session, seq__isnull=False, file__isnull=False, deleted_at__isnull=True
        )
        found, following = page(rows, asked, keys={"seq": int})
        return Response({"results": [message_shape(one) for one in with_files(found)], "next": following})
