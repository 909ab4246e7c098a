"""Other people's strange files: each is taken and clean, or refused with a reason, within 10 s, and no parser is lost over it.

Only by `./samia test --full`, which gets them first (`tests.corpora`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from storage.parsers import JUDGE_SECONDS, ParserPool, Refused
from storage.parsing.messages import Code
from tests.corpora import CORPORA, Corpus
from tests.storage import samples

pytestmark = [
    pytest.mark.skipif(not os.environ.get("TEST_FULL"), reason="only with --full"),
    pytest.mark.timeout(1800),
]

# exiftool's groups of what the file system, a picture's measures and an MP3's packets say. (In those is a name of an encoder.)
HARMLESS = {"SourceFile", "ExifTool", "System", "Composite", "JFIF", "MPEG"}
# Groups that hold structure and stories; there names and values say which it is.
MIXED = re.compile("File|QuickTime|Track[0-9]+|Matroska|Opus|Vorbis|FLAC|RIFF")
TELLING = re.compile(
    "Date|Comment|Title|Artist|Author|Album|Make|Model|GPS|Location|Serial|Software|Encoder|Tool|Copyright|Description|User|Key|"
    "Picture|Cover|Attach|Tag|Name|Lyric|Genre|Info|Writing|Muxing|Vendor|Note|Chapter"
)
STRUCTURE = {"SampleGroupDescription", "TagTrackUID"}
OURS = {
    "0000:00:00 00:00:00",
    "VideoHandler",
    "SoundHandler",
    "Lavf",
    "ffmpeg",
    "Apple",
}  # FFmpeg writes them into every file


@pytest.fixture(autouse=True)
def clean() -> None:
    """These tests touch no database."""


@pytest.fixture(scope="module")
def pool() -> Iterator[ParserPool]:
    pool = ParserPool(1, recycled_after=10_000)
    yield pool
    pool.close()


@pytest.mark.parametrize("wanted", ["attachment", "voice", "avatar"])
@pytest.mark.parametrize("corpus", CORPORA, ids=lambda corpus: corpus.project)
def test_every_file_is_taken_or_refused(
    pool: ParserPool, corpus: Corpus, wanted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = corpus.files()
    assert len(files) >= 100, "run ./samia test --full, which gets them"
    counts: Counter[str] = Counter()
    slowest = 0.0
    cleaned = []
    pids: list[int] = []
    for number, source in enumerate(files):
        folder = tmp_path / f"{number}-{source.name}"
        folder.mkdir()
        started = time.monotonic()
        try:
            judged = pool.judge(source, folder, wanted=wanted)
        except Refused as refused:
            counts[refused.code] += 1
        else:
            counts[judged.kind] += 1
            cleaned += [judged.path] if judged.path != source else []
            cleaned += [judged.preview.path] if judged.preview else []
        slowest = max(slowest, time.monotonic() - started)
        assert slowest < JUDGE_SECONDS, source
        pids = pids or pool.pids()
        assert pool.pids() == pids, source
    assert set(counts) <= {*get_args(Code), "image", "audio", "video", "pdf", "text"}
    tell_tales = told(cleaned)
    with capsys.disabled():
        print(f"\n{corpus.project} {corpus.version} as {wanted}: {dict(counts.most_common())}, slowest {slowest:.1f} s")
    assert not tell_tales, json.dumps(tell_tales, indent=1)


def test_the_check_finds_what_it_is_to_find(pool: ParserPool, tmp_path: Path) -> None:
    """In our own samples, before and after."""
    made = samples.all_samples(tmp_path)
    silent = {"opaque.png", "grey16.png", "still.gif", "bare.mp3", "document.pdf", "note.txt"}
    media = {name: path for name, (path, _) in made.items() if name not in ("document.pdf", "note.txt")}
    found = told([*media.values()])
    assert {Path(name).name for name in found} >= set(media) - silent
    cleaned = []
    for name, path in media.items():
        folder = tmp_path / f"clean-{name}"
        folder.mkdir()
        cleaned.append(pool.judge(path, folder, wanted="attachment").path)
    tell_tales = told(cleaned)
    assert not tell_tales, json.dumps(tell_tales, indent=1)


def told(files: list[Path]) -> dict[str, list[str]]:
    """What exiftool finds in these files beside what it must: name of the file → tags."""
    assert shutil.which("exiftool"), "exiftool is missing. On Debian or Ubuntu: apt-get install libimage-exiftool-perl"
    found: dict[str, list[str]] = {}
    for first in range(0, len(files), 200):
        paths = [str(path) for path in files[first : first + 200]]
        outcome = subprocess.run(["exiftool", "-json", "-G1", "-a", "-u", *paths], capture_output=True, text=True)
        answer = json.loads(outcome.stdout)
        assert len(answer) == len(paths), outcome.stderr
        for tags in answer:
            strange = [f"{name}={value}" for name, value in tags.items() if is_telling(name, value)]
            if strange:
                found[tags["SourceFile"]] = strange
    return found


def is_telling(name: str, value: object) -> bool:
    group, _, tag = name.partition(":")
    if group in HARMLESS:
        return False
    if MIXED.fullmatch(group):
        return bool(TELLING.search(tag)) and tag not in STRUCTURE and str(value) not in OURS
    return True
