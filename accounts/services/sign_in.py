"""Signing in and out. A wrong address and a wrong password cannot be told apart, neither by the answer nor by its time."""

from __future__ import annotations

import hashlib
from functools import cache
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.db import connection, connections, transaction
from django.utils import timezone

from accounts.errors import SignInDelayed, SignInFailed
from accounts.identity import actor_of
from accounts.models import Login, User
from audit.record import record, record_aside
from samia_chat import actor
from samia_chat.api.views import throttle


def verify(*, email: str, password: str, known: UUID | None = None) -> User:
    """The person whose address and password these are.

    `known` is the person named by a device cookie. Counts against the caller's address (5 per 20 s) and the account (a
    delay that grows to 30 s, for devices that never signed in to it). Raises TooFast, SignInDelayed, SignInFailed.
    """
    caller = actor.current()
    throttle("sign_in", caller.address or "unknown")
    email = email.strip().casefold()
    account = hashlib.sha256(email.encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT user_id, password, wait_seconds FROM app.credentials(%s, %s, %s, %s)",
            [email, account, caller.address, known],
        )
        user_id, stored, wait = cursor.fetchone()
    if wait > 0:
        raise SignInDelayed(retry_after=wait)
    # The hash of nobody takes as long as a real one.
    is_right = check_password(password, stored or _nobodys_password()) and user_id is not None
    _count(account, is_right)
    if not is_right:
        record_aside("sign_in.failed", table="accounts_user", record_id=user_id, account=account.hex()[:16])
        raise SignInFailed
    with actor.acting_as(_himself(user_id)), transaction.atomic():
        return User.objects.get(pk=user_id)


def start_login(*, user: User, kind: Login.Kind) -> Login:
    """Begin a sign-in on this device. The caller's address and browser are noted, for the list of devices."""
    caller = actor_of(user)
    with actor.acting_as(caller), transaction.atomic():
        login = Login.objects.create(user=user, kind=kind, address=caller.address, user_agent=caller.user_agent[:512])
        record("sign_in.succeeded", table="accounts_login", record_id=login.pk, kind=kind.value)
    return login


@transaction.atomic
def end_login(*, user: User, login_id: UUID) -> bool:
    """End one of the person's own sign-ins; what it gave (cookie, tokens, sockets) ends within a second.

    False if there is no such login of his, or it has ended already.
    """
    ended = Login.objects.filter(pk=login_id, user=user, ended_at__isnull=True).update(ended_at=timezone.now())
    if ended:
        record("sign_in.ended", table="accounts_login", record_id=login_id)
    return bool(ended)


def end_logins(*, user_id: UUID, keep: UUID | None = None) -> int:
    """End every sign-in of a person but `keep`; returns how many. The database lets only him and administrators."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app.end_logins(%s, %s)", [user_id, keep])
        count = int(cursor.fetchone()[0])
    if count:
        record("sign_in.ended_all", table="accounts_user", record_id=user_id, count=count)
    return count


def _count(account: bytes, succeeded: bool) -> None:
    # Aside: a refused sign-in is rolled back, its count is not.
    with connections["aside"].cursor() as cursor:
        cursor.execute("SELECT app.count_sign_in(%s, %s)", [account, succeeded])


def _himself(user_id: UUID) -> actor.Actor:
    base = actor.current()
    return actor.Actor(user_id=user_id, address=base.address, user_agent=base.user_agent, request_id=base.request_id)


@cache
def _nobodys_password() -> str:
    return make_password("nobody")
