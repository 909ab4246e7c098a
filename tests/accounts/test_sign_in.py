"""Signing in: right and wrong, slow and fast, and nothing that tells whether an account exists."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import jwt
import pytest
from django.conf import settings
from django.db import connections
from django.test import Client

from accounts import tokens
from accounts.addresses import network_of
from accounts.errors import SignInDelayed
from accounts.models import Login
from accounts.services import sign_in
from samia_chat import actor
from samia_chat.actor import Actor
from samia_chat.errors import Problem
from samia_chat.limits import limiter
from tests.cast import PASSWORD, World
from tests.database import Truth
from tests.rest import Answer, Api


def attempt(email: str, password: str = PASSWORD, **headers: str) -> Answer:
    return Api(**headers).post("/auth/token", {"email": email, "password": password})


def test_the_right_password_gives_a_pair_that_works(world: World, truth: Truth) -> None:
    answer = attempt("Client@Example.TEST ")
    assert answer.status == 200
    assert answer.body["expires_in"] == 600
    me = Api(Authorization=f"Bearer {answer.body['access']}").get("/me")
    assert (me.status, me.body["email"], me.body["role"]) == (200, "client@example.test", "client")
    entry = truth.rows("SELECT * FROM chat_audit_logs WHERE action = 'sign_in.succeeded'")[0]
    assert (entry["actor"], str(entry["ip_address"])) == (world.client.pk, "127.0.0.1")


def test_wrong_address_wrong_password_and_closed_account_look_the_same(world: World, truth: Truth) -> None:
    truth.rows("UPDATE accounts_user SET is_active = false WHERE id = %s", world.reader.pk)
    answers = []
    for email, password in (
        ("client@example.test", "wrong password"),
        ("nobody@example.test", PASSWORD),
        ("reader@example.test", PASSWORD),
        ("", ""),
        ("x" * 250, "y"),
    ):
        limiter.reset()
        answers.append(attempt(email, password))
    refused = {str(answer.body | {"request_id": ""}) for answer in answers[:3]}
    assert {(answer.status, answer.code) for answer in answers[:3]} == {(401, "sign_in_failed")}
    assert len(refused) == 1
    assert answers[3].status == 400
    recorded = truth.rows("SELECT record_id, new_values FROM chat_audit_logs WHERE action = 'sign_in.failed'")
    assert len(recorded) == 4  # the request was refused and rolled back, its record stays
    assert "wrong password" not in str(recorded)


def test_a_wrong_address_costs_as_much_as_a_wrong_password(world: World) -> None:
    """Both hash once. Counted, not timed."""
    import accounts.services.sign_in as module

    calls = []
    original = module.check_password

    def counted(password: str, encoded: str) -> bool:
        calls.append(encoded.split("$")[1])
        return original(password, encoded)

    module.check_password = counted
    try:
        attempt("client@example.test", "wrong")
        limiter.reset()
        attempt("nobody@example.test", "wrong")
    finally:
        module.check_password = original
    assert calls == ["argon2id", "argon2id"]


@pytest.fixture
def rates_stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No token comes back meanwhile, however slow the machine."""
    monkeypatch.setattr("samia_chat.limits.time", SimpleNamespace(monotonic=lambda: 0.0))


def failed_before(truth: Truth, email: str, count: int, ago: str = "0 seconds") -> None:
    account = sign_in.account_digest(email)
    truth.rows("INSERT INTO accounts_sign_in_failures VALUES (%s, %s, now() - %s::interval)", account, count, ago)


def test_five_attempts_in_twenty_seconds_from_one_address(world: World, rates_stand_still: None) -> None:
    statuses = [attempt("nobody@example.test", "x").status for _ in range(3)]
    statuses += [attempt("client@example.test").status for _ in range(4)]
    assert statuses == [401, 401, 401, 200, 200, 429, 429]
    refused = attempt("client@example.test")
    assert refused.code == "too_fast"
    assert 1 <= int(refused.headers["Retry-After"]) <= 4


def guess(email: str, address: str, password: str = "wrong", known: UUID | None = None) -> None:
    limiter.reset()
    with actor.acting_as(Actor(address=address)):
        sign_in.verify(email=email, password=password, known=known)


@pytest.mark.parametrize("email", ["client@example.test", "nobody@example.test"])
def test_wrong_passwords_for_one_account_delay_each_other_wherever_they_come_from(
    email: str, world: World, truth: Truth
) -> None:
    for number in range(3):
        with pytest.raises(sign_in.SignInFailed):
            guess(email, f"203.0.113.{number}")
    truth.rows("UPDATE accounts_sign_in_failures SET last_at = now()")  # the hashing may have taken a second
    with pytest.raises(SignInDelayed) as refused:
        guess(email, "203.0.113.9", PASSWORD)
    assert 0 < (refused.value.retry_after or 0) <= 1


