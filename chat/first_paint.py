"""The dashboard as the server paints it, before its modules take over: the rows of the list and the lines of a thread.

The modules draw the same from the same shapes (chat/static/chat/lines.js, line-templates.js, names.js, session-list.js). What
differs for a moment is only what a socket tells: who is there, who writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from chat.models import ChatSession, Message, Participant
from chat.painted_files import PaintedFile, file_address, heard, length_words, painted
from chat.painted_grid import Cell, cells
from chat.painted_text import beginning_of, emoji_in
from chat.shapes import Shape
from samia_chat.digits import localised, number

GROUP_PAUSE = timedelta(minutes=10)
COLOURS = 6
OVER = (ChatSession.Status.ENDED, ChatSession.Status.ARCHIVED)
KIND_ICONS = {"audio": "mic", "image": "image", "video": "image", "file": "file"}
TICK_ICONS = {"sent": "check", "delivered": "double", "seen": "double", "read": "double"}


@dataclass(frozen=True, kw_only=True)
class Row:
    """A session of the list."""

    id: UUID
    name: str
    initials: str
    colour: int
    picture: str  # its address; empty: there is none
    active_at: datetime
    when: str
    tag: str
    is_emergency: bool
    flag: str
    is_muted: bool
    tick: str
    tick_label: str
    tick_icon: str
    kind_icon: str
    sender: str  # where more than one other person may have written it
    last: str
    unread: str  # empty: nothing is
    unread_label: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of the thread: a day, the mark of what is new, a line of the system, or a message."""

    kind: str
    text: str  # of a message with a file, what is written beneath it; of a long one, its beginning
    is_long: bool = False
    emoji: int = 0  # how many it is, if it is nothing else
    id: UUID | None = None
    sent_at: datetime | None = None
    time: str = ""
    is_own: bool = False
    is_first: bool = False
    is_last: bool = False
    is_deleted: bool = False
    is_edited: bool = False
    sender: str = ""
    quote_name: str = ""
    quote_text: str = ""
    tick: str = ""
    tick_label: str = ""
    tick_icon: str = ""
    status: str = ""  # the word below the last own message
    file: PaintedFile | None = None
    heard: str = ""  # of a voice message: played, new
    heard_label: str = ""
    note: str = ""  # of a voice message that others do not hear, with why
    note_text: str = ""
    is_refused: bool = False
    may_record: bool = False
    cell: Cell | None = None  # of a picture that stands beside others


def clock(at: datetime) -> str:
    return localised(timezone.localtime(at).strftime("%H:%M"))


def day(at: datetime, *, is_short: bool = False) -> str:
    """Today, Yesterday, Monday, 12 November, 12 November 2025."""
    is_short = is_short and get_language() != "ar"  # where neither days nor months are shortened
    then, today = timezone.localtime(at).date(), timezone.localdate()
    days_ago = (today - then).days
    if days_ago in (0, 1):
        return _("Yesterday") if days_ago else _("Today")
    if 1 < days_ago < 7:
        return format_date(then, "D" if is_short else "l")
    return localised(format_date(then, _date_form(then, today, is_short=is_short)))


def _date_form(then: date, today: date, *, is_short: bool) -> str:
    return f"j {'M' if is_short else 'F'}{'' if then.year == today.year else ' Y'}"


# Names ------------------------------------------------------------------------------------------------------------------


def others(session: Shape, viewer: UUID) -> list[Shape]:
    return [person for person in session["participants"] if person["user"] != viewer and person["left_at"] is None]


def person_name(session: Shape, user: UUID | None) -> str:
    found = next((person["display_name"] for person in session["participants"] if person["user"] == user), "")
    return found or _("Somebody")


def title(session: Shape, viewer: UUID) -> str:
    """A session is called after the people in it, but for the reader."""
    names = [person["display_name"] or _("Somebody") for person in others(session, viewer)]
    return " · ".join(names) or session["title"] or _("Session")


def picture(session: Shape, viewer: UUID) -> str:
    """The address of the picture of the one other person in it; where there are more, it has letters."""
    people = others(session, viewer)
    return file_address(people[0]["avatar"]) if len(people) == 1 else ""


def subject(session: Shape) -> str:
    """What it is about: the service that was booked, or its title."""
    booking = session["booking"] or {}
    return str(booking.get("service") or session["title"])


def subject_beside(session: Shape, name: str) -> str:
    """The same to stand beside its name: nothing where it is called so already."""
    about = subject(session)
    return about if about != name else ""


def crowd(session: Shape, viewer: UUID) -> str:
    """How many they are, where there are more than two, or where one looks in."""
    people = len(others(session, viewer))
    return _counted("{count} person", "{count} people", people + bool(session["mine"])) if people > 1 else ""


def initials(name: str) -> str:
    """The first letters of two words; of names in Arabic script one letter, because two would join."""
    letters = [word[0] for word in name.split() if word != "·"]  # which stands between names
    is_arabic = bool(name) and "\u0600" <= name[0] <= "\u06ff"
    return "".join(letters[:1]) if is_arabic else "".join(letters[:2]).upper()


