"""`./samia up`: database, migrations, demo people, server and worker, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from samia_chat.embedded import environment, manage, processes, static_files
from samia_chat.embedded.postgres import Cluster
from samia_chat.embedded.terminal import Refusal, one_sentence, say, step

LOGS = environment.STATE / "logs"
START_SECONDS = 60.0
DEMO = ("client", "client2", "reader", "reader2", "monitor", "admin", "super")
DEMO_PASSWORD = "samia-demo"  # noqa: S105 (shown to everybody)


def main() -> None:
    arguments = _arguments()
    with one_sentence():
        for number in (signal.SIGTERM, signal.SIGINT):  # which a shell has its background jobs ignore
            signal.signal(number, _as_interrupt)
        _refuse_busy_port(arguments.port)
        with environment.only_one("up", "it is up already: {}") as lock, environment.database() as cluster:
            env = environment.settings(
                cluster,
                SAMIA_PUBLIC_ORIGINS=f"http://127.0.0.1:{arguments.port},http://localhost:{arguments.port}",
                SAMIA_WORKERS=str(arguments.workers),
                SAMIA_STATIC=str(static_files.OWN),
            )
            has_demo = cluster is not None or arguments.demo
            _prepare(cluster, env, has_demo)
            static_files.collect_if_changed(env)
            address = f"http://127.0.0.1:{arguments.port}"
            lock.write_text(f"{address} (process {os.getpid()})\n")
            _serve(arguments.port, arguments.workers, env, address, has_demo)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="samia up", description="Run the product here, with demo people.")
    parser.add_argument("--port", type=int, default=8000, help="of the web server (default 8000)")
    parser.add_argument("--workers", type=int, default=1, help="web processes (default 1); more need REDIS_URL")
    parser.add_argument(
        "--demo", action="store_true", help="also put demo data into the database that DATABASE_URL names"
    )
    return parser.parse_args()


def _as_interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _refuse_busy_port(port: int) -> None:
    if not 1 <= port <= 65535:
        raise Refusal(f"{port} is no port. Give a number from 1024 to 65535.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise Refusal(f"port {port} is reserved for the system. Take one from 1024 on: --port 8000") from None
        except OSError:
            raise Refusal(
                f"port {port} is taken by another program. End that one, or take another: ./samia up --port {port + 1}"
            ) from None


def _prepare(cluster: Cluster | None, env: dict[str, str], has_demo: bool) -> None:
    """Bring the schema up to date, and the demo people in. Skipped where nothing has changed since the last time."""
    done = environment.STATE / "prepared"
    wanted = _fingerprint(cluster, has_demo)
    if done.exists() and done.read_text() == wanted:
        return
    if cluster is not None or env.get("DATABASE_OWNER_URL"):
        step("bringing the database up to date")
        manage.run(["migrate", "--verbosity", "0"], env)
    if has_demo:
        step("making demo people and sessions")
        manage.run(["demo"], env)
    done.write_text(wanted)


def _fingerprint(cluster: Cluster | None, has_demo: bool) -> str:
    """Of the schema's files and of the cluster they were applied to."""
    files = [*environment.HERE.glob("*/migrations/**/*"), *environment.HERE.glob("*/management/commands/demo*")]
    schema = environment.digest_of(file for file in files if file.suffix in (".py", ".sql"))
    # A database of the user's own may change without us: it is looked at every time.
    identity = str((cluster.data / "PG_VERSION").stat().st_ctime_ns) if cluster else str(time.time_ns())
    return f"{schema} {identity} {has_demo}"


def _serve(port: int, workers: int, env: dict[str, str], address: str, has_demo: bool) -> None:
    server = [
        *(sys.executable, "-m", "uvicorn", "samia_chat.asgi:application"),
        *("--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)),
        *("--loop", "uvloop", "--http", "httptools", "--ws", "samia_chat.realtime.wire:Protocol"),
        *("--ws-max-size", "131072", "--ws-per-message-deflate", "false", "--no-server-header"),
        *("--timeout-graceful-shutdown", "5", "--log-config", str(Path(__file__).with_name("uvicorn.json"))),
    ]
    worker = [sys.executable, "manage.py", "work"]
    children = {
        "server": processes.start(server, environment=env, log=LOGS / "server.log"),
        "worker": processes.start(worker, environment=env, log=LOGS / "worker.log"),
    }
    try:
        _wait_until_ready(children, address)
        _welcome(address, has_demo)
        _watch(children)
    except KeyboardInterrupt:
        say("\nsamia: stopping")
    finally:
        processes.stop(list(children.values()))


def _wait_until_ready(children: dict[str, subprocess.Popen[bytes]], address: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        _refuse_dead(children)
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise Refusal(f"the server did not become ready in {START_SECONDS:.0f} s. Its log: {LOGS / 'server.log'}")


def _watch(children: dict[str, subprocess.Popen[bytes]]) -> None:
    while True:
        time.sleep(0.5)
        _refuse_dead(children)


def _refuse_dead(children: dict[str, subprocess.Popen[bytes]]) -> None:
    for name, child in children.items():
        if child.poll() is not None:
            log = LOGS / f"{name}.log"
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
            raise Refusal(f"the {name} ended by itself. The end of {log}:\n{tail}")


def _welcome(address: str, has_demo: bool) -> None:
    say(f"\n  SAMIA TAROT is at {address}\n")
    if has_demo:
        say(f"  Sign in with the password {DEMO_PASSWORD} as one of")
        for name in DEMO:
            say(f"    {name}@demo.test")
        say("  client and reader share a session, client2 and reader2 another.\n")
    say(f"  Logs are in {LOGS}. Ctrl-C stops everything.\n")


if __name__ == "__main__":
    main()
