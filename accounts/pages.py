"""Pages of the door: signing in and out, and the language."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_POST
from rest_framework.exceptions import ValidationError

from accounts.api.serializers import SignInInput
from accounts.errors import SignInDelayed, SignInFailed
from accounts.identity import visitor
from accounts.middleware import SESSION_KEY
from accounts.models import Login, User
from accounts.services import sign_in as door
from accounts.services.user import update_profile
from samia_chat import actor, problems
from samia_chat.digits import localised
from samia_chat.errors import Problem, TooFast

DEVICE_COOKIE = "samia_device"
DEVICE_SALT = "accounts.device"
YEAR_SECONDS = 365 * 24 * 3600

Page = Callable[..., HttpResponse]


def signed_in(view: Page) -> Page:
    """For people who are signed in, in their language and time zone. Others go to the door, and come back from it.

    A refusal is shown as a page. Never cached: after signing out, the back button shows nothing. Compressed: a thread's page
    is a quarter as large then, and what is secret in it (the CSRF token) is written differently every time; Django adds bytes
    at random, so that sizes tell nothing of the rest.
    """

    @wraps(view)
    @never_cache
    @gzip_page
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user: User | None = request.user  # type: ignore[assignment]  # Django's type knows no None
        if user is None:
            return redirect(f"{settings.LOGIN_URL}?{urlencode({'next': request.get_full_path()})}")
        _speak(request, user.language)
        try:
            with timezone.override(ZoneInfo(user.timezone)):
                return view(request, *args, **kwargs)
        except Problem as refusal:
            found = problems.of(refusal)
            assert found is not None  # of() knows every Problem
            return problems.respond(request, *found)

    return page


@transaction.non_atomic_requests  # the password is hashed before there is a transaction
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.user is not None:
        return redirect(_next(request))
    email = ""
    problem: Problem | None = None
    if request.method == "POST":
        email = request.POST.get("email", "")
        try:
            given = SignInInput.of({"email": email, "password": request.POST.get("password", "")})
            user = door.verify(**given, known=_device_of(request))
        except (SignInDelayed, TooFast) as refusal:
            problem = refusal
        except (SignInFailed, ValidationError):
            problem = SignInFailed()
        else:
            return _admit(request, user)
    response = render(
        request,
        "accounts/sign_in.html",
        {"email": email, "next": _next(request), "error": _sentence(problem) if problem else ""},
        status=problem.status if problem else 200,
    )
    if problem is not None and problem.retry_after is not None:
        response["Retry-After"] = str(_seconds(problem))
    return response


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    if request.user is not None:
        door.end_login(user=request.user, login_id=request.login_id)  # type: ignore[arg-type, attr-defined]
    with actor.acting_as(visitor()):
        request.session.flush()
    return redirect(settings.LOGIN_URL)


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Change the language: of this device, and of the person who is signed in on it."""
    chosen = request.POST.get("language", "")
    response = redirect(_next(request))
    if chosen in dict(settings.LANGUAGES):
        user: User | None = request.user  # type: ignore[assignment]  # Django's type knows no None
        if user is not None and user.language != chosen:
            update_profile(user=user, language=chosen)
        _keep(response, settings.LANGUAGE_COOKIE_NAME, chosen)
    return response


@transaction.atomic
def _admit(request: HttpRequest, user: User) -> HttpResponse:
    login = door.start_login(user=user, kind=Login.Kind.COOKIE)
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    # A language chosen at the door is kept, unless it was chosen by whoever used this device before.
    if chosen in dict(settings.LANGUAGES) and chosen != user.language and _device_of(request) in (None, user.pk):
        with actor.acting_as(replace(actor.current(), user_id=user.pk, role=user.role)):
            update_profile(user=user, language=chosen)
    request.session.cycle_key()
    request.session[SESSION_KEY] = str(login.pk)
    request.session.set_expiry(None if request.POST.get("keep") else 0)  # 0: until the browser closes
    rotate_token(request)
    response = redirect(_next(request))
    _keep(response, settings.LANGUAGE_COOKIE_NAME, user.language)
    response.set_signed_cookie(
        DEVICE_COOKIE,
        str(user.pk),
        salt=DEVICE_SALT,
        max_age=YEAR_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=settings.IS_HTTPS,
    )
    return response


def _device_of(request: HttpRequest) -> UUID | None:
    """Who signed in on this device last: his own device need not wait while strangers guess his password."""
    value = request.get_signed_cookie(DEVICE_COOKIE, None, salt=DEVICE_SALT, max_age=YEAR_SECONDS)
    return UUID(value) if value else None


def _next(request: HttpRequest) -> str:
    """Where to go on: a page of ours, whatever the address says."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if is_ours and wanted.startswith("/") else "/"


def _sentence(problem: Problem) -> str:
    """What went wrong, without a word on whether the address is known."""
    if isinstance(problem, SignInFailed):
        return _("The email or the password is wrong.")
    seconds = _seconds(problem)
    return ngettext(
        "Too many attempts. Try again in %(seconds)s second.",
        "Too many attempts. Try again in %(seconds)s seconds.",
        seconds,
    ) % {"seconds": localised(str(seconds))}


def _seconds(problem: Problem) -> int:
    return max(1, math.ceil(problem.retry_after or 0))


def _speak(request: HttpRequest, language: str) -> None:
    translation.activate(language)
    request.LANGUAGE_CODE = translation.get_language()


def _keep(response: HttpResponseRedirect | HttpResponse, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=YEAR_SECONDS, samesite="Lax", secure=settings.IS_HTTPS)
