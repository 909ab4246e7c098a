"""Bearers of an outside issuer: what is believed, what is not, and that its sign-ins end like ours."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import connections
from django.test import Client
from django.test.utils import override_settings

from accounts import jwks, tokens
from accounts.identity import actor_of
from accounts.services import user as users
from chat.live.consumer import PROTOCOL, TICKET
from samia_chat import actor
from samia_chat.actor import Actor
from tests.accounts.issuer import ALGORITHMS, AUDIENCE, NAME, SECRET, Issuer, bearer, claims, jwk, private_key, say
from tests.accounts.test_sign_in import browser
from tests.cast import World, make_person
from tests.database import Truth
from tests.device import Device
from tests.rest import Answer, Api, in_thread

Families = ("RS256", "HS256")


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """An issuer that is trusted by its public keys."""
    jwks.key_set.cache_clear()
    issuer = Issuer()
    with override_settings(EXTERNAL_ISSUER=NAME, EXTERNAL_AUDIENCE=AUDIENCE, EXTERNAL_JWKS_URL=issuer.url):
        yield issuer
    issuer.stop()


@pytest.fixture
def secret() -> Iterator[None]:
    """An issuer that is trusted by the secret it shares with us."""
    with override_settings(EXTERNAL_ISSUER=NAME, EXTERNAL_AUDIENCE=AUDIENCE, EXTERNAL_SECRET=SECRET):
        yield


@pytest.fixture(params=Families)
def family(request: pytest.FixtureRequest) -> str:
    """Either of the two: the algorithm that good bearers have."""
    request.getfixturevalue("issuer" if request.param == "RS256" else "secret")
    return str(request.param)


@pytest.fixture
def auto_create() -> Iterator[None]:
    with override_settings(EXTERNAL_AUTO_CREATE=True):
        yield


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The time that the keys grow old by: clock.now, in seconds."""
    clock = SimpleNamespace(now=10_000.0)
    monkeypatch.setattr("accounts.jwks.time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fetch is given up after a third of a second."""
    monkeypatch.setattr(jwks, "FETCH_SECONDS", 0.3)


def ask(token: str, path: str = "/me") -> Answer:
    return Api(Authorization=f"Bearer {token}").get(path)


def outcome(token: str) -> tuple[int, str | None]:
    answer = ask(token)
    return answer.status, answer.code


REFUSED = (401, "signed_out")
BUSY = (503, "busy")


# Believed -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_kind_of_public_key_is_believed(algorithm: str, issuer: Issuer, world: World) -> None:
    answer = ask(bearer(world.reader.pk, algorithm=algorithm))
    assert (answer.status, answer.body["id"], answer.body["role"]) == (200, str(world.reader.pk), "reader")


def test_the_shared_secret_is_believed(secret: None, world: World) -> None:
    assert ask(bearer(world.client.pk, algorithm="HS256")).body["email"] == "client@example.test"


def test_staff_come_by_it_too(family: str, world: World) -> None:
    for person in world.people.values():
        assert ask(bearer(person.pk, algorithm=family)).body["role"] == person.role
    admin = bearer(world.admin.pk, algorithm=family)
    assert ask(admin, f"/chat/sessions/{world.other}").status == 200


def test_clocks_may_differ_a_little(family: str, world: World) -> None:
    now = int(time.time())
    for change in ({"exp": now - 20}, {"nbf": now + 20}, {"iat": now + 20}):
        assert outcome(bearer(world.client.pk, algorithm=family, **change))[0] == 200, change


def test_the_audience_may_be_one_of_several(family: str, world: World) -> None:
    assert outcome(bearer(world.client.pk, algorithm=family, aud=["other", AUDIENCE]))[0] == 200


def test_the_role_is_the_one_of_our_row(family: str, world: World, truth: Truth) -> None:
    forged = {"role": "super_admin", "user_role": "admin", "app_metadata": {"role": "super_admin"}, "is_staff": True}
    token = bearer(world.client.pk, algorithm=family, **forged)
    assert ask(token).body["role"] == "client"
    assert ask(token, "/audit").status == 403
    assert ask(token, f"/chat/sessions/{world.other}").status == 404
    assert truth.one("SELECT role FROM accounts_user WHERE id = %s", world.client.pk) == "client"


def test_our_own_tokens_go_on_as_before(family: str, world: World) -> None:
    assert Api(world.client).get("/me").status == 200
    assert outcome("no token") == REFUSED


# Refused ------------------------------------------------------------------------------------------------------------------

NOW = int(time.time())
WRONG: dict[str, dict[str, Any]] = {
    "no audience": {"aud": None},
    "another audience": {"aud": "anon"},
    "audience of another form": {"aud": {"authenticated": True}},
    "no expiry": {"exp": None},
    "expired": {"exp": NOW - 3600},
    "an expiry that is none": {"exp": "later"},
    "not yet valid": {"nbf": NOW + 3600},
    "issued in the future": {"iat": NOW + 3600},
    "no sub": {"sub": None},
    "empty sub": {"sub": ""},
    "sub of another form": {"sub": "auth0|5f7c8ec7c33c6c004bbafe82"},
    "sub is an address": {"sub": "client@example.test"},
    "sub is a number": {"sub": 7},
    "sub with NUL": {"sub": "\x00"},
    "session is no text": {"sid": 5},
    "session is empty": {"session_id": ""},
    "session is endless": {"session_id": "x" * 300},
    "session that nothing can encode": {"session_id": "\ud800"},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_bearer_that_lacks_something_is_refused(name: str, family: str, world: World, truth: Truth) -> None:
    key = SECRET if family == "HS256" else private_key(family)
    said = claims(world.client.pk, **WRONG[name])
    # Not with jwt.encode, which looks at the claims itself.
    token = jwt.PyJWS().encode(json.dumps(said).encode(), key, algorithm=family, headers={"kid": family})
    assert outcome(token) == REFUSED
    assert truth.one("SELECT count(*) FROM accounts_login") == 0


@pytest.mark.parametrize("form", [str.upper, "{{{}}}".format, "urn:uuid:{}".format, lambda sub: sub.replace("-", "")])
def test_a_person_has_one_name(form: Callable[[str], str], family: str, world: World) -> None:
    assert outcome(bearer(form(str(world.client.pk)), algorithm=family)) == REFUSED
    assert outcome(bearer(world.client.pk, algorithm=family))[0] == 200


@pytest.mark.parametrize("name", ["https://other.example", NAME + "/", NAME.upper(), [NAME], "", None])
def test_another_issuer_is_refused(name: object, family: str, world: World) -> None:
    said = {**claims(world.client.pk), "iss": name}
    key = SECRET if family == "HS256" else private_key(family)
    token = jwt.PyJWS().encode(json.dumps(said).encode(), key, algorithm=family, headers={"kid": family})
    assert outcome(token) == REFUSED


def unsigned(header: dict[str, object], said: dict[str, object], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(said).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None])
def test_a_bearer_without_a_signature_is_refused(algorithm: str | None, family: str, world: World) -> None:
    for signature in (b"", b"x" * 256):
        token = unsigned({"alg": algorithm, "typ": "JWT", "kid": family}, claims(world.client.pk), signature)
        assert outcome(token) == REFUSED


def test_the_public_key_is_no_secret(issuer: Issuer, world: World) -> None:
    """The confusion of families: HS256 with the public key, which everybody has, in each form in which he may have it."""
    public = private_key("RS256").public_key()
    forms = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        json.dumps(jwk("RS256")).encode(),
        public.public_numbers().n.to_bytes(256),  # PyJWT itself refuses the others as secrets
        b"",
    ]
    assert outcome(bearer(world.client.pk))[0] == 200  # it would have been believed, signed as it should
    for form in forms:
        token = unsigned({"alg": "HS256", "typ": "JWT", "kid": "RS256"}, claims(world.client.pk))[:-1]
        signature = base64.urlsafe_b64encode(hmac.digest(form, token.encode(), hashlib.sha256)).rstrip(b"=").decode()
        assert outcome(f"{token}.{signature}") == REFUSED


