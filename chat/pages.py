"""The dashboard, settings, and for staff voice approvals, live sessions and the room that files take: painted here, kept alive
by their modules."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.pages import signed_in
from chat import first_paint
from chat.access import MESSAGES, SESSIONS
from chat.models import ChatSession, Person
from chat.models.message import MAX_CHARS
from chat.painted_approvals import queue_row
from chat.painted_files import file_address
from chat.painted_live import ALL, chips, chosen, live_row
from chat.painted_storage import StorageRow, owner_row, session_row, summary
from chat.services import session as sessions
from chat.services import voice_review
from chat.services.reading import PAGE, named_shapes, session_shapes, thread_page, with_state
from chat.shapes import Shape, approval_shape
from chat.words import words
from samia_chat.access import is_staff
from samia_chat.api.pages import page
from samia_chat.api.views import throttle
from samia_chat.digits import number
from samia_chat.errors import NotFound
from storage.access import FILES
from storage.formats import VOICE_SECONDS
from storage.services import usage
from storage.services.usage import Usage

QUEUE = 100
LARGEST = 50  # sessions, and people, on the page of storage


@require_safe
@signed_in
def dashboard(request: HttpRequest, session: UUID | None = None) -> HttpResponse:
    """The list, and with `session` its thread's newest page."""
    user: User = request.user  # type: ignore[assignment]  # signed_in admits people only
    throttle("read", str(user.pk))
    opened, thread = _open(user, session) if session else (None, None)
    shapes, following = _list(user)
    if opened is not None:
        shapes = [shape for shape in shapes if shape["id"] != session]
        shapes = sorted([*shapes, opened], key=lambda shape: shape["active_at"], reverse=True)
    context = {
        **_frame(user),
        "rows": [first_paint.row(shape, user.pk) for shape in shapes],
        "open_id": session,
        "unread_sessions": _number(_unread(shapes)),
        "has_more": following is not None,
        "data": _data(user, shapes, following, thread),
    }
    if opened is not None and thread is not None:
        name = first_paint.title(opened, user.pk)
        context |= {
            "open": opened,
            "name": name,
            "message_hint": _("Message {name}").replace("{name}", name),
            "crowd": first_paint.crowd(opened, user.pk),
            "subject": first_paint.subject(opened),
            "row": first_paint.row(opened, user.pk),
            "lines": first_paint.lines(opened, thread, user.pk),
            "may_write": opened["mine"] is not None and opened["status"] == ChatSession.Status.ACTIVE,
        }
    return render(request, "chat/dashboard.html", context)


@require_safe
@signed_in
def settings_page(request: HttpRequest) -> HttpResponse:
    """One's own account, this device, and the other devices."""
    user: User = request.user  # type: ignore[assignment]  # signed_in admits people only
    data = {**_words(user), "limits": {"avatar_bytes": settings.AVATAR_MAX_BYTES}}
    context = {**_frame(user), "zones": sorted(available_timezones()), "data": data}
    return render(request, "chat/settings.html", context)


@require_safe
@signed_in
def approvals(request: HttpRequest) -> HttpResponse:
    """Voice messages that wait, for those who decide about them; for others there is no such page."""
    user: User = request.user  # type: ignore[assignment]  # signed_in admits people only
    if not _decides(user):
        raise NotFound
    throttle("read", str(user.pk))
    # The longest-waiting first. What is beyond one page, the modules read.
    found = list(voice_review.waiting().order_by("created_at", "id")[:QUEUE])
    people = Person.objects.in_bulk({message.sender_id for message in found})
    items = [approval_shape(message, people) for message in found]
    context = {**_frame(user), "rows": [queue_row(item) for item in items]}
    return render(request, "chat/approvals.html", {**context, "data": {**_words(user), "approvals": items}})


@require_safe
@signed_in
def live(request: HttpRequest) -> HttpResponse:
    """The sessions that go on, for staff: who, in what state, and the way in. For others there is no such page."""
    user: User = request.user  # type: ignore[assignment]  # signed_in admits people only
    if not is_staff(user):
        raise NotFound
    throttle("read", str(user.pk))
    wanted = chosen(request.GET.dict())
    shapes, following = _list(user, **{name: value for name, value in wanted.items() if value != ALL})
    data = {**_words(user), "filter": wanted, "sessions": shapes, "next": following}
    rows = [live_row(shape, user.pk) for shape in shapes]
    return render(request, "chat/live.html", {**_frame(user), "rows": rows, "chips": chips(wanted), "data": data})


