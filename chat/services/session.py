"""Opening sessions, their states, and what staff's reading of them leaves on record."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from chat import frames
from chat.access import SESSIONS
from chat.errors import ReasonNeeded, WrongSessionState, raise_for
from chat.models import ChatSession, Participant, Person, SessionState
from chat.shapes import participant_shape, session_event_shape
from samia_chat import actor, realtime
from samia_chat.access import Person as Asker
from samia_chat.access import is_staff
from samia_chat.errors import Forbidden, NotFound

NEEDS_REASON = frozenset({"lock", "unlock"})


@transaction.atomic
def open_session(
    *, kind: str, title: str = "", booking_id: UUID | None = None, people: list[UUID] | None = None
) -> tuple[UUID, bool]:
    """Open a session with its members. Returns its id, and False where the booking's live session was there already.

    A booking's session is opened by one of its parties or staff, support by anybody with staff, the rest by staff
    (app.open_session decides). A reader who has taken the booking over since enters the live one, and everybody in it is
    told. New members' sockets hear of it by notice. Raises NotFound, Forbidden, NoReader, BookingCancelled, NoStaff,
    UnknownPerson.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT code, session_id, joined FROM app.open_session(%s, %s, %s, %s::uuid[])",
            [kind, title, booking_id, people or []],
        )
        code, session_id, joined = cursor.fetchone()
    raise_for(code)
    if joined is not None:
        _tell_of_joining(session_id, joined)
    return session_id, code == "ok"


def _tell_of_joining(session_id: UUID, user_id: UUID) -> None:
    membership = Participant.objects.get(session_id=session_id, user_id=user_id)
    shape = participant_shape(membership, Person.objects.filter(pk=user_id).first())
    # The counters are locked since he joined, so that this revision is his joining's.
    revision = SessionState.objects.get(pk=session_id).revision
    realtime.publish(frames.participant_added(session_id, shape, revision=revision))


@transaction.atomic
def change_state(*, by: Asker, session_id: UUID, verb: str, reason: str = "") -> ChatSession:
    """Pause, resume, lock, unlock, end or archive a session. A verb repeated writes nothing and is no error.

    Locking needs a reason. Everybody in the session is told. Raises NotFound, Forbidden, WrongSessionState, ReasonNeeded.
    """
    SESSIONS.get(by, verb, pk=session_id)
    if verb in NEEDS_REASON and not reason.strip():
        raise ReasonNeeded
    with actor.acting_as(actor.current().because(reason.strip())), connection.cursor() as cursor:
        cursor.execute("SELECT code, revision, members_revision FROM app.change_session(%s, %s)", [session_id, verb])
        code, revision, members_revision = cursor.fetchone()
    raise_for(code)
    session = ChatSession.objects.get(pk=session_id)
    if code == "ok":
        realtime.publish(
            frames.session_updated(session_event_shape(session), revision=revision, members_revision=members_revision)
        )
    return session


@transaction.atomic
def update_session(*, by: Asker, session_id: UUID, **changes: Any) -> ChatSession:
    """Change a session's title. Everybody in it is told. Raises NotFound, Forbidden."""
    SESSIONS.get(by, "change", pk=session_id)
    state = lock_state(session_id)
    session = ChatSession.objects.get(pk=session_id)
    if all(getattr(session, name) == value for name, value in changes.items()):
        return session
    for name, value in changes.items():
        setattr(session, name, value)
    session.updated_at = timezone.now()
    session.save(update_fields=[*changes, "updated_at"])
    revision = next_revision(state)
    realtime.publish(
        frames.session_updated(session_event_shape(session), revision=revision, members_revision=state.members_revision)
    )
    return session


def lock_state(session_id: UUID) -> SessionState:
    """Lock a session's counters: first step of whatever changes something in it. Raises NotFound.

    One that is seen but may not be changed gives Forbidden: PostgreSQL locks only rows that the actor may update.
    """
    state = SessionState.objects.select_for_update().filter(pk=session_id).first()
    if state is None:
        raise Forbidden if SessionState.objects.filter(pk=session_id).exists() else NotFound
    return state


def next_revision(state: SessionState) -> int:
    """Move the session's revision on by one. The state row is locked."""
    state.revision += 1
    state.save(update_fields=["revision"])
    return state.revision


def may_look(person: Asker, session_id: UUID) -> ChatSession:
    """A session whose content the person reads. Staff who are not in it leave a record.

    Raises NotFound, and WrongSessionState for members of an archived one, which only staff read.
    """
    session: ChatSession = SESSIONS.get(person, "view", pk=session_id)
    refuse_archived(person, session.status)
    record_looks(person, [session_id])
    return session


def refuse_archived(person: Asker, status: str) -> None:
    """Raises WrongSessionState for members of an archived session, whose content only staff read."""
    if status == ChatSession.Status.ARCHIVED and not is_staff(person):
        raise WrongSessionState


def record_looks(person: Asker, session_ids: list[UUID]) -> None:
    """Record that staff read the content of sessions they are not in: once per person, session and 15 minutes."""
    if is_staff(person) and session_ids:
        with connection.cursor() as cursor:
            cursor.execute("SELECT app.record_looks(%s::uuid[])", [session_ids])
