"""Who is in a session: staff add and remove; everybody mutes for himself."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from chat import frames
from chat.access import PARTICIPANTS, SESSIONS
from chat.errors import LastMember, UnknownPerson, WrongSessionState
from chat.models import ChatSession, Participant, Person
from chat.services.session import lock_state
from chat.shapes import participant_shape
from samia_chat import realtime
from samia_chat.access import Person as Asker
from samia_chat.errors import Forbidden, NotFound
from samia_chat.roles import Role

OVER = (ChatSession.Status.ENDED, ChatSession.Status.ARCHIVED)


@transaction.atomic
def add_participant(*, by: Asker, session_id: UUID, user_id: UUID) -> tuple[Participant, bool]:
    """Make somebody a member, or bring him back. He sees the session from its first message; nothing of it is unread.

    Returns the membership and whether anything changed. Everybody in it is told. Raises NotFound, Forbidden,
    UnknownPerson, WrongSessionState.
    """
    session = _session_for(by, "add", session_id)
    state = lock_state(session_id)
    person = User.objects.filter(pk=user_id, is_active=True).first()
    if person is None:
        raise UnknownPerson
    membership = Participant.objects.filter(session_id=session_id, user_id=user_id).first()
    if membership is not None and membership.left_at is None:
        return membership, False
    session.refresh_from_db(fields=["status"])
    if session.status in OVER:
        raise WrongSessionState
    joining: dict[str, Any] = {
        "role_in_session": _role_in_session(person),
        "joined_at": timezone.now(),
        "left_at": None,
        "own_ahead": 0,
        **dict.fromkeys(("delivered_seq", "seen_seq", "read_seq"), state.last_seq),
    }
    if membership is None:
        membership = Participant.objects.create(session_id=session_id, user_id=user_id, **joining)
    else:
        for name, value in joining.items():
            setattr(membership, name, value)
        membership.save(update_fields=list(joining))
    state.refresh_from_db()  # the trigger moved the revision
    shape = participant_shape(membership, Person.objects.filter(pk=user_id).first())
    realtime.publish(frames.participant_added(session_id, shape, revision=state.revision))
    return membership, True


@transaction.atomic
def remove_participant(*, by: Asker, session_id: UUID, user_id: UUID) -> bool:
    """End a membership: access ends with the commit, his sockets hear within a second. False if he was no member.

    Raises NotFound, Forbidden, LastMember.
    """
    session = _session_for(by, "change", session_id)
    state = lock_state(session_id)
    members = list(Participant.objects.filter(session_id=session_id, left_at__isnull=True))
    membership = next((member for member in members if member.user_id == user_id), None)
    if membership is None:
        if not Participant.objects.filter(session_id=session_id, user_id=user_id).exists():
            raise NotFound
        return False
    session.refresh_from_db(fields=["status"])
    if len(members) == 1 and session.status not in OVER:
        raise LastMember
    membership.left_at = timezone.now()
    membership.save(update_fields=["left_at"])
    state.refresh_from_db()  # the trigger moved the revision
    realtime.publish(frames.participant_removed(session_id, user_id, revision=state.revision))
    return True


@transaction.atomic
def mute(*, user_id: UUID, session_id: UUID, until: datetime | None) -> Participant:
    """Mute a session for oneself until a time, or no longer. Raises NotFound."""
    membership = Participant.objects.filter(session_id=session_id, user_id=user_id, left_at__isnull=True).first()
    if membership is None:
        raise NotFound
    if membership.muted_until != until:
        membership.muted_until = until
        membership.save(update_fields=["muted_until"])
    return membership


def _session_for(by: Asker, action: str, session_id: UUID) -> ChatSession:
    """A session whose members `by` may change. Raises NotFound, Forbidden."""
    session: ChatSession = SESSIONS.get(by, "view", pk=session_id)
    rule = PARTICIPANTS.rule(by, action)
    if rule is None or rule.name != "anyone":
        raise Forbidden
    return session


def _role_in_session(person: User) -> str:
    return person.role if person.role in (Role.CLIENT, Role.READER) else Participant.Role.STAFF
