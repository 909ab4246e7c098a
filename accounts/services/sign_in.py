"""Signing in and out. A wrong address and a wrong password cannot be told apart, neither by the answer nor by its time."""

from __future__ import annotations

import hmac
from functools import cache
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import connection, connections, transaction
from django.utils import timezone

from accounts.addresses import network_of
from accounts.errors import SignInDelayed, SignInFailed
from accounts.identity import actor_of, himself
from accounts.models import Login, User
from audit.record import record, record_aside
from samia_chat import actor
from samia_chat.api.views import throttle
from samia_chat.db.pools import give_back
from samia_chat.errors import TooFast
from samia_chat.limits import limiter


def verify(*, email: str, password: str, known: UUID | None = None) -> User:
    """The person whose address and password these are. Called outside of a transaction, so that none waits for the hash.

    `known` is the person named by a device cookie. Counts against the caller's network (5 per 20 s) and the account (a
    delay that grows to 30 s, for devices that never signed in to it). Every refusal is recorded. Raises TooFast,
    SignInDelayed, SignInFailed.
    """
    network = network_of(actor.current().address)
    _throttle(network or "unknown")
    email = email.strip().casefold()
    account = account_digest(email)
    # Aside, and with a commit of its own: a refused sign-in is rolled back and its count is not, and nobody waits for the
    # row while this one's password is hashed.
    with connections["aside"].cursor() as cursor:
        cursor.execute(
            "SELECT user_id, password, wait_seconds FROM app.begin_sign_in(%s, %s, %s, %s)",
            [email, account, network, known],
        )
        user_id, stored, wait = cursor.fetchone()
    if wait > 0:
        _record("sign_in.delayed", user_id, account)
        raise SignInDelayed(retry_after=wait)
    give_back()
    # The hash of nobody takes as long as a real one.
    is_right = check_password(password, stored or _nobodys_password()) and user_id is not None
    if not is_right:
        _record("sign_in.failed", user_id, account)
        raise SignInFailed
    with connections["aside"].cursor() as cursor:
        cursor.execute("SELECT app.forget_failures(%s)", [account])
    with actor.acting_as(himself(user_id)), transaction.atomic():
        return User.objects.get(pk=user_id)


def start_login(*, user: User, kind: Login.Kind, external_key: bytes | None = None) -> Login:
    """Begin a sign-in on this device. The caller's address and browser are noted, for the list of devices.

    `external_key` is of the kind EXTERNAL, and names the session at the outside issuer.
    """
    caller = actor_of(user)
    with actor.acting_as(caller), transaction.atomic():
        login = Login.objects.create(
            user=user,
            kind=kind,
            external_key=external_key,
            address=caller.address,
            user_agent=caller.user_agent[:512],
        )
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


def account_digest(email: str) -> bytes:
    """What is kept of an address that somebody typed. With a key of ours: a plain digest of an address is soon guessed."""
    key = hmac.digest(settings.SECRET_KEY.encode(), b"samia sign-in account", "sha256")
    return hmac.digest(key, email.encode(), "sha256")


def _throttle(key: str) -> None:
    try:
        throttle("sign_in", key)
    except TooFast:
        # At the same rate: whoever floods the door must not be able to flood the record.
        if limiter.take("sign_in", f"record:{key}") == 0:
            record_aside("sign_in.throttled", table="accounts_user")
        raise


def _record(action: str, user_id: UUID | None, account: bytes) -> None:
    if user_id:
        record_aside(action, table="accounts_user", record_id=user_id)
    else:  # nobody's: the digest says which attempts were on the same address
        record_aside(action, table="accounts_user", account=account.hex()[:16])


@cache
def _nobodys_password() -> str:
    return make_password("nobody")