@require_safe
@signed_in
def storage(request: HttpRequest) -> HttpResponse:
    """How much room files take, and in which sessions and of whom the most, for administrators. For others there is no such
    page. Nobody's words and files are read, so looking at it is not on record; opening a session from here is."""
    user: User = request.user  # type: ignore[assignment]  # signed_in admits people only
    if not _measures(user):
        raise NotFound
    throttle("read", str(user.pk))
    # One more than is shown says whether there are more.
    total, by_session, by_person = usage.total(), usage.by_session(LARGEST + 1), usage.by_person(LARGEST + 1)
    context = {
        **_frame(user),
        "summary": summary(total),
        "first": _("The {count} that take the most room").replace("{count}", number(LARGEST)),
        "sessions": _session_rows(by_session[:LARGEST], user),
        "has_more_sessions": len(by_session) > LARGEST,
        "people": _owner_rows(by_person[:LARGEST]),
        "has_more_people": len(by_person) > LARGEST,
        "data": _words(user),
    }
    return render(request, "chat/storage.html", context)


def _session_rows(rows: list[Usage], user: User) -> list[StorageRow]:
    found = with_state(SESSIONS.scope(user)).filter(pk__in=[row.id for row in rows if row.id])
    shapes = {shape["id"]: shape for shape in named_shapes(found, user)}
    return [session_row(row, shapes.get(row.id), user.pk) for row in rows if row.id is None or row.id in shapes]


def _owner_rows(rows: list[Usage]) -> list[StorageRow]:
    people = Person.objects.in_bulk([row.id for row in rows])
    return [owner_row(row, people[row.id]) for row in rows if row.id in people]


def _frame(user: User) -> dict[str, Any]:
    """What stands round every page: who it is, what waits for staff, and where he may go."""
    is_staff = _decides(user)
    return {
        "person": user,
        "initials": first_paint.initials(user.display_name),
        "colour": first_paint.colour(user.pk),
        "picture": file_address(user.avatar),
        "is_staff": is_staff,
        "may_measure": _measures(user),
        "waiting": _number(voice_review.waiting().exclude(sender=user.pk).count()) if is_staff else "",
    }


def _decides(user: User) -> bool:
    return MESSAGES.rule(user, "review") is not None


def _measures(user: User) -> bool:
    return FILES.rule(user, "measure") is not None


def _list(user: User, **filters: str) -> tuple[list[Shape], str | None]:
    """The newest page of the list, as GET /api/chat/sessions answers it."""
    rows = with_state(SESSIONS.scope(user)).filter(**filters)
    found, following = page(rows, {"limit": PAGE}, keys={"active_at": datetime.fromisoformat, "id": UUID})
    shapes = session_shapes(found, user)
    sessions.record_looks(user, [shape["id"] for shape in shapes if shape["last_message"]])
    return shapes, following


def _open(user: User, session: UUID) -> tuple[Shape, Shape]:
    """A session and the newest page of its thread. Raises NotFound."""
    shape = next(iter(session_shapes(with_state(SESSIONS.scope(user)).filter(pk=session), user)), None)
    if shape is None:
        raise NotFound
    # What comes after the session was read comes again with the revision that it has: not here as well.
    return shape, {"session": session, **thread_page(user, session, before=shape["last_seq"] + 1)}


def _unread(shapes: list[Shape]) -> int:
    return sum(1 for shape in shapes if shape["mine"] and shape["mine"]["unread"])


def _number(count: int) -> str:
    """Nothing for none."""
    return number(count) if count else ""


def _words(user: User) -> dict[str, Any]:
    """What the modules of every page begin with."""
    return {
        "user": {"id": user.pk, "role": user.role, "timezone": user.timezone},
        "now": timezone.now(),
        "sign_in": settings.LOGIN_URL,
        "words": words(),
    }


def _data(user: User, shapes: list[Shape], following: str | None, thread: Shape | None) -> dict[str, Any]:
    """What the modules of the dashboard begin with."""
    return {
        **_words(user),
        "limits": {
            "max_chars": MAX_CHARS,
            "edit_seconds": settings.MESSAGE_EDIT_WINDOW,
            "file_bytes": settings.FILE_MAX_BYTES,
            "voice_seconds": VOICE_SECONDS,
            "page_messages": PAGE,
        },
        "sessions": shapes,
        "next": following,
        "thread": thread,
    }
