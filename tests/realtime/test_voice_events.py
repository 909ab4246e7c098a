"""Who hears of voice that waits, over the socket."""

from __future__ import annotations

from tests.cast import World
from tests.device import Device
from tests.files import tone
from tests.rest import Api, in_thread


async def test_of_voice_that_waits_only_its_sender_and_staff_hear(world: World) -> None:
    devices = {name: await Device(person).open() for name, person in world.people.items()}
    reader = await in_thread(Api, world.reader)
    monitor = await in_thread(Api, world.monitor)
    sent = await in_thread(reader.upload, world.session, tone(seconds=0.3), "voice.webm", kind="voice")
    for name in ("reader", "monitor", "admin", "super_admin"):
        frame = await devices[name].expect("voice_approval_needed")
        assert frame["message"] == sent.body, name
    await in_thread(monitor.post, f"/chat/messages/{sent.body['id']}/approve")
    for name in ("reader", "monitor", "admin", "super_admin"):
        frame = await devices[name].expect("voice_approved")
        assert (frame["message"]["status"], frame["message"]["seq"]) == ("approved", 1)
    for name in ("client", "reader"):
        frame = await devices[name].expect("new_message")
        assert (frame["message"]["id"], frame["message"]["seq"]) == (sent.body["id"], 1)
    other = await in_thread(reader.upload, world.session, tone(seconds=0.4), "voice.webm", kind="voice")
    await in_thread(monitor.post, f"/chat/messages/{other.body['id']}/reject", {"reason": "not here"})
    assert (await devices["reader"].expect("voice_rejected"))["message"]["reason"] == "not here"
    third = await in_thread(reader.upload, world.session, tone(seconds=0.5), "voice.webm", kind="voice")
    gone = await in_thread(reader.delete, f"/chat/messages/{third.body['id']}")
    for name in ("reader", "monitor", "admin", "super_admin"):
        assert (await devices[name].expect("voice_withdrawn"))["message"] == gone.body, name
    text = await devices["reader"].say(world.session, "hello")
    await devices["client"].expect("new_message", message=text)
    for name in ("client", "client2", "reader2"):
        kinds = {frame["type"] for frame in devices[name].seen}
        assert not {kind for kind in kinds if kind.startswith("voice_")}, name
        assert other.body["id"] not in str(devices[name].seen)
        assert third.body["id"] not in str(devices[name].seen)
    for device in devices.values():
        await device.hang_up()
