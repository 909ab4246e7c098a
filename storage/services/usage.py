"""How much room files take: all of them, of whom, and in which session.

Sizes only: no name, no text and nothing of a file's contents is read, so there is nothing to record, whoever asks. What is
counted is what row-level security shows whoever asks.

Each answer reads every row of files once, without a join. No index is there for it: one with all the columns would grow with
every upload, for a page that is opened now and then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from storage.models import WITHOUT_OBJECT, ChatFile

_MEASURES = {
    "files": Count("pk", filter=Q(parent__isnull=True)),
    "room": Coalesce(Sum("size_bytes"), 0),
    "kept": Coalesce(Sum("size_bytes", filter=Q(state=ChatFile.State.DELETED)), 0),
}


@dataclass(frozen=True, kw_only=True)
class Usage:
    """`size_bytes` is all that lies in the bucket, with what was made of the files; `evidence_bytes` is the part of it that
    was deleted and is kept for a while."""

    id: UUID | None  # of the session or person; None: all files, or those that are in no session
    files: int
    size_bytes: int
    evidence_bytes: int


def total() -> Usage:
    """One query."""
    return _usage(None, _taking_room().aggregate(**_MEASURES))


def by_session(limit: int = 20) -> list[Usage]:
    """The sessions whose files take the most room. One query."""
    return _largest("session_id", limit)


def by_person(limit: int = 20) -> list[Usage]:
    """The people whose files take the most room. One query."""
    return _largest("owner_id", limit)


def _largest(column: str, limit: int) -> list[Usage]:
    rows = _taking_room().values(column).annotate(**_MEASURES).order_by("-room", column)
    return [_usage(row[column], row) for row in rows[:limit]]


def _usage(id_: UUID | None, row: dict[str, Any]) -> Usage:
    return Usage(id=id_, files=row["files"], size_bytes=row["room"], evidence_bytes=row["kept"])


def _taking_room() -> QuerySet[ChatFile]:
    return ChatFile.objects.exclude(reason__in=WITHOUT_OBJECT)
