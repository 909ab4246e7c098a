"""Tokens and tickets for clients that keep no cookie."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import connection, connections, transaction

from accounts import tokens
from accounts.errors import TokenInvalid
from accounts.identity import actor_of, login_user
from accounts.models import Login, User
from accounts.services.sign_in import start_login
from audit.record import record, record_aside
from samia_chat import actor


@dataclass(frozen=True, kw_only=True)
class TokenPair:
    access: str
    refresh: str
    expires_in: int  # seconds, of the access token


def issue_tokens(*, user: User) -> TokenPair:
    """Sign a client in: a new login and its first pair."""
    refresh = tokens.make_secret()
    with actor.acting_as(actor_of(user)), transaction.atomic(), connection.cursor() as cursor:
        login = start_login(user=user, kind=Login.Kind.TOKEN)
        cursor.execute("SELECT app.add_refresh_token(%s, %s)", [login.pk, tokens.digest(refresh)])
    return _pair(user, login.pk, refresh)


def refresh_tokens(*, refresh: str) -> TokenPair:
    """Exchange a refresh token for a new pair; it is then used up. Raises TokenInvalid.

    Presenting a used one ends the login it belongs to: either the owner or a thief has a copy, and nobody can tell which.
    """
    following = tokens.make_secret()
    # Aside, because the end of a stolen login must stay when the request is refused.
    with transaction.atomic(using="aside"), connections["aside"].cursor() as cursor:
        cursor.execute(
            "SELECT login_id, outcome FROM app.rotate_refresh_token(%s, %s)",
            [tokens.digest(refresh), tokens.digest(following)],
        )
        found = cursor.fetchone()
    login_id, outcome = found if found else (None, "unknown")
    if outcome == "reused":
        record_aside("sign_in.revoked", table="accounts_login", record_id=login_id, why="refresh token used twice")
    user = login_user(login_id) if outcome == "rotated" and login_id else None
    if user is None or login_id is None:
        raise TokenInvalid
    return _pair(user, login_id, following)


@transaction.atomic
def issue_ticket(*, login_id: UUID) -> tuple[str, int]:
    """A ticket for one socket, and the seconds it is good for."""
    ticket = tokens.make_secret()
    with connection.cursor() as cursor:
        cursor.execute("SELECT app.add_ticket(%s, %s, %s)", [login_id, tokens.digest(ticket), settings.TICKET_SECONDS])
    record("ticket.issued", table="accounts_login", record_id=login_id)
    return ticket, settings.TICKET_SECONDS


def _pair(user: User, login_id: UUID, refresh: str) -> TokenPair:
    access = tokens.make_access_token(user_id=user.pk, login_id=login_id)
    return TokenPair(access=access, refresh=refresh, expires_in=settings.ACCESS_TOKEN_SECONDS)
