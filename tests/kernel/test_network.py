"""The guard itself: neither the tests nor what they start reach anything but this machine."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

REACH = "import socket; socket.create_connection(('192.0.2.1', 80), 1)"


def test_this_process_reaches_nothing() -> None:
    with pytest.raises(RuntimeError, match="a test tried to"):
        socket.create_connection(("192.0.2.1", 80), 1)
    with pytest.raises(RuntimeError, match="a test tried to look"):
        socket.getaddrinfo("example.org", 80)


def test_a_process_started_here_reaches_nothing() -> None:
    outcome = subprocess.run([sys.executable, "-c", REACH], capture_output=True, text=True)
    assert "a test tried to" in outcome.stderr
