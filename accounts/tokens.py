"""The forms of our credentials: access tokens (signed), refresh tokens and tickets (random, stored as digests)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from uuid import UUID

import jwt
from django.conf import settings

ISSUER = AUDIENCE = "samia_chat"


def _key() -> bytes:
    # A key of its own, so that no other signature made with SECRET_KEY passes for a token.
    return hmac.digest(settings.SECRET_KEY.encode(), b"samia access token", "sha256")


def make_access_token(*, user_id: UUID, login_id: UUID) -> str:
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(user_id),
        "login": str(login_id),
        "iat": now,
        "exp": now + settings.ACCESS_TOKEN_SECONDS,
    }
    return jwt.encode(claims, _key(), algorithm="HS256")


def read_access_token(token: str) -> UUID:
    """The login in a valid token. Raises jwt.InvalidTokenError."""
    claims = jwt.decode(
        token,
        _key(),
        algorithms=["HS256"],
        audience=AUDIENCE,
        issuer=ISSUER,
        options={"require": ["exp", "iat", "sub", "aud", "iss"]},
        leeway=5,
    )
    try:
        return UUID(claims["login"])
    except (KeyError, ValueError, TypeError, AttributeError):
        raise jwt.InvalidTokenError("no login") from None


def make_secret() -> str:
    """A refresh token or ticket: 256 random bits, in letters that a WebSocket subprotocol may hold."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """What is stored instead. Plain SHA-256: the secret is random and needs no slow hash."""
    return hashlib.sha256(secret.encode()).digest()