def test_the_other_family_is_refused(world: World, issuer: Issuer) -> None:
    with override_settings(EXTERNAL_JWKS_URL="", EXTERNAL_SECRET=SECRET):
        assert outcome(bearer(world.client.pk, algorithm="HS256"))[0] == 200
        for algorithm in ALGORITHMS:
            assert outcome(bearer(world.client.pk, algorithm=algorithm)) == REFUSED
    assert outcome(bearer(world.client.pk, algorithm="HS256", kid="RS256")) == REFUSED
    # And within a family: a key signs as it says it does, or not at all.
    for other in ("RS512", "PS256"):
        assert outcome(bearer(world.client.pk, algorithm=other, key=private_key("RS256"), kid="RS256")) == REFUSED
    assert outcome(bearer(world.client.pk, algorithm="RS256", kid="ES256")) == REFUSED


def test_the_secret_signs_in_one_way(world: World) -> None:
    long = SECRET * 2  # as HS512 wants it
    with override_settings(EXTERNAL_ISSUER=NAME, EXTERNAL_AUDIENCE=AUDIENCE, EXTERNAL_SECRET=long):
        for algorithm, expected in (("HS256", 200), ("HS384", 401), ("HS512", 401)):
            assert outcome(bearer(world.client.pk, algorithm=algorithm, key=long))[0] == expected


