"""Receipts over the socket: cumulative, coalesced, never beyond the last, never somebody else's."""

from __future__ import annotations

from uuid import uuid4

from tests.cast import World
from tests.database import Truth
from tests.device import Device
from tests.rest import Api, in_thread, until


async def test_receipts_reach_everybody_with_all_three_cursors(world: World) -> None:
    client, reader = await Device(world.client).open(), await Device(world.reader).open()
    for _ in range(3):
        await client.say(world.session)
    reader.send("messages_delivered", session=world.session, up_to=3)
    got = await client.expect("messages_delivered")
    assert (got["user"], got["delivered"], got["seen"], got["read"]) == (str(world.reader.pk), 3, 0, 0)
    reader.send("messages_read", session=world.session, up_to=2)
    got = await client.expect("messages_read")
    assert (got["delivered"], got["seen"], got["read"], got["own_ahead"]) == (3, 2, 2, 0)
    await reader.expect("messages_read")  # his other devices learn it as well


async def test_receipts_are_coalesced(world: World, truth: Truth) -> None:
    client, reader = await Device(world.client).open(), await Device(world.reader).open()
    for _ in range(20):
        await client.say(world.session)
    for seq in range(1, 21):
        reader.send("messages_read", session=world.session, up_to=seq)
    await client.expect("messages_read", read=20, within=4)
    assert len([frame for frame in client.seen if frame["type"] == "messages_read"]) <= 2


async def test_cursors_never_go_back(world: World, truth: Truth) -> None:
    client, reader = await Device(world.client).open(), await Device(world.reader).open()
    for _ in range(3):
        await client.say(world.session)
    reader.send("messages_read", session=world.session, up_to=3)
    await client.expect("messages_read")
    reader.send("messages_read", session=world.session, up_to=1)
    reader.send("messages_seen", session=world.session, up_to=2)
    await client.nothing("messages_read", "messages_seen", within=1.3)
    api = await in_thread(Api, world.reader)
    answer = await in_thread(api.put, f"/chat/sessions/{world.session}/read", {"up_to": 1, "kind": "delivered"})
    assert (answer.body["delivered"], answer.body["read"]) == (3, 3)


async def test_forged_receipts_move_nothing(world: World, truth: Truth) -> None:
    """Beyond the last message, in a foreign session, of no session; and nothing is told before it was checked."""
    client, reader = await Device(world.client).open(), await Device(world.reader).open()
    await client.say(world.session)
    for session, up_to, code in (
        (world.session, 99, "beyond_last"),
        (world.other, 1, "not_found"),
        (uuid4(), 1, "not_found"),
    ):
        reader.send("messages_read", session=session, up_to=up_to)
        assert (await reader.expect("error"))["code"] == code
        await client.nothing("messages_read", within=0.1)
    rows = truth.rows("SELECT read_seq FROM chat_participants WHERE user_id <> %s", world.client.pk)
    assert {row["read_seq"] for row in rows} == {0}
    api = await in_thread(Api, world.reader)
    for body, code in (
        ({"up_to": 99}, "beyond_last"),
        ({"up_to": 1, "user": str(world.client.pk)}, "invalid"),
        ({"up_to": -1}, "invalid"),
        ({"up_to": "1"}, "invalid"),
        ({"up_to": True}, "invalid"),
        ({"up_to": 2**63}, "invalid"),
        ({"up_to": 1, "kind": "stolen"}, "invalid"),
    ):
        answer = await in_thread(api.put, f"/chat/sessions/{world.session}/read", body)
        assert (answer.status, answer.code) == (400, code), body


async def test_a_voice_message_is_played_once(world: World, truth: Truth) -> None:
    file = truth.one(
        "INSERT INTO chat_files (session_id, owner_id, purpose, key, original_name, content_type, size_bytes, sha256, state)"
        " VALUES (%s, %s, 'voice', 'k', 'v.webm', 'audio/webm', 1, sha256(''), 'ready') RETURNING id",
        world.session,
        world.client.pk,
    )
    voice = truth.one(
        "INSERT INTO chat_messages (id, session_id, sender_id, seq, revision, type, status, file_id, request_hash, salt)"
        " VALUES (%s, %s, %s, 1, 3, 'audio', 'sent', %s, sha256(''), gen_random_uuid()) RETURNING id",
        uuid4(),
        world.session,
        world.client.pk,
        file,
    )
    api = await in_thread(Api, world.reader)
    for _ in range(2):
        assert (await in_thread(api.put, f"/chat/messages/{voice}/played")).status == 200
    await until(lambda: truth.one("SELECT count(*) FROM chat_plays") == 1)