def colour(identity: UUID) -> int:
    return int(identity.hex[-4:], 16) % COLOURS + 1


def words_of(message: Shape) -> str:
    """The text, or the words for a message without one."""
    if message["deleted_at"]:
        return _("This message was deleted")
    return message["content"] or _words_of_kind(message["type"], message["file"])


def _words_of_kind(kind: str, file: Shape | None) -> str:
    if kind == Message.Type.AUDIO:
        length = file and file["duration_ms"] and length_words(file["duration_ms"] / 1000)
        return f"{_('Voice message')} · {length}" if length else _("Voice message")
    if kind == Message.Type.FILE:
        return str(file["name"]) if file else _("File")
    return {"image": _("Picture"), "video": _("Video")}.get(kind) or _("Emergency call")


def tick(session: Shape, message: Shape, viewer: UUID) -> str:
    """How far an own message has come: sent, delivered, seen or read."""
    people = others(session, viewer)
    # Staff who were added do not decide whether a reader has read, unless there is nobody else.
    people = [p for p in people if p["role_in_session"] != Participant.Role.STAFF] or people
    kinds = ("read", "seen", "delivered") if people else ()
    return next((kind for kind in kinds if all(p[f"{kind}_seq"] >= message["seq"] for p in people)), "sent")


def tick_label(name: str) -> str:
    return {"sent": _("Sent"), "delivered": _("Delivered"), "seen": _("Seen"), "read": _("Read")}.get(name, "")


# The list ---------------------------------------------------------------------------------------------------------------


def row(session: Shape, viewer: UUID) -> Row:
    name, people = title(session, viewer), others(session, viewer)
    last = session["last_message"]
    is_own = last is not None and last["sender"] == viewer and not last["deleted_at"]
    mark = tick(session, last, viewer) if is_own else ""
    is_crowd = session["mine"] is None or len(people) > 1
    unread = session["mine"]["unread"] if session["mine"] else 0
    at: datetime = session["active_at"]
    is_today = timezone.localtime(at).date() == timezone.localdate()
    return Row(
        id=session["id"],
        name=name,
        initials=initials(name),
        colour=colour(people[0]["user"] if people else session["id"]),
        picture=picture(session, viewer),
        active_at=at,
        when=clock(at) if is_today else day(at, is_short=True),
        tag=_tag(session),
        is_emergency=session["type"] == ChatSession.Type.EMERGENCY,
        flag=_flag(session["status"]),
        is_muted=_is_muted(session),
        tick=mark,
        tick_label=tick_label(mark),
        tick_icon=TICK_ICONS.get(mark, ""),
        kind_icon=_kind_icon(last) if last else "",
        sender=person_name(session, last["sender"]) if is_crowd and last and last["sender"] and not is_own else "",
        last=words_of(last) if last else _("Nothing was written yet."),
        unread=number(unread) if unread else "",
        unread_label=_counted("{count} unread", "{count} unread", unread),
    )


def _kind_icon(message: Shape) -> str:
    return "trash" if message["deleted_at"] else KIND_ICONS.get(message["type"], "")


def _tag(session: Shape) -> str:
    if session["type"] == ChatSession.Type.EMERGENCY:
        return _("Emergency")
    if session["status"] in OVER:
        return _("Ended")
    return _("Support") if session["type"] == ChatSession.Type.SUPPORT else ""


def _flag(status: str) -> str:
    return {ChatSession.Status.LOCKED: _("Locked"), ChatSession.Status.PAUSED: _("Paused")}.get(status, "")  # type: ignore[call-overload, no-any-return]


def _is_muted(session: Shape) -> bool:
    until: datetime | None = session["mine"] and session["mine"]["muted_until"]
    return until is not None and until > timezone.now()


def _counted(one: str, many: str, count: int) -> str:
    return ngettext(one, many, count).replace("{count}", number(count))


# The thread -------------------------------------------------------------------------------------------------------------


def lines(session: Shape, thread: Shape, viewer: UUID) -> list[Line]:
    """The lines of a thread whose newest page this is."""
    messages = _in_place(thread["results"], thread["unpublished"], has_older=thread["has_more"])
    drawn = _gridded(list(_lines(session, messages, viewer)), messages)
    own = [at for at, line in enumerate(drawn) if line.kind == "message" and line.is_own]
    if own and not drawn[own[-1]].is_deleted:
        last = drawn[own[-1]]
        word = last.tick_label if last.tick in ("seen", "read") else ""
        drawn[own[-1]] = replace(last, status=word)
    return drawn


def _gridded(drawn: list[Line], messages: list[Shape]) -> list[Line]:
    """The lines, where pictures stand side by side with their places."""
    by_id = {message["id"]: message for message in messages}
    found = cells([by_id.get(line.id) for line in drawn])
    return [replace(line, cell=found.get(at)) for at, line in enumerate(drawn)]


