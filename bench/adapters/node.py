"""Programs that run in Node and that a benchmark installs itself, from a lock that lies in bench/peers/."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

from bench.adapters.server import FOLDER, Unavailable

SOURCES = Path(__file__).resolve().parent.parent / "peers"
INSTALL_SECONDS = 300.0


class Package:
    """A folder of bench/peers/ with its lock, as it is installed under .samia."""

    def __init__(self, name: str) -> None:
        self.source = SOURCES / name
        self.folder = FOLDER / name

    def prepare(self) -> None:
        """Install the locked packages, unless they are there. Raises Unavailable."""
        for program in ("node", "npm"):
            if shutil.which(program) is None:
                raise Unavailable(f"{program} is not installed")
        files = sorted(path for path in self.source.iterdir() if path.is_file())
        wanted = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
        stamp = self.folder / "stamp"
        if stamp.exists() and stamp.read_text() == wanted:
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for path in files:
            shutil.copy(path, self.folder / path.name)
        self._install()
        stamp.write_text(wanted)

    def _install(self) -> None:
        command = ["npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        try:
            outcome = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=INSTALL_SECONDS)
        except subprocess.TimeoutExpired:
            raise Unavailable(f"npm did not finish in {INSTALL_SECONDS:.0f} s") from None
        if outcome.returncode != 0:
            lines = [line for line in outcome.stderr.splitlines() if line.strip()]
            raise Unavailable(f"npm could not install it: {lines[0] if lines else 'without a word'}")

    def versions(self) -> dict[str, str]:
        """Of Node, and of what package.json names."""
        node = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip().lstrip("v")
        return {"node": node, **json.loads((self.source / "package.json").read_text())["dependencies"]}
