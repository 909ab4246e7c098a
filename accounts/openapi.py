"""How one signs in, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

READING = ("GET", "HEAD")


class SignedInSchemes(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """A bearer decides alone; the cookie of the sign-in page goes with a CSRF token where something is changed."""

    target_class = "accounts.authentication.SignedIn"
    name = ["bearer", "cookie", "csrf"]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[Any]]]:
        by_cookie: dict[str, list[Any]] = {"cookie": []}
        if auto_schema.method not in READING:
            by_cookie["csrf"] = []
        return [{"bearer": []}, by_cookie]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        return [
            {
                "type": "http",
                "scheme": "bearer",
                "description": "The access token of POST /api/auth/token, good for 10 minutes; or a bearer of the outside"
                " issuer that the deployment trusts. With a bad one the cookie is not looked at.",
            },
            {
                "type": "apiKey",
                "in": "cookie",
                "name": settings.SESSION_COOKIE_NAME,
                "description": "Of the sign-in page.",
            },
            {
                "type": "apiKey",
                "in": "header",
                "name": "X-CSRFToken",
                "description": f"The value of the cookie {settings.CSRF_COOKIE_NAME}, with everything that changes something.",
            },
        ]
