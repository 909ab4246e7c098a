"""Refusals of the domain. The class says code and status, its docstring is the sentence people read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class Problem(Exception):
    """The request could not be carried out."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"

    def __init__(
        self,
        detail: str | None = None,
        *,
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
        **extra: object,
    ) -> None:
        self.detail = detail or (type(self).__doc__ or "").strip().split("\n\n")[0]
        self.retry_after = retry_after  # seconds
        self.headers = headers or {}  # further ones of the answer
        self.extra = extra  # further members of the problem, for programs
        super().__init__(self.detail)


class Unreadable(Problem):
    """The request could not be read."""


class Malformed(Problem):
    """The body is not valid JSON, or not an object."""

    code = "malformed"


class NotFound(Problem):
    """There is nothing here, or nothing that you may see."""

    status = 404
    code = "not_found"


class Forbidden(Problem):
    """You may see this, but not do that."""

    status = 403
    code = "forbidden"


class MethodNotAllowed(Problem):
    """This address does not know this method. The header Allow names those that it knows."""

    status = 405
    code = "method_not_allowed"


class UnsupportedMediaType(Problem):
    """The body is of a kind that is not understood here. Send it with the documented Content-Type."""

    status = 415
    code = "unsupported_media_type"


class Invalid(Problem):
    """The request is not of the documented form; `errors` names the fields."""

    code = "invalid"


class CSRFMissing(Problem):
    """The CSRF token is missing or wrong. Send X-CSRFToken with the value of the cookie samia_csrf."""

    status = 403
    code = "csrf"


class Busy(Problem):
    """Something else holds this just now. Try again in a moment."""

    status = 503
    code = "busy"


class TooFast(Problem):
    """Too many requests. Wait as long as Retry-After says."""

    status = 429
    code = "too_fast"


class TooLarge(Problem):
    """The request is larger than is accepted."""

    status = 413
    code = "too_large"


class SignedOut(Problem):
    """Sign in first, or again."""

    status = 401
    code = "signed_out"


class AccountUnknown(Problem):
    """The token is good, but its owner has no account here."""

    status = 401
    code = "account_unknown"


class ServerError(Problem):
    """Something went wrong on our side; it has been noted. Give us the request id if you ask about it."""

    status = 500
    code = "server_error"