def test_forged_and_altered_bearers_are_refused(family: str, world: World) -> None:
    stranger = "another secret, which is nobody's at all" if family == "HS256" else private_key(family, "other")
    assert outcome(bearer(world.client.pk, algorithm=family, key=stranger)) == REFUSED
    header, _, signature = bearer(world.client.pk, algorithm=family).split(".")
    admin = bearer(world.admin.pk, algorithm=family).split(".")[1]
    for altered in (f"{header}.{admin}.{signature}", f"{header}.{admin}", f"{header}.{admin}.", "..", ".", "a.b.c"):
        assert outcome(altered) == REFUSED
    deep = base64.urlsafe_b64encode(b"[" * 9000).rstrip(b"=").decode()
    assert outcome(f"{header}.{deep}.{signature}") == REFUSED


def test_a_bearer_without_end_is_refused(secret: None, world: World) -> None:
    assert outcome(bearer(world.client.pk, algorithm="HS256", more="x" * 1000))[0] == 200
    assert outcome(bearer(world.client.pk, algorithm="HS256", more="x" * 20_000)) == REFUSED


def test_tokens_of_two_issuers_are_not_mixed_up(family: str, world: World) -> None:
    """Each is checked by its own verifier, whatever it says of itself."""
    own = claims(world.client.pk, iss=tokens.ISSUER, aud=tokens.AUDIENCE, login=str(Api(world.client).login.pk))  # type: ignore[union-attr]
    assert outcome(jwt.encode(own, tokens._key(), algorithm="HS256"))[0] == 200
    theirs_for_ours = SECRET if family == "HS256" else private_key(family)
    assert outcome(jwt.encode(own, theirs_for_ours, algorithm=family, headers={"kid": family})) == REFUSED
    assert outcome(bearer(world.client.pk, algorithm="HS256", key=tokens._key(), kid=family)) == REFUSED
    # A login in an outside bearer is nothing to us.
    with_login = bearer(world.client.pk, algorithm=family, login=str(Api(world.admin).login.pk))  # type: ignore[union-attr]
    assert ask(with_login).body["role"] == "client"


def test_without_an_issuer_nothing_of_outside_is_believed(world: World) -> None:
    assert outcome(bearer(world.client.pk, algorithm="HS256")) == REFUSED
    assert outcome(bearer(world.client.pk, algorithm="HS256", key="x" * 32, iss=None)) == REFUSED


