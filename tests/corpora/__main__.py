"""Get the corpora that are not there yet: `python -m tests.corpora`."""

from __future__ import annotations

from tests.corpora import CORPORA, fetch

for corpus in CORPORA:
    fetch(corpus)
    print(f"{corpus.project} {corpus.version}: {len(corpus.files())} files")
