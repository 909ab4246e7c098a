from __future__ import annotations

from accounts.identity import actor_of
from accounts.services.token import issue_ticket
from samia_chat import actor
from samia_chat.actor import Actor
from tests.cast import World, make_login
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


async def test_the_communicator_of_channels_speaks_to_the_socket(world: World) -> None:
    """Channels' routing serves the socket, so whoever tests his own client against it may use Channels' tools."""
    from channels.testing import WebsocketCommunicator

    from samia_chat.asgi import application

    login = await in_thread(make_login, world.client)
    with actor.acting_as(actor_of(world.client, Actor())):
        ticket, _ = await in_thread(issue_ticket, login_id=login.pk)
    communicator = WebsocketCommunicator(application, "/ws/chat", subprotocols=["samia.v1", f"ticket.{ticket}"])
    assert await communicator.connect() == (True, "samia.v1")
    assert (await communicator.receive_json_from())["type"] == "welcome"
    await communicator.send_json_to({"type": "ping", "ref": 1})
    assert await communicator.receive_json_from() == {"type": "pong", "ref": 1}
    await communicator.disconnect()
