"""Lighthouse: what a browser's own judge says of a page, on a phone as it simulates one."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping

from bench.adapters.node import Package
from bench.adapters.server import Unavailable

PACKAGE = Package("lighthouse")
CATEGORIES = {"performance": 90, "accessibility": 95, "best-practices": 95}  # with what is to be reached
BROWSER = "--headless=new --no-sandbox --disable-gpu --host-resolver-rules='MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'"
PATIENCE_SECONDS = 120.0


def judge(url: str, *, browser: str, cookies: Mapping[str, str]) -> dict[str, int]:
    """Points of 100 by category, of one load with an empty cache. `browser`: the program. Raises Unavailable."""
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    command = [
        *(str(PACKAGE.folder / "node_modules" / ".bin" / "lighthouse"), url, "--quiet", "--output=json"),
        *(f"--only-categories={','.join(CATEGORIES)}", f"--chrome-flags={BROWSER}", "--no-enable-error-reporting"),
        f"--extra-headers={json.dumps({'Cookie': cookie})}",
    ]
    try:
        outcome = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            env={**os.environ, "CHROME_PATH": browser},
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"lighthouse did not finish in {PATIENCE_SECONDS:.0f} s") from None
    if outcome.returncode != 0:
        raise Unavailable(f"lighthouse: {outcome.stderr.strip().splitlines()[-1:]}")
    found = json.loads(outcome.stdout)["categories"]
    return {name: round(100 * found[name]["score"]) for name in CATEGORIES}
