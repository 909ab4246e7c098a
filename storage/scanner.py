"""ClamAV over its socket: is there a virus in a file? Optional (SAMIA_CLAMAV); its signatures are its own concern.

The protocol is clamd's INSTREAM: the length of each piece before it, and a piece of no length at the end.
"""

from __future__ import annotations

import re
import socket
import struct
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from storage.errors import FileInfected

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 30.0  # clamd works on as many files at a time as it has threads, and lets others wait
PIECE_BYTES = 64 * 1024
ANSWER_BYTES = 4096
_FOUND = re.compile(r"stream: (.+) FOUND", re.DOTALL)


class ScannerAway(Exception):
    """The scanner is configured and does not say whether the file is clean. The file must wait."""


def scan(path: Path) -> None:
    """Return when clamd finds nothing in the file. Raises FileInfected, which names what was found, and ScannerAway."""
    answer = _ask(b"zINSTREAM\0", path)
    if answer == "stream: OK":
        return
    found = _FOUND.fullmatch(answer)
    if found is None:  # also where the file is larger than clamd takes
        raise ScannerAway(answer)
    name = "".join(letter for letter in found[1] if letter.isprintable())[:100]
    raise FileInfected(f"The virus scanner found {name} in this file, so it was not taken.", signature=name)


def ping() -> str:
    """What clamd says of itself and its signatures. Raises ScannerAway."""
    if _ask(b"zPING\0") != "PONG":
        raise ScannerAway("It does not answer PING with PONG.")
    return _ask(b"zVERSION\0")


def _ask(command: bytes, path: Path | None = None) -> str:
    try:
        with _connect() as connection:
            # Where clamd has heard enough it answers and closes, while we still send: the answer says why.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(command)
                if path is not None:
                    _send(connection, path)
            return _answer(connection)
    except OSError as error:  # also a time-out
        raise ScannerAway(str(error)) from error


def _connect() -> socket.socket:
    kind, _, where = settings.CLAMAV.partition(":")
    if kind == "unix":
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(CONNECT_SECONDS)
            connection.connect(where)
        except OSError:
            connection.close()
            raise
    else:
        host, _, port = settings.CLAMAV.rpartition(":")
        connection = socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS)
    connection.settimeout(ANSWER_SECONDS)
    return connection


def _send(connection: socket.socket, path: Path) -> None:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            connection.sendall(struct.pack("!I", len(piece)) + piece)
    connection.sendall(struct.pack("!I", 0))


def _answer(connection: socket.socket) -> str:
    """One line, ended by a zero byte. What ends before it is no answer."""
    said = b""
    while not said.endswith(b"\0"):
        piece = connection.recv(ANSWER_BYTES)
        if not piece or len(said) > ANSWER_BYTES:
            raise ConnectionError("clamd's answer broke off")
        said += piece
    return said[:-1].decode("utf-8", "replace").strip()
