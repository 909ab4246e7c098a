"""Whether the table and the bucket tell the same story, and mending what can be mended.

Three passes, each in small batches without a transaction around them, while the product serves: the objects against the rows,
the rows against the objects, the contents against their digests. What is younger than an hour may be on its way, and is let be.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal, Protocol, TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from storage import bucket
from storage.bucket import Entry
from storage.models import EXPIRED, LOST, WITHOUT_OBJECT, ChatFile
from storage.signals import file_changed

T = TypeVar("T")
BATCH = 500
SETTLED = timedelta(hours=1)
Fault = Literal["size", "contents"]


class Progress(Protocol):
    """Told of each pass: its name, and how many of how many are done."""

    def __call__(self, what: str, done: int, total: int) -> None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What a finding says of a row."""

    id: UUID
    parent_id: UUID | None
    key: str
    state: str
    sha256: bytes


@dataclass(kw_only=True)
class Findings:
    """`lost` are rows without an object, `orphans` objects without a row, `changed` objects that are not what was stored."""

    files: int = 0  # rows that should have an object
    objects: int = 0
    size_bytes: int = 0  # of all objects
    hashed: int = 0
    young: int = 0  # on either side, and without the other: not judged
    lost: list[Known] = field(default_factory=list)
    orphans: list[Entry] = field(default_factory=list)
    changed: list[tuple[Known, Fault]] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.orphans or self.changed)


def verify(*, progress: Progress, sample: int | None = None) -> Findings:
    """Compare all rows and objects; digests of all, or of so many taken at random. By the system. Raises StoreAway.

    Holds 100 bytes of memory for each file. Nothing is written.
    """
    started = timezone.now()
    found = Findings()
    with transaction.atomic():
        total = ChatFile.objects.exclude(reason__in=WITHOUT_OBJECT).count()
    matching = _compare_objects(found, started, progress, total)
    _compare_rows(found, matching, started, progress, total)
    _compare_contents(found, matching, progress, sample)
    return found


def _compare_objects(found: Findings, started: datetime, progress: Progress, total: int) -> set[bytes]:
    """The ids of the rows that have their object, as bytes."""
    matching: set[bytes] = set()
    for entries in _batches(bucket.entries()):
        with transaction.atomic():
            rows = {row.key: row for row in ChatFile.objects.filter(key__in=[entry.key for entry in entries])}
        for entry in entries:
            found.objects += 1
            found.size_bytes += entry.size
            row = rows.get(entry.key)
            # What expired was removed before its row said so: an object that is still there is nobody's.
            if row is None or row.reason == EXPIRED:
                if entry.modified < started - SETTLED:
                    found.orphans.append(entry)
                else:
                    found.young += 1
            elif entry.size != row.size_bytes:
                found.changed.append((_known(row), "size"))
            else:
                matching.add(row.pk.bytes)
        progress("objects", found.objects, max(total, found.objects))
    return matching


def _compare_rows(found: Findings, matching: set[bytes], started: datetime, progress: Progress, total: int) -> None:
    wrong = {known.id for known, _ in found.changed}
    for rows in _rows():
        for row in rows:
            found.files += 1
            if row.pk.bytes in matching or row.pk in wrong:
                continue
            if row.created_at > started - SETTLED:
                found.young += 1
            elif _is_lost(row):
                found.lost.append(_known(row))
        progress("rows", found.files, max(total, found.files))


def _compare_contents(found: Findings, matching: set[bytes], progress: Progress, sample: int | None) -> None:
    if sample is not None and sample < len(matching):
        matching = set(random.sample(sorted(matching), sample))
    for rows in _rows():
        for row in rows:
            if row.pk.bytes not in matching:
                continue
            try:
                size, sha256 = bucket.digest(row.key)
            except FileNotFoundError:
                if _is_lost(row):
                    found.lost.append(_known(row))
                continue
            found.hashed += 1
            if (size, sha256) != (row.size_bytes, bytes(row.sha256)):
                found.changed.append((_known(row), "contents"))
            progress("contents", found.hashed, len(matching))


def _is_lost(row: ChatFile) -> bool:
    """Asked again, the object before the row: a file may have come or gone since either was listed."""
    if bucket.exists(row.key):
        return False
    with transaction.atomic():
        return ChatFile.objects.filter(pk=row.pk).exclude(reason__in=WITHOUT_OBJECT).exists()


def _rows() -> Iterator[list[ChatFile]]:
    """All rows that should have an object, by id."""
    last = UUID(int=0)
    while True:
        with transaction.atomic():
            rows = ChatFile.objects.filter(pk__gt=last).exclude(reason__in=WITHOUT_OBJECT).order_by("pk")
            found = list(rows.defer("waveform")[:BATCH])
        if not found:
            return
        yield found
        last = found[-1].pk


def _known(row: ChatFile) -> Known:
    return Known(id=row.pk, parent_id=row.parent_id, key=row.key, state=row.state, sha256=bytes(row.sha256))


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, BATCH)):
        yield batch


# Mending --------------------------------------------------------------------------------------------------------------


def repair(found: Findings) -> int:
    """Mend what was found; returns how much. By the system. Raises StoreAway; then the rest waits for the next time.

    An object without a row is removed, after its removal was recorded. A row without an object is marked: nobody can open it,
    whoever sees its message is told, and whoever tries is told why. What has changed is left as it is: only a person can say
    which of the two is right.
    """
    mended = sum(_mark_lost(known) for known in found.lost)
    return mended + sum(_remove_orphan(entry) for entry in found.orphans)


def _mark_lost(known: Known) -> bool:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT app.end_file(%s, %s)", [known.id, LOST])
        is_marked = bool(cursor.fetchone()[0])
    if is_marked:
        file_changed.send(sender=ChatFile, file=known.parent_id or known.id)
    return is_marked


def _remove_orphan(entry: Entry) -> bool:
    with transaction.atomic(), connection.cursor() as cursor:
        if ChatFile.objects.filter(key=entry.key).exclude(reason=EXPIRED).exists():
            return False
        cursor.execute("SELECT app.record_orphan(%s, %s, %s)", [_id_in(entry.key), entry.key, entry.size])
    bucket.remove_stray(entry.key)
    return True


def _id_in(key: str) -> UUID | None:
    try:
        return UUID(key.rpartition("/")[2].partition(".")[0])
    except ValueError:
        return None
