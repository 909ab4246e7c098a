"""One's own picture, and word of it to those who see it."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from django.db import transaction

from chat import frames
from chat.models import Participant
from samia_chat import realtime
from storage.services import avatar as avatars


def change_avatar(*, user_id: UUID, path: Path) -> UUID:
    """Make what was uploaded one's own picture; everybody in one's sessions is told. Returns the file's id.

    Takes seconds at worst; called outside of a transaction. Raises what storage says of the file, StoreAway, Busy.
    """
    file_id = avatars.change_avatar(owner_id=user_id, path=path)
    _announce(user_id, file_id)
    return file_id


def remove_avatar(*, user_id: UUID) -> bool:
    """Have no picture any more; everybody in one's sessions is told. False, and no word, if there is none."""
    is_removed = avatars.remove_avatar()
    if is_removed:
        _announce(user_id, None)
    return is_removed


@transaction.atomic
def _announce(user_id: UUID, avatar: UUID | None) -> None:
    """Pages that are open. What they miss they have with their next answer: nothing is counted by it."""
    sessions = list(
        Participant.objects.filter(user_id=user_id, left_at__isnull=True).values_list("session_id", flat=True)
    )
    if sessions:
        realtime.publish(frames.person_changed(user_id, avatar, sessions))
