"""Who may see files, and who may write their rows. A file is its owner's until its message is published."""

from __future__ import annotations

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
    member,
    own_row,
)
from samia_chat.roles import SYSTEM_ROLE

published = Rule("published", "is_published", lambda who: Q(is_published=True))
present = Rule("not deleted", "state <> 'deleted'", lambda who: ~Q(state="deleted"))

FILES = Access(
    "storage.ChatFile",
    {
        **cells(
            APP_ROLES,
            view=member(states=READABLE) & present & (published | own_row("owner_id")),
            add=own_row("owner_id") & member(states=OPEN),
        ),
        **cells(STAFF_ROLES, view=anyone),
        **cells(ADMINS, add=own_row("owner_id") & member(states=OPEN)),
        **cells((SYSTEM_ROLE,), add=anyone, change=anyone, purge=anyone),
    },
    columns={
        ("samia_staff", "change"): ("duration_ms", "waveform", "width", "height", "state", "reason"),
    },
    definer=("SELECT", "UPDATE", "DELETE"),
)
