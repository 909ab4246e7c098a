"""From an upload to a file in the bucket: judged first, then on record, then stored; a message makes it visible.

The row comes before the object: whatever a process dies of, there is no object that no row knows of. A row that never got its
message is swept, with its object (storage/services/sweep.py).
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from audit.refusals import record_refusal
from samia_chat import telemetry
from samia_chat.db.pools import give_back
from samia_chat.errors import Busy
from samia_chat.ids import new_id
from storage import bucket, scanner
from storage.errors import FileInfected, FileTooLarge, refusal
from storage.models import ChatFile
from storage.names import shown_name
from storage.parsers import Judged, NoParser, Preview, Refused, Rendition, Wanted, parsers

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file as it came: where it lies, and what it was called."""

    path: Path
    name: str

    def digest(self) -> str:
        """SHA-256 of its bytes, in hex."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A judged file, and whether it waits for the scanner."""

    judged: Judged
    name: str
    state: ChatFile.State


def accept(upload: Upload, folder: Path, *, wanted: Wanted) -> Accepted:
    """Judge an upload, in a process that may die of it; what is kept of it lies in `folder` then.

    Takes seconds at worst, and no connection meanwhile. Raises FileTooLarge, a refusal of the parsers, FileInfected, Busy.
    """
    most = settings.AVATAR_MAX_BYTES if wanted == "avatar" else settings.FILE_MAX_BYTES
    if upload.path.stat().st_size > most:
        raise FileTooLarge(f"A file may have at most {most // 2**20} MiB.")
    give_back()
    # What was sent and not what becomes of it: a virus in a part that is left out is one all the same.
    state = scanned(upload.path)
    try:
        judged = parsers().judge(upload.path, folder, wanted=wanted)
    except Refused as refused:
        telemetry.observe("file.refused", code=refused.code)
        raise refusal(refused.code, refused.detail) from None
    except NoParser:
        raise Busy("Too many files are being looked at. Send it again in a moment.", retry_after=5) from None
    return Accepted(judged=judged, name=shown_name(upload.name, judged.extension), state=state)


def scanned(path: Path) -> ChatFile.State:
    """Ready, also where no scanner is configured; processing where one is and does not answer: then the file waits.

    Raises FileInfected, with the name of the virus. An upload's is on record as a refusal; the worker's is a rejected file.
    """
    if not settings.CLAMAV:
        return ChatFile.State.READY
    try:
        scanner.scan(path)
    except FileInfected as infected:
        record_refusal(code=infected.code, what=infected.detail)
        raise
    except scanner.ScannerAway:
        telemetry.observe("scanner.away")
        log.error("the virus scanner does not answer; files wait")
        return ChatFile.State.PROCESSING
    return ChatFile.State.READY


def lay_down(
    accepted: Accepted,
    *,
    owner_id: UUID,
    session_id: UUID | None,
    purpose: ChatFile.Purpose = ChatFile.Purpose.ATTACHMENT,
) -> ChatFile:
    """Put an accepted file and its preview into the bucket, each after its row. Nobody sees them until a message refers to
    the file. Raises StoreAway; then nothing is left, or what the sweep removes."""
    judged = accepted.judged
    file = ChatFile(
        **_identity(owner_id, session_id, judged.extension),
        session_id=session_id,
        owner_id=owner_id,
        purpose=purpose,
        original_name=accepted.name,
        content_type=judged.content_type,
        size_bytes=judged.size,
        sha256=judged.sha256,
        duration_ms=judged.duration_ms,
        waveform=judged.waveform,
        width=judged.width,
        height=judged.height,
        state=accepted.state,
    )
    child = child_of(file, judged.preview, ChatFile.Rendition.THUMBNAIL) if judged.preview else None
    with transaction.atomic():
        file.save(force_insert=True)
        if child is not None:
            child.save(force_insert=True)
    give_back()
    try:
        bucket.put(file.key, judged.path, judged.content_type)
        if child is not None and judged.preview is not None:
            bucket.put(child.key, judged.preview.path, judged.preview.content_type)
            file.renditions = [child.rendition]  # as its trigger says
    except BaseException:
        take_back(file)
        raise
    return file


def child_of(parent: ChatFile, made: Preview | Rendition, rendition: ChatFile.Rendition) -> ChatFile:
    """A row for what was made of a file. Whom it belongs to, and who sees it, its trigger takes from the parent."""
    return ChatFile(
        **_identity(parent.owner_id, parent.session_id, made.extension),
        session_id=parent.session_id,
        owner_id=parent.owner_id,
        purpose=parent.purpose if rendition == ChatFile.Rendition.AAC else ChatFile.Purpose.PREVIEW,
        original_name=shown_name(parent.original_name.rpartition(".")[0], made.extension),
        content_type=made.content_type,
        size_bytes=made.size,
        sha256=made.sha256,
        duration_ms=made.duration_ms if isinstance(made, Rendition) else None,
        width=made.width if isinstance(made, Preview) else None,
        height=made.height if isinstance(made, Preview) else None,
        state=parent.state,
        parent=parent,
        rendition=rendition,
    )


def take_back(file: ChatFile) -> None:
    """Remove a file that no message got, or a picture that is nobody's: objects first, then rows. What cannot be removed now,
    the sweep removes."""
    try:
        with transaction.atomic():
            keys = list(ChatFile.objects.filter(parent_id=file.pk).values_list("key", flat=True))
        for key in [*keys, file.key]:
            bucket.delete(key)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT app.discard_file(%s)", [file.pk])
    except Exception:
        log.warning("an upload could not be taken back; the sweep will", exc_info=True, extra={"file": str(file.pk)})


def _identity(owner_id: UUID, session_id: UUID | None, extension: str) -> dict[str, object]:
    """A new id, and the key made of ids only."""
    file_id = new_id()
    key = bucket.key_of(session_id=session_id, owner_id=owner_id, file_id=file_id, extension=extension)
    return {"pk": file_id, "key": key}
