"""Who may read the record. Nobody writes it: the triggers and app.audit_event do, as the definer."""

from __future__ import annotations

from samia_chat.access import ADMINS, Access, anyone, cells

AUDIT = Access("audit.AuditLog", cells(ADMINS, view=anyone), definer=("SELECT", "INSERT"))