def test_a_bearer_decides_alone(family: str, world: World) -> None:
    by_cookie = browser(world)
    assert by_cookie.get("/me").body["id"] == str(world.client.pk)
    good, bad = bearer(world.reader.pk, algorithm=family), bearer(world.reader.pk, algorithm=family, aud="other")
    assert by_cookie.get("/me", Authorization=f"Bearer {good}").body["id"] == str(world.reader.pk)
    for refused in (bad, bearer(uuid4(), algorithm=family)):
        assert by_cookie.get("/me", Authorization=f"Bearer {refused}").status == 401
    by_cookie._client.handler.enforce_csrf_checks = True
    written = by_cookie.request("PATCH", "/me", {"display_name": "New"}, Authorization=f"Bearer {good}")
    assert written.status == 200  # a bearer needs no CSRF token: no page of others can send it


# People -------------------------------------------------------------------------------------------------------------------


def test_an_unknown_person_is_refused_by_a_code_of_his_own(family: str, world: World, truth: Truth) -> None:
    answer = ask(bearer(uuid4(), algorithm=family, email="client@example.test", email_verified=True))
    assert (answer.status, answer.code) == (401, "account_unknown")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert truth.one("SELECT count(*) FROM accounts_user") == len(world.people)


def test_what_is_open_to_everybody_looks_at_no_bearer(family: str, world: World) -> None:
    header = {"Authorization": f"Bearer {bearer(uuid4(), algorithm=family)}"}
    good = {"email": "client@example.test", "password": "a long enough password"}
    assert Api(**header).post("/auth/token", good).status == 200
    assert Client().get("/sign-in", headers=header).status_code == 200


def made(truth: Truth, person: UUID) -> tuple[str, str, str]:
    row = truth.rows("SELECT email, display_name, role FROM accounts_user WHERE id = %s", person)[0]
    return row["email"], row["display_name"], row["role"]


def test_an_unknown_person_becomes_a_client_if_so_set(
    family: str, auto_create: None, world: World, truth: Truth
) -> None:
    person = uuid4()
    said = {"email": "New@Example.TEST", "email_verified": True, "name": "  Lina  ", "role": "super_admin"}
    assert ask(bearer(person, algorithm=family, **said)).body["role"] == "client"
    assert made(truth, person) == ("new@example.test", "Lina", "client")
    entry = truth.rows("SELECT * FROM chat_audit_logs WHERE action = 'user.created' AND record_id = %s", person)[0]
    assert (entry["actor"], entry["actor_role"]) == (None, "system")
    assert ask(bearer(person, algorithm=family, **said)).status == 200  # the second time he is found
    assert truth.one("SELECT count(*) FROM accounts_user") == len(world.people) + 1


@pytest.mark.parametrize(
    "said",
    [
        {"email": "new@example.test", "name": "Lina"},
        {"email": "new@example.test", "name": "Lina", "email_verified": False},
        {"email": "new@example.test", "name": "Lina", "email_verified": "true"},
        # A person writes his user_metadata himself.
        {"email": "new@example.test", "name": "Lina", "user_metadata": {"email_verified": True}},
        {"email": "client@example.test", "email_verified": True},  # an account's, and stays so
        {"email": "CLIENT@example.test", "email_verified": True},
        {"email": "no address", "email_verified": True, "name": "\u202eevil"},
        {"email": 7, "email_verified": True, "name": ["Lina"]},
        {"email": "x" * 300 + "@example.test", "email_verified": True, "name": "\ud800"},
        {"email": "\u00e9@example.test", "email_verified": True, "name": "\x00"},
        {"email": f"{uuid4()}@external.invalid", "email_verified": True, "name": " "},
        {},
    ],
)
def test_what_is_not_verified_is_not_taken(
    said: dict[str, object], family: str, auto_create: None, world: World, truth: Truth
) -> None:
    person = uuid4()
    assert ask(bearer(person, algorithm=family, **said)).body["id"] == str(person)
    assert made(truth, person) == (f"{person}@external.invalid", "Client", "client")
    assert truth.one("SELECT email FROM accounts_user WHERE id = %s", world.client.pk) == "client@example.test"


