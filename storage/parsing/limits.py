"""What the child may take from the machine."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

# Address space. 150 MB are programs; a picture of 40 megapixels takes 250 MB more as JPEG, 400 as PNG with transparency and 760
# as lossless WebP, which libwebp decodes as if it were an animation.
MEMORY_BYTES = 1024 * 1024 * 1024
FILE_BYTES = 512 * 1024 * 1024  # of a file that is written
OPEN_FILES = 32
NICEST = 19
AUTOGROUP_TRIES = 20

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38


def confine(memory_bytes: int = MEMORY_BYTES) -> None:
    """Give up, for good, what parsing does not need."""
    for limit, value in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_NPROC, 0),  # neither programs nor threads; the kernel does not hold root to it
    ):
        resource.setrlimit(limit, (value, value))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _give_way()


def _give_way() -> None:
    """Messages come before files: run only when nothing else wants the core, and leave it at once.

    With a niceness, each of the steps of a message would wait for the end of our slice of time.
    """
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    # Where sessions are groups of the scheduler, that says only who comes first in ours, which is we alone: sched(7), autogroup.
    for _ in range(AUTOGROUP_TRIES):
        try:
            Path("/proc/self/autogroup").write_text(str(NICEST))
            return
        except BlockingIOError:  # somebody else has just asked; the kernel takes one in a tenth of a second
            time.sleep(0.1)
        except OSError:
            return


def allow_seconds(seconds: int) -> None:
    """From now on the process may run for so long; then the kernel ends it. (The limit counts its whole life.)"""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, resource.RLIM_INFINITY))