def test_the_delay_grows_to_half_a_minute_and_a_right_password_ends_it(world: World, truth: Truth) -> None:
    waits = []
    for count in (3, 4, 6, 30):
        truth.rows("DELETE FROM accounts_sign_in_failures")
        failed_before(truth, "client@example.test", count)
        with pytest.raises(SignInDelayed) as refused:
            guess("client@example.test", "203.0.113.9", PASSWORD)
        waits.append(round(refused.value.retry_after or 0))
    assert waits == [1, 2, 8, 30]
    truth.rows("UPDATE accounts_sign_in_failures SET last_at = now() - interval '31 seconds'")
    guess("client@example.test", "203.0.113.9", PASSWORD)
    assert truth.one("SELECT count(*) FROM accounts_sign_in_failures") == 0


def test_strangers_who_guess_do_not_lock_the_owner_out(world: World, truth: Truth) -> None:
    """A device that has signed in before does not wait: known by its address or by its cookie."""
    assert attempt("client@example.test").status == 200  # from 127.0.0.1
    failed_before(truth, "client@example.test", 30)
    guess("client@example.test", "127.0.0.1", PASSWORD)
    failed_before(truth, "client@example.test", 30)
    guess("client@example.test", "203.0.113.9", PASSWORD, known=world.client.pk)
    failed_before(truth, "client@example.test", 30)
    with pytest.raises(SignInDelayed):  # a cookie of somebody else's account helps nobody
        guess("client@example.test", "203.0.113.9", PASSWORD, known=world.reader.pk)


def test_of_guesses_at_the_same_moment_one_passes_and_the_others_wait(world: World, truth: Truth) -> None:
    """Ten wrong ones before, half a minute ago: one further guess is due."""
    failed_before(truth, "client@example.test", 10, "31 seconds")

    def work(number: int) -> str:
        try:
            guess("client@example.test", f"203.0.113.{number}")
        except Problem as refused:
            return refused.code
        finally:
            connections.close_all()
        return "passed"

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(work, range(8)))
    assert outcomes == ["sign_in_delayed"] * 7 + ["sign_in_failed"]
    assert truth.one("SELECT count FROM accounts_sign_in_failures") == 11


def test_an_hour_without_failures_begins_anew(world: World, truth: Truth) -> None:
    failed_before(truth, "client@example.test", 30, "61 minutes")
    for count in (1, 2, 3):
        with pytest.raises(sign_in.SignInFailed):
            guess("client@example.test", "203.0.113.9")
        assert truth.one("SELECT count FROM accounts_sign_in_failures") == count


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        (None, None),
    ],
)
def test_what_stands_for_a_caller(address: str | None, network: str | None) -> None:
    assert network_of(address) == network


def test_a_subscriber_is_one_caller_whichever_of_his_addresses_he_takes(
    world: World, truth: Truth, rates_stand_still: None
) -> None:
    failed_before(truth, "nobody@example.test", 30)

    def from_address(address: str) -> str:
        try:
            with actor.acting_as(Actor(address=address)):
                sign_in.verify(email="nobody@example.test", password="x")
        except Problem as refused:
            return refused.code
        return "passed"

    outcomes = [from_address(f"2001:db8:1:2::{number}") for number in range(1, 7)]
    assert outcomes == ["sign_in_delayed"] * 5 + ["too_fast"]
    assert from_address("2001:db8:1:3::1") == "sign_in_delayed"  # another's


def test_a_device_is_known_by_its_network(world: World, truth: Truth) -> None:
    guess("client@example.test", "2001:db8:1:2::1", PASSWORD)
    with actor.acting_as(Actor(address="2001:db8:1:2::1")):
        sign_in.start_login(user=world.client, kind=Login.Kind.COOKIE)
    failed_before(truth, "client@example.test", 30)
    with pytest.raises(SignInDelayed):
        guess("client@example.test", "2001:db8:1:3::1", PASSWORD)
    guess("client@example.test", "2001:db8:1:2:aaaa::7", PASSWORD)


def recorded(truth: Truth, action: str) -> list[dict[str, Any]]:
    return truth.rows("SELECT * FROM chat_audit_logs WHERE action = %s ORDER BY id", action)


