"""What no well-meaning client sends: every answer is a problem with a stable code, never a fault of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cast import World
from tests.kernel.test_openapi import judge
from tests.rest import Answer, Api

SESSIONS = "/chat/sessions"


def refused(answer: Answer) -> tuple[int, str]:
    judge("Problem").validate(answer.body)
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status, answer.body["code"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid"),
        (b"{", "malformed"),
        (b"[]", "malformed"),
        (b"null", "malformed"),
        (b'"text"', "malformed"),
        (b"\xff\xfe", "malformed"),
        (b'{"content": "\xc3"}', "malformed"),
        (b'{"content": "\\ud800"}', "malformed"),
        (b'{"content": NaN}', "malformed"),
        (b'{"content": 1e999999}', "malformed"),
        (b"[" * 100_000, "malformed"),
        (b'{"content":' * 5000 + b"1" + b"}" * 5000, "malformed"),
        (b'{"content": "a\\u0000b"}', "invalid"),
        (b'{"content": ' + b"9" * 5000 + b"}", "malformed"),
        (b'{"content": {"content": "a"}}', "invalid"),
        (b'{"content": "a", "\\u0000": 1}', "invalid"),
        (b'{"content": "a", "reply_to": "\\u0661"}', "invalid"),
        (b'{"content": "a", "id": 5}', "invalid"),
        (b'{"content": "a", "type": ["text"]}', "invalid"),
        (b'{"content": "a", "type": {}}', "invalid"),
        (b'{"content": "a", "type": null}', "invalid"),
        (b'{"content": "\\u200b \\u3000"}', None),
    ],
)
def test_a_strange_body(body: bytes, code: str | None, world: World) -> None:
    answer = Api(world.client).post(f"{SESSIONS}/{world.session}/messages", body)
    if code is None:
        assert answer.status in (201, 400)
    else:
        assert refused(answer) == (400, code)


@pytest.mark.parametrize(
    "number", ["-1", "0.5", "1e400", "9" * 5000, "true", '"1"', "null", "[1]", str(2**63), "-0.0001"]
)
def test_a_strange_number(number: str, world: World) -> None:
    body = b'{"up_to": %s}' % number.encode()
    assert refused(Api(world.client).request("PUT", f"{SESSIONS}/{world.session}/read", body))[0] == 400


@pytest.mark.parametrize(
    ("held", "status"),
    [
        ({"": 1}, 400),
        ({"x": 1}, 400),
        ({"\x00": 1}, 400),
        ({"01931c9f4d5e7b3a9c216f0e8d7a5b14": 2**62}, 200),
        ({"01931c9f-4d5e-7b3a-9c21-6f0e8d7a5b14": 2**63}, 400),
        ({"01931c9f-4d5e-7b3a-9c21-6f0e8d7a5b14": 2**63 - 1}, 200),
        ([], 400),
        (None, 400),
        ({str(number): 1 for number in range(1001)}, 400),
    ],
)
def test_a_strange_sync(held: Any, status: int, world: World) -> None:
    assert Api(world.client).post("/chat/sync", {"sessions": held}).status == status


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json+x", "\x00"]
)
def test_a_body_of_another_kind(kind: str, world: World) -> None:
    api = Api(world.client)
    response = api._client.generic("POST", "/api/chat/sync", '{"sessions": {}}', content_type=kind, headers=api.headers)
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "query",
    [
        "limit=" + "9" * 5000,
        "limit=%00",
        "limit=\u0661",
        "limit=1%0a",
        "cursor=" + "A" * 300,
        "cursor=AAAA",
        "%00=1",
        "a[]=1",
        "%ff=%ff",
        "limit",
    ],
)
def test_a_strange_query(query: str, world: World) -> None:
    assert refused(Api(world.client).get(f"{SESSIONS}?{query}")) == (400, "invalid")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/chat",
        "/chat/sessions/",
        "/chat/sessions/%00",
        "/chat/sessions/%ff",
        "/chat/sessions/../me",
        "/ME",
        "/chat/sessions/01931C9F-4D5E-7B3A-9C21-6F0E8D7A5B14",
        "/" + "a" * 9000,
        "/chat/sessions/01931c9f-4d5e-7b3a-9c21-6f0e8d7a5b14%0a",
        "//me",
        "/me;x=1",
    ],
)
def test_a_strange_path_is_not_found_also_for_a_browser(path: str, world: World) -> None:
    for accept in ("*/*", "text/html", "application/xml;q=x", "\x00"):
        assert refused(Api(world.client).get(path, Accept=accept)) == (404, "not_found")


@pytest.mark.parametrize(
    "value",
    [
        "Bearer",
        "Bearer ",
        "Bearer x",
        "bearer a.b.c",
        "Basic eDp4",
        "Bearer \x00",
        "é",
        "Bearer " + "a" * 20000,
        "Bearer eyJhbGciOiJub25lIn0.e30.",
    ],
)
def test_a_strange_credential(value: str, world: World) -> None:
    answer = Api().get("/me", Authorization=value)
    assert refused(answer) == (401, "signed_out")


@pytest.mark.parametrize(
    "cookie", ["samia_session=\x00", "samia_session=" + "x" * 5000, "samia_session", ";;;", "samia_session=é"]
)
def test_a_strange_cookie(cookie: str, world: World) -> None:
    assert refused(Api().get("/me", Cookie=cookie)) == (401, "signed_out")


@pytest.mark.parametrize("header", ["X-Request-Id", "X-Forwarded-For", "User-Agent", "Accept-Language", "Content-Type"])
@pytest.mark.parametrize("value", ["\x00", "\u0661", "x" * 9000, "%s%n", "'; DROP TABLE chat_messages; --"])
def test_a_strange_header_changes_nothing(header: str, value: str, world: World) -> None:
    api = Api(world.client, **{header: value})
    assert api.get("/me").status == 200
    sent = api.request("POST", f"{SESSIONS}/{world.session}/messages", json.dumps({"content": "hello"}))
    assert sent.status == (415 if header == "Content-Type" else 201), sent.body


def test_a_body_that_is_too_large(world: World) -> None:
    answer = Api(world.client).post(f"{SESSIONS}/{world.session}/messages", b" " * (12 * 1024 * 1024 + 1))
    assert refused(answer) == (413, "too_large")


@pytest.mark.parametrize("name", ["\u202eevil", "a\x00b", "a\nb", "   ", "\u2028", "x" * 81, "a\u200fb"])
def test_a_strange_name(name: str, world: World) -> None:
    assert refused(Api(world.client).patch("/me", {"display_name": name})) == (400, "invalid")
