"""Bearers of an outside issuer (such as Supabase Auth): what one must say to be believed, and what is taken from it.

Its signature is checked either with the issuer's public keys or with the secret shared with it, as the settings say; an
algorithm of the other family is refused. A role in it is not even read: ours stands in the person's row.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import jwt
import msgspec
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from rest_framework.serializers import ValidationError as FieldError

from accounts import jwks
from samia_chat.api.input import NameField

LEEWAY_SECONDS = 30  # between the issuer's clock and ours
MAX_LENGTH = 16 * 1024  # characters of a bearer
MAX_SESSION_LENGTH = 255
REQUIRED = ["exp", "iss", "aud", "sub"]


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What a valid bearer says."""

    user_id: UUID
    session: str | None  # the issuer's name for the sign-in; None: it has none
    issued_at: float | None  # seconds of Unix time
    email: str | None  # case-folded; None unless the issuer has verified it
    name: str | None  # the same

    @property
    def key(self) -> bytes:
        """What the login is found by: a digest of issuer and session, or of issuer and person where sessions have no name."""
        kind, name = ("session", self.session) if self.session else ("subject", str(self.user_id))
        return hashlib.sha256(msgspec.json.encode([settings.EXTERNAL_ISSUER, kind, name])).digest()


def is_external(token: str) -> bool:
    """Whether a bearer says that it is the outside issuer's. Nothing is verified: it only chooses who is to do that."""
    if not settings.EXTERNAL_ISSUER or len(token) > MAX_LENGTH:
        return False
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return False
    return bool(claims.get("iss") == settings.EXTERNAL_ISSUER)


def read_external(token: str) -> Claims:
    """What a valid bearer says. Raises jwt.PyJWTError for any other, Busy while the issuer's keys cannot be had."""
    key, algorithms = _key_of(token)
    claims = jwt.decode(
        token,
        key,
        algorithms=algorithms,
        audience=settings.EXTERNAL_AUDIENCE,
        issuer=settings.EXTERNAL_ISSUER,
        leeway=LEEWAY_SECONDS,
        options={"require": REQUIRED, "enforce_minimum_key_length": True},
    )
    is_verified = claims.get("email_verified") is True
    return Claims(
        user_id=_uuid(claims["sub"]),
        session=_session(claims),
        issued_at=float(claims["iat"]) if "iat" in claims else None,  # PyJWT has seen that it is a number
        email=_email(claims.get("email")) if is_verified else None,
        name=_name(claims.get("name")) if is_verified else None,
    )


def _key_of(token: str) -> tuple[jwt.PyJWK | bytes, list[str]]:
    if settings.EXTERNAL_SECRET:
        return settings.EXTERNAL_SECRET.encode(), ["HS256"]
    header = jwt.get_unverified_header(token)
    kid = header.get("kid")
    # Before the key is looked for: what could not be valid makes nobody fetch anything.
    if header.get("alg") not in jwks.ALGORITHMS or not isinstance(kid, str):
        raise jwt.InvalidAlgorithmError("not signed with one of the issuer's keys")
    key = jwks.key_set(settings.EXTERNAL_JWKS_URL).key(kid)
    if key is None:
        raise jwt.InvalidKeyError("the issuer has no such key")
    return key, list(jwks.ALGORITHMS)


def _uuid(sub: str) -> UUID:
    """The person, in the one form that a UUID is written in. Raises jwt.InvalidTokenError."""
    try:
        found = UUID(sub)
    except ValueError:
        found = None
    if found is None or str(found) != sub:
        raise jwt.InvalidTokenError("sub is no UUID")
    return found


def _session(claims: dict[str, Any]) -> str | None:
    """OpenID Connect calls it sid, Supabase Auth session_id. Raises jwt.InvalidTokenError for one that is no name."""
    for claim in ("sid", "session_id"):
        if claim in claims:
            found = claims[claim]
            if not isinstance(found, str) or not 0 < len(found) <= MAX_SESSION_LENGTH or not _is_text(found):
                raise jwt.InvalidTokenError(f"{claim} is no name")
            return found
    return None


def _email(given: object) -> str | None:
    # ASCII, because Python and PostgreSQL fold other letters differently.
    if not isinstance(given, str) or not given.isascii() or len(given) > 254:
        return None
    try:
        validate_email(given)
    except ValidationError:
        return None
    return given.casefold()


def _name(given: object) -> str | None:
    if not isinstance(given, str) or not _is_text(given):
        return None
    try:
        return str(NameField(max_length=80).run_validation(given.strip()[:80].strip()))
    except FieldError:
        return None


def _is_text(given: str) -> bool:
    """JSON can name halves of surrogate pairs, which nothing can encode."""
    return not any("\ud800" <= letter <= "\udfff" for letter in given)
