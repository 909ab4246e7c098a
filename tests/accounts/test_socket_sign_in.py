"""Many sockets signed in at once: each as whom it is, a ticket once, a cookie of ours only."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.identity import actor_of
from accounts.middleware import SESSION_KEY
from accounts.models import Login, User
from accounts.services.token import issue_ticket
from accounts.socket_sign_in import Credential, signed_in
from samia_chat import actor
from samia_chat.actor import Actor
from tests.cast import World, make_login
from tests.database import Truth


def ticket(login: Login) -> Credential:
    with actor.acting_as(actor_of(login.user, Actor())):
        return Credential(issue_ticket(login_id=login.pk)[0], "samia_session=not looked at")


def cookie(login: Login) -> Credential:
    session = SessionStore()
    session[SESSION_KEY] = str(login.pk)
    with transaction.atomic():
        session.save()
    return Credential(None, f"samia_language=en; samia_session={session.session_key}")


def ask(*credentials: Credential) -> list[tuple[UUID, User] | None]:
    with transaction.atomic():
        return [found and tuple(found) for found in signed_in(credentials)]  # type: ignore[misc]


def test_each_is_who_he_is_whatever_he_brings(world: World) -> None:
    client, reader, monitor = (make_login(person) for person in (world.client, world.reader, world.monitor))
    found = ask(
        ticket(reader), cookie(client), Credential("unknown", ""), Credential(None, ""), ticket(monitor), cookie(reader)
    )
    assert found == [
        (reader.pk, world.reader),
        (client.pk, world.client),
        None,
        None,
        (monitor.pk, world.monitor),
        (reader.pk, world.reader),
    ]


def test_a_ticket_is_good_once_also_among_those_asked_together(world: World) -> None:
    once, other = ticket(make_login(world.client)), ticket(make_login(world.client))
    assert [found is not None for found in ask(once, other, once)] == [True, True, False]
    assert ask(once, other) == [None, None]


def test_a_ticket_decides_alone(world: World) -> None:
    good = cookie(make_login(world.client))
    assert ask(Credential("unknown", good.cookies)) == [None]


@pytest.mark.parametrize(
    "cookies", ["", "samia_session=", "other=x", r'samia_session="\000aaaaaaaaaa"', f"samia_session={'a' * 32}"]
)
def test_cookies_that_are_none_of_ours(cookies: str, world: World) -> None:
    good = cookie(make_login(world.client))
    found = ask(Credential(None, cookies), good)
    assert (found[0], found[1] is not None) == (None, True)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE accounts_login SET ended_at = now()",
        "UPDATE accounts_user SET is_active = false",
        "UPDATE accounts_ticket SET expires_at = now() - interval '1 second'",
        "UPDATE accounts_login SET last_used_at = now() - interval '31 days'",
    ],
)
def test_who_was_signed_out_or_is_late_does_not_come_in(change: str, world: World, truth: Truth) -> None:
    credential = ticket(make_login(world.client))
    truth.rows(change)
    assert ask(credential) == [None]


def test_a_browser_session_that_has_expired_or_names_no_login(world: World, truth: Truth) -> None:
    old, odd = cookie(make_login(world.client)), SessionStore()
    truth.rows("UPDATE django_session SET expire_date = now() - interval '1 second'")
    odd[SESSION_KEY] = "none"
    with transaction.atomic():
        odd.save()
    assert ask(old, Credential(None, f"samia_session={odd.session_key}")) == [None, None]


@pytest.mark.parametrize("count", [1, 20])
def test_many_cost_as_many_queries_as_one(count: int, world: World) -> None:
    login = make_login(world.client)
    credentials: Sequence[Credential] = [make(login) for make in (ticket, cookie) for _ in range(count)]
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        assert None not in signed_in(credentials)
    assert len(queries) == 3