def test_a_made_account_has_no_password(secret: None, auto_create: None, truth: Truth) -> None:
    said = {"email": "new@example.test", "email_verified": True}
    token = bearer(uuid4(), algorithm="HS256", **said)
    assert outcome(token)[0] == 200
    for password in ("", "!", str(truth.one("SELECT password FROM accounts_user"))):
        answer = Api().post("/auth/token", {"email": "new@example.test", "password": password})
        assert answer.status in (400, 401)
    refused = Api(Authorization=f"Bearer {token}").post("/me/password", {"current": "!", "new": "a long enough one"})
    assert refused.code == "password_wrong"


def test_first_requests_at_once_make_one_account_and_one_login(secret: None, auto_create: None, truth: Truth) -> None:
    token = bearer(uuid4(), algorithm="HS256")

    def first(_: int) -> int:
        try:
            return ask(token).status
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(first, range(6))) == {200}
    assert truth.one("SELECT count(*) FROM accounts_user") == truth.one("SELECT count(*) FROM accounts_login") == 1
    assert truth.one("SELECT count(*) FROM chat_audit_logs WHERE action = 'sign_in.succeeded'") == 1


def test_a_closed_account_is_refused(family: str, auto_create: None, world: World, truth: Truth) -> None:
    known, unseen = bearer(world.client.pk, algorithm=family), bearer(world.client.pk, algorithm=family)
    assert outcome(known)[0] == 200
    with actor.acting_as(actor_of(world.admin, Actor())):
        users.deactivate(by=world.admin, user_id=world.client.pk)
    assert outcome(known) == outcome(unseen) == REFUSED
    with actor.acting_as(actor_of(world.admin, Actor())):
        users.activate(by=world.admin, user_id=world.client.pk)
    assert outcome(known) == REFUSED  # its login ended with the account
    assert outcome(unseen)[0] == 200


def test_closed_staff_are_refused(secret: None, world: World, truth: Truth) -> None:
    truth.rows("UPDATE accounts_user SET is_active = false")
    assert {outcome(bearer(person.pk, algorithm="HS256")) for person in world.people.values()} == {REFUSED}
    assert truth.one("SELECT count(*) FROM accounts_login") == 0


# Logins -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("claim", ["sid", "session_id"])
def test_a_session_outside_is_one_login_here(claim: str, family: str, world: World, truth: Truth) -> None:
    def token(session: str, person: object = world.client.pk) -> str:
        return bearer(person, algorithm=family, **{"session_id": None, claim: session})

    assert {outcome(token("one"))[0] for _ in range(3)} == {200}
    devices = ask(token("two"), "/auth/devices").body["results"]
    assert [(device["kind"], device["is_this"]) for device in devices] == [("external", True), ("external", False)]
    assert outcome(token("one", world.reader.pk))[0] == 200  # another person's, though called the same
    assert truth.one("SELECT count(*) FROM accounts_login") == 3
    entries = truth.rows("SELECT actor, new_values FROM chat_audit_logs WHERE action = 'sign_in.succeeded'")
    assert sorted(entry["actor"] for entry in entries) == sorted([world.client.pk, world.client.pk, world.reader.pk])
    assert all(entry["new_values"] == {"kind": "external"} for entry in entries)


def test_nothing_of_the_bearer_is_kept(secret: None, world: World, truth: Truth) -> None:
    token = bearer(world.client.pk, algorithm="HS256", session_id="a name that is not ours to keep")
    assert outcome(token)[0] == 200
    kept = str(truth.rows("SELECT * FROM accounts_login")) + str(truth.rows("SELECT * FROM chat_audit_logs"))
    assert "ours to keep" not in kept
    assert token not in kept


def test_an_ended_login_stays_refused_though_the_bearer_is_valid(family: str, world: World, truth: Truth) -> None:
    def renewed(**changes: object) -> str:
        return bearer(world.client.pk, algorithm=family, session_id="one", **changes)

    token, other = renewed(), bearer(world.client.pk, algorithm=family)
    devices = ask(token, "/auth/devices").body["results"]
    assert Api(Authorization=f"Bearer {other}").delete(f"/auth/devices/{devices[0]['id']}").status == 204
    assert outcome(token) == REFUSED
    assert outcome(renewed(iat=int(time.time()) + 20)) == REFUSED  # renewed outside, and still the same session
    assert outcome(other)[0] == 200
    assert truth.one("SELECT count(*) FROM accounts_login") == 2


