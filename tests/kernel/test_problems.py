"""Errors as answers: every path and status is a problem with a stable code, and nothing of ours leaks into one."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import psycopg
import pytest
from django.db import OperationalError
from psycopg_pool import PoolTimeout

from samia_chat import problems
from samia_chat.errors import Problem, TooFast
from tests.cast import World
from tests.rest import Api

MEMBERS = {"type", "title", "status", "code", "detail", "request_id"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing/here", 404, "not_found"),
        ("GET", "/chat/sessions/", 404, "not_found"),
        ("GET", "/chat/sessions/not-a-uuid", 404, "not_found"),
        ("GET", "/chat/sessions/../../etc/passwd", 404, "not_found"),
        ("GET", "/%00", 404, "not_found"),
        ("PUT", "/chat/sessions", 405, "method_not_allowed"),
        ("OPTIONS", "/chat/sessions", 405, "method_not_allowed"),
        ("TRACE", "/me", 405, "method_not_allowed"),
        ("GET", "/auth/token", 405, "method_not_allowed"),
    ],
)
def test_addresses_and_methods_that_are_not_there(method: str, path: str, status: int, code: str, world: World) -> None:
    answer = Api(world.client).request(method, path)
    assert (answer.status, answer.code) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(answer.body) >= MEMBERS
    assert answer.body["type"] == f"urn:samia:problem:{code}"
    assert answer.body["request_id"] == answer.headers["X-Request-Id"]


def test_whoever_is_not_signed_in_is_told_how(world: World) -> None:
    for method, path in (
        ("GET", "/me"), ("GET", "/chat/sessions"), ("POST", "/chat/sync"), ("POST", "/auth/ticket"),
        ("POST", f"/chat/sessions/{world.session}/messages"), ("GET", "/audit"), ("GET", "/auth/devices"),
    ):  # fmt: skip
        answer = Api().request(method, path, {})
        assert (answer.status, answer.code) == (401, "signed_out"), path
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_fault_of_ours_says_nothing_of_itself(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with patch("accounts.api.me.me_shape", side_effect=RuntimeError("secret detail")):
        answer = Api(world.client).get("/me")
    assert (answer.status, answer.code) == (500, "server_error")
    assert "secret" not in str(answer.body)
    assert "Traceback" not in str(answer.body)
    assert "secret detail" in caplog.text  # but it is in the log
    assert answer.body["request_id"]


@pytest.mark.parametrize(
    ("cause", "status"),
    [
        (psycopg.errors.LockNotAvailable(), 503),
        (psycopg.errors.DeadlockDetected(), 503),
        (psycopg.OperationalError(), 503),
    ],
)
def test_a_database_that_is_held_or_away_is_busy(cause: Exception, status: int, world: World) -> None:
    error = OperationalError()
    error.__cause__ = cause
    with patch("accounts.api.me.me_shape", side_effect=error):
        answer = Api(world.client).get("/me")
    assert (answer.status, answer.code) == (status, "busy")
    assert int(answer.headers["Retry-After"]) >= 1


def test_a_database_that_is_away_before_anybody_is_known(world: World) -> None:
    api = Api(world.client)
    with patch("accounts.middleware.login_user", side_effect=PoolTimeout()):
        answer = api.get("/me")
    assert (answer.status, answer.code) == (503, "busy")


def test_refusals_carry_the_time_to_wait() -> None:
    found = problems.of(TooFast(retry_after=0.2))
    assert found is not None
    assert found[1]["Retry-After"] == "1"
    assert problems.of(RuntimeError()) is None


def test_every_refusal_has_a_code_of_its_own_and_a_sentence() -> None:
    def all_of(base: type[Problem]) -> list[type[Problem]]:
        return [base, *(found for child in base.__subclasses__() for found in all_of(child))]

    codes: dict[str, type[Problem]] = {}
    for refusal in all_of(Problem):
        assert refusal.__doc__, refusal
        assert refusal.__doc__.strip().endswith("."), refusal
        if refusal.code in codes:
            assert codes[refusal.code].status == refusal.status, refusal
        codes[refusal.code] = refusal
    assert len(codes) > 20


def test_a_page_gets_a_page_and_a_program_a_problem(world: World) -> None:
    client = Api()._client
    page = client.get("/nothing/here", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert page.headers["Content-Type"].startswith("text/html")
    program = client.get("/nothing/here", headers={"Accept": "application/json"})
    assert json.loads(program.content)["code"] == "not_found"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
def test_another_host_is_refused(host: str, world: World) -> None:
    from django.test import override_settings

    with override_settings(ALLOWED_HOSTS=["127.0.0.1", "localhost"]):
        answer: Any = Api()._client.get("/api/me", headers={"Host": host})
    assert answer.status_code == 400
    assert json.loads(answer.content)["code"] == "bad_request"
