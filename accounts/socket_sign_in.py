"""Who opens sockets. Asked for many at once: when a process has ended, all its people come back at the same moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.http.cookie import parse_cookie
from django.utils import timezone

from accounts import tokens
from accounts.middleware import login_of_session, session_key
from accounts.models import User


class Credential(NamedTuple):
    """What a socket brings. A ticket decides alone, and is used up; without one it is the cookie of a browser."""

    ticket: str | None
    cookies: str  # the Cookie header


class SignedIn(NamedTuple):
    login_id: UUID
    user: User


def signed_in(credentials: Sequence[Credential]) -> list[SignedIn | None]:
    """The people behind these credentials, in their order; None where one is unknown, used, expired, or its account closed.

    Three queries whatever their number; needs no actor.
    """
    tickets = _use_tickets(credential.ticket for credential in credentials if credential.ticket is not None)
    sessions = _logins_of_sessions(_key(credential) for credential in credentials if credential.ticket is None)
    logins = [
        # A ticket that is here twice is good once.
        tickets.pop(credential.ticket, None) if credential.ticket is not None else sessions.get(_key(credential))
        for credential in credentials
    ]
    people = _people({login for login in logins if login is not None})
    return [SignedIn(login, people[login]) if login in people else None for login in logins]


def _key(credential: Credential) -> str | None:
    return session_key(parse_cookie(credential.cookies).get(settings.SESSION_COOKIE_NAME, ""))


# In one order everywhere, because the functions lock what they change: others may be asking for the same ones.


def _use_tickets(tickets: Iterable[str]) -> dict[str, UUID]:
    digests = {tokens.digest(ticket): ticket for ticket in tickets}
    if not digests:
        return {}
    query = "SELECT t.digest, app.use_ticket(t.digest) FROM unnest(%s::bytea[]) AS t (digest)"
    with connection.cursor() as cursor:
        cursor.execute(query, [sorted(digests)])
        return {digests[bytes(digest)]: login for digest, login in cursor.fetchall() if login is not None}


def _logins_of_sessions(keys: Iterable[str | None]) -> dict[str | None, UUID]:
    known = {key for key in keys if key is not None}
    found: dict[str | None, UUID] = {}
    if known:
        for session in Session.objects.filter(session_key__in=known, expire_date__gt=timezone.now()):
            login = login_of_session(session.get_decoded())
            if login is not None:
                found[session.session_key] = login
    return found


def _people(logins: set[UUID]) -> dict[UUID, User]:
    if not logins:
        return {}
    query = "SELECT l.id AS login_id, u.* FROM unnest(%s::uuid[]) AS l (id), app.login_user(l.id) u"
    return {user.login_id: user for user in User.objects.raw(query, [sorted(logins)])}  # type: ignore[attr-defined]