def test_signing_out_ends_the_login_of_the_bearer(family: str, world: World) -> None:
    token = bearer(world.client.pk, algorithm=family)
    assert Api(Authorization=f"Bearer {token}").post("/auth/logout").status == 204
    assert outcome(token) == REFUSED


def test_where_sessions_have_no_name_an_end_holds_for_what_was_issued_before(
    family: str, world: World, truth: Truth
) -> None:
    def token(**changes: object) -> str:
        return bearer(world.client.pk, algorithm=family, session_id=None, **changes)

    now = int(time.time())
    first = token(iat=now - 10)
    assert outcome(first)[0] == outcome(token())[0] == 200
    assert truth.one("SELECT count(*) FROM accounts_login") == 1
    assert Api(Authorization=f"Bearer {first}").post("/auth/logout").status == 204
    assert outcome(first) == outcome(token(iat=now)) == outcome(token(iat=None)) == REFUSED
    later = token(iat=now + 10)
    assert outcome(later)[0] == 200
    assert outcome(first)[0] == 200  # of the same person: without names nobody can tell them apart
    assert truth.one("SELECT count(*) FROM accounts_login") == 2


def test_a_login_that_nobody_used_for_a_month_is_over(family: str, world: World, truth: Truth) -> None:
    named = bearer(world.client.pk, algorithm=family)
    nameless = bearer(world.client.pk, algorithm=family, session_id=None)
    assert outcome(named)[0] == outcome(nameless)[0] == 200
    truth.rows("UPDATE accounts_login SET last_used_at = now() - interval '31 days'")
    assert outcome(named) == REFUSED
    assert outcome(nameless)[0] == 200  # issued since
    assert truth.one("SELECT count(*) FROM accounts_login WHERE ended_at IS NULL") == 2


def test_a_new_password_ends_the_other_logins(family: str, world: World) -> None:
    token = bearer(world.client.pk, algorithm=family)
    assert outcome(token)[0] == 200
    change = {"current": "a long enough password", "new": "another long password"}
    assert Api(world.client).post("/me/password", change).status == 204
    assert outcome(token) == REFUSED


@pytest.mark.parametrize(
    "row", ["'external', NULL", "'token', '\\x00'", "'cookie', '\\x00'"], ids=["no key", "token", "cookie"]
)
def test_the_database_keeps_kind_and_key_together(row: str, world: World, truth: Truth) -> None:
    with pytest.raises(Exception, match="login_external_has_key"):
        truth.rows(
            f"INSERT INTO accounts_login (user_id, user_agent, kind, external_key) SELECT id, '', {row} FROM accounts_user"
        )


# Sockets ------------------------------------------------------------------------------------------------------------------


async def test_a_socket_comes_by_a_ticket_and_goes_with_the_login(issuer: Issuer, world: World) -> None:
    api = Api(Authorization=f"Bearer {bearer(world.client.pk)}")
    ticket = (await in_thread(api.post, "/auth/ticket")).body["ticket"]
    device, other = Device(world.client), await Device(world.client).open()
    await device.dial(subprotocols=[PROTOCOL, TICKET + ticket])
    assert (await device.expect("welcome"))["user"] == str(world.client.pk)
    assert (await device.say(world.session))["content"] == "hello"
    again = Device(world.client)
    await again.dial(subprotocols=[PROTOCOL, TICKET + ticket])
    assert await again.expect_close() == 4401  # a ticket is good once
    mine = next(d for d in (await in_thread(api.get, "/auth/devices")).body["results"] if d["is_this"])
    assert (await in_thread(api.delete, f"/auth/devices/{mine['id']}")).status == 204
    assert await device.expect_close(within=1) == 4401
    await other.ask("ping", "pong")
    assert (await in_thread(api.post, "/auth/ticket")).status == 401


