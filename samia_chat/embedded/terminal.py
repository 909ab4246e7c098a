"""How `./samia` talks: one clear sentence and what to do, never a traceback for something the user can mend."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class Refusal(Exception):
    """Something stands in the way that the user can mend: what it is, and what to do."""


def say(text: str) -> None:
    print(text, flush=True)


def step(text: str) -> None:
    print(f"  {text}", flush=True)


@contextmanager
def one_sentence() -> Iterator[None]:
    """Turn a refusal, a full disk or Ctrl-C into one sentence and an exit code."""
    try:
        yield
    except Refusal as refusal:
        print(f"samia: {refusal}", file=sys.stderr)
        raise SystemExit(1) from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        print("samia: the disk is full. Free some space (about 1 GB) and run the command again.", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
