"""Every operation under generated requests, as a client and as an administrator: what comes back is as docs/openapi.yaml says.

schemathesis makes the requests: from the examples, at the bounds of each field, and at random, the same in every run. Ids are
exchanged for real ones in two of three cases, so that what is asked for is there. All its checks are on, with one of ours;
answers are held against closed schemas, so that a field that is not described is a failure.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import hypothesis
import pytest
import schemathesis
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.core.wsgi import get_wsgi_application
from schemathesis.specs.openapi.checks import ignored_auth, negative_data_rejection

from accounts.services import sign_in
from samia_chat.limits import limiter
from tests import cast
from tests.cast import PASSWORD, World, make_login
from tests.kernel.test_openapi import DOCUMENT
from tests.rest import Api

Answer = schemathesis.Response
# What a schema cannot say of a field. Every other answer `invalid` to a request that fits the schema is a failure.
BEYOND_SCHEMAS = (
    "Give before or after, not both.",
    "The cursor is not one of ours. Begin again without it.",
    "Not a time zone of the IANA database, such as Asia/Beirut.",
    "The booking says who takes part.",
    "A session of type booking names one, others none.",
)
# They end sign-ins, so each request comes from one of its own.
ENDS_SIGN_INS = {"auth_logout", "auth_device_end", "me_password"}
# A form says less than JSON: what schemathesis makes wrong in a field may be lost on its way into one. tests/chat/test_upload.py
# and test_avatar.py hold what is refused. And what becomes of a file is found out in other processes, so that no chain is the
# same twice.
UPLOADS = {"file_send", "file_send_flat", "voice_send", "me_avatar_change"}
SAME_IN_EVERY_RUN = {
    "generation": {"deterministic": True, "max-examples": 15, "database": "none"},
    "phases": {"stateful": {"inference": {"algorithms": []}}},
    # 400 is judged by the check below, which looks at the code.
    "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "400", "401", "403", "404", "409", "429"]}},
}


# What to do with what was made: the id of the answer is this parameter of these operations.
LINKS = {
    "session_open": ("session", ["message_send", "messages", "session_verb"]),
    "message_send": ("message", ["message_edit", "message_delete", "message_read"]),
}


def document() -> dict[str, Any]:
    """The document with links, and with answers that have the fields described and no others."""
    found = copy.deepcopy(DOCUMENT)
    for component in found["components"]["schemas"].values():
        if component.get("type") == "object" and "properties" in component:
            component.setdefault("additionalProperties", False)
    for operation in (operation for operations in found["paths"].values() for operation in operations.values()):
        parameter, followers = LINKS.get(operation["operationId"], ("", []))
        operation["responses"].get("201", {})["links"] = {
            follower: {"operationId": follower, "parameters": {parameter: "$response.body#/id"}}
            for follower in followers
        }
    return found


def closing(application: Any) -> Any:
    """The application, whose answers are closed here: schemathesis does not, and what was uploaded stays open until then."""

    def run(environ: Any, start_response: Any) -> list[bytes]:
        answer = application(environ, start_response)
        try:
            return [b"".join(answer)]
        finally:
            answer.close()

    return run


API = schemathesis.openapi.from_dict(document(), config=schemathesis.Config.from_dict(SAME_IN_EVERY_RUN))
API.app = closing(get_wsgi_application())
unhurried = hypothesis.settings(suppress_health_check=list(hypothesis.HealthCheck), deadline=None)


@dataclass
class Caller:
    """Who makes the requests, and the ids that are there to be named, by the field that names them."""

    api: Api
    known: dict[str, list[str]]

    def headers(self, operation: str) -> dict[str, str]:
        if operation in ENDS_SIGN_INS:
            self.api = Api(self.api.person)
            self.known["login"].append(str(self.api.login.pk))
        return {"Authorization": self.api.headers["Authorization"]}

    def make_real(self, case: schemathesis.Case) -> None:
        """Exchange ids of the request for known ones, and a password for the right one."""
        case.path_parameters = self._real(case.path_parameters, case.operation.path)
        if isinstance(case.body, dict):
            case.body = self._real(case.body, "body")
            if len(str(case.body.get("new", ""))) % 2 and "current" in case.body:
                case.body["current"] = PASSWORD

    def _real(self, given: Any, place: str) -> Any:
        if not isinstance(given, dict):
            return given
        return {name: self._one(name, value, place) for name, value in given.items()}

    def _one(self, name: str, value: Any, place: str) -> Any:
        if isinstance(value, list):
            return [self._one(name, part, place) for part in value]
        known = self.known.get("session" if name == "message" and "GET" in place else name)
        try:
            number = UUID(value).int
        except (TypeError, ValueError, AttributeError):
            return value
        return value if number % 3 == 0 or not known else known[number // 3 % len(known)]


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A real hash takes 50 ms, and hundreds are made here."""
    for name, least in (("time_cost", 1), ("memory_cost", 8), ("parallelism", 1)):
        monkeypatch.setattr(Argon2PasswordHasher, name, least)
    monkeypatch.setattr(cast, "password_hash", lambda: make_password(cast.PASSWORD))
    sign_in._nobodys_password.cache_clear()
    yield
    sign_in._nobodys_password.cache_clear()


