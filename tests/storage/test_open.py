"""What comes when a file is opened: from disk its bytes, by parts; from a bucket a signed address for a minute."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.core.files.storage import storages
from django.test import Client, override_settings
from hypothesis import given
from hypothesis import strategies as st

from storage import bucket, ranges
from storage.download import NAME_LETTERS, download_name
from storage.errors import RangeUnsatisfiable, StoreAway
from tests.cast import World
from tests.rest import Api
from tests.server import free_port
from tests.storage.conftest import Place, using
from tests.storage.files import fetch, open_file, row_of, sent_file
from tests.storage.s3 import S3

CONTENT = bytes(range(256)) * 4
SIZE = len(CONTENT)


@pytest.fixture
def api(world: World) -> Api:
    return Api(world.client)


# Headers --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("audio/webm", "inline"),
        ("audio/mp4", "inline"),
        ("image/jpeg", "inline"),
        ("application/pdf", "attachment"),
        ("text/plain", "attachment"),
    ],
)
def test_the_type_is_the_row_s_and_only_media_are_shown(
    content_type: str, kind: str, world: World, api: Api, place: Place
) -> None:
    file = sent_file(world.reader, world.session, content=CONTENT, content_type=content_type, name="page.html")
    answer = open_file(api, file)
    assert (answer.status, answer.body) == (200, CONTENT)
    assert answer.headers["Content-Type"] == content_type
    assert answer.headers["Content-Disposition"].split(";")[0] == kind
    assert not answer.headers["Content-Disposition"].endswith(".html")
    ours = api.get(f"/chat/files/{file}")
    assert ours.headers["X-Content-Type-Options"] == "nosniff"
    assert ours.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert ours.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert ours.headers["Referrer-Policy"] == "no-referrer"
    assert ours.headers["Cache-Control"] == ("private, no-cache" if place.s3 is None else "no-store, private")
    assert int(answer.headers["Content-Length"]) == SIZE


NAMES = {
    'a "quoted" name.webm': 'a "quoted" name.webm',
    "one\r\nSet-Cookie: evil=1.webm": "oneSet-Cookie: evil=1.webm",
    "invoice\u202efdp.webm": "invoicefdp.webm",
    "\u2067hidden\u2069.webm": "hidden.webm",
    "../../../etc/passwd": "passwd.webm",
    "..\\..\\windows\\system32.webm": "system32.webm",
    "a\x00b.webm": "ab.webm",
    "": "file.webm",
    "....": "file.webm",
    "  .webm  ": "webm.webm",
    "%2e%2e%2f;filename=x.exe": "%2e%2e%2f;filename=x.exe.webm",
    "رسالة صوتية.webm": "رسالة صوتية.webm",
    "résumé.html": "résumé.html.webm",
    "😀.webm": "😀.webm",
}


def test_names_are_one_line_and_lead_nowhere() -> None:
    assert {name: download_name(name, "webm") for name in NAMES} == NAMES


@given(st.text(max_size=300), st.sampled_from(["jpg", "webm", "txt", "pdf"]))
def test_any_name_is_a_name(name: str, ending: str) -> None:
    found = download_name(name, ending)
    assert not set(found) & set("\r\n\x00/\\\u202e\u2067")
    assert 0 < len(found) <= NAME_LETTERS + 10
    assert not found.startswith(".")


@pytest.mark.parametrize(
    "name",
    [*(name for name in NAMES if "\x00" not in name), "ا" * 255, "😀" * 255, "\U0001f600" + "é" * 200 + '".html'],
)
def test_a_name_arrives_as_it_is_or_harmless(name: str, world: World, api: Api, place: Place) -> None:
    file = sent_file(world.reader, world.session, content=CONTENT, name=name)
    answer = open_file(api, file)
    assert (answer.status, answer.body) == (200, CONTENT), answer.body
    assert not {header.lower() for header in answer.headers} & {"set-cookie"}
    given_name = named(answer.headers["Content-Disposition"])
    assert given_name == download_name(name, "webm")


def named(disposition: str) -> str:
    """The name as a browser reads it (RFC 8187), beside the one for old programs."""
    found = re.fullmatch(
        r"(?:inline|attachment); filename=\"[^\"\\]+\"; filename\*=UTF-8''([A-Za-z0-9%._~-]+)", disposition
    )
    assert found, disposition
    return unquote(found[1], errors="strict")


# Parts (from disk) ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "status", "start", "stop"),
    [
        ("bytes=0-0", 206, 0, 1),
        ("bytes=0-", 206, 0, SIZE),
        ("bytes=10-19", 206, 10, 20),
        (f"bytes=0-{10**30}", 206, 0, SIZE),
        ("bytes=-1", 206, SIZE - 1, SIZE),
        (f"bytes=-{SIZE}", 206, 0, SIZE),
        (f"bytes=-{SIZE * 5}", 206, 0, SIZE),
        (f"bytes=-{'9' * 5000}", 206, 0, SIZE),
        (f"bytes={SIZE - 1}-", 206, SIZE - 1, SIZE),
        ("Bytes= 5-6 ", 206, 5, 7),
        (f"bytes={SIZE}-", 416, 0, 0),
        (f"bytes={SIZE}-{SIZE}", 416, 0, 0),
        (f"bytes={10**30}-", 416, 0, 0),
        (f"bytes={'9' * 5000}-", 416, 0, 0),
        ("bytes=-0", 416, 0, 0),
        # not of the form, or more than we give: all of it
        ("", 200, 0, SIZE),
        ("bytes=", 200, 0, SIZE),
        ("bytes=-", 200, 0, SIZE),
        ("bytes=5-2", 200, 0, SIZE),
        ("bytes=--5", 200, 0, SIZE),
        ("bytes=-5-", 200, 0, SIZE),
        ("bytes=1.5-3", 200, 0, SIZE),
        ("bytes=0x1-0x2", 200, 0, SIZE),
        ("bytes=\u0661-\u0662", 200, 0, SIZE),
        ("items=0-1", 200, 0, SIZE),
        ("0-1", 200, 0, SIZE),
        ("bytes=0-0,1-1", 200, 0, SIZE),
        ("bytes=0-9, -5", 200, 0, SIZE),
        ("bytes=" + ",".join(f"{n}-{n}" for n in range(500)), 200, 0, SIZE),
        ("bytes=" + ",".join(["0-"] * 500), 200, 0, SIZE),
    ],
)
def test_a_part_is_what_was_asked_for(asked: str, status: int, start: int, stop: int, world: World, api: Api) -> None:
    file = sent_file(world.reader, world.session, content=CONTENT)
    answer = api.get(f"/chat/files/{file}", Range=asked)
    assert answer.status == status
    if status == 416:
        assert answer.code == "range_unsatisfiable"
        assert answer.headers["Content-Range"] == f"bytes */{SIZE}"
        return
    assert answer.body == CONTENT[start:stop]
    assert int(answer.headers["Content-Length"]) == stop - start
    assert answer.headers["Accept-Ranges"] == "bytes"
    expected = f"bytes {start}-{stop - 1}/{SIZE}" if status == 206 else None
    assert answer.headers.get("Content-Range") == expected


@given(st.text(alphabet="0123456789-,= bytesitm", max_size=40), st.integers(min_value=1, max_value=10**12))
def test_no_range_reaches_beyond_the_file(header: str, size: int) -> None:
    span = None
    with suppress(RangeUnsatisfiable):
        span = ranges.span_of(f"bytes={header}", size)
    if span is not None:
        assert 0 <= span.start < size
        assert 0 < span.length <= size - span.start


def test_a_part_is_of_the_file_that_one_has(world: World, api: Api) -> None:
    file = sent_file(world.reader, world.session, content=CONTENT)
    etag = api.head(f"/chat/files/{file}").headers["ETag"]
    assert etag == f'"{bytes(row_of(file).sha256).hex()}"'
    for known, status in ((etag, 206), (f"W/{etag}", 200), ('"another"', 200), ("Sat, 21 Nov 2026 00:00:00 GMT", 200)):
        answer = api.get(f"/chat/files/{file}", **{"Range": "bytes=5-9", "If-Range": known})
        assert (answer.status, answer.body) == (status, CONTENT[5:10] if status == 206 else CONTENT), known
    # What is not of this file says nothing of its length, either.
    answer = api.get(f"/chat/files/{file}", **{"Range": f"bytes={SIZE}-", "If-Range": '"another"'})
    assert answer.status == 200


def test_what_one_has_is_not_sent_again(world: World, api: Api) -> None:
    file = sent_file(world.reader, world.session, content=CONTENT)
    etag = api.head(f"/chat/files/{file}").headers["ETag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = api.get(f"/chat/files/{file}", **{"If-None-Match": known, "Range": "bytes=0-1"})
        assert (answer.status, answer.body) == (304, b"")
        assert answer.headers["ETag"] == etag
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert "Content-Length" not in answer.headers or answer.headers["Content-Length"] == "0"
    for other in ('"other"', "garbage", ""):
        assert api.get(f"/chat/files/{file}", **{"If-None-Match": other}).status == 200


def test_head_is_get_without_the_bytes(world: World, api: Api) -> None:
    file = sent_file(world.reader, world.session, content=CONTENT)
    got, asked = api.get(f"/chat/files/{file}"), api.head(f"/chat/files/{file}")
    assert asked.body == b""
    own = {"X-Request-Id"}
    assert {name: value for name, value in asked.headers.items() if name not in own} == {
        name: value for name, value in got.headers.items() if name not in own
    }
    # RFC 9110, 14.2: a range is of a GET.
    assert api.head(f"/chat/files/{file}", Range="bytes=0-1").headers["Content-Length"] == str(SIZE)


def test_other_methods_and_parameters_are_refused(world: World, api: Api) -> None:
    file = sent_file(world.reader, world.session)
    for method in ("POST", "PUT", "PATCH", "OPTIONS", "TRACE"):
        assert api.request(method, f"/chat/files/{file}").status == 405
    for query in ("?rendition=", "?rendition=waveform", "?size=5", "?rendition=aac&rendition=aac", "?key=x"):
        answer = api.get(f"/chat/files/{file}{query}")
        assert (answer.status, answer.code) == (400, "invalid"), query


# Addresses (in the bucket) ----------------------------------------------------------------------------------------------


def address(api: Api, world: World, **fields: Any) -> str:
    file = sent_file(world.reader, world.session, content=CONTENT, **fields)
    answer = api.get(f"/chat/files/{file}")
    assert (answer.status, answer.body) == (302, b"")
    return answer.headers["Location"]


def changed(url: str, **fields: str | None) -> str:
    """The address with other parameters; None takes one away."""
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    query = {name: value for name, value in {**query, **fields}.items() if value is not None}
    return urlunsplit(parts._replace(query=urlencode(query)))


def test_an_address_opens_this_object_for_a_minute(world: World, api: Api, s3: S3) -> None:
    url = address(api, world)
    query = parse_qs(urlsplit(url).query)
    assert int(query["X-Amz-Expires"][0]) <= 60
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert url.startswith(settings.BUCKET_ORIGIN)
    assert (fetch(url).status, fetch(url).body) == (200, CONTENT)
    assert fetch(url, Range="bytes=5-9").body == CONTENT[5:10]


def test_an_address_ends(world: World, api: Api, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once its time is over, and where somebody makes its time longer."""
    url = address(api, world)
    assert fetch(changed(url, **{"X-Amz-Expires": "3600"})).status == 403
    long_ago = datetime.now(UTC) - timedelta(seconds=90)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda **_: long_ago.replace(tzinfo=None))
    assert fetch(address(api, world)).status in (400, 403)


