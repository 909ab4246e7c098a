"""`./samia test`: everything CI checks, on a database cluster of its own that is thrown away.

With arguments, only pytest runs, with those: ./samia test tests/chat -k edit
With --full, what takes longer as well, and the files of tests/corpora, which are fetched.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from samia_chat.embedded import environment
from samia_chat.embedded.postgres import Cluster
from samia_chat.embedded.redis import Redis
from samia_chat.embedded.terminal import Refusal, one_sentence, say

Step = tuple[str, list[str]]  # its name, and its command
HERE = environment.HERE
CORPORA = environment.STATE / "corpora"
PAGE_TESTS = sorted(str(path.relative_to(HERE)) for path in (HERE / "frontend" / "tests").glob("*.test.mjs"))
PACKAGES = {
    "chromium-headless-shell": ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"),
    "nodejs": ("node",),
    "redis-server": ("redis-server",),
}
FULL_PACKAGES = {
    **PACKAGES,
    "libimage-exiftool-perl": ("exiftool",),
    "webkit2gtk-driver": ("WebKitWebDriver",),
    "xvfb": ("Xvfb",),
}


def main() -> None:
    arguments = sys.argv[1:]
    is_full = "--full" in arguments
    chosen = [argument for argument in arguments if argument != "--full"]
    with one_sentence():
        refuse_missing_packages(FULL_PACKAGES if is_full else PACKAGES)
        if is_full:
            _fetch_corpora()
        with services(is_full=is_full) as env:
            raise SystemExit(run(_steps(chosen), env))


@contextmanager
def services(*, is_full: bool) -> Iterator[dict[str, str]]:
    """The environment of a test run, while its own PostgreSQL and Redis serve."""
    _remove_stale_clusters()
    cluster, redis = Cluster(environment.STATE / f"test-{os.getpid()}", throwaway=True), Redis()
    try:
        cluster.hold()
        redis.start()
        yield _settings(cluster, redis, is_full)
    finally:
        redis.remove()
        cluster.release()
        shutil.rmtree(_files(os.getpid()), ignore_errors=True)


def _files(run: int | str) -> Path:
    """Where the files of a run lie, named by its process."""
    return environment.STATE / f"test-{run}-files"


def refuse_missing_packages(packages: Mapping[str, Sequence[str]]) -> None:
    missing = [name for name, programs in packages.items() if not any(map(shutil.which, programs))]
    if missing:
        raise Refusal(f"the tests need {_listed(missing)}. On Debian or Ubuntu: apt-get install {' '.join(missing)}")


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _fetch_corpora() -> None:
    """Before anything else, because the tests themselves reach no network."""
    env = {**os.environ, "TEST_CORPORA": str(CORPORA)}
    if subprocess.run([sys.executable, "-m", "tests.corpora"], cwd=HERE, env=env).returncode != 0:
        raise Refusal("the files that --full judges could not be fetched. Is there a network, and a package index?")


def _remove_stale_clusters() -> None:
    """Clusters whose test run was killed: their lock is free."""
    for lock in environment.STATE.glob("test-*.lock"):
        with open(lock) as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
        cluster = Cluster(lock.with_suffix(""), throwaway=True)
        if cluster.data.exists():
            cluster.hold()
            cluster.release()
        cluster.remove()
        shutil.rmtree(_files(lock.stem.removeprefix("test-")), ignore_errors=True)


def _settings(cluster: Cluster, redis: Redis, is_full: bool) -> dict[str, str]:
    ours = ("SAMIA_", "DATABASE_", "REDIS_", "S3_")
    own = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {
        **own,
        "DATABASE_URL": cluster.url("samia_app"),
        "DATABASE_OWNER_URL": cluster.url("samia_owner"),
        "SAMIA_SECRET_KEY": "test " * 10,
        "SAMIA_LOG_LEVEL": "WARNING",
        "SAMIA_FILES": str(_files(os.getpid())),
        "TEST_SUPERUSER_URL": cluster.url("postgres"),
        "TEST_REDIS_URL": redis.url,
        "TEST_FULL": "1" if is_full else "",
        "TEST_CORPORA": str(CORPORA),
        # The guard comes first: its sitecustomize refuses the network to every Python process of the tests.
        "PYTHONPATH": f"{HERE / 'tests' / 'guard'}{os.pathsep}{HERE}",
        "PYTHONWARNINGS": "error::DeprecationWarning:samia_chat,error::DeprecationWarning:chat",
    }


def tool(*words: str) -> list[str]:
    return [sys.executable, "-m", *words]


def manage(*words: str) -> list[str]:
    return [sys.executable, "manage.py", *words]


MIGRATIONS: Step = ("migrations run", manage("migrate", "--verbosity", "0"))


def _steps(chosen: Sequence[str]) -> list[Step]:
    """With pytest arguments, what they need and pytest."""
    if chosen:
        return [MIGRATIONS, ("pytest", tool("pytest", *chosen))]
    return [
        ("ruff", tool("ruff", "check", ".")),
        ("ruff format", tool("ruff", "format", "--check", ".")),
        ("mypy", tool("mypy")),
        ("import-linter", [str(Path(sys.executable).with_name("lint-imports"))]),
        ("page modules", ["node", "--import", "./frontend/tests/register.mjs", "--test", *PAGE_TESTS]),
        MIGRATIONS,
        ("migrations are complete", manage("makemigrations", "--check", "--dry-run")),
        ("policies agree with the matrices", manage("policies", "--check")),
        ("documents are current", manage("documents", "--check")),
        # Folder after folder, because tests of one folder share what takes long to start.
        ("pytest", tool("pytest", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")),
    ]


def run(steps: Sequence[Step], env: dict[str, str]) -> int:
    """Carry out steps, all of them where the database is there. The exit code."""
    failed = []
    for name, command in steps:
        say(f"── {name}")
        started = time.monotonic()
        code = subprocess.run(command, env=env, cwd=HERE).returncode
        say(f"   {'passed' if code == 0 else 'FAILED'} in {time.monotonic() - started:.1f} s")
        if code != 0:
            failed.append(name)
            if (name, command) == MIGRATIONS:
                break
    say(f"\nFailed: {', '.join(failed)}" if failed else "\nAll passed.")
    return 1 if failed else 0


if __name__ == "__main__":
    main()
