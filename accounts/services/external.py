"""From a bearer of an outside issuer to a login of ours: what devices, tickets, sockets and the record go by."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import jwt
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from accounts.external import Claims, read_external
from accounts.identity import actor_of, himself, visitor
from accounts.models import LOGIN_IDLE, Login, User
from accounts.services.sign_in import start_login
from samia_chat import actor
from samia_chat.errors import AccountUnknown
from samia_chat.roles import SYSTEM_ROLE, Role

# Stands in for an address that the issuer did not verify. RFC 2606: nobody can own such a domain, or get mail there.
PLACEHOLDER_DOMAIN = "external.invalid"
PLACEHOLDER_NAME = "Client"


def external_login(token: str) -> UUID | None:
    """The login that a bearer of the outside issuer stands for: begun where its session is first seen.

    None if the bearer is bad, the account closed or that login ended. Raises AccountUnknown, Busy.
    """
    try:
        claims = read_external(token)
    except jwt.PyJWTError:
        return None
    with actor.acting_as(himself(claims.user_id)), transaction.atomic():
        login_id, may_begin = _look_up(claims)
        if not may_begin:
            return login_id
        user = User.objects.filter(pk=claims.user_id).first()
    if user is None:
        if not settings.EXTERNAL_AUTO_CREATE:
            raise AccountUnknown
        user = _create_client(claims)
    return _begin(user, claims)


def _look_up(claims: Claims) -> tuple[UUID | None, bool]:
    """The live login of the bearer's session, and whether without one a new one may begin.

    A session that has a name and was ended here stays so. Where sessions have none, an end holds for what was issued before
    it: else whoever signs out once could never come back.
    """
    logins = Login.objects.filter(user_id=claims.user_id, external_key=claims.key)
    last = logins.order_by("-id").first()
    if last is None:
        return None, True
    over_at = last.ended_at or last.last_used_at + LOGIN_IDLE
    if last.ended_at is None and over_at > timezone.now():
        return last.pk, False
    is_newer = claims.issued_at is not None and claims.issued_at > over_at.timestamp()
    return None, claims.session is None and is_newer


def _begin(user: User, claims: Claims) -> UUID | None:
    with actor.acting_as(actor_of(user)), transaction.atomic():
        # Locked, so that of two first requests one begins the login and the other finds it, and none begins while the
        # account is being closed.
        is_open = User.objects.select_for_update(no_key=True).filter(pk=user.pk, is_active=True).exists()
        login_id, may_begin = _look_up(claims)
        if not is_open or not may_begin:
            return login_id
        # One that idleness ended is not marked as ended yet.
        Login.objects.filter(user=user, external_key=claims.key, ended_at__isnull=True).update(ended_at=timezone.now())
        return start_login(user=user, kind=Login.Kind.EXTERNAL, external_key=claims.key).pk


def _create_client(claims: Claims) -> User:
    """The account of a person whom the issuer knows and we do not. An address that somebody has already stays his."""
    system = replace(visitor(), role=SYSTEM_ROLE, name="external sign-in")
    placeholder = f"{claims.user_id}@{PLACEHOLDER_DOMAIN}"
    # An account that exists is never found by its address: that would hand it to whoever the issuer says has it.
    email = claims.email if claims.email and not claims.email.endswith(f"@{PLACEHOLDER_DOMAIN}") else placeholder
    with actor.acting_as(system), transaction.atomic():
        for address in dict.fromkeys((email, placeholder)):
            user = User(
                id=claims.user_id,
                email=address,
                display_name=claims.name or PLACEHOLDER_NAME,
                role=Role.CLIENT,
                password=make_password(None),  # none is right
            )
            # Two first requests at once are one account, and an address that is taken makes none.
            User.objects.bulk_create([user], ignore_conflicts=True)
            found = User.objects.filter(pk=claims.user_id).first()
            if found is not None:
                return found
    raise AccountUnknown  # somebody was given the placeholder as his address
