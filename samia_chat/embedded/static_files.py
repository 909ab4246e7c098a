"""Static files as an image has them: collected in a folder, hashed, compressed, and one script for each page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from samia_chat.embedded import environment
from samia_chat.embedded.manage import run
from samia_chat.embedded.terminal import step

OWN = environment.STATE / "static"


def collect(env: Mapping[str, str]) -> None:
    """Put them into the folder that SAMIA_STATIC names. What lies there beside them stays. Raises Refusal."""
    run(["collectstatic", "--no-input", "--verbosity", "0", *_clearing(env)], env)


def collect_if_changed(env: Mapping[str, str]) -> None:
    """The same, unless that is done. Nothing where SAMIA_STATIC is empty: then they are served as they lie."""
    if not env["SAMIA_STATIC"]:
        return
    folder = environment.HERE / env["SAMIA_STATIC"]
    done = environment.STATE / "collected"
    files = [file for file in environment.HERE.glob("*/static/**/*") if file.is_file()]
    wanted = f"{environment.digest_of(files)} {folder}"
    if (folder / "staticfiles.json").exists() and done.exists() and done.read_text() == wanted:
        return
    step("collecting static files")
    collect(env)
    done.write_text(wanted)


def _clearing(env: Mapping[str, str]) -> list[str]:
    """Former versions go from our own folder. Of one that the user has named we do not know what else is in it."""
    return ["--clear"] if Path(env["SAMIA_STATIC"]) == OWN else []
