"""The queue of voice messages that wait, as the server paints it: what chat/static/chat/approval-list.js draws."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from chat.first_paint import colour, initials
from chat.painted_files import file_address, length_words, wave_box, wave_path
from chat.shapes import Shape
from samia_chat.digits import number

LATE = timedelta(minutes=5)
BARS, HEIGHT = 33, 18


@dataclass(frozen=True, kw_only=True)
class QueueRow:
    id: UUID
    name: str
    initials: str
    colour: int
    picture: str
    sent_at: datetime
    when: str
    is_late: bool
    title: str
    wave: str
    length: str
    wave_box: str = wave_box(BARS, HEIGHT)


def queue_row(item: Shape) -> QueueRow:
    message = item["message"]
    file = message["file"] or {}
    duration_ms = file.get("duration_ms")
    since = max(timezone.now() - message["created_at"], timedelta())
    return QueueRow(
        id=message["id"],
        name=item["sender_name"],
        initials=initials(item["sender_name"]),
        colour=colour(message["sender"]),
        picture=file_address(item["sender_avatar"]),
        sent_at=message["created_at"],
        when=_ago(since),
        is_late=since >= LATE,
        title=item["session_title"],
        wave=wave_path(file.get("waveform"), bars=BARS, height=HEIGHT),
        length=length_words(duration_ms / 1000) if duration_ms else "–:––",
    )


def _ago(since: timedelta) -> str:
    """now, 9 min, 3 h, 2 d"""
    minutes = since // timedelta(minutes=1)
    if minutes < 1:
        return _("now")
    if since < timedelta(hours=1):
        return _("{count} min").replace("{count}", number(minutes))
    if since < timedelta(days=1):
        return _("{count} h").replace("{count}", number(minutes // 60))
    return _("{count} d").replace("{count}", number(since.days))
