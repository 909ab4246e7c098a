"""Who asks: decided before the view's transaction begins, so that it begins as him."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from psycopg_pool import PoolTimeout

from accounts.identity import actor_of, bearer_login, login_user
from accounts.models import User
from samia_chat import actor, problems

GetResponse = Callable[[HttpRequest], HttpResponse]
SESSION_KEY = "login"  # in the Django session: the id of the login, and nothing else


def authentication(get_response: GetResponse) -> GetResponse:
    """Set `request.user` (or None), `request.login_id` and `request.signed_in_by` ("bearer", "cookie" or "")."""

    def middleware(request: HttpRequest) -> HttpResponse:
        try:
            _identify(request)
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


def _identify(request: HttpRequest) -> None:
    login_id, by = _credential(request)
    user = login_user(login_id) if login_id else None
    request.user = user  # type: ignore[assignment]
    request.login_id = login_id if user else None  # type: ignore[attr-defined]
    request.signed_in_by = by  # type: ignore[attr-defined]


def _credential(request: HttpRequest) -> tuple[UUID | None, str]:
    header = request.headers.get("Authorization", "")
    if header:
        # A bearer decides alone: with a bad one the cookie is not looked at.
        scheme, _, token = header.partition(" ")
        return (bearer_login(token.strip()) if scheme.lower() == "bearer" else None), "bearer"
    with suppress(KeyError, ValueError):
        return UUID(request.session[SESSION_KEY]), "cookie"
    return None, ""
