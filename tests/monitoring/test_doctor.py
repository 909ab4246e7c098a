"""doctor: every fault that it knows is made, named, and its advice given; where all is well it finds nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import override_settings

from monitoring import doctor
from monitoring.doctor import deployment, files
from monitoring.doctor.finding import Finding
from storage import bucket
from storage.errors import StoreAway
from tests.database import Truth
from tests.server import free_port
from tests.storage.clamd import FakeClamd
from tests.storage.conftest import using
from tests.storage.s3 import S3


def findings(check: Callable[[], Iterator[Finding]]) -> list[tuple[str, str]]:
    """Level and sentence of each; whatever is not well comes with advice."""
    found = list(check())
    assert found
    assert all(bool(finding.advice) is (finding.level != "ok") for finding in found)
    return [(finding.level, finding.said) for finding in found]


def only(check: Callable[[], Iterator[Finding]], level: str) -> str:
    """The sentence of the only finding of that level."""
    (said,) = [said for found, said in findings(check) if found == level]
    return said


def run() -> tuple[str, str]:
    """What is printed, and why the command ends with 1 (or nothing)."""
    out = StringIO()
    try:
        call_command("doctor", stdout=out, no_color=True)
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), ""


@pytest.fixture
def worker(truth: Truth) -> None:
    truth.rows("INSERT INTO procrastinate_workers DEFAULT VALUES")


# The command ------------------------------------------------------------------------------------------------------------


def test_where_all_is_well_nothing_is_to_be_done(worker: None) -> None:
    printed, why = run()
    assert why == ""
    assert printed.endswith("No errors. Warnings: 0.\n")
    assert {line.split()[1] for line in printed.splitlines()[:-1]} == set(doctor.CHECKS)
    assert "→" not in printed
    assert not [entry for entry in bucket.entries() if entry.key.endswith(".probe")]


def test_errors_decide_the_exit_code() -> None:
    """Of a process of its own. No worker runs."""
    command = [sys.executable, "manage.py", "doctor"]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "error    worker    No worker is at work" in done.stdout
    assert "→ Start `manage.py work`" in done.stdout
    assert "Errors: 1, warnings: 0." in done.stderr


def test_a_check_that_breaks_does_not_end_the_others(monkeypatch: pytest.MonkeyPatch, worker: None) -> None:
    def breaks() -> Iterator[Finding]:
        raise RuntimeError("something else")
        yield

    monkeypatch.setitem(doctor.CHECKS, "database", breaks)
    printed, why = run()
    assert why.startswith("Errors: 1")
    assert "RuntimeError: something else" in printed
    assert "ok       clamav" in printed


# The deployment ---------------------------------------------------------------------------------------------------------


def test_passwords_in_the_clear_are_warned_of() -> None:
    with override_settings(PUBLIC_ORIGINS=["http://chat.example.com"], IS_HTTPS=False):
        assert "http://chat.example.com" in only(deployment.settings_are_sound, "warning")
    with override_settings(PUBLIC_ORIGINS=["https://chat.example.com"], IS_HTTPS=True):
        assert findings(deployment.settings_are_sound) == [("ok", "People use https://chat.example.com.")]


def test_a_short_secret_is_an_error() -> None:
    with override_settings(SECRET_KEY="short"):
        assert "SAMIA_SECRET_KEY" in only(deployment.settings_are_sound, "error")


@contextmanager
def database(**changes: Any) -> Iterator[None]:
    """Another address of the database, in this process."""
    from django.db.utils import ConnectionHandler

    mine = {**settings.DATABASES["default"], **changes}
    mine["OPTIONS"] = {**mine["OPTIONS"], "pool": False}
    handler = ConnectionHandler({"default": mine})
    wrapper = handler["default"]
    before = {module: vars(module)["connection"] for module in (deployment, checks_module())}
    for module in before:
        module.connection = wrapper  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for module, original in before.items():
            module.connection = original  # type: ignore[attr-defined]
        wrapper.close()


def checks_module() -> Any:
    from samia_chat import checks

    return checks


def test_a_database_that_is_not_there_is_named(tmp_path: Path) -> None:
    with database(HOST=str(tmp_path)):
        assert "does not answer" in only(deployment.database, "error")


def test_a_role_that_nothing_binds_is_named() -> None:
    with database(USER="samia_owner"):
        assert "samia_owner" in only(deployment.database, "error")


def test_a_worker_that_died_is_missed(truth: Truth, worker: None) -> None:
    assert findings(deployment.worker) == [("ok", "1 at work; 0 jobs wait.")]
    truth.rows("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '2 minutes'")
    assert "No worker is at work" in only(deployment.worker, "error")


def test_a_redis_that_is_not_there_is_named() -> None:
    with override_settings(REDIS_URL=f"redis://127.0.0.1:{free_port()}/0"):
        assert "Redis does not do what is asked" in only(deployment.redis, "error")
    with override_settings(REDIS_URL=os.environ["TEST_REDIS_URL"]):
        assert findings(deployment.redis) == [("ok", "It answers, and takes events.")]


# The folder ---------------------------------------------------------------------------------------------------------------


def test_a_folder_that_others_enter_is_named() -> None:
    settings.FILES_FOLDER.mkdir(parents=True)
    settings.FILES_FOLDER.chmod(0o755)
    assert "Others can enter" in only(files.store, "error")
    settings.FILES_FOLDER.chmod(0o700)
    assert "GB free" in only(files.store, "ok")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    storage = {"BACKEND": "storage.folder.PrivateFolder", "OPTIONS": {"location": in_the_way / "files"}}
    with override_settings(STORAGES={**settings.STORAGES, "files": storage}, FILES_FOLDER=in_the_way / "files"):
        assert "cannot be made" in only(files.store, "error")


def test_a_disk_that_takes_nothing_or_gives_something_else_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise StoreAway from OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(bucket, "put", full)
        assert "No space left" in only(files.store, "error")
    with monkeypatch.context() as patch:
        patch.setattr(bucket, "digest", lambda key: (1000, b"other"))
        assert "not what was written" in only(files.store, "error")


def test_little_room_and_several_processes_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "FREE_BYTES", 10**18)
    assert "GB are free" in only(files.store, "warning")
    monkeypatch.setattr(files, "FREE_BYTES", 0)
    with override_settings(WORKERS=2):
        assert "one machine" in only(files.store, "warning")


# The bucket ---------------------------------------------------------------------------------------------------------------

NOT_206 = "Safari plays nothing"  # what rclone's server cannot do, and is warned of in every test here


def test_a_good_bucket_is_found_good(s3: S3) -> None:
    found = findings(files.store)
    assert [level for level, _ in found] == ["ok", "warning", "ok"]
    assert NOT_206 in found[1][1]
    assert list(bucket.entries()) == []  # the probe is gone


def test_a_store_that_is_away_is_named(s3: S3) -> None:
    with using(s3, endpoint_url=f"http://127.0.0.1:{free_port()}"):
        assert "does not answer" in only(files.store, "error")


def test_a_bucket_that_is_not_there_is_named_and_can_be_made(s3: S3) -> None:
    with using(s3, bucket_name="not-there"):
        assert "There is no bucket not-there" in only(files.store, "error")
        out = StringIO()
        for _ in range(2):
            call_command("make_bucket", stdout=out)
        assert out.getvalue() == "not-there is there.\n" * 2
        assert "error" not in [level for level, _ in findings(files.store)]
    (s3.folder / "objects" / "not-there").rmdir()


def test_a_wrong_key_is_named(s3: S3) -> None:
    with using(s3, secret_key="wrong"):
        assert "refuses us" in only(files.store, "error")


def test_a_public_address_that_is_wrong_is_warned_of(s3: S3) -> None:
    with using(s3, public_endpoint_url=f"http://127.0.0.1:{free_port()}"):
        assert "cannot be reached from here" in only(files.store, "warning")


def test_an_origin_that_pages_do_not_know_is_named(s3: S3) -> None:
    with override_settings(BUCKET_ORIGIN="https://elsewhere.example.com"):
        assert "https://elsewhere.example.com" in only(files.store, "error")


def test_an_open_bucket_is_named(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    """rclone without a key asks nobody for a signature."""
    s3.stop()
    try:
        s3.start(auth=False)
        found = "\n".join(said for level, said in findings(files.store) if level == "error")
    finally:
        s3.stop()
        s3.start()
    for fault in (
        "Anybody can read files without a signature.",
        "Anybody can list the bucket.",
        "Anybody can put objects into the bucket.",
        "The address for reading a file lets people write it.",
        "A signed address is good for longer than it says.",
    ):
        assert fault in found
    assert list(bucket.entries()) == []


class Proxy:
    """Between us and the store, and of another mind than it: `change` may change the head of an answer, or give one itself."""

    def __init__(self, s3: S3, change: Callable[[str, str, int, dict[str, str]], tuple[int, dict[str, str]]]) -> None:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _forward(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                request = urllib.request.Request(
                    f"{s3.url}{self.path}", data=body or None, method=self.command, headers=dict(self.headers)
                )
                try:
                    with urllib.request.urlopen(request, timeout=10) as found:
                        status, given, content = found.status, dict(found.headers), found.read()
                except urllib.error.HTTPError as refused:
                    with refused:
                        status, given, content = refused.code, dict(refused.headers), refused.read()
                status, given = change(self.command, self.headers.get("Range", ""), status, given)
                self.send_response_only(status)
                for name, value in given.items():
                    if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                        self.send_header(name, value)
                length = given.get("Content-Length", "0") if self.command == "HEAD" else str(len(content))
                self.send_header("Content-Length", length)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_PUT = do_HEAD = do_DELETE = do_OPTIONS = _forward  # noqa: N815 (names of http.server)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        proxy.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    url: str

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def through(s3: S3, change: Callable[..., tuple[int, dict[str, str]]]) -> Iterator[None]:
    proxy = Proxy(s3, change)
    try:
        with using(s3, endpoint_url=proxy.url, public_endpoint_url=proxy.url):
            yield
    finally:
        proxy.stop()


def test_a_store_that_can_do_all_is_found_good(s3: S3) -> None:
    def partial(method: str, asked: str, status: int, given: dict[str, str]) -> tuple[int, dict[str, str]]:
        return (206 if asked and status == 200 else status), given

    with through(s3, partial):
        assert [level for level, _ in findings(files.store)] == ["ok", "ok"]


@pytest.mark.parametrize(("seconds", "level"), [(-20, "warning"), (20, "warning"), (-900, "error"), (900, "error")])
def test_a_clock_that_is_wrong_is_named(seconds: int, level: str, s3: S3) -> None:
    def shifted(method: str, asked: str, status: int, given: dict[str, str]) -> tuple[int, dict[str, str]]:
        at = format_datetime(datetime.now(UTC) - timedelta(seconds=seconds), usegmt=True)
        return status, {**given, "Date": at}

    with through(s3, shifted):
        found = [said for found, said in findings(files.store) if found == level and "clock" in said]
    assert len(found) == 1
    assert ("ahead of" if seconds > 0 else "behind") in found[0]


def test_a_bucket_that_any_site_may_write_to_is_named(s3: S3) -> None:
    def open_to_all(method: str, asked: str, status: int, given: dict[str, str]) -> tuple[int, dict[str, str]]:
        if method != "OPTIONS":
            return status, given
        return 200, {**given, "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET, PUT"}

    with through(s3, open_to_all):
        assert "any site write" in only(files.store, "error")


def test_a_store_that_gives_its_own_type_is_named(s3: S3) -> None:
    def own(method: str, asked: str, status: int, given: dict[str, str]) -> tuple[int, dict[str, str]]:
        return status, {name: value for name, value in given.items() if name != "Content-Disposition"}

    with through(s3, own):
        assert "the type and name that were signed" in only(files.store, "error")


class Grants:
    """What a store says of itself that has ACLs, policies and CORS rules; rclone's has none."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def get_bucket_acl(self, **_: Any) -> Any:
        group = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}
        return {"Grants": [{"Grantee": group, "Permission": "READ"}]}

    def get_bucket_policy_status(self, **_: Any) -> Any:
        return {"PolicyStatus": {"IsPublic": True}}

    def get_bucket_cors(self, **_: Any) -> Any:
        return {"CORSRules": [{"AllowedOrigins": ["https://*"], "AllowedMethods": ["GET", "DELETE"]}]}


def test_what_the_store_says_of_itself_is_read(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    store = bucket.store()
    client = store.client()  # type: ignore[attr-defined]
    monkeypatch.setattr(store, "client", lambda endpoint="": Grants(client))
    found = "\n".join(said for level, said in findings(files.store) if level == "error")
    assert "ACL grants READ to everybody" in found
    assert "policy is public" in found
    assert "Any site may send DELETE" in found


# ClamAV -------------------------------------------------------------------------------------------------------------------


def test_a_scanner_is_tried_with_a_virus() -> None:
    assert "Not used" in only(files.virus_scanner, "ok")
    with override_settings(CLAMAV=f"127.0.0.1:{free_port()}"):
        assert "does not answer" in only(files.virus_scanner, "error")
    for how, level, said in (({}, "ok", "finds the test virus"), ({"says": b"stream: OK\0"}, "error", "no signatures")):
        clamd = FakeClamd(**how)  # type: ignore[arg-type]
        try:
            with override_settings(CLAMAV=clamd.address):
                assert said in only(files.virus_scanner, level)
        finally:
            clamd.stop()
    connections.close_all()
