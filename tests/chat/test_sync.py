"""Sync in parts: many sessions in slices, much text in several answers; each part goes on, and together they are all."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.identity import actor_of
from accounts.models import User
from chat.services import sync as service
from chat.services.message import send_message
from chat.services.sync import Held, sync
from samia_chat import actor
from samia_chat.actor import Actor
from samia_chat.limits import limiter
from samia_chat.realtime.events import encode
from tests.cast import World, make_session, remove
from tests.chat.filling import fill
from tests.chat.model_client import ModelClient
from tests.database import Truth
from tests.rest import Api

Answer = dict[str, Any]
# BEGIN, everything, COMMIT. Who acts is said with BEGIN.
SYNC = 3


def ask(person: User, held: dict[str, int], after: str | None = None, up_to: str | None = None) -> Answer:
    named = Held(
        {UUID(session): revision for session, revision in held.items()},
        after=UUID(after) if after else None,
        up_to=UUID(up_to) if up_to else None,
    )
    with actor.acting_as(actor_of(person, Actor())):
        answer = sync(viewer=person, held=named)
    return msgspec.json.decode(encode(answer))  # type: ignore[no-any-return]


def is_unfinished(answer: Answer) -> bool:
    return bool(answer["more"] or any(entry["more"] for entry in answer["sessions"]))


def level(client: ModelClient) -> list[Answer]:
    """Ask as docs/asyncapi.yaml says, until nothing is left; the answers. Each that says `more` has moved something on."""
    answers: list[Answer] = []
    after: str | None = None
    while True:
        named, up_to = client.slice(after)
        answers.append(ask(client.person, named, after, up_to))
        before = {session: held.revision for session, held in client.sessions.items()}
        client.merge(answers[-1])
        if is_unfinished(answers[-1]):
            assert before != {session: held.revision for session, held in client.sessions.items()}
        elif up_to is None:
            return answers
        else:
            after = up_to


def say(person: User, session: UUID, *texts: str) -> None:
    for text in texts:
        with actor.acting_as(actor_of(person, Actor())):
            send_message(sender=actor.current(), session_id=session, content=text)
    limiter.reset()


def held_rows(truth: Truth, person: User) -> dict[str, list[str]]:
    """The sessions of somebody, with the ids of their messages in order."""
    rows = truth.rows(
        """
        SELECT p.session_id::text AS session, array_remove(array_agg(m.id::text ORDER BY m.seq), NULL) AS messages
          FROM chat_participants p LEFT JOIN chat_messages m ON m.session_id = p.session_id
         WHERE p.user_id = %s AND p.left_at IS NULL GROUP BY p.session_id
        """,
        person.pk,
    )
    return {row["session"]: row["messages"] for row in rows}


@pytest.mark.parametrize("max_named", [1, 2, 3, 1000])
def test_more_sessions_than_can_be_named(
    world: World, truth: Truth, monkeypatch: pytest.MonkeyPatch, max_named: int
) -> None:
    monkeypatch.setattr(service, "MAX_SESSIONS", 2)
    sessions = [world.session, *(make_session(world.client, world.reader) for _ in range(6))]
    client = ModelClient(world.client, max_named=max_named)
    level(client)
    assert set(client.sessions) == {str(session) for session in sessions}
    lost = make_session(world.client, world.reader, world.reader2)
    level(client)
    assert str(lost) in client.sessions
    # Changed, new and lost ones lie in one slice or another.
    say(world.reader, sessions[0], "one")
    say(world.reader, sessions[5], "two", "three")
    remove(world.client, lost)
    make_session(world.client, world.reader2)
    level(client)
    assert {name: list(held.messages) for name, held in client.sessions.items()} == held_rows(truth, world.client)
    (answer,) = level(client) if max_named == 1000 else [{"sessions": []}]
    assert answer["sessions"] == []


def test_a_slice_says_nothing_of_what_is_outside_of_it(world: World) -> None:
    sessions = sorted(str(make_session(world.client, world.reader)) for _ in range(3))
    first, second, third = sessions
    answer = ask(world.client, {}, after=first, up_to=second)
    assert [entry["session"]["id"] for entry in answer["sessions"]] == [second]
    # What is named besides is not meant: neither answered nor called gone.
    answer = ask(world.client, {first: 0, second: 10**6, third: 0}, after=first, up_to=second)
    assert [entry["reset"] for entry in answer["sessions"]] == [True]
    assert answer["gone"] == []
    api = Api(world.client)
    over_rest = api.post("/chat/sync", {"sessions": {}, "after": first, "up_to": second}).body
    assert [entry["session"]["id"] for entry in over_rest["sessions"]] == [second]
    assert api.post("/chat/sync", {"sessions": {}, "after": "first"}).status == 400


def test_an_answer_holds_so_many_messages_and_so_much_text(world: World, truth: Truth) -> None:
    """Fifty threads that are new to the client, with a page of the longest messages each: 50 MB of text."""
    for _ in range(8):
        fill(truth, make_session(world.client, world.reader), world.reader, 60, "\N{CRYSTAL BALL}" * 5000)
    for _ in range(20):
        fill(truth, make_session(world.client, world.reader), world.reader, 60, "short")
    client = ModelClient(world.client)
    answers = level(client)
    for answer in answers:
        messages = [message for entry in answer["sessions"] for message in entry["messages"]]
        assert len(messages) <= service.MAX_MESSAGES
        assert len(encode(answer)) < 1.5 * service.MAX_TEXT
        # A thread that is new begins with its page, in whatever answer that comes.
        assert all(len(entry["messages"]) in (0, service.PAGE) for entry in answer["sessions"])
    assert len(client.sessions) == 29
    assert len(answers) == 11, "one for each of the long ones, and of the short ones ten in one"


def test_a_long_absence_comes_in_parts(world: World, truth: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_MESSAGES", 5)
    monkeypatch.setattr(service, "MAX_TEXT", 40)
    monkeypatch.setattr(service, "PAGE", 3)
    other = make_session(world.client, world.reader)
    client = ModelClient(world.client)
    level(client)
    for number in range(8):
        say(world.reader, world.session, f"a word, and that was number {number}", "x")
        say(world.reader, other, "y" * number * 10 + ".")
    answers = level(client)
    assert {name: list(held.messages) for name, held in client.sessions.items()} == held_rows(truth, world.client)
    assert len(answers) > 8
    for answer in answers:
        assert sum(len(entry["messages"]) for entry in answer["sessions"]) <= 5


def test_of_a_page_of_changes_one_stands_at_its_last(
    world: World, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where that message changes again before its text is read: what lies between is not skipped."""
    monkeypatch.setattr(service, "MAX_TEXT", 0)
    client = ModelClient(world.client)
    level(client)
    say(world.reader, world.session, "one", "two", "three", "four")
    whole = service._with_messages

    def edited_meanwhile(entries: list[Answer]) -> list[Answer]:
        truth.without_triggers("UPDATE chat_messages SET revision = 99 WHERE content = 'one'")
        truth.without_triggers("UPDATE chat_session_state SET revision = 99 WHERE session_id = %s", world.session)
        return whole(entries)

    monkeypatch.setattr(service, "_with_messages", edited_meanwhile)
    answers = level(client)
    assert [entry["revision"] for answer in answers for entry in answer["sessions"]] == [3, 4, 5, 6, 99]
    texts = {message["content"] for message in client.sessions[str(world.session)].messages.values()}
    assert texts == {"one", "two", "three", "four"}


