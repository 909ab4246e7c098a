"""Who may see and change people and their sign-ins. What happens before there is an actor goes through definer functions."""

from __future__ import annotations

from django.db.models import Q

from samia_chat.access import ADMINS, APP_ROLES, EVERYBODY, STAFF_ROLES, Access, Rule, anyone, cells, own_row
from samia_chat.roles import SYSTEM_ROLE, Role

# app.guard_user keeps the same in the database, where one policy serves several kinds of change.
no_super_admin = Rule("no super administrator", "role <> 'super_admin'", lambda who: ~Q(role=Role.SUPER_ADMIN))

PROFILE = ("display_name", "language", "timezone", "password", "last_seen_at")

USERS = Access(
    "accounts.User",
    {
        **cells(APP_ROLES, view=own_row("id"), change=own_row("id")),
        **cells(STAFF_ROLES, view=anyone),
        **cells((Role.MONITOR.value,), change=own_row("id")),
        # An administrator opens and closes accounts, a super administrator's not; which role they have is for that one to say.
        **cells((Role.ADMIN.value,), change=anyone, add=anyone, deactivate=no_super_admin),
        **cells(
            (Role.SUPER_ADMIN.value, SYSTEM_ROLE), change=anyone, add=anyone, deactivate=anyone, change_role=anyone
        ),
    },
    columns={
        ("samia_app", "change"): PROFILE,
        ("samia_staff", "change"): (*PROFILE, "role", "is_active"),
    },
    definer=("SELECT", "UPDATE"),
)

LOGINS = Access(
    "accounts.Login",
    cells(EVERYBODY, view=own_row("user_id"), add=own_row("user_id"), change=own_row("user_id")),
    columns={("samia_app", "change"): ("ended_at",), ("samia_staff", "change"): ("ended_at",)},
    definer=("SELECT", "UPDATE"),
)

# Only digests, and only functions read them.
REFRESH_TOKENS = Access("accounts.RefreshToken", {}, definer=("SELECT", "INSERT", "UPDATE", "DELETE"))
TICKETS = Access("accounts.Ticket", {}, definer=("SELECT", "INSERT", "DELETE"))
SIGN_IN_FAILURES = Access("accounts.SignInFailures", {}, definer=("SELECT", "INSERT", "UPDATE", "DELETE"))

__all__ = ["ADMINS", "LOGINS", "REFRESH_TOKENS", "SIGN_IN_FAILURES", "TICKETS", "USERS"]
