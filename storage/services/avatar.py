"""One's own picture: a file without a session, named by one's row."""

from __future__ import annotations

import tempfile
from pathlib import Path
from uuid import UUID

from django.db import connection, transaction

from samia_chat.errors import Busy
from storage.models import ChatFile
from storage.services import file as files
from storage.services.file import Accepted, Upload

# Others get it with the picture, and what a person calls his file says more than it shows.
NAME = "picture"
SCANNER_SECONDS = 60.0  # what is waited for a scanner that does not answer


def change_avatar(*, owner_id: UUID, path: Path) -> UUID:
    """Make what was uploaded the actor's picture, and remove the one he had. Returns the file's id.

    Takes seconds at worst; called outside of a transaction. Whatever it dies of, he has the former picture or the new one; what
    is left of the other, the sweep removes. Raises FileTooLarge, a refusal of the parsers, FileInfected, Busy, StoreAway.
    """
    with tempfile.TemporaryDirectory(prefix="samia-avatar-") as folder:
        accepted = files.accept(Upload(path=path, name=NAME), Path(folder), wanted="avatar")
        _refuse_unscanned(accepted)
        file = files.lay_down(accepted, owner_id=owner_id, session_id=None, purpose=ChatFile.Purpose.AVATAR)
    try:
        former = _set(file.pk)
    except BaseException:
        files.take_back(file)
        raise
    _remove(former)
    return file.pk


def remove_avatar() -> bool:
    """Have no picture any more. False if the actor has none."""
    former = _set(None)
    _remove(former)
    return former is not None


def _refuse_unscanned(accepted: Accepted) -> None:
    """A file of a message waits for the scanner, and says so in its place. A picture has no place in which to wait."""
    if accepted.state != ChatFile.State.READY:
        raise Busy("Pictures cannot be checked for viruses just now. Try again later.", retry_after=SCANNER_SECONDS)


@transaction.atomic
def _set(file_id: UUID | None) -> ChatFile | None:
    """The picture that the actor had. Of two changes at once the second replaces the first one's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app.set_avatar(%s)", [file_id])
        (former,) = cursor.fetchone()
    return ChatFile.objects.filter(pk=former).first() if former else None


def _remove(former: ChatFile | None) -> None:
    """After the commit: until then it is his."""
    if former is not None:
        files.take_back(former)