def test_a_text_is_read_when_it_is_known_to_fit(world: World, truth: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes after the bounds is left where it lies, and read by a second query if there is room for it after all."""
    long, short = make_session(world.client, world.reader), make_session(world.client, world.reader)
    held = {str(session): 2 for session in (world.session, long, short)}
    say(world.reader, short, "a word")
    say(world.reader, long, "x", "y" * 300, "z" * 300)
    say(world.reader, world.session, "x")
    rows = found_by(world.client, held, max_text=100)
    assert [row["content"] for row in rows["waiting"]] == ["x", "x"]
    assert [row["size"] for row in rows["further"]] == [300, 300, 6]
    assert all("content" not in row for row in rows["further"])
    monkeypatch.setattr(service, "MAX_TEXT", 400)  # the last messages of the three sessions, and little more
    with CaptureQueriesContext(connection) as captured:
        answer = ask(world.client, held)
    texts = {
        entry["session"]["id"]: [message["content"] for message in entry["messages"]] for entry in answer["sessions"]
    }
    assert texts == {str(world.session): ["x"], str(long): ["x"], str(short): ["a word"]}
    assert [entry["more"] for entry in answer["sessions"]] == [False, True, False]
    assert len(captured) == SYNC + 1


def found_by(person: User, held: dict[str, int], *, max_text: int) -> Answer:
    """The messages that the database gives for an answer."""
    with actor.acting_as(actor_of(person, Actor())), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT app.sync(%s, NULL, NULL, 50, 500, %s, 50)::text", [msgspec.json.encode(held).decode(), max_text]
        )
        return msgspec.json.decode(cursor.fetchone()[0])["entries"]["messages"]  # type: ignore[no-any-return]


def test_an_answer_is_one_query_whatever_is_in_it(world: World) -> None:
    def queries(held: dict[str, int]) -> int:
        with CaptureQueriesContext(connection) as captured:
            ask(world.client, held)
        return len(captured)

    ask(world.client, {})  # the connection is there
    assert queries({}) == queries({str(world.session): 2}) == SYNC
    for _ in range(3):
        session = make_session(world.client, world.reader)
        say(world.reader, session, *"abc")
    assert queries({}) == queries({str(world.session): 0}) == SYNC


def test_one_connection_answers_everybody_what_is_his(world: World) -> None:
    """The plan that a connection keeps is made for one person's rights; it is not another's."""
    say(world.client, world.session, "a secret")
    backends = set()
    for _ in range(2):
        for person, seen in (
            *(
                (world.client, [world.session]),
                (world.admin, [world.session, world.other]),
                (world.client2, [world.other]),
            ),
            *(
                (world.monitor, [world.session, world.other]),
                (world.reader, [world.session]),
                (world.reader2, [world.other]),
            ),
        ):
            answer = ask(person, {str(world.session): 0, str(world.other): 0})
            assert {entry["session"]["id"] for entry in answer["sessions"]} == {str(session) for session in seen}
            assert sorted(answer["gone"]) == sorted({str(world.session), str(world.other)} - {str(s) for s in seen})
            backends.add(connection.connection.info.backend_pid)
    assert len(backends) == 1
