"""`./samia manage …`: Django's commands, on the embedded database unless DATABASE_URL names another."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence

from samia_chat.embedded import environment
from samia_chat.embedded.terminal import Refusal, one_sentence


def run(arguments: Sequence[str], env: Mapping[str, str]) -> None:
    """Carry out one of Django's commands without a word. Raises Refusal with the last of its words if it fails."""
    outcome = subprocess.run(
        [sys.executable, "manage.py", *arguments], env=env, cwd=environment.HERE, capture_output=True, text=True
    )
    if outcome.returncode != 0:
        lines = (outcome.stderr or outcome.stdout).strip().splitlines()
        raise Refusal(f"manage.py {arguments[0]} failed: {lines[-1] if lines else 'without a word'}")


def main() -> None:
    with one_sentence(), environment.database() as cluster:
        command = [sys.executable, str(environment.HERE / "manage.py"), *sys.argv[1:]]
        code = subprocess.run(command, env=environment.settings(cluster)).returncode
    raise SystemExit(code)


if __name__ == "__main__":
    main()
