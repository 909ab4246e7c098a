"""The door of uploads: who may not send a file is told so before its body is read.

What it asks, the view asks again; and it asks besides what can be known only with the body, or with the session locked.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest

from accounts.middleware import identify
from samia_chat import actor
from samia_chat.db.threads import in_thread
from samia_chat.errors import SignedOut, TooFast
from samia_chat.limits import limiter
from samia_chat.middleware import visitor_of

_COUNTED = "samia.upload_counted"
_PATH = re.compile(r"/api/chat/(?:sessions/[^/]+/)?(?P<what>upload|voice)")
_AVATAR = ("PUT", "/api/me/avatar")


def rate_of(scope: Mapping[str, Any]) -> str | None:
    """The rate against which a request counts, if it uploads: "upload" or "voice"."""
    if _is_avatar(scope):
        return "upload"
    found = _PATH.fullmatch(scope["path"]) if scope["method"] == "POST" else None
    return found["what"] if found else None


def most_bytes(scope: Mapping[str, Any]) -> int:
    """How long the body of a request may be."""
    return settings.AVATAR_BODY_MAX_BYTES if _is_avatar(scope) else settings.BODY_MAX_BYTES


def _is_avatar(scope: Mapping[str, Any]) -> bool:
    return (scope["method"], scope["path"]) == _AVATAR


async def admit(scope: dict[str, Any], rate: str) -> None:
    """Count an upload against its sender's rate. Raises SignedOut, a refusal of his token, TooFast, and what a database
    that does not answer raises."""
    request = ASGIRequest(scope, io.BytesIO())
    await in_thread(_identify, request)
    user = request.user
    if user is None:
        raise request.refusal or SignedOut()
    wait = limiter.take(rate, str(user.pk))
    if wait > 0:
        raise TooFast(retry_after=wait)
    scope[_COUNTED] = True


def _identify(request: HttpRequest) -> None:
    with actor.acting_as(visitor_of(request)):
        identify(request)


def was_counted(request: HttpRequest) -> bool:
    """Whether the door has counted this request. There is no door where Django's test client calls a view."""
    return _COUNTED in getattr(request, "scope", {})
