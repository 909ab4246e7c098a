"""Refusals of this app."""

from __future__ import annotations

from samia_chat.errors import Problem


class SignInFailed(Problem):
    """The address or the password is wrong."""

    status = 401
    code = "sign_in_failed"


class SignInDelayed(Problem):
    """Too many wrong passwords for this account. Wait as long as Retry-After says, then try again."""

    status = 429
    code = "sign_in_delayed"


class TokenInvalid(Problem):
    """The refresh token is unknown, used or expired. Sign in again."""

    status = 401
    code = "token_invalid"


class PasswordWrong(Problem):
    """The present password is wrong."""

    status = 400
    code = "password_wrong"


class PasswordWeak(Problem):
    """The new password is too easy to guess. Take at least ten characters that are no common word."""

    status = 400
    code = "password_weak"


class EmailTaken(Problem):
    """There is an account with this address already."""

    status = 409
    code = "email_taken"


class LastSuperAdmin(Problem):
    """This is the last super administrator. Make another one first."""

    status = 409
    code = "last_super_admin"
