from __future__ import annotations

from chat.live import runtime
from samia_chat.realtime.events import Event
from tests.cast import World
from tests.database import Truth
from tests.device import Device
from tests.rest import Api, in_thread


async def test_two_people_talk(world: World) -> None:
    client, reader = await Device(world.client).open(), await Device(world.reader).open()
    sent = await client.say(world.session, "مرحبا")
    got = await reader.expect("new_message")
    assert got["message"] == sent
    assert (sent["seq"], sent["content"]) == (1, "مرحبا")
    api = await in_thread(Api, world.reader)
    answer = await in_thread(api.get, f"/chat/sessions/{world.session}/messages")
    assert [m["id"] for m in answer.body["results"]] == [sent["id"]]


async def test_a_message_sent_over_rest_reaches_sockets_through_the_batcher(world: World) -> None:
    reader = await Device(world.reader).open()
    api = await in_thread(Api, world.client)
    sent = await in_thread(api.send, world.session, "over REST")
    assert sent.status == 201
    assert (await reader.expect("new_message"))["message"] == sent.body


async def test_what_could_not_be_stored_is_shown_to_nobody(world: World, truth: Truth) -> None:
    """The database refuses at the last moment: the sender is told, and the other side never saw it."""
    client, reader = await Device(world.client).open(), await Device(world.reader).open()
    truth.rows("ALTER TABLE chat_messages ADD CONSTRAINT full_disk CHECK (content <> 'too much') NOT VALID")
    try:
        good = [client.send("send_message", session=world.session, content="fine") for _ in range(3)]
        bad = client.send("send_message", session=world.session, content="too much")
        assert (await client.expect("error", ref=bad))["code"] == "busy"
        for ref in good:
            await client.expect("ack", ref=ref)
    finally:
        truth.rows("ALTER TABLE chat_messages DROP CONSTRAINT full_disk")
    contents = [(await reader.expect("new_message"))["message"]["content"] for _ in good]
    assert contents == ["fine"] * 3
    await reader.nothing("new_message")
    assert (await client.say(world.session, "too much"))["seq"] == 4


async def test_an_unreadable_event_stops_nothing_behind_it(world: World) -> None:
    reader = await Device(world.reader).open()
    running = runtime.ensure_started()
    event = Event(session=world.session, revision=3, frame='{"type":"pong","ref":7}')
    for poison in (
        {"type": "events", "node": "x", "events": [["short"]]},
        {"type": "events", "node": "x"},
        {"type": "events", "node": "x", "events": [[b"no uuid", "x", 1, 1, None, b""]]},
        {"type": "events", "node": "x", "events": [[7, "x", 1, 1, None, b""]]},
        {},
    ):
        running._take(poison)
    running._take({"type": "events", "node": "x", "events": [event.pack()]})
    await reader.expect("pong", ref=7)