@pytest.fixture
def world(cheap_passwords: None, world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Without rates: that a request was too fast would hide what else is wrong with it."""
    for kind in ("MESSAGES", "WRITES", "READS", "SIGN_IN"):
        monkeypatch.setattr(settings, f"RATE_{kind}", 10**9)
    limiter.reset()
    return world


def caller(world: World, person: str) -> Caller:
    api = Api(world.people[person])
    sessions = [str(world.session), str(world.other)]
    messages = [Api(sender).send(world.session).body["id"] for sender in (world.client, world.reader)]
    messages.append(Api(world.client2).send(world.other).body["id"])
    people = [str(each.pk) for each in world.people.values()]
    logins = [str(api.login.pk), str(make_login(world.people[person]).pk), str(make_login(world.reader).pk)]
    known = {"session": sessions, "message": messages, "id": messages, "reply_to": messages, "login": logins}
    known |= dict.fromkeys(("user", "people", "client", "reader", "actor"), people)
    return Caller(api=api, known={**known, "booking": [str(world.booking.pk)]})


def a_request_that_fits_is_not_invalid(
    context: schemathesis.CheckContext, answer: Answer, case: schemathesis.Case
) -> None:
    """The check of ours: `invalid` and `malformed` are for requests that do not fit the schema."""
    if answer.status_code != 400 or case.meta is None or not case.meta.generation.mode.is_positive:
        return
    problem = answer.json()
    if problem["code"] in ("invalid", "malformed"):
        assert any(sentence in answer.text for sentence in BEYOND_SCHEMAS), problem


def name(case: schemathesis.Case) -> str:
    found: str = case.operation.definition.raw["operationId"]
    return found


def hold(case: schemathesis.Case, caller: Caller) -> None:
    caller.make_real(case)
    case.call_and_validate(
        headers=caller.headers(name(case)),
        additional_checks=[a_request_that_fits_is_not_invalid],
        excluded_checks=[negative_data_rejection] if name(case) in UPLOADS else [],
    )


@pytest.fixture
def client(world: World) -> Caller:
    return caller(world, "client")


@pytest.fixture
def admin(world: World) -> Caller:
    return caller(world, "admin")


@API.parametrize()
@unhurried
def test_a_client_gets_what_is_described(case: schemathesis.Case, client: Caller) -> None:
    hold(case, client)


@API.parametrize()
@unhurried
def test_an_administrator_gets_what_is_described(case: schemathesis.Case, admin: Caller) -> None:
    hold(case, admin)


def test_one_request_after_another(admin: Caller) -> None:
    """Chains of requests, in which what one made is what the next one names."""
    answers: dict[str, set[int]] = {}

    class Chain(API.exclude(operation_id=sorted(UPLOADS)).as_state_machine()):  # type: ignore[misc]  # made anew for each document
        def get_call_kwargs(self, case: schemathesis.Case) -> dict[str, Any]:
            return {"headers": admin.headers(name(case))}

        def validate_response(self, response: Answer, case: schemathesis.Case, *args: Any, **kwargs: Any) -> None:
            answers.setdefault(name(case), set()).add(response.status_code)
            # It would take our header for one it made up; the tests above hold every operation against it.
            case.validate_response(response, excluded_checks=[ignored_auth])

    # The same chains in every run of the same code; of several lengths, since any one may happen not to reach a send.
    for steps in (10, 12, 14, 16):
        Chain.run(
            settings=hypothesis.settings(
                unhurried, max_examples=12, stateful_step_count=steps, derandomize=True, database=None
            )
        )
    assert 201 in answers["message_send"]
    assert any(200 in answers.get(follower, ()) for follower in LINKS["message_send"][1]), answers