def test_an_address_ends_by_the_clock(world: World, api: Api, s3: S3) -> None:
    with override_settings(FILE_URL_SECONDS=2):
        url = address(api, world)
    assert fetch(url).status == 200
    deadline = time.monotonic() + 5
    while fetch(url).status == 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST", "HEAD"])
def test_an_address_serves_no_other_method(method: str, world: World, api: Api, s3: S3) -> None:
    url = address(api, world)
    assert fetch(url, method).status in (400, 403, 405)
    assert fetch(url).body == CONTENT


def test_an_address_serves_no_other_headers_object_or_bucket(world: World, api: Api, s3: S3) -> None:
    url = address(api, world, content_type="text/plain", name="page.html")
    other = sent_file(world.reader, world.session, content=b"another")
    for change in (
        {"response-content-type": "text/html"},
        {"response-content-type": None},
        {"response-content-disposition": "inline"},
        {"response-content-disposition": None},
        {"X-Amz-Signature": "0" * 64},
        {"X-Amz-Signature": None},
        {"X-Amz-Date": "20200101T000000Z"},
        {"X-Amz-Credential": "other/20261121/us-east-1/s3/aws4_request"},
    ):
        assert fetch(changed(url, **change)).status in (400, 403), change
    parts = urlsplit(url)
    for path in (f"/{s3.objects.name}/{row_of(other).key}", f"/{s3.objects.name}/", f"/{s3.objects.name}", "/"):
        assert fetch(urlunsplit(parts._replace(path=path))).status in (400, 403), path


