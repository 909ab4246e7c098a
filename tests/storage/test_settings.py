"""What the environment says of files: refused where it contradicts itself, and the same for the product and for browsers."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys

import pytest
from django.conf import settings

from samia_chat import settings as source
from tests.cast import World
from tests.rest import Api
from tests.server import Server
from tests.storage.files import fetch, sent_file
from tests.storage.s3 import S3

NOTHING = {
    "S3_BUCKET": "",
    "S3_ENDPOINT_URL": "",
    "S3_PUBLIC_ENDPOINT_URL": "",
    "S3_ACCESS_KEY": "",
    "S3_SECRET_KEY": "",
    "S3_ADDRESSING": "path",
    "CLAMAV": "",
}
GOOD = {
    "S3_BUCKET": "chat-files",
    "S3_ENDPOINT_URL": "https://s3.example.com",
    "S3_ACCESS_KEY": "k",
    "S3_SECRET_KEY": "s",
}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, None),
        (GOOD, None),
        ({"S3_BUCKET": "chat-files"}, None),  # Amazon's, by the machine's role
        ({**GOOD, "S3_ADDRESSING": "virtual", "S3_PUBLIC_ENDPOINT_URL": "http://localhost:8333"}, None),
        ({**GOOD, "S3_BUCKET": ""}, "but no bucket"),
        ({"S3_ACCESS_KEY": "k", "S3_SECRET_KEY": "s"}, "but no bucket"),
        ({**GOOD, "S3_SECRET_KEY": ""}, "or neither"),
        ({**GOOD, "S3_ENDPOINT_URL": "s3.example.com"}, "S3_ENDPOINT_URL must be an address"),
        ({**GOOD, "S3_ENDPOINT_URL": "ftp://s3.example.com"}, "S3_ENDPOINT_URL must be an address"),
        ({**GOOD, "S3_ENDPOINT_URL": "https://key:secret@s3.example.com"}, "S3_ENDPOINT_URL must be an address"),
        ({**GOOD, "S3_PUBLIC_ENDPOINT_URL": "https://s3.example.com/files"}, "S3_PUBLIC_ENDPOINT_URL must be"),
        ({**GOOD, "S3_PUBLIC_ENDPOINT_URL": "https://a; script-src *"}, "S3_PUBLIC_ENDPOINT_URL must be"),
        ({**GOOD, "S3_ADDRESSING": "dns"}, "S3_ADDRESSING"),
        ({"CLAMAV": "localhost:3310"}, None),
        ({"CLAMAV": "[::1]:3310"}, None),
        ({"CLAMAV": "unix:/run/clamav/clamd.ctl"}, None),
        ({"CLAMAV": "localhost"}, "SAMIA_CLAMAV"),
        ({"CLAMAV": "/run/clamav/clamd.ctl"}, "SAMIA_CLAMAV"),
    ],
    ids=str,
)
def test_what_contradicts_itself_is_refused(
    given: dict[str, str], said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**NOTHING, **given}.items():
        monkeypatch.setattr(source, name, value)
    fault = source.files_fault()
    assert fault is None if said is None else fault is not None and said in fault, fault


def settings_with(**environment: str) -> str:
    """What a process with these settings would use: the store, and the origin for browsers."""
    code = (
        "from django.conf import settings as s; o = s.STORAGES['files'];"
        "print(o['BACKEND'], o['OPTIONS'].get('endpoint_url'), o['OPTIONS'].get('public_endpoint_url'), s.BUCKET_ORIGIN)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "samia_chat.settings", **environment},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_store_is_what_the_environment_says() -> None:
    assert settings_with() == "storage.folder.PrivateFolder None None"
    amazon = "https://s3.eu-central-1.amazonaws.com"
    assert (
        settings_with(S3_BUCKET="b", S3_REGION="eu-central-1") == f"storage.s3.PrivateBucket {amazon} {amazon} {amazon}"
    )
    inside, outside = "http://files:8333", "https://files.example.com"
    assert (
        settings_with(
            S3_BUCKET="b", S3_ENDPOINT_URL=f"{inside}/", S3_PUBLIC_ENDPOINT_URL=outside, S3_ADDRESSING="virtual"
        )
        == f"storage.s3.PrivateBucket {inside} {outside} https://b.files.example.com"
    )


def test_a_server_with_a_bucket_sends_people_there(world: World, s3: S3) -> None:
    file = sent_file(world.reader, world.session, content=b"in the bucket")
    server = Server(**s3.environment()).start()
    try:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", f"/api/chat/files/{file}", headers=Api(world.client).headers)
        answer = connection.getresponse()
        connection.close()
        assert answer.status == 302
        found = fetch(answer.headers["location"])
        assert (found.status, found.body) == (200, b"in the bucket")
        page = fetch(f"{server.address}/sign-in")
        assert f"media-src 'self' blob: {s3.url};" in page.headers["content-security-policy"]
    finally:
        server.stop()
