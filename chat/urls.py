from __future__ import annotations

from django.db.transaction import non_atomic_requests
from django.urls import path, re_path

from chat.api.approval import ApprovalViewSet
from chat.api.avatar import AvatarViewSet
from chat.api.booking import BookingViewSet
from chat.api.file import MessageFileViewSet, SessionFileViewSet
from chat.api.message import MessageViewSet, OneMessageViewSet, ReadViewSet
from chat.api.participant import ParticipantViewSet
from chat.api.session import SessionViewSet, SyncViewSet
from chat.api.upload import UploadViewSet

SESSION = "chat/sessions/<uuid:session>"
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

urlpatterns = [
    path("bookings/<uuid:booking>", BookingViewSet.as_view({"put": "update"})),
    path("chat/sessions", SessionViewSet.as_view({"get": "list", "post": "create"})),
    path(SESSION, SessionViewSet.as_view({"get": "retrieve", "patch": "partial_update"})),
    re_path(
        rf"^chat/sessions/(?P<session>{UUID})/(?P<verb>end|lock|unlock|pause|resume|archive)$",
        SessionViewSet.as_view({"post": "act"}),
    ),
    path(f"{SESSION}/participants", ParticipantViewSet.as_view({"get": "list", "post": "create"})),
    path(f"{SESSION}/participants/<uuid:user>", ParticipantViewSet.as_view({"delete": "destroy"})),
    path(f"{SESSION}/mute", ParticipantViewSet.as_view({"put": "mute"})),
    path(f"{SESSION}/presence", ParticipantViewSet.as_view({"get": "presence"})),
    path(f"{SESSION}/messages", non_atomic_requests(MessageViewSet.as_view({"get": "list", "post": "create"}))),
    path(f"{SESSION}/upload", non_atomic_requests(UploadViewSet.as_view({"post": "create"}))),
    path(f"{SESSION}/voice", non_atomic_requests(UploadViewSet.as_view({"post": "create_voice"}))),
    path(f"{SESSION}/files", SessionFileViewSet.as_view({"get": "list"})),
    path(f"{SESSION}/read", ReadViewSet.as_view({"put": "update"})),
    path("chat/messages/<uuid:message>/read", OneMessageViewSet.as_view({"put": "read"})),
    path("chat/messages/<uuid:message>/played", OneMessageViewSet.as_view({"put": "played"})),
    path("chat/messages/<uuid:message>/approve", ApprovalViewSet.as_view({"post": "approve"})),
    path("chat/messages/<uuid:message>/reject", ApprovalViewSet.as_view({"post": "reject"})),
    path("chat/approvals", ApprovalViewSet.as_view({"get": "list"})),
    path("chat/files/<uuid:file>", MessageFileViewSet.as_view({"get": "retrieve", "delete": "destroy"})),
    path("me/avatar", non_atomic_requests(AvatarViewSet.as_view({"put": "update", "delete": "destroy"}))),
    path("chat/sync", SyncViewSet.as_view({"post": "create"})),
    # Older flat forms. GET …/messages/{id} takes the session's id, PATCH and DELETE the message's.
    path("chat/messages", non_atomic_requests(MessageViewSet.as_view({"post": "create_flat"}))),
    path(
        "chat/messages/<uuid:message>",
        non_atomic_requests(
            OneMessageViewSet.as_view({"get": "list_flat", "patch": "partial_update", "delete": "destroy"})
        ),
    ),
    path("chat/upload", non_atomic_requests(UploadViewSet.as_view({"post": "create_flat"}))),
    path("chat/read", ReadViewSet.as_view({"put": "update_flat"})),
]