def test_nothing_is_open_without_a_signature(world: World, api: Api, s3: S3) -> None:
    file = sent_file(world.reader, world.session, content=CONTENT)
    for path in (
        f"/{s3.objects.name}/{row_of(file).key}",
        f"/{s3.objects.name}",
        f"/{s3.objects.name}?list-type=2",
        "/",
    ):
        for method in ("GET", "HEAD", "PUT", "DELETE"):
            assert fetch(f"{s3.url}{path}", method).status in (400, 403, 405), (method, path)
    assert fetch(address(api, world)).status == 200


def test_a_head_is_redirected_to_a_head(world: World, api: Api, s3: S3) -> None:
    file = sent_file(world.reader, world.session, content=CONTENT)
    answer = api.head(f"/chat/files/{file}")
    assert answer.status == 302
    found = fetch(answer.headers["Location"], "HEAD")
    assert (found.status, found.headers["Content-Length"]) == (200, str(SIZE))
    assert fetch(answer.headers["Location"], "GET").status in (400, 403)


def test_an_address_names_the_host_that_browsers_reach(world: World, api: Api, s3: S3) -> None:
    port = free_port()
    with using(s3, public_endpoint_url=f"http://localhost:{port}"):
        assert address(api, world).startswith(f"http://localhost:{port}/{s3.objects.name}/")
    with using(s3, public_endpoint_url="https://files.example.com", addressing_style="virtual", endpoint_url=s3.url):
        url = bucket.signed_url(
            bucket.key_of(session_id=world.session, owner_id=world.session, file_id=world.session, extension="webm"),
            content_type="audio/webm",
            disposition="inline",
        )
        assert url is not None
        assert url.startswith(f"https://{s3.objects.name}.files.example.com/")


