"""How long `./samia up` takes: on a fresh clone with packages from the index, and again with everything there.

Measured from the command until /readyz answers 200. Nothing of this checkout is used but its last commit; what is not
committed is not measured. Takes the network and about 1.5 GB in the temporary folder, which are given back.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from bench import report
from bench.options import parser_of
from bench.report import progress
from samia_chat.embedded.environment import HERE
from samia_chat.embedded.postgres import Cluster
from samia_chat.embedded.terminal import Refusal, one_sentence

NEEDS = ()
PATIENCE_SECONDS = 900.0


def main() -> None:
    options = _options()
    with one_sentence(), tempfile.TemporaryDirectory(prefix="samia-bench-up-") as folder:
        # The server's unprivileged account must be able to enter.
        os.chmod(folder, 0o755)
        clone = Path(folder) / "samia_chat"
        _clone(clone)
        try:
            progress("cold: packages, database, migrations, demo people")
            cold = _seconds_until_ready(
                clone, {} if options.with_cache else {"PIP_NO_CACHE_DIR": "1", "UV_NO_CACHE": "1"}
            )
            progress(f"  {cold:.1f} s")
            warm = []
            for _ in range(options.starts):
                warm.append(_seconds_until_ready(clone, {}))
                progress(f"warm: {warm[-1]:.2f} s")
        finally:
            Cluster(clone / ".samia" / "pg").remove()
        _show(options, cold, warm)


def _options() -> argparse.Namespace:
    parser = parser_of("up", __doc__, rounds=None, has_pin=False)
    parser.add_argument("--starts", type=int, default=3, help="warm ones (default 3)")
    parser.add_argument("--with-cache", action="store_true", help="let pip or uv take packages from their caches")
    return parser.parse_args()


def _clone(target: Path) -> None:
    outcome = subprocess.run(["git", "clone", "--quiet", str(HERE), str(target)], capture_output=True, text=True)
    if outcome.returncode != 0:
        raise Refusal(f"the repository could not be cloned: {outcome.stderr.strip()}")


def _seconds_until_ready(clone: Path, more: dict[str, str]) -> float:
    """Start, wait for 200 of /readyz, and stop again. Raises Refusal with what it printed."""
    port = _free_port()
    # Of this process's own environment, which a newcomer does not have: the virtual environment and our settings.
    strange = ("SAMIA_", "DATABASE_", "REDIS_", "BENCH_", "PYTHONPATH", "VIRTUAL_ENV")
    env = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
    command = [_plain_python(), "samia", "up", "--port", str(port)]
    start = time.monotonic()
    with subprocess.Popen(
        command, cwd=clone, env={**env, **more}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            return _wait(process, port, start)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)


def _wait(process: subprocess.Popen[str], port: int, start: float) -> float:
    while time.monotonic() - start < PATIENCE_SECONDS:
        if process.poll() is not None:
            raise Refusal(f"./samia up ended by itself:\n{process.communicate()[0][-1500:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
                return time.monotonic() - start
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise Refusal(f"./samia up was not ready after {PATIENCE_SECONDS:.0f} s.")


def _plain_python() -> str:
    """The interpreter that our virtual environment was made from."""
    return str(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _show(options: argparse.Namespace, cold: float, warm: list[float]) -> None:
    found = {"cold_s": round(cold, 1), "warm_s": report.median(warm, 2), "warm": [round(one, 2) for one in warm]}
    head = ("`./samia up` until /readyz answers 200", "seconds")
    packages = "packages from the cache" if options.with_cache else "packages downloaded"
    rows = [
        (f"fresh clone, {packages}, database made", f"{cold:.1f}"),
        (f"second start (median of {len(warm)})", f"{found['warm_s']:.2f}"),
    ]
    text = report.table(head, rows)
    if options.write:
        report.write("up", f"{report.origin('./samia bench up', {})}\n\n{text}")
    print(json.dumps(found) if options.json else report.plain(text))


if __name__ == "__main__":
    main()