def test_every_refusal_at_the_door_is_on_record(world: World, truth: Truth, rates_stand_still: None) -> None:
    for _ in range(3):
        assert attempt("client@example.test", "wrong").status == 401
    assert len(recorded(truth, "sign_in.failed")) == 3
    truth.rows("DELETE FROM accounts_sign_in_failures")
    failed_before(truth, "client@example.test", 30)
    for _ in range(2):
        assert attempt("client@example.test").code == "sign_in_delayed"
    delayed = recorded(truth, "sign_in.delayed")
    assert [(entry["record_id"], str(entry["ip_address"])) for entry in delayed] == [(world.client.pk, "127.0.0.1")] * 2
    for _ in range(20):
        assert attempt("client@example.test", "wrong").code == "too_fast"
    throttled = recorded(truth, "sign_in.throttled")
    assert len(throttled) == 5  # who floods the door does not flood the record
    assert str(throttled[0]["ip_address"]) == "127.0.0.1"


def test_the_record_holds_no_digest_by_which_an_address_could_be_found(world: World, truth: Truth) -> None:
    import hashlib

    for email in ("client@example.test", "nobody@example.test", "nobody@example.test"):
        attempt(email, "wrong")
    known, *unknown = recorded(truth, "sign_in.failed")
    assert (known["record_id"], known["new_values"]) == (world.client.pk, None)
    digests = {entry["new_values"]["account"] for entry in unknown}
    assert digests == {sign_in.account_digest("nobody@example.test").hex()[:16]}  # that they are one shows
    everything = str(truth.rows("SELECT * FROM chat_audit_logs"))
    for email in ("client@example.test", "nobody@example.test"):
        assert hashlib.sha256(email.encode()).hexdigest()[:16] not in everything


# Access tokens ------------------------------------------------------------------------------------------------------------


def forged(world: World, **changes: object) -> str:
    login = Api(world.client).login
    assert login is not None
    now = int(time.time())
    claims: dict[str, object] = {
        "iss": "samia_chat",
        "aud": "samia_chat",
        "sub": str(world.client.pk),
        "login": str(login.pk),
        "iat": now,
        "exp": now + 600,
    }
    claims.update(changes)
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, tokens._key(), algorithm="HS256")


def test_tokens_that_are_not_ours_open_nothing(world: World) -> None:
    assert Api(Authorization=f"Bearer {forged(world)}").get("/me").status == 200
    bad = {
        "expired": forged(world, exp=int(time.time()) - 60),
        "other audience": forged(world, aud="elsewhere"),
        "other issuer": forged(world, iss="elsewhere"),
        "no expiry": forged(world, exp=None),
        "no login": forged(world, login=None),
        "login of nobody": forged(world, login="00000000-0000-0000-0000-000000000000"),
        "login is no id": forged(world, login="x"),
        "other key": jwt.encode({"sub": "x"}, "another key of more than 32 bytes, for certain", algorithm="HS256"),
        "the secret key itself": jwt.encode({"sub": "x"}, settings.SECRET_KEY, algorithm="HS256"),
        "algorithm none": jwt.encode({"sub": "x"}, None, algorithm="none"),
        "rubbish": "a.b.c",
        "empty": "",
    }
    for name, token in bad.items():
        answer = Api(Authorization=f"Bearer {token}").get("/me")
        assert (answer.status, answer.code) == (401, "signed_out"), name
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    for header in ("Basic abc", "Bearer", forged(world), "Token abc"):
        assert Api(Authorization=header).get("/me").status == 401, header


def test_a_bad_bearer_is_not_made_good_by_a_cookie(world: World) -> None:
    api = browser(world)
    assert api.get("/me").status == 200
    assert api.get("/me", Authorization="Bearer a.b.c").status == 401


# Refresh -----------------------------------------------------------------------------------------------------------------


def test_a_refresh_token_is_good_once_and_using_it_twice_ends_the_sign_in(world: World, truth: Truth) -> None:
    first = attempt("client@example.test").body
    second = Api().post("/auth/refresh", {"refresh": first["refresh"]})
    assert second.status == 200
    assert Api(Authorization=f"Bearer {second.body['access']}").get("/me").status == 200
    stolen = Api().post("/auth/refresh", {"refresh": first["refresh"]})
    assert (stolen.status, stolen.code) == (401, "token_invalid")
    for pair in (first, second.body):  # the whole family is over, whoever holds it
        assert Api(Authorization=f"Bearer {pair['access']}").get("/me").status == 401
    assert Api().post("/auth/refresh", {"refresh": second.body["refresh"]}).status == 401
    assert truth.one("SELECT count(*) FROM chat_audit_logs WHERE action = 'sign_in.revoked'") == 1


def test_refresh_tokens_that_are_unknown_expired_or_of_closed_accounts(world: World, truth: Truth) -> None:
    assert Api().post("/auth/refresh", {"refresh": "unknown"}).code == "token_invalid"
    pair = attempt("client@example.test").body
    truth.rows("UPDATE accounts_refresh_token SET created_at = now() - interval '31 days'")
    assert Api().post("/auth/refresh", {"refresh": pair["refresh"]}).status == 401
    pair = attempt("reader@example.test").body
    truth.rows("UPDATE accounts_user SET is_active = false WHERE id = %s", world.reader.pk)
    assert Api().post("/auth/refresh", {"refresh": pair["refresh"]}).status == 401


