"""Tests reach no network: a connection to anything but this machine is an error, whatever library tries it."""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import Any


def refuse_network() -> None:
    """Refuse, in this process, every connection that is neither loopback nor a Unix socket."""
    sys.addaudithook(_audit)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        connection, address = arguments
        if connection.family != socket.AF_UNIX and not _is_here(address[0]):
            raise RuntimeError(f"a test tried to reach {address}")
    elif event == "socket.getaddrinfo" and arguments[0] is not None and not _is_here(arguments[0]):
        raise RuntimeError(f"a test tried to look {arguments[0]!r} up")


def _is_here(host: str | bytes) -> bool:
    text = host.decode() if isinstance(host, bytes) else host
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return text == "localhost"