async def test_closing_the_account_ends_the_socket(secret: None, world: World) -> None:
    api = Api(Authorization=f"Bearer {bearer(world.client.pk, algorithm='HS256')}")
    device = Device(world.client)
    await device.dial(subprotocols=[PROTOCOL, TICKET + (await in_thread(api.post, "/auth/ticket")).body["ticket"]])
    await device.expect("welcome")

    def close() -> None:
        with actor.acting_as(actor_of(world.admin, Actor())):
            users.deactivate(by=world.admin, user_id=world.client.pk)

    await in_thread(close)
    assert await device.expect_close(within=1) in (4401, 4403)


async def test_a_bearer_is_no_ticket(secret: None, world: World) -> None:
    device = Device(world.client)
    await device.dial(subprotocols=[PROTOCOL, TICKET + bearer(world.client.pk, algorithm="HS256")])
    assert await device.expect_close() == 4401


# Keys ---------------------------------------------------------------------------------------------------------------------


def test_keys_are_fetched_once_and_again_when_they_are_old(
    issuer: Issuer, world: World, clock: SimpleNamespace
) -> None:
    assert {outcome(bearer(world.client.pk, algorithm=algorithm))[0] for algorithm in ALGORITHMS * 2} == {200}
    assert issuer.requests == 1
    issuer.keys = [jwk("RS256", "new")]
    clock.now += 590
    assert outcome(bearer(world.client.pk))[0] == 200
    clock.now += 20
    assert outcome(bearer(world.client.pk)) == REFUSED  # withdrawn by the issuer
    assert issuer.requests == 2


def test_an_unknown_key_is_looked_for_at_most_once_a_minute(
    issuer: Issuer, world: World, clock: SimpleNamespace
) -> None:
    def new() -> str:
        return bearer(world.client.pk, key=private_key("RS256", "new"), kid="RS256new")

    assert outcome(bearer(world.client.pk))[0] == 200
    assert outcome(new()) == REFUSED
    issuer.keys.append(jwk("RS256", "new"))
    clock.now += 59
    assert {outcome(bearer(world.client.pk, kid=f"made up {n}")) for n in range(20)} == {REFUSED}
    assert outcome(new()) == REFUSED
    assert issuer.requests == 1
    clock.now += 2
    assert outcome(new())[0] == 200
    assert issuer.requests == 2


def test_what_cannot_be_valid_makes_nobody_fetch(issuer: Issuer, world: World) -> None:
    for token in (
        bearer(world.client.pk, algorithm="HS256"),
        unsigned({"alg": "none", "kid": "x"}, claims(world.client.pk)),
        unsigned({"alg": "RS256"}, claims(world.client.pk)),
        unsigned({"alg": "RS256", "kid": 7}, claims(world.client.pk)),
        # The addresses that a bearer itself names are nobody's business.
        unsigned({"alg": "HS256", "jku": issuer.url, "x5u": issuer.url, "jwk": jwk("RS256")}, claims(world.client.pk)),
    ):
        assert outcome(token) == REFUSED
    assert issuer.requests == 0


def test_requests_that_come_together_fetch_once(issuer: Issuer, world: World) -> None:
    def slowly(request: BaseHTTPRequestHandler) -> None:
        time.sleep(0.2)
        issuer.serve_keys(request)

    def first(_: int) -> int:
        try:
            return ask(bearer(world.client.pk)).status
        finally:
            connections.close_all()

    issuer.answer = slowly
    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(first, range(6))) == {200}
    assert issuer.requests == 1


def drip(request: BaseHTTPRequestHandler) -> None:
    """A byte now and then, so that no single read ever times out."""
    try:
        for _ in range(100):
            request.wfile.write(b"H")
            time.sleep(0.05)
    except OSError:
        return


