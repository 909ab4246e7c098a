"""DRF's view of who asks. The middleware has decided; what is left is CSRF for those who came by cookie."""

from __future__ import annotations

from typing import Any

from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.request import Request

from accounts.models import User
from samia_chat.errors import CSRFMissing


class SignedIn(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        plain = request._request
        user = getattr(plain, "user", None)
        if user is None:
            return None
        if plain.signed_in_by == "cookie":  # type: ignore[attr-defined]
            self._enforce_csrf(request)
        return user, plain.login_id  # type: ignore[attr-defined]

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"

    def _enforce_csrf(self, request: Request) -> None:
        def unused(_: Any) -> None:
            """CSRFCheck is a middleware and wants a view to call; it never calls it."""

        check = CSRFCheck(unused)  # type: ignore[arg-type]
        check.process_request(request._request)
        if check.process_view(request._request, unused, (), {}):  # type: ignore[arg-type]
            raise CSRFMissing