def test_secrets_are_stored_as_digests_only(world: World, truth: Truth) -> None:
    pair = attempt("client@example.test").body
    stored = truth.rows("SELECT digest FROM accounts_refresh_token")
    assert [bytes(row["digest"]) for row in stored] == [tokens.digest(pair["refresh"])]
    everything = str(truth.rows("SELECT * FROM chat_audit_logs"))
    assert pair["refresh"] not in everything
    assert pair["access"] not in everything


# Devices and sign-out ----------------------------------------------------------------------------------------------------


def browser(world: World) -> Api:
    """A client that is signed in by cookie."""
    from accounts.middleware import SESSION_KEY
    from accounts.services.sign_in import start_login

    api = Api()
    session = api._client.session
    session[SESSION_KEY] = str(start_login(user=world.client, kind=Login.Kind.COOKIE).pk)
    session.save()
    return api


def test_devices_are_listed_and_ended(world: World) -> None:
    here, there = Api(world.client), Api(world.client)
    assert here.login is not None
    assert there.login is not None
    devices = here.get("/auth/devices").body["results"]
    assert [device["is_this"] for device in devices] == [False, True]
    foreign = Api(world.reader)
    assert foreign.delete(f"/auth/devices/{there.login.pk}").status == 404
    for _ in range(2):
        assert here.delete(f"/auth/devices/{there.login.pk}").status == 204
    assert there.get("/me").status == 401
    assert [device["is_this"] for device in here.get("/auth/devices").body["results"]] == [True]


@pytest.mark.parametrize("path", ["/", "/sign-in", "/api/me", "/api/chat/sessions", "/healthz", "/nothing"])
@pytest.mark.parametrize(
    "cookie", [r'"\000aaaaaaaaaa"', r'"aaaaaaaaaaa\000"', r'"\377\376aaaaaaaa"', "x" * 4000, "'; --", ""]
)
def test_a_session_cookie_that_is_none_of_ours_is_no_session(cookie: str, path: str, world: World) -> None:
    without = Client(raise_request_exception=False).get(path)
    answer = Client(raise_request_exception=False).get(path, headers={"Cookie": f"samia_session={cookie}"})
    assert answer.status_code == without.status_code < 500


def test_signing_out_ends_tokens_and_cookie(world: World) -> None:
    api = Api(world.client)
    assert api.post("/auth/logout").status == 204
    assert api.get("/me").status == 401


def test_a_cookie_writes_only_with_the_csrf_token(world: World) -> None:
    api = browser(world)
    api._client.handler.enforce_csrf_checks = True
    assert api.get("/me").status == 200
    refused = api.patch("/me", {"display_name": "Forged"})
    assert (refused.status, refused.code) == (403, "csrf")
    token = "a" * 32
    api._client.cookies["samia_csrf"] = token
    answer = api.request("PATCH", "/me", {"display_name": "Mine"}, **{"X-CSRFToken": token})
    assert (answer.status, answer.body["display_name"]) == (200, "Mine")


def test_a_new_password_signs_the_other_devices_out(world: World, truth: Truth) -> None:
    here, there = Api(world.client), Api(world.client)
    wrong = here.post("/me/password", {"current": "wrong", "new": "another long password"})
    assert (wrong.status, wrong.code) == (400, "password_wrong")
    entry = recorded(truth, "password.refused")[0]  # it stays, though the request was taken back
    assert (entry["actor"], entry["record_id"]) == (world.client.pk, world.client.pk)
    weak = here.post("/me/password", {"current": PASSWORD, "new": "password12"})
    assert (weak.status, weak.code) == (400, "password_weak")
    assert here.post("/me/password", {"current": PASSWORD, "new": "another long password"}).status == 204
    assert (here.get("/me").status, there.get("/me").status) == (200, 401)
    limiter.reset()
    assert attempt("client@example.test").status == 401
    assert attempt("client@example.test", "another long password").status == 200


def test_a_login_that_nobody_used_for_a_month_is_over(world: World, truth: Truth) -> None:
    api = Api(world.client)
    truth.rows("UPDATE accounts_login SET last_used_at = now() - interval '29 days'")
    assert api.get("/me").status == 200
    assert truth.one("SELECT last_used_at > now() - interval '1 minute' FROM accounts_login") is True
    truth.rows("UPDATE accounts_login SET last_used_at = now() - interval '31 days'")
    assert api.get("/me").status == 401
