"""Who asks: decided before the view's transaction begins, so that it begins as him."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from psycopg_pool import PoolTimeout

from accounts.external import is_external
from accounts.identity import actor_of, bearer_login, login_user
from accounts.models import User
from accounts.services.external import external_login
from samia_chat import actor, problems
from samia_chat.errors import Problem

GetResponse = Callable[[HttpRequest], HttpResponse]
SESSION_KEY = "login"  # in the Django session: the id of the login, and nothing else
# Django's keys are 32 of these. A quoted cookie can hold any byte, also U+0000, which PostgreSQL takes in no query.
_COOKIE = re.compile(r"[a-z0-9]{8,40}")


def authentication(get_response: GetResponse) -> GetResponse:
    """Set `request.user` (or None), `request.login_id` and `request.signed_in_by` ("bearer", "cookie" or "").

    `request.refusal` is the Problem that says why there is no user, where it is not simply that he is signed out.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        try:
            identify(request)
        except (OperationalError, PoolTimeout) as error:
            found = problems.of(error)
            assert found is not None  # of() knows both
            return problems.respond(request, *found)
        user: User | None = request.user  # type: ignore[assignment]  # Django's type knows no None
        if user is None:
            return get_response(request)
        with actor.acting_as(actor_of(user)):
            return get_response(request)

    return middleware


def session_key(cookie: str) -> str | None:
    """The key of a browser session in a cookie's value; None where it cannot be ours, so that no query is given it."""
    return cookie if _COOKIE.fullmatch(cookie) else None


def login_of_session(session: SessionStore | Mapping[str, str]) -> UUID | None:
    """The login that the contents of a browser session name, if they name one."""
    try:
        return UUID(session[SESSION_KEY])
    except (KeyError, ValueError):
        return None


def identify(request: HttpRequest) -> None:
    """Find out whose request this is, and write it on it. Raises OperationalError, PoolTimeout."""
    # In the place of Django's, which takes any cookie for a key. Nobody has read it before this middleware.
    request.session = SessionStore(session_key(request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")))
    refusal: Problem | None = None
    try:
        login_id, by = _credential(request)
    except Problem as problem:  # kept and not answered here: what is open to everybody looks at no credential
        login_id, by, refusal = None, "bearer", problem
    user = login_user(login_id) if login_id else None
    request.user = user  # type: ignore[assignment]
    request.login_id = login_id if user else None  # type: ignore[attr-defined]
    request.signed_in_by = by  # type: ignore[attr-defined]
    request.refusal = refusal  # type: ignore[attr-defined]


def _credential(request: HttpRequest) -> tuple[UUID | None, str]:
    header = request.headers.get("Authorization", "")
    if header:
        # A bearer decides alone: with a bad one the cookie is not looked at.
        scheme, _, token = header.partition(" ")
        return (_login_of_bearer(token.strip()) if scheme.lower() == "bearer" else None), "bearer"
    login_id = login_of_session(request.session)
    return login_id, "cookie" if login_id else ""


def _login_of_bearer(token: str) -> UUID | None:
    # Who made it is read without a check, only to choose who checks: either way everything is.
    return external_login(token) if is_external(token) else bearer_login(token)
