"""/api/auth: tokens, tickets, devices."""

from __future__ import annotations

from dataclasses import asdict
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import LOGINS
from accounts.api.serializers import (
    DevicesSchema,
    RefreshInput,
    SignInInput,
    TicketSchema,
    TokenPairSchema,
    device_shape,
)
from accounts.errors import SignInDelayed, SignInFailed, TokenInvalid
from accounts.identity import visitor
from accounts.models import LOGIN_IDLE
from accounts.services import sign_in, token
from samia_chat import actor
from samia_chat.api.views import ViewSet
from samia_chat.api.wire import SignedInRequest
from samia_chat.errors import NotFound
from samia_chat.openapi import NO_CONTENT, refuses


@extend_schema(tags=["auth"], auth=[])
class TokenViewSet(ViewSet):
    """For whoever has not signed in yet: a bad credential sent along is not looked at."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(request=SignInInput, responses={200: TokenPairSchema}, operation_id="auth_token")
    @refuses(SignInFailed, SignInDelayed)
    def create(self, request: Request) -> Response:
        """Sign in with address and password, for clients that keep no cookie."""
        given = SignInInput.of(request.data)
        user = sign_in.verify(email=given["email"], password=given["password"])
        return Response({**asdict(token.issue_tokens(user=user)), "token_type": "Bearer"})

    @extend_schema(request=RefreshInput, responses={200: TokenPairSchema}, operation_id="auth_refresh")
    @refuses(TokenInvalid)
    def refresh(self, request: Request) -> Response:
        """Exchange a refresh token, once, for a new pair. Using one twice ends the sign-in."""
        pair = token.refresh_tokens(refresh=RefreshInput.of(request.data)["refresh"])
        return Response({**asdict(pair), "token_type": "Bearer"})


@extend_schema(tags=["auth"])
class LoginViewSet(ViewSet):
    @extend_schema(request=None, responses={204: NO_CONTENT}, operation_id="auth_logout")
    def logout(self, request: SignedInRequest) -> Response:
        """Sign out on this device: cookie, tokens and sockets end."""
        sign_in.end_login(user=request.user, login_id=request.auth)
        if request._request.signed_in_by == "cookie":  # type: ignore[attr-defined]  # set by our middleware
            with actor.acting_as(visitor()):
                request._request.session.flush()
        return Response(status=204)

    @extend_schema(request=None, responses={200: TicketSchema}, operation_id="auth_ticket")
    def ticket(self, request: SignedInRequest) -> Response:
        """A ticket for one socket, good once and for 30 seconds."""
        ticket, seconds = token.issue_ticket(login_id=request.auth)
        return Response({"ticket": ticket, "expires_in": seconds})

    @extend_schema(responses={200: DevicesSchema}, operation_id="auth_devices")
    def list(self, request: SignedInRequest) -> Response:
        """Where this account is signed in, newest first."""
        live = LOGINS.scope(request.user).filter(ended_at__isnull=True, last_used_at__gt=timezone.now() - LOGIN_IDLE)
        rows = live.order_by("-id")[:100]
        return Response({"results": [device_shape(login, request.auth) for login in rows]})

    @extend_schema(responses={204: NO_CONTENT}, operation_id="auth_device_end")
    def destroy(self, request: SignedInRequest, login: UUID) -> Response:
        """Sign a device out. Again: the same answer."""
        if not LOGINS.scope(request.user).filter(pk=login).exists():
            raise NotFound
        sign_in.end_login(user=request.user, login_id=login)
        return Response(status=204)
