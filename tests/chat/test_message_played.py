"""Played: a voice message that a member has heard."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from accounts.identity import actor_of
from accounts.models import User
from samia_chat import actor
from samia_chat.actor import Actor
from tests.cast import World, remove, set_state
from tests.database import Truth
from tests.device import Device
from tests.rest import Api, in_thread


def voice_message(truth: Truth, session: UUID, sender: User) -> UUID:
    """One that is published. Written by the superuser, past the upload and its approval."""
    file = truth.one(
        """
        INSERT INTO chat_files (session_id, owner_id, purpose, key, original_name, content_type, size_bytes, sha256, state)
        VALUES (%s, %s, 'voice', %s, 'a.webm', 'audio/webm', 1, sha256(''), 'ready') RETURNING id
        """,
        session,
        sender.pk,
        str(uuid4()),
    )
    return truth.one(
        """
        INSERT INTO chat_messages (
          id, session_id, sender_id, seq, revision, type, status, content, file_id, request_hash, salt)
        SELECT %s, session_id, %s, last_seq + 1, revision + 1, 'audio', 'sent', '', %s, sha256(''), gen_random_uuid()
          FROM chat_session_state WHERE session_id = %s
        RETURNING id
        """,
        uuid4(),
        sender.pk,
        file,
        session,
    )


def plays(truth: Truth) -> list[UUID]:
    return [row["user_id"] for row in truth.rows("SELECT user_id FROM chat_plays")]


@pytest.mark.parametrize("state", [(), ("pause",), ("lock",), ("end",)])
def test_a_member_has_played_it_once_while_the_session_can_be_read(
    state: tuple[str, ...], world: World, truth: Truth
) -> None:
    message = voice_message(truth, world.session, world.client)
    set_state(world.session, *state)
    for _ in range(2):
        answer = Api(world.reader).put(f"/chat/messages/{message}/played")
        assert (answer.status, answer.body["id"]) == (200, str(message))
    assert plays(truth) == [world.reader.pk]


@pytest.mark.parametrize("role", ["monitor", "admin", "super_admin"])
def test_staff_who_look_in_play_nothing(role: str, world: World, truth: Truth) -> None:
    message = voice_message(truth, world.session, world.client)
    who = world.people[role]
    answer = Api(who).put(f"/chat/messages/{message}/played")
    assert (answer.status, answer.code) == (403, "forbidden")
    assert "content" not in answer.body
    assert plays(truth) == []


def test_neither_do_former_members_nor_members_of_an_archived_session(world: World, truth: Truth) -> None:
    message = voice_message(truth, world.session, world.client)
    path = f"/chat/messages/{message}/played"
    admin = Api(world.admin)
    admin.post(f"/chat/sessions/{world.session}/participants", {"user": world.admin.pk})
    assert admin.put(path).status == 200
    set_state(world.session, "end", "archive")
    refused = admin.put(path)
    assert (refused.status, refused.code) == (409, "session_state")
    assert Api(world.reader).put(path).status == 404
    remove(world.admin, world.session)
    assert admin.put(path).status == 403
    assert plays(truth) == [world.admin.pk]


async def test_members_hear_of_it_once_and_nobody_else(world: World, truth: Truth) -> None:
    message = voice_message(truth, world.session, world.client)
    devices = {name: await Device(person).open() for name, person in world.people.items()}
    reader = await in_thread(Api, world.reader)
    for _ in range(2):
        played = await in_thread(reader.put, f"/chat/messages/{message}/played")
    text = await devices["reader"].say(world.session, "heard")
    for name in ("client", "reader"):
        await devices[name].expect("new_message", message=text)
        told = [frame["message"] for frame in devices[name].seen if frame["type"] == "message_updated"]
        assert told == [played.body], name
    for name in ("client2", "reader2", "monitor", "admin"):
        assert str(message) not in str(devices[name].seen), name
    for device in devices.values():
        await device.hang_up()


def test_the_thread_and_sync_say_who_has_played_it(world: World, truth: Truth) -> None:
    message = voice_message(truth, world.session, world.client)
    api = {name: Api(person) for name, person in world.people.items()}
    path = f"/chat/sessions/{world.session}"
    before = api["client"].get(path).body["revision"]
    assert api["client"].get(f"{path}/messages").body["results"][0]["played_by"] == []
    first = api["reader"].put(f"/chat/messages/{message}/played").body
    assert api["reader"].put(f"/chat/messages/{message}/played").body == first
    assert first["played_by"] == [str(world.reader.pk)]
    assert first["revision"] == before + 1
    assert api["client"].get(path).body["revision"] == before + 1
    assert api["client"].get(f"{path}/messages").body["results"] == [first]
    synced = api["client"].post("/chat/sync", {"sessions": {str(world.session): before}}).body["sessions"]
    assert [entry["messages"] for entry in synced] == [[first]]
    assert (
        truth.one("SELECT count(*) FROM chat_audit_logs WHERE record_id = %s AND action <> 'message.created'", message)
        == 0
    )


@pytest.mark.parametrize(
    ("who", "status"), [("client", 403), ("client2", 404), ("reader2", 404), ("monitor", 403), ("admin", 403)]
)
def test_its_sender_and_strangers_play_nothing(who: str, status: int, world: World, truth: Truth) -> None:
    message = voice_message(truth, world.session, world.client)
    before = truth.one("SELECT revision FROM chat_session_state WHERE session_id = %s", world.session)
    assert Api(world.people[who]).put(f"/chat/messages/{message}/played").status == status
    assert plays(truth) == []
    assert truth.one("SELECT metadata ? 'played_by' FROM chat_messages") is False
    assert truth.one("SELECT revision FROM chat_session_state WHERE session_id = %s", world.session) == before


def test_neither_past_the_api(world: World, truth: Truth) -> None:
    """The function asks by itself: a stranger learns no more of a message than of one that is not there."""
    message = voice_message(truth, world.session, world.client)
    for person, wanted in [(world.client, message), (world.reader2, message), (world.reader, uuid4())]:
        with actor.acting_as(actor_of(person, Actor())), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT code FROM app.play_message(%s)", [wanted])
            assert cursor.fetchone()[0] == "forbidden"
    assert plays(truth) == []


def test_what_was_deleted_is_not_played(world: World, truth: Truth) -> None:
    message = voice_message(truth, world.session, world.client)
    Api(world.client).delete(f"/chat/messages/{message}")
    answer = Api(world.reader).put(f"/chat/messages/{message}/played")
    assert (answer.status, answer.code) == (409, "message_deleted")
    assert plays(truth) == []


def test_a_text_is_not_played(world: World) -> None:
    sent = Api(world.client).send(world.session).body
    answer = Api(world.reader).put(f"/chat/messages/{sent['id']}/played")
    assert (answer.status, answer.code) == (409, "not_audio")
