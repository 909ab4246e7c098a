"""How much room files take, as the server paints it for administrators. No module draws it again."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chat.first_paint import COLOURS, colour, initials, row, subject_beside
from chat.models import Person
from chat.painted_files import file_address, size_words
from chat.shapes import Shape
from samia_chat.digits import number
from samia_chat.roles import Role
from storage.services.usage import Usage


@dataclass(frozen=True, kw_only=True)
class Figures:
    """In words: 2 files, 1.5 GB, 3 MB deleted. `kept` is empty where nothing that was deleted is kept."""

    files: str
    size: str
    kept: str


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Figures alone: what each is of stands beside it."""

    files: str
    size: str
    kept: str
    kept_for: str


@dataclass(frozen=True, kw_only=True)
class StorageRow:
    """A session or a person."""

    id: UUID | None  # None: files that are in no session
    name: str
    initials: str = ""
    colour: int
    picture: str = ""
    about: str
    tag: str = ""
    is_emergency: bool = False
    figures: Figures


def summary(total: Usage) -> Summary | None:
    """None where nothing is stored."""
    if not total.size_bytes:
        return None
    days = settings.EVIDENCE_DAYS
    kept_for = ngettext(
        "What was deleted is kept as evidence for {count} day.",
        "What was deleted is kept as evidence for {count} days.",
        days,
    )
    return Summary(
        files=number(total.files),
        size=size_words(total.size_bytes),
        kept=size_words(total.evidence_bytes) if total.evidence_bytes else "–",
        kept_for=kept_for.replace("{count}", number(days)),
    )


def session_row(usage: Usage, session: Shape | None, viewer: UUID) -> StorageRow:
    """As the list of sessions calls it. `session` is None for the files that are in none."""
    if session is None:
        about = _("Pictures of people, exports")
        return StorageRow(id=None, name=_("In no session"), colour=COLOURS, about=about, figures=_figures(usage))
    drawn = row(session, viewer)
    return StorageRow(
        id=drawn.id,
        name=drawn.name,
        initials=drawn.initials,
        colour=drawn.colour,
        picture=drawn.picture,
        about=subject_beside(session, drawn.name),
        tag=drawn.tag,
        is_emergency=drawn.is_emergency,
        figures=_figures(usage),
    )


def owner_row(usage: Usage, person: Person) -> StorageRow:
    return StorageRow(
        id=person.pk,
        name=person.display_name,
        initials=initials(person.display_name),
        colour=colour(person.pk),
        picture=file_address(person.avatar),
        about=str(Role(person.role).label),
        figures=_figures(usage),
    )


def _figures(usage: Usage) -> Figures:
    return Figures(
        files=ngettext("{count} file", "{count} files", usage.files).replace("{count}", number(usage.files)),
        size=size_words(usage.size_bytes),
        kept=_("{size} deleted").replace("{size}", size_words(usage.evidence_bytes)) if usage.evidence_bytes else "",
    )
