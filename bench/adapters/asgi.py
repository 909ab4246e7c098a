"""The ASGI servers that can serve the product: one process each, on uvloop where they have it, as their documents advise.

Those that are not among the product's packages are installed from a lock (bench/peers/servers) into an environment under
.samia. It sees the product's own packages, so that nothing but the server differs.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bench.adapters.server import FOLDER, Unavailable
from samia_chat.embedded.environment import HERE

LOCK = Path(__file__).resolve().parent.parent / "peers" / "servers" / "requirements.lock"
VENV = FOLDER / "servers"
PYTHON = VENV / "bin" / "python"
INSTALL_SECONDS = 300.0
APPLICATION = "samia_chat.asgi:application"


@dataclass(frozen=True, kw_only=True)
class Program:
    package: str  # and module: what `python -m` runs
    arguments: Callable[[int], Sequence[str]]  # for a port of 127.0.0.1
    is_ours: bool = False  # among the product's packages

    def prepare(self) -> None:
        """Install it, unless that is done. Raises Unavailable."""
        if not self.is_ours:
            _install_locked()

    def version(self) -> str:
        return version(self.package) if self.is_ours else locked_versions(LOCK)[self.package]

    def command(self, port: int) -> list[str]:
        return [sys.executable if self.is_ours else str(PYTHON), "-m", self.package, *self.arguments(port)]


def _uvicorn(port: int) -> list[str]:
    """The arguments of samia_chat/embedded/up.py, for one worker."""
    return [
        *(APPLICATION, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        *("--loop", "uvloop", "--http", "httptools", "--ws", "samia_chat.realtime.wire:Protocol"),
        *("--ws-max-size", "131072", "--ws-per-message-deflate", "false", "--no-server-header"),
        *("--timeout-graceful-shutdown", "5"),
        *("--log-config", str(HERE / "samia_chat" / "embedded" / "uvicorn.json")),
    ]


def _granian(port: int) -> list[str]:
    return [
        *(APPLICATION, "--interface", "asgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        *("--loop", "uvloop", "--workers-kill-timeout", "5", "--log-level", "warning"),
        # A socket counts as a request: beyond its bound (by default the backlog's 1,024) nobody else is served.
        *("--backpressure", "20000"),
    ]


def _daphne(port: int) -> list[str]:
    return ["--bind", "127.0.0.1", "--port", str(port), "--verbosity", "0", "--no-server-name", APPLICATION]


def _hypercorn(port: int) -> list[str]:
    return [
        *(APPLICATION, "--bind", f"127.0.0.1:{port}", "--workers", "1", "--worker-class", "uvloop"),
        *("--graceful-timeout", "5", "--websocket-ping-interval", "20", "--log-level", "warning"),
    ]


UVICORN = Program(package="uvicorn", arguments=_uvicorn, is_ours=True)
GRANIAN = Program(package="granian", arguments=_granian)
DAPHNE = Program(package="daphne", arguments=_daphne, is_ours=True)
HYPERCORN = Program(package="hypercorn", arguments=_hypercorn)
PROGRAMS = (UVICORN, GRANIAN, DAPHNE, HYPERCORN)


# Installing --------------------------------------------------------------------------------------------------------------


def locked_versions(lock: Path) -> dict[str, str]:
    """Package and version of every line of a lock that names one."""
    lines = (line.split(" ")[0] for line in lock.read_text().splitlines() if "==" in line and not line.startswith("#"))
    return dict(line.split("==") for line in lines)


def _install_locked() -> None:
    """The environment of LOCK, made anew where the lock or this Python has changed. Raises Unavailable."""
    products = sysconfig.get_path("purelib")
    wanted = hashlib.sha256(LOCK.read_bytes() + f"{sys.version} {products}".encode()).hexdigest()
    stamp = VENV / "stamp"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    for command in _commands():
        _run(command)
    (own,) = VENV.glob("lib/python*/site-packages")
    (own / "product.pth").write_text(f"{products}\n")
    stamp.write_text(wanted)


def _commands() -> list[list[str]]:
    """As ./samia makes .venv: by uv where it is, else by venv and pip."""
    hashed = ["install", "--quiet", "--require-hashes", "--requirement", str(LOCK)]
    if shutil.which("uv"):
        return [
            ["uv", "venv", "--quiet", "--python", sys.executable, str(VENV)],
            ["uv", "pip", *hashed, "--python", str(PYTHON)],
        ]
    return [
        [sys.executable, "-m", "venv", str(VENV)],
        [str(PYTHON), "-m", "pip", "--disable-pip-version-check", *hashed],
    ]


def _run(command: Sequence[str]) -> None:
    try:
        outcome = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"its installation did not finish in {INSTALL_SECONDS:.0f} s") from None
    if outcome.returncode != 0:
        lines = [line for line in (outcome.stderr or outcome.stdout).splitlines() if line.strip()]
        raise Unavailable(f"it could not be installed: {lines[-1] if lines else 'without a word'}")
