"""Errors as answers: RFC 9457 problems with a stable `code`, for every path and every status. Pages get a page."""

from __future__ import annotations

import logging
import math
from http import HTTPStatus
from typing import Any

import msgspec
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from psycopg import errors as pg
from psycopg_pool import PoolTimeout
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.views import set_rollback

from samia_chat import actor, telemetry
from samia_chat.errors import (
    Busy,
    CSRFMissing,
    Forbidden,
    Invalid,
    Malformed,
    MethodNotAllowed,
    NotFound,
    Problem,
    ServerError,
    SignedOut,
    TooLarge,
    Unreadable,
    UnsupportedMediaType,
)

log = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"

# Ours for those of DRF that can come up. Their sentences stay: they name the method or where the JSON breaks off.
_FROM_DRF: dict[type[drf.APIException], type[Problem]] = {
    drf.ParseError: Malformed,
    drf.UnsupportedMediaType: UnsupportedMediaType,
    drf.MethodNotAllowed: MethodNotAllowed,
    drf.PermissionDenied: Forbidden,
    drf.NotFound: NotFound,
}


def body(*, status: int, code: str, detail: str, **extra: object) -> dict[str, object]:
    """One problem: type, title, status, code, detail, request_id, and what the refusal adds (`errors`, `wait_seconds`)."""
    return {
        "type": f"urn:samia:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": actor.current().request_id,
        **extra,
    }


def of(error: Exception) -> tuple[dict[str, Any], dict[str, str]] | None:
    """The problem and the headers for an exception that is a refusal; None for a fault of ours."""
    headers: dict[str, str] = {}
    if isinstance(error, (Http404, PermissionDenied)):
        error = drf.NotFound() if isinstance(error, Http404) else drf.PermissionDenied()
    if isinstance(error, OperationalError | PoolTimeout):
        busy = isinstance(error, PoolTimeout) or isinstance(error.__cause__, pg.LockNotAvailable | pg.DeadlockDetected)
        error = Busy(retry_after=1) if busy else Busy("The database does not answer. Try again.", retry_after=2)
    if isinstance(error, (drf.NotAuthenticated, drf.AuthenticationFailed)):
        error = SignedOut()
    if isinstance(error, Problem):
        headers |= error.headers
        if error.retry_after is not None:
            headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
        if error.status == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"
        return body(status=error.status, code=error.code, detail=error.detail, **error.extra), headers
    if isinstance(error, drf.ValidationError):
        detail = "Some fields are missing, unknown or not of the documented form; `errors` names them."
        return body(status=400, code=Invalid.code, detail=detail, errors=error.detail), headers
    if isinstance(error, drf.APIException):
        ours = _FROM_DRF.get(type(error), Unreadable)
        return body(status=ours.status, code=ours.code, detail=str(error.detail)), headers
    return None


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. A refusal takes back what the request had written."""
    found = of(error)
    if found is None:
        return None  # Django answers through server_error below, after logging the traceback
    set_rollback()
    problem, headers = found
    telemetry.observe("refused", code=problem["code"], status=problem["status"])
    return Response(problem, status=problem["status"], headers=headers, content_type=CONTENT_TYPE)


def respond(request: HttpRequest, problem: dict[str, Any], headers: dict[str, str] | None = None) -> HttpResponse:
    """A problem outside DRF: JSON for programs, a page for a browser that opened a page."""
    wants_page = "text/html" in request.headers.get("Accept", "") and not request.path.startswith("/api/")
    if wants_page:
        return render(request, "error.html", {"problem": problem}, status=problem["status"])
    return HttpResponse(
        msgspec.json.encode(problem), status=problem["status"], content_type=CONTENT_TYPE, headers=headers
    )


# Named in urls.py and settings ----------------------------------------------------------------------------------------


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return _refuse(request, TooLarge())
    if isinstance(exception, BadRequest | SuspiciousOperation):
        log.warning("suspicious request", extra={"why": str(exception)})
    return _refuse(request, Unreadable())


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _refuse(request, Forbidden("You may not do that."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _refuse(request, NotFound("There is nothing at this address."))


def server_error(request: HttpRequest) -> HttpResponse:
    return _refuse(request, ServerError())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    detail = "The CSRF token is missing or wrong. Reload the page, or send X-CSRFToken with the cookie's value."
    return _refuse(request, CSRFMissing(detail))


def _refuse(request: HttpRequest, problem: Problem) -> HttpResponse:
    return respond(request, body(status=problem.status, code=problem.code, detail=problem.detail))