def drip_body(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    drip(request)


def redirect(request: BaseHTTPRequestHandler) -> None:
    say(request, b"", 302, Location="/.well-known/other.json")


SILENT: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {
    "slow": lambda request: time.sleep(1),
    "dripping": drip,
    "dripping body": drip_body,
    "huge": lambda request: say(request, json.dumps({"keys": [jwk("RS256")], "x": "x" * 300_000}).encode()),
    "garbage": lambda request: say(request, b"\xff<html>"),
    "nested": lambda request: say(request, b"[" * 100_000),
    "no object": lambda request: say(request, b"[]"),
    "no keys": lambda request: say(request, b'{"keys": []}'),
    "keys of no form": lambda request: say(
        request, b'{"keys": [{}, {"kid": "RS256", "kty": "RSA", "n": 5, "e": "!"}]}'
    ),
    "secret keys": lambda request: say(request, b'{"keys": [{"kid": "RS256", "kty": "oct", "k": "c2VjcmV0"}]}'),
    "failing": lambda request: say(request, json.dumps({"keys": [jwk("RS256")]}).encode(), 500),
    "redirecting": redirect,
    "hanging up": lambda request: request.connection.close(),
}


@pytest.mark.parametrize("name", SILENT)
def test_an_issuer_that_does_not_answer_well_is_waited_for_shortly(
    name: str, issuer: Issuer, world: World, impatient: None, clock: SimpleNamespace
) -> None:
    """Before there are keys: try again. Afterwards: the keys that there are serve on, and nobody waits twice."""
    issuer.answer = SILENT[name]
    began = time.monotonic()
    answer = ask(bearer(world.client.pk))
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (*BUSY, "5")
    assert outcome(bearer(world.client.pk)) == BUSY
    assert Api(world.client).get("/me").status == 200
    assert issuer.requests == 1
    assert time.monotonic() - began < 2

    issuer.answer = issuer.serve_keys
    clock.now += 6
    assert outcome(bearer(world.client.pk))[0] == 200
    issuer.answer = SILENT[name]
    clock.now += 3600
    assert outcome(bearer(world.client.pk))[0] == 200
    assert outcome(bearer(world.client.pk, kid="unknown")) == REFUSED
    assert issuer.requests == 3


def test_an_issuer_that_is_down_is_not_needed_for_keys_that_we_have(
    issuer: Issuer, world: World, clock: SimpleNamespace
) -> None:
    assert outcome(bearer(world.client.pk))[0] == 200
    issuer.stop()
    for _ in range(3):
        clock.now += 3600
        assert outcome(bearer(world.client.pk))[0] == 200
        assert outcome(bearer(world.client.pk, key=private_key("RS256", "other"))) == REFUSED


def test_an_issuer_that_never_answered_is_no_reason_to_sign_out(issuer: Issuer, world: World) -> None:
    issuer.stop()
    assert outcome(bearer(world.client.pk)) == BUSY
    assert outcome("x.y.z") == REFUSED
    assert Api(world.client).get("/me").status == 200


def test_keys_that_are_not_for_this_are_left_out(issuer: Issuer, world: World) -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    weak_public = jwt.get_algorithm_by_name("RS256").to_jwk(weak.public_key(), as_dict=True)
    issuer.keys = [
        jwk("RS256", use="enc", kid="encryption"),
        jwk("RS256", alg="RS512", kid="of another algorithm"),
        jwk("RS256", alg="HS256", kid="as a secret"),
        {**weak_public, "kid": "weak"},
        {"kty": "oct", "k": base64.urlsafe_b64encode(SECRET.encode()).decode(), "kid": "secret", "alg": "HS256"},
        jwk("ES256", crv="P-384", kid="wrong curve"),
        jwk("RS256", alg="RS256", kid="good"),
    ]
    assert outcome(bearer(world.client.pk, kid="good"))[0] == 200
    for kid in ("encryption", "of another algorithm", "as a secret"):
        assert outcome(bearer(world.client.pk, kid=kid)) == REFUSED
        assert outcome(bearer(world.client.pk, algorithm="HS256", kid=kid)) == REFUSED
    assert outcome(bearer(world.client.pk, algorithm="HS256", kid="secret")) == REFUSED
    assert outcome(bearer(world.client.pk, algorithm="ES256", kid="wrong curve")) == REFUSED
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = bearer(world.client.pk, key=weak, kid="weak")
    assert outcome(token) == REFUSED


def test_the_person_is_the_one_that_is_named(family: str, world: World) -> None:
    someone = make_person("someone")
    assert ask(bearer(someone.pk, algorithm=family)).body["id"] == str(someone.pk)
