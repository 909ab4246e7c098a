"""The environment of what `./samia` starts: addresses of the embedded database, a secret of its own, the port."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from samia_chat.embedded.postgres import Cluster
from samia_chat.embedded.terminal import Refusal

HERE = Path(__file__).resolve().parent.parent.parent
# Where everything that `./samia` makes lies: the database, logs, a secret. SAMIA_STATE names another folder.
STATE = Path(os.environ.get("SAMIA_STATE") or HERE / ".samia").resolve()


def digest_of(files: Iterable[Path]) -> str:
    """SHA-256 of files of ours: their places and what is in them."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path.relative_to(HERE).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def is_external() -> bool:
    """Whether a database of the user's own takes the place of the embedded one."""
    return bool(os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_URL_FILE"))


def secret_key() -> str:
    """A secret kept in .samia, made on first use. Not used where SAMIA_SECRET_KEY is set."""
    path = STATE / "secret_key"
    STATE.mkdir(exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with open(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
    return path.read_text()


def settings(cluster: Cluster | None, **more: str) -> dict[str, str]:
    """Environment variables for the product's processes. What the user has set stays."""
    environment = dict(os.environ)
    if "SAMIA_SECRET_KEY" not in environment and "SAMIA_SECRET_KEY_FILE" not in environment:
        environment["SAMIA_SECRET_KEY"] = secret_key()
    if "SAMIA_FILES" not in environment and "SAMIA_FILES_FILE" not in environment:
        environment["SAMIA_FILES"] = str(STATE / "files")
    if cluster is not None:
        environment["DATABASE_URL"] = cluster.url("samia_app")
        environment["DATABASE_OWNER_URL"] = cluster.url("samia_owner")
    for name, value in more.items():
        environment.setdefault(name, value)
    environment["PYTHONUNBUFFERED"] = "1"
    return environment


@contextmanager
def database() -> Iterator[Cluster | None]:
    """The embedded cluster, running and held; None where DATABASE_URL names another database."""
    if is_external():
        yield None
        return
    cluster = Cluster(STATE / "pg")
    cluster.hold()
    try:
        yield cluster
    finally:
        cluster.release()


@contextmanager
def only_one(name: str, sentence: str) -> Iterator[Path]:
    """Hold a lock for as long as the block runs; the kernel drops it with the process. Raises Refusal if it is held."""
    STATE.mkdir(exist_ok=True)
    path = STATE / f"{name}.lock"
    with open(path, "a+") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.seek(0)
            raise Refusal(sentence.format(held.read().strip())) from None
        yield path