def _in_place(published: list[Shape], held: list[Shape], *, has_older: bool) -> list[Shape]:
    """The published messages by number, and among them those that are held, each at the time it was sent."""
    found = list(published)
    for message in sorted(held, key=lambda one: one["created_at"]):
        later = (at for at, one in enumerate(found) if one["created_at"] > message["created_at"])
        place = next(later, len(found))
        if place or not has_older:  # one from before the first message that is painted comes with its page
            found.insert(place, message)
    return found


def _lines(session: Shape, messages: list[Shape], viewer: UUID) -> Iterator[Line]:
    by_id = {message["id"]: message for message in messages}
    new = _new(session, messages, viewer)
    days = _days(messages)
    previous: Shape | None = None
    for at, message in enumerate(messages):
        successor = messages[at + 1] if at + 1 < len(messages) else None
        if at in days:
            yield Line(kind="day", text=day(message["created_at"]))
            previous = None
        if new and message is new[0]:
            yield Line(kind="unread", text=_counted("{count} new message", "{count} new messages", len(new)))
            previous = None
        if message["type"] == Message.Type.SYSTEM:
            yield Line(kind="system", text=words_of(message))
        else:
            is_first = previous is None or not _belong_together(previous, message)
            is_cut = at + 1 in days or (successor is not None and bool(new) and successor is new[0])
            is_last = successor is None or is_cut or not _belong_together(message, successor)
            yield _message_line(session, message, by_id, viewer, is_first=is_first, is_last=is_last)
        previous = message


def _days(messages: list[Shape]) -> set[int]:
    """Where a day begins. What waited for approval is older than what stands before it: time does not go back for that."""
    found: set[int] = set()
    latest: date | None = None
    for at, message in enumerate(messages):
        then = timezone.localtime(message["created_at"]).date()
        if latest is None or then > latest:
            latest = then
            found.add(at)
    return found


def _message_line(
    session: Shape, message: Shape, by_id: dict[Any, Shape], viewer: UUID, *, is_first: bool, is_last: bool
) -> Line:
    is_own, is_deleted = message["sender"] == viewer, message["deleted_at"] is not None
    is_crowd = session["mine"] is None or len(others(session, viewer)) > 1
    quoted = by_id.get(message["reply_to"])
    mark = tick(session, message, viewer) if is_own and not is_deleted and message["seq"] is not None else ""
    file = painted(message)
    heard_mark = heard(message, viewer, is_member=session["mine"] is not None)
    note, note_text = _note(message, is_own=is_own)
    is_refused = message["status"] == Message.Status.REJECTED
    is_open = session["mine"] is not None and session["status"] == ChatSession.Status.ACTIVE
    text = message["content"] if file else words_of(message)
    beginning = beginning_of(text)
    return Line(
        kind="message",
        id=message["id"],
        text=text if beginning is None else beginning,
        is_long=beginning is not None,
        emoji=emoji_in(text) if message["type"] == Message.Type.TEXT else 0,
        file=file,
        heard=heard_mark,
        heard_label={"played": _("Played"), "new": _("Not played yet")}.get(heard_mark, ""),
        note=note,
        note_text=note_text,
        is_refused=is_refused,
        may_record=is_refused and is_own and is_open,
        sent_at=message["created_at"],
        time=clock(message["created_at"]),
        is_own=is_own,
        is_first=is_first,
        is_last=is_last,
        is_deleted=is_deleted,
        is_edited=message["edited_at"] is not None,
        sender=person_name(session, message["sender"]) if is_first and not is_own and is_crowd else "",
        quote_name=_quote_name(session, quoted, viewer) if message["reply_to"] else "",
        quote_text=(words_of(quoted) if quoted else _("Show the original message")) if message["reply_to"] else "",
        tick=mark,
        tick_label=tick_label(mark),
        tick_icon=TICK_ICONS.get(mark, ""),
    )


def _note(message: Shape, *, is_own: bool) -> tuple[str, str]:
    """Of a voice message that is not published: that, and who hears it or why."""
    if message["status"] == Message.Status.PENDING:
        whom = _("Only you and our team can hear it.") if is_own else _("Only the sender and our team can hear it.")
        return _("Waiting for approval"), whom
    if message["status"] == Message.Status.REJECTED:
        return _("Not approved"), message["reason"] or _("Nobody else can hear it.")
    return "", ""


def _quote_name(session: Shape, quoted: Shape | None, viewer: UUID) -> str:
    if quoted is None:
        return _("Earlier message")
    return _("You") if quoted["sender"] == viewer else person_name(session, quoted["sender"])


def _new(session: Shape, messages: list[Shape], viewer: UUID) -> list[Shape]:
    """The messages of others that the viewer has not read."""
    mine = session["mine"]
    if not mine or not mine["unread"]:
        return []
    return [m for m in messages if (m["seq"] or 0) > mine["read_seq"] and m["sender"] != viewer]


def _belong_together(one: Shape, other: Shape) -> bool:
    return (
        one["sender"] == other["sender"]
        and Message.Type.SYSTEM not in (one["type"], other["type"])
        and abs(other["created_at"] - one["created_at"]) < GROUP_PAUSE
    )
