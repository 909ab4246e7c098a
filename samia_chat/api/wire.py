"""What goes over the wire: strict JSON in, JSON out, for people who are signed in unless a view says otherwise."""

from __future__ import annotations

from typing import Any

import msgspec
from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from samia_chat.errors import SignedOut, TooLarge


class SignedInRequest(Request):
    """The request of a view that admits only people who are signed in."""

    user: Any  # an accounts.User, whose layer lies above this one
    auth: Any  # the UUID of his login


class IsSignedIn(BasePermission):
    def has_permission(self, request: Request, view: object) -> bool:
        if request.user is None:
            # The middleware knows why, where the credential was good and something else was amiss.
            raise getattr(request._request, "refusal", None) or SignedOut
        return True


class JSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else msgspec.json.encode(data, enc_hook=str)


class JSONParser(BaseParser):
    """Strict JSON: UTF-8, one object, bounded in size and depth."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        # RequestDataTooBig never fires here: DRF hands us the stream and not the body.
        raw = stream.read(settings.BODY_MAX_BYTES + 1)
        if len(raw) > settings.BODY_MAX_BYTES:
            raise TooLarge
        try:
            value = msgspec.json.decode(raw)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise ParseError(f"The body is not valid JSON: {error}.") from None
        if not isinstance(value, dict):
            raise ParseError("The body must be a JSON object.")
        return value


class JSONOnly(BaseContentNegotiation):
    """There is one representation, so Accept chooses nothing: a client that asks for more gets JSON, not a 406."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        sent = (request.content_type or "").split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == sent), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type
