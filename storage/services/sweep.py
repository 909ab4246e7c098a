"""What goes when its time has come: uploads that died half-way, evidence that was kept for long enough.

Every file in a transaction of its own that holds its row, and the object before the row: whatever a process dies of, the row is
still there to be found by the next. A store that is away ends the sweep, and the next one goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from storage import bucket
from storage.models import EXPIRED, ChatFile

HALF_WAY = timedelta(minutes=15)  # longer than any upload takes
UNMADE = timedelta(hours=1)  # longer than the worker tries
AT_ONCE = 200  # files of a kind in one sweep
UNFINISHED = timedelta(hours=1)  # of what lies in the folder and was never given its name
# Avatars are in no message, but on their owners' rows; exports are in neither.
IN_MESSAGES = (ChatFile.Purpose.ATTACHMENT, ChatFile.Purpose.VOICE)


@dataclass(frozen=True, kw_only=True)
class Swept:
    unsent: int = 0
    avatars: int = 0
    unmade: int = 0
    expired: int = 0
    unfinished: int = 0


def sweep() -> Swept:
    """By the system, outside of a transaction. Raises StoreAway; what was done until then is done."""
    return Swept(
        unsent=sweep_unsent(),
        avatars=sweep_avatars(),
        unmade=sweep_unmade(),
        expired=sweep_evidence(),
        unfinished=bucket.remove_unfinished(timezone.now() - UNFINISHED),
    )


def sweep_unsent() -> int:
    """Remove files that no message got within 15 minutes. Returns how many."""
    return _each(unsent(), _discard)


def sweep_avatars() -> int:
    """Remove pictures that are nobody's: replaced, or stored 15 minutes ago and never named. Returns how many."""
    return _each(unnamed(), _discard)


def sweep_unmade() -> int:
    """Remove renditions that a worker began and did not finish within an hour: its job has given up. Returns how many."""
    return _each(unmade(), _unmake)


def sweep_evidence() -> int:
    """Remove what was deleted EVIDENCE_DAYS ago. Returns how many files.

    A message keeps its file's row (the constraint that says which messages have a file asks for it, and who sent what is no
    secret): it is marked, without its name and waveform.
    """
    return _each(evidence(), _expire)


def unsent() -> QuerySet[ChatFile]:
    return _left_half_way().filter(purpose__in=IN_MESSAGES, messages__isnull=True)


def unnamed() -> QuerySet[ChatFile]:
    return _left_half_way().filter(purpose=ChatFile.Purpose.AVATAR)


def _left_half_way() -> QuerySet[ChatFile]:
    before = timezone.now() - HALF_WAY
    originals = ChatFile.objects.filter(is_published=False, parent__isnull=True)
    return originals.filter(created_at__lt=before).order_by("created_at")


def unmade() -> QuerySet[ChatFile]:
    before = timezone.now() - UNMADE
    found = ChatFile.objects.filter(parent__isnull=False, state=ChatFile.State.PROCESSING, created_at__lt=before)
    return found.filter(parent__state=ChatFile.State.READY).order_by("created_at")


def evidence() -> QuerySet[ChatFile]:
    before = timezone.now() - timedelta(days=settings.EVIDENCE_DAYS)
    # What was made of a file goes with it; by itself only where it was still being made at that moment.
    alone = Q(parent__isnull=True) | Q(parent__reason=EXPIRED)
    return ChatFile.objects.filter(alone, deleted_at__lt=before).exclude(reason=EXPIRED).order_by("deleted_at")


def _each(files: QuerySet[ChatFile], end: Callable[[UUID], bool]) -> int:
    with transaction.atomic():
        found = list(files.values_list("pk", flat=True)[:AT_ONCE])
    return sum(end(file_id) for file_id in found)


@transaction.atomic
def _discard(file_id: UUID) -> bool:
    if not _hold(file_id) or _is_in_use(file_id):
        return False
    _remove_objects(file_id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT app.discard_file(%s)", [file_id])
        return bool(cursor.fetchone()[0])


@transaction.atomic
def _unmake(file_id: UUID) -> bool:
    if not _hold(file_id):
        return False
    file = ChatFile.objects.get(pk=file_id)
    if file.state != ChatFile.State.PROCESSING:  # the worker has finished it since the list was made
        return False
    bucket.delete(file.key)
    file.delete()
    return True


@transaction.atomic
def _expire(file_id: UUID) -> bool:
    if not _hold(file_id):
        return False
    _remove_objects(file_id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT app.end_file(%s, %s)", [file_id, EXPIRED])
        return bool(cursor.fetchone()[0])


def _hold(file_id: UUID) -> bool:
    """Whether the file is there and nobody else is at work on it. A message or person that would name it waits from here on."""
    held = ChatFile.objects.select_for_update(skip_locked=True).filter(pk=file_id)
    return held.first() is not None


def _is_in_use(file_id: UUID) -> bool:
    """Whether a message or person names it. Asked once more while it is held: one may have come since the list was made."""
    return ChatFile.objects.filter(Q(messages__isnull=False) | Q(is_published=True), pk=file_id).exists()


def _remove_objects(file_id: UUID) -> None:
    """What was made of it first. A child that is being written now waits for us, and finds no parent then."""
    for file in ChatFile.objects.filter(parent_id=file_id):
        bucket.delete(file.key)
    bucket.delete(ChatFile.objects.get(pk=file_id).key)
