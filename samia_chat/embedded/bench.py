"""`./samia bench <name> [options]`: a benchmark of bench/, on a PostgreSQL and a Redis of its own that are thrown away.

The cluster has a deployment's settings: what is committed is on disk. Alone, `./samia bench` lists what there is.
"""

from __future__ import annotations

import ast
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from samia_chat.embedded import environment
from samia_chat.embedded.postgres import DEPLOYMENT, Cluster
from samia_chat.embedded.redis import Redis
from samia_chat.embedded.terminal import Refusal, one_sentence, say

HERE = environment.HERE
FOLDER = environment.STATE / "bench"
NEEDED_BYTES = 8_000_000_000  # tables, indexes and journal of the largest one
# Of whoever calls; a benchmark measures the defaults and what it sets itself.
NOT_INHERITED = ("SAMIA_", "DATABASE_", "REDIS_", "BENCH_")


@dataclass(frozen=True)
class Bench:
    name: str
    line: str  # what it measures
    needs: tuple[str, ...]  # of "postgresql" and "redis"


def main() -> None:
    arguments = sys.argv[1:]
    with one_sentence():
        known = benches()
        if not arguments or arguments[0] in ("-h", "--help", "help"):
            _list(known)
            return
        name, *options = arguments
        if name not in known:
            raise Refusal(f"there is no benchmark {name!r}. There are: {', '.join(known)}.")
        raise SystemExit(_run(known[name], options))


def benches() -> dict[str, Bench]:
    """The modules of bench/ that say what they NEED, by name. They are read and not imported: each is a program."""
    found = {}
    for path in sorted((HERE / "bench").glob("*.py")):
        tree = ast.parse(path.read_text())
        for node in tree.body:
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "NEEDS" for t in node.targets):
                line = (ast.get_docstring(tree) or "").split("\n", 1)[0]
                found[path.stem] = Bench(path.stem, line, tuple(ast.literal_eval(node.value)))
    return found


def _list(known: dict[str, Bench]) -> None:
    say("./samia bench <name> [options]; --help after a name shows its options. More in bench/README.md.\n")
    width = max(map(len, known), default=0)
    for bench in known.values():
        say(f"  {bench.name:{width}}  {bench.line}")


def _run(bench: Bench, options: Sequence[str]) -> int:
    """Run it with what it needs; its exit code."""
    if "-h" in options or "--help" in options:
        return _carry_out(bench, options, _own_environment())
    if sys.platform != "linux":
        raise Refusal("the benchmarks read processor time from /proc, which only Linux has.")
    signal.signal(signal.SIGTERM, _as_interrupt)
    with environment.only_one("bench", "a benchmark is running: {}. Two at once would spoil both.") as lock:
        lock.write_text(f"{bench.name} (process {os.getpid()})\n")
        if not bench.needs:
            return _carry_out(bench, options, _own_environment())
        return _with_services(bench, options)


def _as_interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _with_services(bench: Bench, options: Sequence[str]) -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(FOLDER).free < NEEDED_BYTES:
        raise Refusal(f"less than 8 GB is free where {FOLDER} lies. Free some space and run the command again.")
    cluster, redis = Cluster(FOLDER / "pg", throwaway=True, settings=DEPLOYMENT), Redis()
    if cluster.data.exists():  # left by a run that was killed
        cluster.hold()
        cluster.release()
    try:
        env = _own_environment()
        cluster.hold()
        env |= {
            "DATABASE_URL": cluster.url("samia_app"),
            "DATABASE_OWNER_URL": cluster.url("samia_owner"),
            "BENCH_SUPERUSER_URL": cluster.url("postgres"),
            "BENCH_PG_PID": str(cluster.pid),
        }
        if "redis" in bench.needs:
            redis.start()
            env |= {"BENCH_REDIS_URL": redis.url, "BENCH_REDIS_PID": str(redis.pid)}
        _migrate(env)
        return _carry_out(bench, options, env)
    finally:
        redis.remove()
        cluster.release()


def _own_environment() -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
    return {**own, "SAMIA_SECRET_KEY": "bench " * 8, "PYTHONPATH": str(HERE), "PYTHONUNBUFFERED": "1"}


def _migrate(env: dict[str, str]) -> None:
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    outcome = subprocess.run(command, env=env, cwd=HERE, capture_output=True, text=True)
    if outcome.returncode != 0:
        lines = (outcome.stderr or outcome.stdout).strip().splitlines()
        raise Refusal(f"manage.py migrate failed: {lines[-1] if lines else 'without a word'}")


def _carry_out(bench: Bench, options: Sequence[str], env: dict[str, str]) -> int:
    """The benchmark itself. It ends before what it runs on is taken away, also at Ctrl-C."""
    child = subprocess.Popen([sys.executable, "-m", f"bench.{bench.name}", *options], env=env, cwd=HERE)
    try:
        return child.wait()
    except KeyboardInterrupt:
        child.terminate()
        child.wait(30)
        raise


if __name__ == "__main__":
    main()
