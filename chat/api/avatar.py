"""/api/me/avatar: one's own picture. Here and not with the rest of one's account: it is a file, and sessions hear of it."""

from __future__ import annotations

from pathlib import Path

from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from accounts.api.serializers import MeSchema, me_shape
from chat.live.uploads import was_counted
from chat.serializers.avatar import AvatarInput
from chat.services import avatar as avatars
from samia_chat.api.input import once
from samia_chat.api.views import ViewSet, throttle
from samia_chat.api.wire import SignedInRequest
from samia_chat.openapi import NO_CONTENT, refuses
from storage.errors import (
    FileEmpty,
    FileInfected,
    FileTooLarge,
    FileTypeRefused,
    FileUnreadable,
    ImageTooLarge,
    NotPicture,
    StoreAway,
)


@extend_schema(tags=["me"])
class AvatarViewSet(ViewSet):
    """Not in the request's transaction: a picture is judged and stored between two of its own."""

    parser_classes = [MultiPartParser]

    @extend_schema(
        request={"multipart/form-data": AvatarInput}, responses={200: MeSchema}, operation_id="me_avatar_change"
    )
    @refuses(
        FileTooLarge, FileEmpty, FileTypeRefused, FileUnreadable, ImageTooLarge, NotPicture, FileInfected, StoreAway
    )
    def update(self, request: SignedInRequest) -> Response:
        """Set your picture: JPEG, PNG, WebP or GIF, of an animation the first picture. Whoever sees your name sees it."""
        uploaded = AvatarInput.of(once(request.data))["avatar"]
        if not was_counted(request._request):
            throttle("upload", str(request.user.pk))
        path = Path(uploaded.temporary_file_path())
        request.user.avatar = avatars.change_avatar(user_id=request.user.pk, path=path)
        return Response(me_shape(request.user))

    @extend_schema(responses={204: NO_CONTENT}, operation_id="me_avatar_remove")
    @refuses()
    def destroy(self, request: SignedInRequest) -> Response:
        """Have no picture any more. Again: the same answer."""
        avatars.remove_avatar(user_id=request.user.pk)
        return Response(status=204)
