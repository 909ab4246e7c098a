"""Who may see files: the members of their session, and staff. Writing comes with the upload."""

from __future__ import annotations

from samia_chat.access import APP_ROLES, READABLE, STAFF_ROLES, Access, anyone, cells, member

FILES = Access(
    "storage.ChatFile",
    {**cells(APP_ROLES, view=member(states=READABLE)), **cells(STAFF_ROLES, view=anyone)},
    definer=("SELECT",),
)
