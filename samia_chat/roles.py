"""The roles people have, and the two groups the database knows them by."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    CLIENT = "client", _("Client")
    READER = "reader", _("Reader")
    MONITOR = "monitor", _("Monitor")
    ADMIN = "admin", _("Administrator")
    SUPER_ADMIN = "super_admin", _("Super administrator")


# The role of commands and jobs: nobody's, so not a choice. `app.role()` in the database gives the same name.
SYSTEM_ROLE = "system"
STAFF = frozenset({Role.MONITOR.value, Role.ADMIN.value, Role.SUPER_ADMIN.value})
STAFF_AND_SYSTEM = STAFF | {SYSTEM_ROLE}
