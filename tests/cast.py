"""The people of every test, and what they have: a client and a reader in a session, others who are in none of theirs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from accounts.identity import actor_of
from accounts.models import Login, User
from chat.models import Booking
from chat.services import session as sessions
from chat.services.participant import remove_participant
from samia_chat import actor
from samia_chat.actor import Actor

PASSWORD = "a long enough password"


@cache
def password_hash() -> str:
    return make_password(PASSWORD)


def as_system() -> Actor:
    return actor.system("test")


def make_person(name: str, role: str = "client") -> User:
    with actor.acting_as(as_system()), transaction.atomic():
        return User.objects.create(
            email=f"{name}@example.test", display_name=name.title(), role=role, password=password_hash()
        )


def make_login(person: User) -> Login:
    with actor.acting_as(actor_of(person, Actor())), transaction.atomic():
        return Login.objects.create(user=person, kind=Login.Kind.TOKEN, address="127.0.0.1")


def make_booking(client: User, reader: User | None, **fields: object) -> Booking:
    with actor.acting_as(as_system()), transaction.atomic():
        return Booking.objects.create(
            client=client, reader=reader, service="Celtic Cross", scheduled_at=timezone.now(), **fields
        )


def make_session(*people: User, kind: str = "general", title: str = "") -> UUID:
    """A session of these people, opened by the system."""
    with actor.acting_as(as_system()):
        return sessions.open_session(kind=kind, title=title, people=[person.pk for person in people])[0]


def set_state(session: UUID, *verbs: str) -> None:
    with actor.acting_as(as_system()):
        for verb in verbs:
            sessions.change_state(by=actor.current(), session_id=session, verb=verb, reason="test")


def remove(person: User, session: UUID) -> None:
    with actor.acting_as(as_system()):
        remove_participant(by=actor.current(), session_id=session, user_id=person.pk)


@dataclass
class World:
    """`session` is the client's and the reader's; `other` is client2's and reader2's, so foreign to both of them."""

    client: User
    client2: User
    reader: User
    reader2: User
    monitor: User
    admin: User
    super_admin: User
    booking: Booking
    session: UUID
    other: UUID

    @property
    def people(self) -> dict[str, User]:
        return {name: value for name, value in vars(self).items() if isinstance(value, User)}


def make_world() -> World:
    client, client2 = make_person("client"), make_person("client2")
    reader, reader2 = make_person("reader", "reader"), make_person("reader2", "reader")
    monitor, admin = make_person("monitor", "monitor"), make_person("admin", "admin")
    super_admin = make_person("super", "super_admin")
    booking = make_booking(client, reader)
    with actor.acting_as(as_system()):
        session = sessions.open_session(kind="booking", booking_id=booking.pk)[0]
    return World(
        client=client,
        client2=client2,
        reader=reader,
        reader2=reader2,
        monitor=monitor,
        admin=admin,
        super_admin=super_admin,
        booking=booking,
        session=session,
        other=make_session(client2, reader2),
    )
