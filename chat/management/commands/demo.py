"""`manage.py demo`: the people and sessions of chat/demo.py. Runs as the owner of the tables, because talk of the past
cannot be sent through the services, which write the present."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from chat.demo import PASSWORD, PEOPLE, TALKS, Talk
from chat.models import Booking, ChatSession, Message, Participant, SessionState


class Command(BaseCommand):
    help = "Make the demo people and their sessions, unless they are there."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.filter(email=PEOPLE[0].email).exists():
            self.stdout.write("The demo people are there already.")
            return
        password = make_password(PASSWORD)
        people = {
            person.login: User.objects.create(
                email=person.email,
                display_name=person.name,
                password=password,
                role=person.role,
                language=person.language,
                timezone=person.timezone,
            )
            for person in PEOPLE
        }
        for talk in TALKS:
            _make(talk, people)
        self.stdout.write(f"Made {len(people)} people and {len(TALKS)} sessions.")


def _make(talk: Talk, people: dict[str, User]) -> None:
    now = timezone.now()
    first, last = (now - timedelta(hours=talk.lines[index][1]) for index in (0, -1))
    is_over = talk.status == "ended"
    booking = _booking(talk, people, first) if talk.kind == "booking" else None
    session = ChatSession.objects.create(
        type=talk.kind,
        status=talk.status,
        title=talk.service,
        booking=booking,
        active_at=last,
        created_at=first,
        updated_at=first,
        ended_at=last if is_over else None,
    )
    SessionState.objects.create(session=session)
    memberships = [
        Participant.objects.create(
            session=session,
            user=people[login],
            role_in_session=people[login].role if people[login].role in ("client", "reader") else "staff",
            joined_at=first,
        )
        for login in talk.people
    ]
    revision = SessionState.objects.get(pk=session.pk).revision  # a trigger has counted the members
    sent: list[Message] = []
    for login, hours, text, answers in talk.lines:
        revision += 1
        at = now - timedelta(hours=hours)
        sent.append(
            _message(session, people[login], text, at, len(sent) + 1, revision, sent[answers - 1] if answers else None)
        )
    last_sender = sent[-1].sender_id
    for membership in memberships:
        read = len(sent) if membership.user_id == last_sender else len(sent) - talk.unread
        membership.delivered_seq = len(sent)
        membership.seen_seq = membership.read_seq = read
        membership.save()


def _booking(talk: Talk, people: dict[str, User], at: datetime) -> Booking:
    client, reader = talk.people
    status = "completed" if talk.status == "ended" else "in_progress"
    return Booking.objects.create(
        client=people[client], reader=people[reader], service=talk.service, scheduled_at=at, status=status
    )


def _message(
    session: ChatSession, sender: User, text: str, at: datetime, seq: int, revision: int, reply_to: Message | None
) -> Message:
    salt = uuid4()
    request = "\x1f".join(part for part in ("text", str(reply_to.pk) if reply_to else "", text) if part)
    return Message.objects.create(
        id=uuid4(),
        session=session,
        sender=sender,
        seq=seq,
        revision=revision,
        type="text",
        content=text,
        reply_to=reply_to,
        salt=salt,
        request_hash=hashlib.sha256(f"{salt}{request}".encode()).digest(),
        created_at=at,
        published_at=at,
    )
