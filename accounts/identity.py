"""From a credential to a person: the same door for cookie, bearer and ticket."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import jwt
from django.db import connection

from accounts import tokens
from accounts.models import User
from samia_chat import actor
from samia_chat.actor import Actor


def login_user(login_id: UUID) -> User | None:
    """The person behind a login that is live, of an account that is open; None otherwise. One query, needs no actor."""
    found = list(User.objects.raw("SELECT * FROM app.login_user(%s)", [login_id]))
    return found[0] if found else None


def live_logins(login_ids: list[UUID]) -> dict[UUID, tuple[UUID, str]]:
    """Of these logins the live ones: whose each is, and under which role. For the system."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT login_id, user_id, role FROM app.live_logins(%s::uuid[])", [login_ids])
        return {login_id: (user_id, role) for login_id, user_id, role in cursor.fetchall()}


def actor_of(user: User, base: Actor | None = None) -> Actor:
    """The actor for a person, with the address, agent and request id of `base` (default: of the current actor)."""
    return replace(base or actor.current(), user_id=user.pk, role=user.role, name="")


def visitor() -> Actor:
    """The caller without his person: staff enter the database under a role that has no business with web sessions."""
    return replace(actor.current(), user_id=None, role="")


def himself(user_id: UUID) -> Actor:
    """The caller as a person whose credential was checked, before his row is read: what is his own, and nothing else."""
    return replace(visitor(), user_id=user_id)


def bearer_login(token: str) -> UUID | None:
    """The login an access token of ours stands for; None if it is expired, forged, or of another kind."""
    try:
        return tokens.read_access_token(token)
    except jwt.InvalidTokenError:
        return None
