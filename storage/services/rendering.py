"""What the worker makes of a file: a sound that every browser plays, peaks of long ones, posters."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from django.db import transaction

from samia_chat.db.pools import give_back
from storage import bucket
from storage.errors import FileInfected
from storage.models import ChatFile
from storage.parsers import Preview, Refused, Rendition, parsers
from storage.services.file import child_of, scanned

T = TypeVar("T")
log = logging.getLogger(__name__)
# Safari before 18.4 plays neither, and its recorder makes MP4.
NOT_EVERYWHERE = ("audio/webm", "audio/ogg")


def is_wanted(file: ChatFile) -> bool:
    """Whether something of it is still to be found out or made."""
    return file.state == ChatFile.State.PROCESSING or bool(_missing(file)) or _needs_peaks(file)


def work_on(file: ChatFile) -> bool:
    """Do what is still to be done for a file; again, nothing. Whether something has changed.

    A sound that cannot be decoded to its end is rejected; a video or PDF of which no poster can be made stays as it is, without
    one. Raises StoreAway and NoParser: then it is to be tried again. With a scanner that does not answer the file waits on.
    """
    if file.state in (ChatFile.State.REJECTED, ChatFile.State.DELETED):
        return False
    with tempfile.TemporaryDirectory(prefix="samia-render-") as name:
        folder = Path(name)
        source = folder / "source"
        bucket.get(file.key, source)
        has_changed = False
        if file.state == ChatFile.State.PROCESSING:
            if not _scan(file, source):
                return file.state == ChatFile.State.REJECTED
            has_changed = True
        give_back()
        try:
            if _needs_peaks(file):
                has_changed |= _measure(file, source)
            for rendition in _missing(file):
                has_changed |= _make(file, rendition, source, folder)
        except Refused as refused:
            has_changed |= _reject(file, refused)
    return has_changed


def _needs_peaks(file: ChatFile) -> bool:
    return file.content_type.startswith("audio/") and file.waveform is None


def _missing(file: ChatFile) -> list[ChatFile.Rendition]:
    wanted = []
    if file.content_type in NOT_EVERYWHERE:
        wanted.append(ChatFile.Rendition.AAC)
    if file.content_type.startswith("video/") or file.content_type == "application/pdf":
        wanted.append(ChatFile.Rendition.POSTER)
    return [rendition for rendition in wanted if rendition.value not in file.renditions]


def _scan(file: ChatFile, source: Path) -> bool:
    """Whether the file was found clean. Its state is then ready; rejected, if it was not; unchanged, while nobody can say."""
    try:
        file.state = scanned(source)
    except FileInfected as infected:
        file.state, file.reason = ChatFile.State.REJECTED, infected.code
        log.warning("a file was found to hold a virus", extra={"file": str(file.pk), "virus": infected.detail})
    if file.state == ChatFile.State.PROCESSING:
        return False
    _settle(file)
    return file.state == ChatFile.State.READY


@transaction.atomic
def _settle(file: ChatFile) -> None:
    """Write a file's state, and that of what was made of it."""
    file.save(update_fields=["state", "reason"])
    ChatFile.objects.filter(parent_id=file.pk).exclude(state=ChatFile.State.DELETED).update(
        state=file.state, reason=file.reason
    )


def _reject(file: ChatFile, refused: Refused) -> bool:
    log.warning("nothing can be made of a file", extra={"file": str(file.pk), "why": refused.detail})
    if not file.content_type.startswith("audio/"):
        return False
    file.state, file.reason = ChatFile.State.REJECTED, refused.code
    _settle(file)
    return True


def _measure(file: ChatFile, source: Path) -> bool:
    file.duration_ms, file.waveform = _twice(lambda: parsers().measure(source))
    with transaction.atomic():
        file.save(update_fields=["duration_ms", "waveform"])
    return True


def _make(file: ChatFile, rendition: ChatFile.Rendition, source: Path, folder: Path) -> bool:
    """Make one rendition: its row first, then the object, then the row says that it is there."""
    made: Rendition | Preview
    if rendition == ChatFile.Rendition.AAC:
        made = _twice(lambda: parsers().render_audio(source, folder))
    else:
        made = _twice(
            lambda: parsers().poster(source, folder, "pdf" if file.content_type == "application/pdf" else "video")
        )
    with transaction.atomic():
        # Of an attempt that died: its object lies under another key, which nothing names any more after this.
        for former in ChatFile.objects.filter(parent_id=file.pk, rendition=rendition):
            bucket.delete(former.key)
            former.delete()
        child = child_of(file, made, rendition)
        child.state = ChatFile.State.PROCESSING
        child.save(force_insert=True)
    bucket.put(child.key, made.path, made.content_type)
    child.state = ChatFile.State.READY
    with transaction.atomic():
        child.save(update_fields=["state"])
    file.renditions = [*file.renditions, rendition.value]
    return True


def _twice(make: Callable[[], T]) -> T:
    """A parser that ran out of time on a machine that was busy gets a second chance."""
    try:
        return make()
    except Refused:
        return make()
