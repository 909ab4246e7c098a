"""`./samia manage …`: Django's commands, on the embedded database unless DATABASE_URL names another."""

from __future__ import annotations

import subprocess
import sys

from samia_chat.embedded import environment
from samia_chat.embedded.terminal import one_sentence


def main() -> None:
    with one_sentence(), environment.database() as cluster:
        command = [sys.executable, str(environment.HERE / "manage.py"), *sys.argv[1:]]
        code = subprocess.run(command, env=environment.settings(cluster)).returncode
    raise SystemExit(code)


if __name__ == "__main__":
    main()