def test_an_address_lives_no_longer_than_a_minute(s3: S3, world: World) -> None:
    key = bucket.key_of(session_id=world.session, owner_id=world.session, file_id=world.session, extension="webm")
    for seconds in (0, -1, 61, 3600):
        with pytest.raises(ValueError, match="at most 60 s"):
            bucket.signed_url(key, content_type="audio/webm", disposition="inline", seconds=seconds)


def test_no_address_is_written_into_the_log(world: World, api: Api, s3: S3, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        url = address(api, world)
        with using(s3, endpoint_url=f"http://127.0.0.1:{free_port()}"), suppress(StoreAway):
            sent_file(world.reader, world.session)
    assert "does not answer" in caplog.text
    signature = parse_qs(urlsplit(url).query)["X-Amz-Signature"][0]
    assert signature not in caplog.text
    assert "X-Amz" not in caplog.text


# Pages -----------------------------------------------------------------------------------------------------------------


def test_pages_may_show_what_lies_in_the_bucket(s3: S3) -> None:
    policy = Client().get("/sign-in").headers["Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["img-src"].endswith(f" {s3.url}")
    assert rules["media-src"].endswith(f" {s3.url}")
    assert s3.url not in "".join(rule for name, rule in rules.items() if name not in ("img-src", "media-src"))


def test_pages_name_no_bucket_where_there_is_none() -> None:
    policy = Client().get("/sign-in").headers["Content-Security-Policy"]
    assert "img-src 'self' blob: data:;" in policy
    assert "media-src 'self' blob:;" in policy


def test_the_disk_gives_no_addresses(tmp_path: Any) -> None:
    with pytest.raises(ValueError, match="no address"):
        storages["files"].url("x")
    assert not os.path.exists(settings.FILES_FOLDER)
