"""Settings, logs, rates, addresses, headers, health."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from django.test import Client, override_settings

from samia_chat import actor, limits
from samia_chat.actor import Actor
from samia_chat.ids import new_id
from samia_chat.limits import Limiter, limiter
from samia_chat.logs import JSONFormatter
from samia_chat.middleware import client_address, new_request_id
from tests.cast import World
from tests.rest import Api

# Settings ------------------------------------------------------------------------------------------------------------------


def load(**environment: str) -> subprocess.CompletedProcess[str]:
    """Read the settings in a process of their own."""
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("SAMIA_", "DATABASE_", "REDIS_"))
    }
    base = {"SAMIA_SECRET_KEY": "x" * 40, "DATABASE_URL": "postgresql://samia_app@/samia?host=/nowhere"}
    command = [
        sys.executable,
        "-c",
        "import samia_chat.settings as s; print(s.DATABASES['default']['HOST'], s.WORKERS)",
    ]
    merged = {**clean, **base, **environment}
    return subprocess.run(command, env={n: v for n, v in merged.items() if v != "-"}, capture_output=True, text=True)


OUTSIDE = {"SAMIA_EXTERNAL_ISSUER": "https://issuer.example", "SAMIA_EXTERNAL_AUDIENCE": "authenticated"}
BY_KEYS = {"SAMIA_EXTERNAL_JWKS_URL": "https://issuer.example/jwks"}
BY_SECRET = {"SAMIA_EXTERNAL_SECRET": "x" * 32}


def test_settings_are_read_from_the_environment() -> None:
    assert load().stdout == "/nowhere 1\n"


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"SAMIA_SECRET_KEY": "-"}, "SAMIA_SECRET_KEY is not set"),
        ({"DATABASE_URL": "-"}, "DATABASE_URL is not set"),
        ({"DATABASE_URL": "mysql://x"}, "must begin with postgresql://"),
        ({"SAMIA_RATE_MESSAGE": "5"}, "Unknown setting: SAMIA_RATE_MESSAGE"),
        ({"SAMIA_RATE_MESSAGES": "many"}, "must be a whole number"),
        ({"SAMIA_RATE_MESSAGES": "0"}, "of at least 1"),
        ({"SAMIA_WORKERS": "2"}, "Set REDIS_URL"),
        ({"SAMIA_SECRET_KEY_FILE": "/x"}, "Both SAMIA_SECRET_KEY and SAMIA_SECRET_KEY_FILE"),
        ({"SAMIA_EXTERNAL_ISSUER": "https://x"}, "needs SAMIA_EXTERNAL_AUDIENCE"),
        ({"SAMIA_EXTERNAL_AUDIENCE": "x"}, "needs SAMIA_EXTERNAL_ISSUER"),
        ({"SAMIA_EXTERNAL_SECRET": "x" * 32}, "needs SAMIA_EXTERNAL_ISSUER and SAMIA_EXTERNAL_AUDIENCE"),
        ({"SAMIA_EXTERNAL_AUTO_CREATE": "1"}, "needs SAMIA_EXTERNAL_ISSUER and SAMIA_EXTERNAL_AUDIENCE"),
        ({"SAMIA_EXTERNAL_AUTO_CREATE": "perhaps"}, "must be 1 or 0"),
        (OUTSIDE, "exactly one of SAMIA_EXTERNAL_JWKS_URL and SAMIA_EXTERNAL_SECRET"),
        ({**OUTSIDE, **BY_KEYS, **BY_SECRET}, "exactly one of SAMIA_EXTERNAL_JWKS_URL and SAMIA_EXTERNAL_SECRET"),
        ({**OUTSIDE, **BY_SECRET, "SAMIA_EXTERNAL_ISSUER": "samia_chat"}, "how our own tokens are known"),
        ({**OUTSIDE, "SAMIA_EXTERNAL_SECRET": "too short"}, "at least 32 bytes"),
        ({**OUTSIDE, "SAMIA_EXTERNAL_SECRET": "-----BEGIN PUBLIC KEY-----" + "x" * 32}, "For public keys set"),
    ],
)
def test_settings_that_are_wrong_are_named(environment: dict[str, str], sentence: str) -> None:
    outcome = load(**environment)
    assert outcome.returncode == 1
    assert sentence in outcome.stderr.strip().splitlines()[-1]


def test_an_outside_issuer_is_taken_whole() -> None:
    for way in (BY_KEYS, BY_SECRET):
        assert load(**OUTSIDE, **way).returncode == 0


@pytest.mark.parametrize(
    ("url", "is_safe"),
    [
        ("https://issuer.example/jwks", True),
        ("http://127.0.0.1:54321/jwks", True),
        ("http://localhost/jwks", True),
        ("http://[::1]:1/jwks", True),
        ("http://issuer.example/jwks", False),
        ("http://127.0.0.1.issuer.example/jwks", False),
        ("http://localhost.issuer.example/jwks", False),
        ("http://10.0.0.1/jwks", False),
        ("http://localhost@issuer.example/jwks", False),
        ("https://user:password@issuer.example/jwks", False),
        ("https:///jwks", False),
        ("https://issuer.example:port/jwks", False),
        ("file:///etc/passwd", False),
        ("ftp://127.0.0.1/jwks", False),
        ("jwks.json", False),
    ],
)
def test_keys_come_over_https_or_from_this_machine(url: str, is_safe: bool) -> None:
    outcome = load(**OUTSIDE, SAMIA_EXTERNAL_JWKS_URL=url)
    assert (outcome.returncode == 0) is is_safe
    assert is_safe or "SAMIA_EXTERNAL_JWKS_URL must begin with https://" in outcome.stderr


def test_a_secret_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 40 + "\n")
    assert load(SAMIA_SECRET_KEY="-", SAMIA_SECRET_KEY_FILE=str(tmp_path / "key")).returncode == 0


# Logs ----------------------------------------------------------------------------------------------------------------------


def test_a_log_line_is_one_json_object_with_the_request_and_no_secrets() -> None:
    record = logging.makeLogRecord(
        {"name": "x", "levelname": "INFO", "msg": "line\ntwo", "password": "hunter2", "n": 3}
    )
    record.refresh_token, record.session_cookie = "abc", "def"
    with actor.acting_as(Actor(request_id="r-1")):
        text = JSONFormatter().format(record)
    assert "\n" not in text
    line = json.loads(text)
    assert (line["message"], line["request"], line["n"]) == ("line\ntwo", "r-1", 3)
    assert "hunter2" not in text
    assert "abc" not in text
    assert "def" not in text


def test_a_request_leaves_a_line_without_its_query_or_body(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="samia.access"):
        Api(world.client).send(world.session, "a private word")
        Api(world.client).get("/chat/sessions?status=active")
    assert [record.path for record in caplog.records if record.name == "samia.access"] == [  # type: ignore[attr-defined]
        f"/api/chat/sessions/{world.session}/messages",
        "/api/chat/sessions",
    ]
    everything = " ".join(JSONFormatter().format(record) for record in caplog.records)
    assert "private" not in everything
    assert "Bearer" not in everything


# Rates ---------------------------------------------------------------------------------------------------------------------


def test_a_bucket_empties_refills_and_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    with override_settings(RATE_MESSAGES=60):
        limiter.reset()
        mine = Limiter()
        assert [mine.take("message", "a") for _ in range(60)] == [0.0] * 60
        assert mine.take("message", "a") == pytest.approx(1.0)
        assert mine.take("message", "b") == 0  # another person's is full
        now += 1.5
        assert mine.take("message", "a") == 0
        assert mine.take("message", "a") == pytest.approx(0.5)
        mine.give_back("message", "a")
        assert mine.take("message", "a") == 0
        now += 120
        mine.sweep()  # there is no Redis that would have been told
        assert (mine.buckets, mine.touched) == ({}, set())
    limiter.reset()


class DeadRedis:
    """A Redis that does not answer."""

    async def eval(self, *arguments: object) -> list[object]:
        raise ConnectionError


@pytest.mark.parametrize("has_redis", [True, False])
async def test_without_redis_buckets_are_bounded_and_who_has_spent_his_is_remembered(
    has_redis: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_BUCKETS", 50)
    limiter.reset()
    mine = Limiter()
    while mine.take("sign_in", "192.0.2.1") == 0:
        pass
    for number in range(2000):
        assert mine.take("sign_in", f"stranger {number}") == 0
        if has_redis and number % 100 == 0:
            with pytest.raises(ConnectionError):
                await mine.reconcile(DeadRedis())
        assert len(mine.buckets) <= 50
        assert mine.touched <= mine.buckets.keys()
    assert mine.take("sign_in", "192.0.2.1") > 0


async def test_what_was_spent_while_redis_was_away_is_told_later() -> None:
    import redis.asyncio as aioredis

    client = aioredis.Redis.from_url(os.environ["TEST_REDIS_URL"])
    one, two = Limiter(), Limiter()
    with override_settings(RATE_MESSAGES=10):
        limiter.reload()
        key = f"away-{time.time()}"
        assert [one.take("message", key) for _ in range(8)] == [0.0] * 8
        with pytest.raises(ConnectionError):
            await one.reconcile(DeadRedis())
        assert one.take("message", key) == 0
        await one.reconcile(client)
        assert two.take("message", key) == 0
        await two.reconcile(client)
        assert two.take("message", key) > 0  # nine there and one here
    limiter.reset()
    await client.aclose()


async def test_processes_share_a_rate_through_redis() -> None:
    import redis.asyncio as aioredis

    client = aioredis.Redis.from_url(os.environ["TEST_REDIS_URL"])
    one, two = Limiter(), Limiter()
    with override_settings(RATE_MESSAGES=10):
        limiter.reload()
        key = f"shared-{time.time()}"
        assert [one.take("message", key) for _ in range(8)] == [0.0] * 8
        assert two.take("message", key) == 0
        await one.reconcile(client)
        await two.reconcile(client)
        granted = sum(two.take("message", key) == 0 for _ in range(10))
        assert granted == 1  # of ten, eight were spent there and one here
    limiter.reset()
    await client.aclose()


async def test_many_buckets_are_reconciled_in_few_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    import redis.asyncio as aioredis

    client = aioredis.Redis.from_url(os.environ["TEST_REDIS_URL"])
    calls = 0
    ask = client.eval

    async def counted(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        return await ask(*arguments)

    monkeypatch.setattr(client, "eval", counted)
    one, two = Limiter(), Limiter()
    with override_settings(RATE_MESSAGES=1000, RATE_FRAMES=2000):
        limiter.reload()
        keys = [f"many-{time.time()}-{number}" for number in range(limits.AT_ONCE)]
        for number, key in enumerate(keys):
            for _ in range(number + 1):
                one.take("message", key)
                one.take("frame", key)
        await one.reconcile(client)
        assert (calls, one.touched) == (2, set())
        assert all(bucket.spent == 0 for bucket in one.buckets.values())
        for key in keys:
            two.take("message", key)
            two.take("frame", key)
        await two.reconcile(client)
        # Each its own: all have got back the same meanwhile, unless that fills them up.
        for kind in ("message", "frame"):
            left = [two.buckets[kind, key].tokens for key in keys]
            assert left[150] - left[199] == pytest.approx(49, abs=10)
        await two.reconcile(client)
        assert calls == 4  # nothing was spent: nobody is asked
    limiter.reset()
    await client.aclose()


def test_new_ids_begin_with_the_time_and_never_come_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [new_id() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert {(one.version, one.variant) for one in made} == {(7, uuid.RFC_4122)}
    assert all(abs((one.int >> 80) - 1000 * time.time()) < 60_000 for one in made)
    monkeypatch.setattr(time, "time_ns", lambda: 0x0123456789AB * 1_000_000 + 999_999)
    assert str(new_id()).startswith("01234567-89ab-7")
    monkeypatch.setattr(os, "urandom", lambda count: b"\xff" * count)
    assert str(new_id()) == "01234567-89ab-7fff-bfff-ffffffffffff"


# Addresses and headers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "expected"),
    [
        (0, "203.0.113.1", "", "203.0.113.1"),
        (0, "203.0.113.1", "10.0.0.1", "203.0.113.1"),  # nobody is trusted: what the caller says is not believed
        (1, "10.0.0.2", "198.51.100.7", "198.51.100.7"),
        (1, "10.0.0.2", "1.2.3.4, 198.51.100.7", "198.51.100.7"),  # the first was written by the caller
        (2, "10.0.0.2", "1.2.3.4, 198.51.100.7, 10.0.0.1", "198.51.100.7"),
        (2, "10.0.0.2", "198.51.100.7", "10.0.0.2"),
        (1, "10.0.0.2", "rubbish", None),
        (0, None, "", None),
        (0, "2001:db8::1", "", "2001:db8::1"),
        (0, "::ffff:203.0.113.1", "", "203.0.113.1"),
        (0, "fe80::1%eth0", "", "fe80::1"),  # PostgreSQL's inet knows no zones
    ],
)
def test_the_callers_address(proxies: int, peer: str | None, forwarded: str, expected: str | None) -> None:
    with override_settings(TRUSTED_PROXIES=proxies):
        assert client_address(peer, forwarded) == expected


def test_request_ids_are_taken_over_when_harmless() -> None:
    assert new_request_id("abc-123.DEF_9") == "abc-123.DEF_9"
    for offered in ("", "short", "x" * 65, "a b c d e f", "<script>alert(1)</script>", "abc\r\nSet-Cookie: x"):
        assert new_request_id(offered) != offered


def test_what_the_api_answers_is_kept_by_no_cache(world: World) -> None:
    api = Api(world.client)
    for path, status in (("/me", 200), ("/chat/sessions", 200), ("/nothing", 404), ("/audit", 403)):
        answer = api.get(path)
        assert (answer.status, answer.headers["Cache-Control"]) == (status, "no-store, private")
    assert Api().get("/me").headers["Cache-Control"] == "no-store, private"
    assert "Cache-Control" not in Client().get("/healthz").headers


def test_every_answer_has_the_safe_headers(world: World) -> None:
    for path in ("/api/me", "/healthz", "/nothing", "/api/chat/sessions"):
        headers = Client().get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["X-Request-Id"]
    nonces = {Client().get("/healthz").headers["Content-Security-Policy"] for _ in range(3)}
    assert len(nonces) == 3


# Health -------------------------------------------------------------------------------------------------------------------------


def test_health_and_readiness(world: World) -> None:
    assert Client().get("/healthz").json() == {"status": "ok"}
    assert Client().get("/readyz").json() == {"status": "ok", "checks": {"database": "ok", "redis": "unused"}}


def test_metrics_are_for_those_who_may_and_name_nobody(world: World) -> None:
    Api(world.client).send(world.session)
    Api(world.client2).send(world.session)
    page = Client().get("/metrics").content.decode()
    assert 'samia_messages_total{outcome="ok"}' in page
    assert 'samia_refused_total{code="not_found"}' in page
    for secret in (str(world.session), str(world.client.pk), world.client.email):
        assert secret not in page
    assert Client().get("/metrics", REMOTE_ADDR="203.0.113.1").status_code == 404
    with override_settings(METRICS_TOKEN="the token"):
        assert Client().get("/metrics").status_code == 404
        assert Client().get("/metrics", headers={"Authorization": "Bearer the token"}).status_code == 200
        assert Client().get("/metrics", headers={"Authorization": "Bearer other"}).status_code == 404
