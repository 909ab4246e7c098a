"""One person of each role, and how he stands to five sessions. What the tables of the matrix tests speak of."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID, uuid4

from django.db import connection, transaction

from accounts.identity import actor_of
from accounts.models import User
from chat.models import Booking, Message
from chat.services import message as messages
from samia_chat import actor
from samia_chat.actor import Actor
from tests.cast import make_booking, make_person, make_session, remove, set_state
from tests.database import Truth

RELATIONS = ("own", "other", "left", "ended", "archived")
ROLES = ("client", "reader", "monitor", "admin", "super_admin")


@dataclass
class Standing:
    """One session: who else is in it, and a message of each."""

    session: UUID
    partner: User
    mine: UUID | None  # his message; None where he never was
    theirs: UUID  # the partner's
    file: UUID  # of the partner, published
    held: UUID  # of the partner, not published
    own_file: UUID  # of the person, not published
    gone: UUID  # of the partner, deleted after it was published
    next_seq: int = 0  # of a message that would come now, with its revision
    next_revision: int = 0


@dataclass
class Subject:
    """The person whose rights are tried, and the sessions he stands to."""

    person: User
    stranger: User
    own_booking: Booking
    other_booking: Booking
    # Whose → the picture that he has, and the one that he had.
    pictures: dict[str, UUID] = field(default_factory=dict)
    former_pictures: dict[str, UUID] = field(default_factory=dict)
    to: dict[str, Standing] = field(default_factory=dict)

    @property
    def who(self) -> Actor:
        return actor_of(self.person, Actor())


def make_subject(role: str, truth: Truth) -> Subject:
    person, partner = make_person(f"the-{role}", role), make_person("partner")
    stranger = make_person("stranger", "reader")
    subject = Subject(
        person=person,
        stranger=stranger,
        # Staff are party to no booking: both are foreign to them.
        own_booking=make_booking(partner, person) if role != "client" else make_booking(person, stranger),
        other_booking=make_booking(partner, stranger),
    )
    for relation in RELATIONS:
        members = (partner, stranger) if relation == "other" else (partner, person)
        session = make_session(*members)
        subject.to[relation] = Standing(
            session=session,
            partner=partner,
            mine=None if relation == "other" else _message(truth, session, person),
            theirs=_message(truth, session, partner),
            file=_file(truth, session, partner, is_published=True),
            held=_file(truth, session, partner),
            own_file=_file(truth, session, person),
            gone=_file(truth, session, partner, is_published=True, is_deleted=True),
        )
    for name, whose in (("own", person), ("partner's", partner), ("stranger's", stranger)):
        subject.former_pictures[name], subject.pictures[name] = _picture(truth, whose), _picture(truth, whose)
        for picture in (subject.former_pictures[name], subject.pictures[name]):
            truth.rows("UPDATE accounts_user SET avatar = %s WHERE id = %s", picture, whose.pk)
    remove(person, subject.to["left"].session)
    set_state(subject.to["ended"].session, "end")
    set_state(subject.to["archived"].session, "end", "archive")
    for standing in subject.to.values():
        standing.next_seq, standing.next_revision = _next(truth, standing.session)
    return subject


def _next(truth: Truth, session: UUID) -> tuple[int, int]:
    row = truth.rows("SELECT last_seq, revision FROM chat_session_state WHERE session_id = %s", session)[0]
    return row["last_seq"] + 1, row["revision"] + 1


def _message(truth: Truth, session: UUID, sender: User) -> UUID:
    """A message with a former text. Written by the superuser where the sender's role may not send (monitor)."""
    sent = truth.one(
        """
        INSERT INTO chat_messages (id, session_id, sender_id, seq, revision, type, status, content, request_hash, salt)
        VALUES (%s, %s, %s, %s, %s, 'text', 'sent', 'first', sha256(''), gen_random_uuid()) RETURNING id
        """,
        uuid4(),
        session,
        sender.pk,
        *_next(truth, session),
    )
    truth.rows("UPDATE chat_session_state SET revision = revision + 1 WHERE session_id = %s", session)
    truth.rows("UPDATE chat_messages SET content = 'second', revision = revision + 1 WHERE id = %s", sent)
    truth.rows("INSERT INTO chat_plays (message_id, session_id, user_id) VALUES (%s, %s, %s)", sent, session, sender.pk)
    return sent


def _file(truth: Truth, session: UUID, owner: User, *, is_published: bool = False, is_deleted: bool = False) -> UUID:
    file: UUID = truth.one(
        """
        INSERT INTO chat_files (session_id, owner_id, purpose, key, original_name, content_type, size_bytes, sha256, state)
        VALUES (%s, %s, 'attachment', %s, 'a.png', 'image/png', 1, sha256(''), 'ready') RETURNING id
        """,
        session,
        owner.pk,
        str(uuid4()),
    )
    # As the triggers of its message write it.
    truth.rows("UPDATE chat_files SET is_published = %s WHERE id = %s", is_published, file)
    if is_deleted:
        truth.rows("UPDATE chat_files SET state = 'deleted', deleted_at = now() WHERE id = %s", file)
    return file


def _picture(truth: Truth, owner: User) -> UUID:
    picture: UUID = truth.one(
        """
        INSERT INTO chat_files (owner_id, purpose, key, original_name, content_type, size_bytes, sha256, state)
        VALUES (%s, 'avatar', %s, 'picture.jpg', 'image/jpeg', 1, sha256(''), 'ready') RETURNING id
        """,
        owner.pk,
        str(uuid4()),
    )
    return picture


def attempt(who: Actor, query: str, *arguments: object) -> int | str:
    """Run a statement in a transaction of that actor's, and take it back: the number of rows, or the error's name."""
    from django.db import Error

    with actor.acting_as(who):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(query, arguments or None)
                count = len(cursor.fetchall()) if cursor.description else cursor.rowcount
                transaction.set_rollback(True)
                return count
        except Error as error:
            return type(error.__cause__).__name__


def send_as(person: User, session: UUID, content: str = "hello", **fields: object) -> Message:
    """Send through the service, as that person; the row."""
    who = actor_of(person, Actor())
    sent = messages.send_message(sender=who, session_id=session, content=content, **fields)  # type: ignore[arg-type]
    with actor.acting_as(actor.system("test")), transaction.atomic():
        return Message.objects.get(pk=sent.message["id"])
