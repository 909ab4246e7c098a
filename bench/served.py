"""The product's ASGI application for benchmarks: with parts taken away (BENCH_WITHOUT), and sampled (BENCH_SAMPLES).

uvicorn is given this module in the product's place. Nothing of the product knows of it.
"""

from __future__ import annotations

import json
import os
import signal
import sysconfig
import time
from dis import opmap
from pathlib import Path
from types import CodeType, FrameType

from samia_chat import limits, telemetry
from samia_chat.asgi import Message, Receive, Send
from samia_chat.asgi import application as product

EVERY_SECONDS = 0.004  # of the process's own processor time; the kernel knows it no finer
ROOTS = [Path(sysconfig.get_path(name)) for name in ("purelib", "stdlib")] + [Path(__file__).resolve().parent.parent]


class Sampler:
    """Where the main thread is, whenever the process has used so much processor time.

    Waiting costs nothing and gives no samples, neither does what others do on the same core. The interpreter calls the
    handler at the next instruction that allows it: behind a call into C, in the frame that called.
    """

    def __init__(self) -> None:
        self._samples: list[tuple[float, list[tuple[CodeType, int]]]] = []

    def start(self) -> None:
        signal.signal(signal.SIGPROF, self._take)
        signal.siginterrupt(signal.SIGPROF, False)
        signal.setitimer(signal.ITIMER_PROF, EVERY_SECONDS, EVERY_SECONDS)

    def write(self, path: Path) -> None:
        """As JSON, a line for each: when (perf_counter), and [file, function] from the innermost frame outwards."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        with open(path, "w") as lines:
            for at, stack in self._samples:
                frames = [[short(code.co_filename), code.co_qualname] for code, _ in _without_entry(stack)]
                lines.write(json.dumps([at, frames]) + "\n")

    def _take(self, number: int, frame: FrameType | None) -> None:
        at, stack = time.perf_counter(), []
        while frame is not None:
            stack.append((frame.f_code, frame.f_lasti))
            frame = frame.f_back
        self._samples.append((at, stack))


def _without_entry(stack: list[tuple[CodeType, int]]) -> list[tuple[CodeType, int]]:
    """At the first instruction of a function the time was spent by whoever called it, or woke it up."""
    code, at = stack[0]
    is_entry = 0 <= at < len(code.co_code) and code.co_code[at] == opmap["RESUME"]
    return stack[1:] if is_entry and len(stack) > 1 else stack


def short(path: str) -> str:
    """A file's place under the packages, the standard library or this repository."""
    for root in ROOTS:
        if Path(path).is_relative_to(root):
            return str(Path(path).relative_to(root))
    return path if path.startswith("<") else Path(path).name


def take_away(parts: str) -> None:
    for part in filter(None, parts.split(",")):
        owner, name, instead = _PARTS[part]
        if not callable(getattr(owner, name, None)):
            raise LookupError(f"{owner} has no {name} that could be taken away")
        setattr(owner, name, instead)


def _grant(limiter: limits.Limiter, kind: str, key: str) -> float:
    return 0.0


def _say_nothing(event: str, **fields: object) -> None:
    pass


_PARTS = {"limiter": (limits.Limiter, "take", _grant), "telemetry": (telemetry, "observe", _say_nothing)}
take_away(os.environ.get("BENCH_WITHOUT", ""))
_path = os.environ.get("BENCH_SAMPLES")


async def application(scope: Message, receive: Receive, send: Send) -> None:
    if scope["type"] != "lifespan" or not _path:
        await product(scope, receive, send)
        return
    sampler = Sampler()
    sampler.start()
    await product(scope, receive, send)  # until the server ends
    sampler.write(Path(_path))
