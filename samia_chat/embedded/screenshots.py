"""`./samia screenshots`: every page in every size, language and theme, drawn by the tests that judge them, for docs/screenshots/.

With arguments, only those tests: ./samia screenshots -k settings
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from samia_chat.embedded import environment, test
from samia_chat.embedded.terminal import one_sentence, say

DRAWN = environment.HERE / "tests" / "artefacts"
SHOWN = environment.HERE / "docs" / "screenshots"
MAX_WIDTH = 960  # pixels; a desktop's words can be read in it
QUALITY = 60


def main() -> None:
    chosen = sys.argv[1:]
    with one_sentence():
        test.refuse_missing_packages(test.PACKAGES)
        shutil.rmtree(DRAWN, ignore_errors=True)
        with test.services(is_full=True) as env:
            pytest = test.tool("pytest", "-n", "2", "--dist", "loadfile", "-m", "drawn", "tests/browser", *chosen)
            code = test.run([test.MIGRATIONS, ("pages are drawn", pytest)], env)
        if code == 0:
            _show(is_all=not chosen)
        raise SystemExit(code)


def _show(*, is_all: bool) -> None:
    """Put what was drawn into the documentation, small. What no test draws any more goes."""
    SHOWN.mkdir(exist_ok=True)
    if is_all:
        for old in SHOWN.glob("*.webp"):
            old.unlink()
    paths = [_small(drawing) for drawing in sorted(DRAWN.glob("*.png"))]
    size = sum(path.stat().st_size for path in paths)
    say(f"{len(paths)} screenshots in {SHOWN.relative_to(environment.HERE)}, {size / 1e6:.1f} MB")


def _small(drawing: Path) -> Path:
    from PIL import Image

    path = SHOWN / f"{drawing.stem}.webp"
    with Image.open(drawing) as picture:
        picture.thumbnail((MAX_WIDTH, 10 * MAX_WIDTH), Image.Resampling.LANCZOS)
        picture.convert("RGB").save(path, quality=QUALITY, method=6)
    return path


if __name__ == "__main__":
    main()
