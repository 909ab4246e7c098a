"""What the child may take from the machine."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

# Address space. 150 MB are programs; a picture of 40 megapixels takes 250 MB more as JPEG, 400 as PNG with transparency and 760
# as lossless WebP, which libwebp decodes as if it were an animation.
MEMORY_BYTES = 1024 * 1024 * 1024
FILE_BYTES = 512 * 1024 * 1024  # of a file that is written
OPEN_FILES = 32
NICENESS = 2  # pages come before files; not much more, because files are judged against the clock

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
    os.nice(NICENESS)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def allow_seconds(seconds: int) -> None:
    """From now on the process may run for so long; then the kernel ends it. (The limit counts its whole life.)"""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, resource.RLIM_INFINITY))
