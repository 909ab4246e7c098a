"""Sending over REST and inside a transaction: what is stored, numbered, announced, recorded; replays; refusals."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest
from django.db import transaction

from accounts.identity import actor_of
from chat.services import message as messages
from samia_chat.actor import Actor
from samia_chat.errors import NotFound
from tests.cast import World, remove, set_state
from tests.database import Truth
from tests.rest import Api


def test_a_message_is_stored_numbered_recorded_and_moves_the_senders_cursors(world: World, truth: Truth) -> None:
    api = Api(world.client)
    first, second = api.send(world.session, "مرحبا"), api.send(world.session, "again")
    assert (first.status, first.body["seq"], second.body["seq"]) == (201, 1, 2)
    assert (first.body["sender"], first.body["session"]) == (str(world.client.pk), str(world.session))
    row = truth.rows("SELECT * FROM chat_messages WHERE id = %s", first.body["id"])[0]
    assert (row["content"], row["status"], row["type"]) == ("مرحبا", "sent", "text")
    state = truth.rows("SELECT * FROM chat_session_state WHERE session_id = %s", world.session)[0]
    assert (state["last_seq"], state["revision"], state["members_revision"]) == (2, 4, 2)
    mine = truth.rows("SELECT * FROM chat_participants WHERE user_id = %s", world.client.pk)[0]
    assert (mine["delivered_seq"], mine["seen_seq"], mine["read_seq"], mine["own_ahead"]) == (2, 2, 2, 0)
    entry = truth.rows("SELECT * FROM chat_audit_logs WHERE record_id = %s", first.body["id"])[0]
    assert (entry["action"], entry["actor"], entry["session_id"]) == ("message.created", world.client.pk, world.session)
    assert "مرحبا" not in str(entry)
    assert entry["new_values"]["content_length"] == 5


def test_unread_is_arithmetic_also_when_one_writes_without_reading(world: World) -> None:
    client, reader = Api(world.client), Api(world.reader)

    def unread(api: Api) -> int:
        found: int = api.get(f"/chat/sessions/{world.session}").body["mine"]["unread"]
        return found

    client.send(world.session)
    client.send(world.session)
    assert (unread(client), unread(reader)) == (0, 2)
    reader.send(world.session)  # without having read the two before
    assert (unread(client), unread(reader)) == (1, 2)
    reader.send(world.session)
    client.send(world.session)
    assert (unread(client), unread(reader)) == (2, 3)
    answer = reader.put(f"/chat/sessions/{world.session}/read", {"up_to": 2, "kind": "read"})
    assert answer.body == {"delivered": 2, "seen": 2, "read": 2, "own_ahead": 2}
    assert unread(reader) == 1
    reader.put(f"/chat/sessions/{world.session}/read", {"up_to": 5, "kind": "read"})
    assert unread(reader) == 0


def test_the_same_request_again_answers_the_stored_message(world: World, truth: Truth) -> None:
    api, mine = Api(world.client), str(uuid4())
    first = api.send(world.session, "once", id=mine)
    again = api.send(world.session, "once", id=mine)
    assert (first.status, again.status) == (201, 200)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert again.body == first.body
    assert truth.one("SELECT count(*) FROM chat_messages") == 1


@pytest.mark.parametrize("change", ["edit", "delete", "end"])
def test_a_replay_stays_a_replay_after(change: str, world: World, truth: Truth) -> None:
    api, mine = Api(world.client), str(uuid4())
    api.send(world.session, "once", id=mine)
    if change == "edit":
        api.patch(f"/chat/messages/{mine}", {"content": "other words"})
    elif change == "delete":
        api.delete(f"/chat/messages/{mine}")
    else:
        set_state(world.session, "end")
    again = api.send(world.session, "once", id=mine)
    assert (again.status, again.body["id"]) == (200, mine)
    expected = {"edit": "other words", "delete": "", "end": "once"}
    assert again.body["content"] == expected[change]
    assert truth.one("SELECT count(*) FROM chat_messages") == 1


def test_an_id_that_is_taken_gives_nothing_away(world: World, truth: Truth) -> None:
    """Other words, another session, another sender, or a message the sender cannot see: one answer."""
    mine = str(uuid4())
    Api(world.client).send(world.session, "once", id=mine)
    third = uuid4()
    Api(world.client2).send(world.other, "foreign", id=third)
    attempts = [
        Api(world.client).send(world.session, "other words", id=mine),
        Api(world.reader).send(world.session, "once", id=mine),
        Api(world.client2).send(world.other, "once", id=mine),
        Api(world.client).send(world.session, "foreign", id=third),
    ]
    assert {(answer.status, answer.code) for answer in attempts} == {(409, "id_taken")}
    assert len({str(answer.body | {"request_id": ""}) for answer in attempts}) == 1
    assert truth.one("SELECT count(*) FROM chat_messages") == 2


def test_replays_do_not_count_against_the_rate(world: World, settings_of_limits: object) -> None:
    settings_of_limits(RATE_MESSAGES=2)  # type: ignore[operator]
    api, mine = Api(world.client), str(uuid4())
    assert api.send(world.session, "once", id=mine).status == 201
    for _ in range(5):
        assert api.send(world.session, "once", id=mine).status == 200
    assert api.send(world.session, "two").status == 201
    refused = api.send(world.session, "three")
    assert (refused.status, refused.code) == (429, "too_fast")
    assert 25 <= int(refused.headers["Retry-After"]) <= 30


def test_a_reply_stays_in_its_session(world: World, truth: Truth) -> None:
    api = Api(world.client)
    foreign = Api(world.client2).send(world.other, "foreign").body["id"]
    own = api.send(world.session, "own").body["id"]
    assert api.send(world.session, "yes", reply_to=own).body["reply_to"] == own
    for target in (foreign, str(uuid4())):
        refused = api.send(world.session, "no", reply_to=target)
        assert (refused.status, refused.code) == (400, "reply_unknown")
    assert truth.one("SELECT count(*) FROM chat_messages WHERE session_id = %s", world.session) == 2


def test_nothing_can_be_slipped_in_with_a_message(world: World, truth: Truth) -> None:
    forged = {
        "seq": 99,
        "revision": 99,
        "status": "approved",
        "sender": str(world.reader.pk),
        "created_at": "2020-01-01",
        "deleted_at": None,
        "file": str(uuid4()),
        "role": "admin",
        "metadata": {"x": 1},
    }
    for name, value in forged.items():
        answer = Api(world.client).send(world.session, "hello", **{name: value})
        assert (answer.status, answer.code) == (400, "invalid"), name
        assert name in answer.body["errors"]
    assert Api(world.client).send(world.session, "hello", type="system").status == 400
    assert truth.one("SELECT count(*) FROM chat_messages") == 0


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "invalid"),
        ("   \n\t ", "empty_message"),
        ("\u200b", None),
        ("x" * 5000, None),
        ("x" * 5001, "invalid"),
        ("a\x00b", "invalid"),
        (["a"], "invalid"),
        ({"$ne": ""}, "invalid"),
        (7, "invalid"),
        (None, "invalid"),
        (True, "invalid"),
    ],
)
def test_a_text_is_a_text(content: object, code: str | None, world: World) -> None:
    answer = Api(world.client).post(f"/chat/sessions/{world.session}/messages", {"content": content})
    assert answer.code == code
    assert answer.status == (201 if code is None else 400)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"text"',
        b"",
        b'{"content": "a", "content"}',
        b'{"content": "\xff\xfe"}',
        b'{"content": "\\ud800"}',
        b'{"content": NaN}',
        b"[" * 5000,
        b'{"content": ' + b'{"a":' * 2000 + b"1" + b"}" * 2001,
    ],
)
def test_what_is_no_json_object_is_refused(body: bytes, world: World, truth: Truth) -> None:
    answer = Api(world.client).request("POST", f"/chat/sessions/{world.session}/messages", body)
    assert answer.status == 400, answer.body
    assert answer.code in ("malformed", "invalid")
    assert truth.one("SELECT count(*) FROM chat_messages") == 0


def test_a_body_beyond_the_limit_is_too_large(world: World) -> None:
    answer = Api(world.client).request(
        "POST", f"/chat/sessions/{world.session}/messages", b'{"content": "' + b"x" * 13_000_000 + b'"}'
    )
    assert (answer.status, answer.code) == (413, "too_large")


def test_another_type_than_json_is_refused(world: World) -> None:
    api = Api(world.client)
    response = api._client.post(
        f"/api/chat/sessions/{world.session}/messages", {"content": "form"}, headers=api.headers
    )
    assert response.status_code == 415
    assert response.headers["Content-Type"] == "application/problem+json"


def test_the_flat_form_is_the_same_service(world: World) -> None:
    api = Api(world.client)
    sent = api.post("/chat/messages", {"session": world.session, "content": "flat"})
    assert sent.status == 201
    assert api.get(f"/chat/messages/{world.session}").body["results"] == [sent.body]
    assert api.put("/chat/read", {"session": world.session, "up_to": 1}).body["read"] == 1


def test_a_message_of_a_transaction_that_fails_was_never_sent(world: World, truth: Truth) -> None:
    who = actor_of(world.client, Actor())

    @transaction.atomic
    def send_and_fail() -> None:
        messages.send_message(sender=who, session_id=world.session, content="never")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        send_and_fail()
    assert truth.one("SELECT count(*) FROM chat_messages") == 0
    assert truth.one("SELECT last_seq FROM chat_session_state WHERE session_id = %s", world.session) == 0
    assert messages.send_message(sender=who, session_id=world.session, content="first").message["seq"] == 1


def test_an_ex_member_and_a_closed_account_send_nothing(world: World, truth: Truth) -> None:
    api = Api(world.client)
    truth.rows("UPDATE accounts_user SET is_active = false WHERE id = %s", world.client.pk)
    assert api.send(world.session).status == 401
    truth.rows("UPDATE accounts_user SET is_active = true WHERE id = %s", world.client.pk)
    remove(world.client, world.session)
    assert Api(world.client).send(world.session).status == 404


def test_the_newest_activity_moves_a_session_up_at_most_once_a_minute(world: World, truth: Truth) -> None:
    def active_at() -> object:
        return truth.one("SELECT active_at FROM chat_sessions WHERE id = %s", world.session)

    def talk_ago(interval: str) -> None:
        truth.rows(
            "UPDATE chat_session_state SET last_message_at = clock_timestamp() - %s::interval WHERE session_id = %s",
            interval,
            world.session,
        )

    opened = active_at()
    api = Api(world.client)
    api.send(world.session)
    first = active_at()
    assert first > opened  # type: ignore[operator]
    talk_ago("0 seconds")  # in the minute of the next one, but for the turn of a minute, when it may move
    minute = truth.one("SELECT date_trunc('minute', clock_timestamp())")
    api.send(world.session)
    assert active_at() == first or truth.one("SELECT date_trunc('minute', clock_timestamp())") != minute
    talk_ago("2 minutes")
    before = active_at()
    api.send(world.session)
    assert active_at() > before  # type: ignore[operator]


@pytest.mark.parametrize(
    "columns",
    [
        {"type": "sticker"},
        {"status": "unknown"},
        {"status": "pending_approval"},  # it has a number
        {"seq": None},
        {"revision": None},
        {"sender_id": None},
        {"content": ""},
        {"content": "x" * 5001},
        {"status": "deleted", "content": ""},  # when?
        {"status": "deleted", "deleted_at": "2026-01-01T00:00:00Z"},  # and yet it speaks
        {"deleted_at": "2026-01-01T00:00:00Z"},
        {"type": "audio", "content": ""},  # of what?
    ],
    ids=str,
)
def test_a_message_that_makes_no_sense_is_refused_by_the_database(
    columns: dict[str, object], world: World, truth: Truth
) -> None:
    sound: dict[str, object] = {
        "id": uuid4(),
        "session_id": world.session,
        "sender_id": world.client.pk,
        "seq": 1,
        "revision": 3,
        "type": "text",
        "status": "sent",
        "content": "x",
        "request_hash": b"",
        "salt": uuid4(),
    }

    def insert(values: dict[str, object]) -> None:
        names, places = ", ".join(values), ", ".join("%s" for _ in values)
        truth.rows(f"INSERT INTO chat_messages ({names}) VALUES ({places})", *values.values())

    with pytest.raises(psycopg.errors.CheckViolation):
        insert(sound | columns)
    insert(sound)


@pytest.mark.parametrize(
    "change",
    [
        "role_in_session = 'guest'",
        "read_seq = 1",
        "seen_seq = 1",
        "read_seq = -1, seen_seq = -1, delivered_seq = -1",
        "own_ahead = -1",
    ],
)
def test_cursors_out_of_order_are_refused_by_the_database(change: str, world: World, truth: Truth) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        truth.rows(f"UPDATE chat_participants SET {change} WHERE session_id = %s", world.session)


@pytest.mark.parametrize(("seq", "revision"), [(0, 3), (2, 3), (1, 2), (1, 4), (None, 3)])
def test_nobody_numbers_a_message_otherwise_than_next_in_line(
    seq: int | None, revision: int, world: World, truth: Truth
) -> None:
    """Not the superuser in a shell either: two members have moved the revision to 2."""
    insert = (
        "INSERT INTO chat_messages (id, session_id, sender_id, seq, revision, type, status, content, request_hash, salt)"
        " VALUES (gen_random_uuid(), %s, %s, %s, %s, 'text', 'sent', 'x', sha256(''), gen_random_uuid())"
    )
    with pytest.raises(psycopg.errors.CheckViolation):
        truth.rows(insert, world.session, world.client.pk, seq, revision)
    assert truth.one("SELECT count(*) FROM chat_messages") == 0
    truth.rows(insert, world.session, world.client.pk, 1, 3)
    assert truth.rows("SELECT last_seq, revision FROM chat_session_state WHERE session_id = %s", world.session) == [
        {"last_seq": 1, "revision": 3}
    ]


def test_an_outsider_does_not_hold_a_session_up(world: World, truth: Truth) -> None:
    """His attempt is refused before the lock on its counters, so members never wait for his transaction."""
    who = actor_of(world.client2, Actor())
    with transaction.atomic():
        with pytest.raises(NotFound):
            messages.send_message(sender=who, session_id=world.session, content="let me in")
        locked = truth.rows(
            "SELECT session_id FROM chat_session_state WHERE session_id = %s FOR UPDATE SKIP LOCKED", world.session
        )
        assert locked == [{"session_id": world.session}]
