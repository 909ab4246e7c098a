"""The sessions that go on, as the server paints them for staff: what chat/static/chat/live-list.js draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from chat.first_paint import row, subject_beside
from chat.models import ChatSession
from chat.shapes import Shape

ALL = "all"
# What is chosen where the address says nothing that we understand.
CHOICES = {
    "status": ("active", (ALL, "active", "paused", "locked", "ended")),
    "type": (ALL, (ALL, *ChatSession.Type.values)),
}


@dataclass(frozen=True, kw_only=True)
class LiveRow:
    id: UUID
    name: str
    initials: str
    colour: int
    picture: str
    subject: str
    active_at: datetime
    when: str
    kind: str
    is_emergency: bool
    status: str
    is_active: bool


def live_row(session: Shape, viewer: UUID) -> LiveRow:
    drawn = row(session, viewer)
    return LiveRow(
        id=drawn.id,
        name=drawn.name,
        initials=drawn.initials,
        colour=drawn.colour,
        picture=drawn.picture,
        subject=subject_beside(session, drawn.name),
        active_at=drawn.active_at,
        when=drawn.when,
        kind=_types()[session["type"]],
        is_emergency=drawn.is_emergency,
        status=_statuses()[session["status"]],
        is_active=session["status"] == ChatSession.Status.ACTIVE,
    )


def chosen(given: Mapping[str, str]) -> dict[str, str]:
    """The filter that an address names: {"status": …, "type": …}, either may be "all"."""
    return {name: given[name] if given.get(name) in values else default for name, (default, values) in CHOICES.items()}


def chips(filter_: Mapping[str, str]) -> list[dict[str, object]]:
    """The buttons of the filter, in groups."""
    words = {"status": (_("Status"), _statuses()), "type": (_("Type"), _types())}
    return [
        {
            "label": label,
            "chips": [{"label": labels[value], "is_chosen": filter_[name] == value} for value in CHOICES[name][1]],
        }
        for name, (label, labels) in words.items()
    ]


def _statuses() -> dict[str, str]:
    return {
        "active": _("Active"),
        "paused": _("Paused"),
        "locked": _("Locked"),
        "ended": _("Ended"),
        "archived": _("Archived"),
        ALL: _("All"),
    }


def _types() -> dict[str, str]:
    return {
        "booking": _("Booking"),
        "support": _("Support"),
        "emergency": _("Emergency"),
        "general": _("General"),
        ALL: _("All"),
    }
