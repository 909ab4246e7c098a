"""How much room files take: of whom, and in which session."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from storage.models import WITHOUT_OBJECT, ChatFile

_IS_FILE = Q(parent__isnull=True)
_IS_EVIDENCE = Q(state=ChatFile.State.DELETED)


@dataclass(frozen=True, kw_only=True)
class Usage:
    """`size_bytes` is all that lies in the bucket, with what was made of the files; `evidence_bytes` is the part of it that
    was deleted and is kept for a while."""

    id: UUID | None  # of the session or person; None: files that are in no session
    files: int
    size_bytes: int
    evidence_bytes: int
    name: str = ""  # a person's address


@transaction.atomic
def by_session(limit: int = 20) -> list[Usage]:
    """The sessions whose files take the most room. One query."""
    rows = (
        _taking_room()
        .values("session_id")
        .annotate(
            files=Count("pk", filter=_IS_FILE),
            total=Sum("size_bytes"),
            evidence=Coalesce(Sum("size_bytes", filter=_IS_EVIDENCE), 0),
        )
        .order_by("-total", "session_id")
    )
    return [
        Usage(id=row["session_id"], files=row["files"], size_bytes=row["total"], evidence_bytes=row["evidence"])
        for row in rows[:limit]
    ]


@transaction.atomic
def by_person(limit: int = 20) -> list[Usage]:
    """The people whose files take the most room. One query."""
    rows = (
        _taking_room()
        .values("owner_id", "owner__email")
        .annotate(
            files=Count("pk", filter=_IS_FILE),
            total=Sum("size_bytes"),
            evidence=Coalesce(Sum("size_bytes", filter=_IS_EVIDENCE), 0),
        )
        .order_by("-total", "owner_id")
    )
    return [
        Usage(
            id=row["owner_id"],
            name=row["owner__email"],
            files=row["files"],
            size_bytes=row["total"],
            evidence_bytes=row["evidence"],
        )
        for row in rows[:limit]
    ]


def _taking_room() -> QuerySet[ChatFile]:
    return ChatFile.objects.exclude(reason__in=WITHOUT_OBJECT)
