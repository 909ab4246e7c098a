"""Who may see files, and who may write their rows. A file is its owner's until its message is published, or his row names it as
his picture."""

from __future__ import annotations

from dataclasses import replace

from django.db.models import Q

from samia_chat.access import (
    ADMINS,
    APP_ROLES,
    OPEN,
    READABLE,
    STAFF_ROLES,
    Access,
    Rule,
    anyone,
    cells,
    companion,
    member,
    own_row,
)
from samia_chat.roles import SYSTEM_ROLE, Role

published = Rule("published", "is_published", lambda who: Q(is_published=True))
present = Rule("not deleted", "state <> 'deleted'", lambda who: ~Q(state="deleted"))
picture = Rule("picture", "purpose = 'avatar'", lambda who: Q(purpose="avatar"))

own = own_row("owner_id")
own_picture = replace(picture & own, name="own picture")
# Last: only pictures ask for it, and PostgreSQL asks once for all of them.
known_picture = replace(picture & (own | (published & companion("owner_id"))), name="own picture or a companion's")

FILES = Access(
    "storage.ChatFile",
    {
        **cells(
            APP_ROLES,
            view=(member(states=READABLE) & present & (published | own)) | known_picture,
            add=(own & member(states=OPEN)) | own_picture,
        ),
        **cells(STAFF_ROLES, view=anyone),
        **cells((Role.MONITOR.value,), add=own_picture),
        # `measure`: how much room everybody's files take, for the page and the command.
        **cells(ADMINS, add=(own & member(states=OPEN)) | own_picture, measure=anyone),
        **cells((SYSTEM_ROLE,), add=anyone, change=anyone, purge=anyone, measure=anyone),
    },
    columns={
        ("samia_staff", "change"): ("duration_ms", "waveform", "width", "height", "state", "reason"),
    },
    definer=("SELECT", "UPDATE", "DELETE"),
)
