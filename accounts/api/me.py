"""/api/me: one's own account."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.api.serializers import MeSchema, PasswordInput, ProfileInput, me_shape
from accounts.errors import PasswordWeak, PasswordWrong
from accounts.services import user as users
from samia_chat.api.views import ViewSet, throttle
from samia_chat.api.wire import SignedInRequest
from samia_chat.openapi import NO_CONTENT, refuses


@extend_schema(tags=["me"])
class MeViewSet(ViewSet):
    @extend_schema(responses={200: MeSchema}, operation_id="me")
    def retrieve(self, request: SignedInRequest) -> Response:
        """One's own account."""
        return Response(me_shape(request.user))

    @extend_schema(request=ProfileInput, responses={200: MeSchema}, operation_id="me_change")
    def partial_update(self, request: SignedInRequest) -> Response:
        """Change name, language or time zone."""
        changes = ProfileInput.of(request.data)
        if changes:
            users.update_profile(user=request.user, **changes)
        return Response(me_shape(request.user))

    @extend_schema(request=PasswordInput, responses={204: NO_CONTENT}, operation_id="me_password")
    @refuses(PasswordWrong, PasswordWeak)
    def password(self, request: SignedInRequest) -> Response:
        """Set a new password. Every other device is signed out."""
        throttle("sign_in", str(request.user.pk))  # a stolen cookie must not be a way to guess the password
        users.change_password(user=request.user, **PasswordInput.of(request.data), keep=request.auth)
        return Response(status=204)
