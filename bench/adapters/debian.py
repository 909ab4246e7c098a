"""Debian packages unpacked into a folder of ours: nothing is installed, and nothing of the system is touched."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Collection, Sequence
from pathlib import Path

from bench.adapters.server import Unavailable

SECONDS = 300.0  # for each step
# On an empty system: what is wanted with everything it needs, whatever is installed here. Apt's caches are left alone.
_RESOLVE = ("install", "--simulate", "--no-install-recommends", "--option=Dir::State::status=/dev/null")
_NO_CACHES = ("--option=Dir::Cache::pkgcache=", "--option=Dir::Cache::srcpkgcache=")
_PLANNED = re.compile(r"^Inst (\S+) \((\S+)", re.MULTILINE)


def unpack(wanted: Sequence[str], folder: Path, *, family: tuple[str, ...]) -> dict[str, str]:
    """The packages and what they need, unpacked under `folder`; the version of each. Raises Unavailable.

    Those whose names begin as one of `family` always come from here, so that nothing of theirs is mixed with what is
    installed; of the others only shared libraries that are not installed.
    """
    for program in ("apt-get", "dpkg", "dpkg-query"):
        if shutil.which(program) is None:
            raise Unavailable(f"{program} is not installed, and the peer comes as Debian packages")
    known = _run(["dpkg-query", "--show", "--showformat=${db:Status-Status} ${Package}\n"], folder)
    installed = {line.split()[1] for line in known.splitlines() if line.startswith("installed ")}
    packages = chosen(_run(["apt-get", *_NO_CACHES, *_RESOLVE, *wanted], folder), family, installed)
    archives = folder / "packages"
    archives.mkdir()
    exact = [f"{name}={version}" for name, version in packages.items()]
    # As ourselves: apt's own user cannot write into our folder.
    _run(["apt-get", *_NO_CACHES, "--option=APT::Sandbox::User=", "download", *exact], archives)
    for archive in sorted(archives.glob("*.deb")):
        _run(["dpkg", "--extract", str(archive), str(folder)], folder)
    shutil.rmtree(archives)
    return packages


def chosen(plan: str, family: tuple[str, ...], installed: Collection[str]) -> dict[str, str]:
    """Versions by name: those to unpack, of what apt would install on an empty system."""
    return {
        name: version
        for name, version in _PLANNED.findall(plan)
        if name.startswith(family) or (re.match(r"lib.*\d", name) and name not in installed)
    }


def _run(command: Sequence[str], folder: Path) -> str:
    """Its output. Raises Unavailable with what it said."""
    english = {**os.environ, "LC_ALL": "C"}
    try:
        outcome = subprocess.run(command, cwd=folder, env=english, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{command[0]} did not finish in {SECONDS:.0f} s") from None
    if outcome.returncode != 0:
        raise Unavailable(reason(command[0], outcome.stderr))
    return outcome.stdout


def reason(program: str, said: str) -> str:
    """Its first error in one line, and what to do where that is known."""
    errors = [line for line in said.splitlines() if line.startswith("E:")] or said.splitlines() or ["no word of why"]
    words = f"{program}: {errors[0].removeprefix('E:').strip()}"
    is_unknown = any(sign in said for sign in ("Unable to locate", "no installation candidate", "404 "))
    return f"{words} (the package lists are missing or old: run apt-get update)" if is_unknown else words
