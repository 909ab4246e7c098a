"""Presence and typing: one announcement per person and change, many devices, processes that die, signals that expire."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, ProgrammingError, connection, transaction

from accounts.identity import actor_of
from accounts.models import User
from chat.live import presence as keeper
from chat.live import typing
from chat.services import presence
from samia_chat import actor
from samia_chat.actor import Actor
from samia_chat.db import threads
from tests.cast import World
from tests.database import Truth
from tests.device import Device
from tests.rest import Api, in_thread


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "CALM_SECONDS", 0.3)
    monkeypatch.setattr(keeper, "GATHER_SECONDS", 0.01)


async def test_coming_and_going_is_announced_once_per_person(world: World) -> None:
    reader = await Device(world.reader).open()
    one, two = await Device(world.client).open(), await Device(world.client).open()
    came = await reader.expect("presence_changed", user=str(world.client.pk))
    assert came["state"] == "online"
    await one.hang_up()
    await reader.nothing("presence_changed", within=0.5)  # the other device is still there
    await two.hang_up()
    left = await reader.expect("presence_changed", user=str(world.client.pk))
    assert left["state"] == "offline"
    assert left["last_seen_at"] is not None


async def test_a_person_who_comes_back_within_the_calm_was_never_away(world: World) -> None:
    reader = await Device(world.reader).open()
    device = await Device(world.client).open()
    await reader.expect("presence_changed", user=str(world.client.pk))
    await device.hang_up()
    await asyncio.sleep(0.1)
    await Device(world.client).open()
    await reader.nothing("presence_changed", within=0.6)


async def test_away_is_when_no_device_is_online(world: World) -> None:
    reader = await Device(world.reader).open()
    one, two = await Device(world.client).open(), await Device(world.client).open()
    await reader.expect("presence_changed", state="online", user=str(world.client.pk))
    one.send("set_presence", state="away")
    await reader.nothing("presence_changed", within=0.5)
    two.send("set_presence", state="away")
    await reader.expect("presence_changed", state="away", user=str(world.client.pk))
    one.send("set_presence", state="online")
    await reader.expect("presence_changed", state="online", user=str(world.client.pk))


async def test_only_people_who_share_a_session_hear_of_it(world: World) -> None:
    stranger, reader = await Device(world.client2).open(), await Device(world.reader).open()
    await Device(world.client).open()
    await reader.expect("presence_changed", user=str(world.client.pk))
    assert not [f for f in stranger.seen if f["type"] == "presence_changed" and f["user"] == str(world.client.pk)]


async def test_who_is_there_is_answered_to_members_and_staff(world: World) -> None:
    reader, client = await Device(world.reader).open(), await Device(world.client).open()
    await reader.expect("presence_changed", user=str(world.client.pk))
    answer = await reader.ask("get_online_users", "online_users", session=world.session)
    states = {user["user"]: user["state"] for user in answer["users"]}
    assert states == {str(world.client.pk): "online", str(world.reader.pk): "online"}
    stranger = await Device(world.client2).open()
    assert (await stranger.ask("get_online_users", "error", session=world.session))["code"] == "not_found"
    admin = await in_thread(Api, world.admin)
    rest = await in_thread(admin.get, f"/chat/sessions/{world.session}/presence")
    assert {user["user"]: user["state"] for user in rest.body["results"]} == states
    await client.hang_up()


async def test_sockets_of_a_killed_process_are_found_gone(world: World, truth: Truth) -> None:
    """Its rows stay behind; whoever sweeps next announces whom that leaves offline, and nobody announces it twice."""
    reader = await Device(world.reader).open()
    await reader.ask("ping", "pong")
    truth.rows(
        "INSERT INTO presence (connection, \"user\", process, state, seen_at) VALUES (%s, %s, %s, 'online', now())",
        uuid4(),
        world.client.pk,
        uuid4(),
    )

    def settle() -> None:
        with actor.acting_as(actor.system("presence")):
            presence.settle([world.client.pk])

    await in_thread(settle)
    await reader.expect("presence_changed", state="online", user=str(world.client.pk))
    age(truth, world.client, seconds=46)
    answer = await reader.ask("get_online_users", "online_users", session=world.session)
    assert {u["state"] for u in answer["users"] if u["user"] == str(world.client.pk)} == {"offline"}
    await in_thread(presence.sweep)
    await reader.nothing("presence_changed")
    age(truth, world.client, seconds=56)
    await in_thread(presence.sweep)
    await reader.expect("presence_changed", state="offline", user=str(world.client.pk))
    await in_thread(presence.sweep)
    await reader.nothing("presence_changed")
    assert truth.one('SELECT count(*) FROM presence WHERE "user" = %s', world.client.pk) == 0


def age(truth: Truth, person: User, *, seconds: int) -> None:
    """The sockets of this person have not been noted for so long."""
    truth.rows('UPDATE presence SET seen_at = now() - make_interval(secs => %s) WHERE "user" = %s', seconds, person.pk)


async def test_who_leaves_as_the_calm_ends_does_not_stay_online(world: World, truth: Truth) -> None:
    """His leaving is not written yet when the calm after his coming would end."""
    reader = await Device(world.reader).open()
    for early in (0, 0.005, 0.01, 0.02, 0.03):
        client = await Device(world.client).open()
        await asyncio.sleep(keeper.CALM_SECONDS - early)
        await client.hang_up()
        await asyncio.sleep(keeper.CALM_SECONDS * 2)
        assert truth.one('SELECT state FROM presence_announced WHERE "user" = %s', world.client.pk) == "offline"
    told = [f["state"] for f in reader.seen if f["type"] == "presence_changed" and f["user"] == str(world.client.pk)]
    assert told[-1] == "offline"


async def test_every_change_begins_the_calm_anew(world: World) -> None:
    reader = await Device(world.reader).open()
    for _ in range(4):
        client = await Device(world.client).open()
        await asyncio.sleep(keeper.CALM_SECONDS * 0.4)
        await client.hang_up()
        await asyncio.sleep(keeper.CALM_SECONDS * 0.4)
    assert not [f for f in reader.seen if f["type"] == "presence_changed" and f["user"] == str(world.client.pk)]
    await reader.expect("presence_changed", user=str(world.client.pk), state="offline")


async def test_a_slow_write_is_waited_for_before_a_change_is_announced(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, client = await Device(world.reader).open(), await Device(world.client).open()
    await reader.expect("presence_changed", user=str(world.client.pk), state="online")
    note = presence.note

    def slow(*args: Any, **fields: Any) -> Any:
        time.sleep(keeper.CALM_SECONDS * 2)
        return note(*args, **fields)

    monkeypatch.setattr(presence, "note", slow)
    await client.hang_up()
    await reader.expect("presence_changed", user=str(world.client.pk), state="offline")


@pytest.mark.parametrize("step", ["note", "settle"])
async def test_a_database_that_does_not_answer_is_asked_again(
    step: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "RETRY_SECONDS", 0.1)
    reader, client = await Device(world.reader).open(), await Device(world.client).open()
    await reader.expect("presence_changed", user=str(world.client.pk), state="online")
    work, faults = getattr(presence, step), 6

    def faulty(*args: Any, **fields: Any) -> Any:
        nonlocal faults
        faults -= 1
        if faults >= 0:
            raise OperationalError("the server is starting up")
        return work(*args, **fields)

    monkeypatch.setattr(presence, step, faulty)
    await client.hang_up()
    await reader.expect("presence_changed", user=str(world.client.pk), state="offline")
    assert faults < 0


@pytest.mark.parametrize("seconds", [50, 60])
async def test_who_was_taken_for_gone_and_is_still_there_is_announced_again(
    seconds: int, world: World, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This process hung: another one swept its sockets (or only settled the person), and then it goes on."""
    monkeypatch.setattr(keeper, "REFRESH_SECONDS", 1.0)
    reader, client = await Device(world.reader).open(), await Device(world.client).open()
    await reader.expect("presence_changed", user=str(world.client.pk), state="online")
    age(truth, world.client, seconds=seconds)
    await in_thread(presence.sweep)
    await in_thread(presence.settle, [world.client.pk])
    await reader.expect("presence_changed", user=str(world.client.pk), state="offline")
    await reader.expect("presence_changed", user=str(world.client.pk), state="online")
    await reader.nothing("presence_changed", within=1.2)
    assert client.closed is None


async def test_sockets_are_refreshed_also_where_there_is_always_a_change(
    world: World, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "REFRESH_SECONDS", 0.3)
    note = presence.note

    def slow(*args: Any, **fields: Any) -> Any:
        time.sleep(0.03)  # in which the next change comes
        return note(*args, **fields)

    monkeypatch.setattr(presence, "note", slow)
    client, busy = await Device(world.client).open(), await Device(world.reader).open()
    for number in range(300):
        if number == 100:
            age(truth, world.client, seconds=40)
        busy.send("set_presence", state=("online", "away")[number % 2])
        await asyncio.sleep(0.003)
    seen = truth.one('SELECT extract(epoch FROM now() - seen_at) FROM presence WHERE "user" = %s', world.client.pk)
    assert seen < 2
    assert client.closed is None


async def test_who_is_gone_when_his_process_ends_is_announced_by_another(
    world: World, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the write and the announcement, as in every restart."""
    from chat.live import runtime

    reader, client = await Device(world.reader).open(), await Device(world.client).open()
    await reader.expect("presence_changed", user=str(world.client.pk), state="online")
    monkeypatch.setattr(keeper, "CALM_SECONDS", 60)
    await client.hang_up()
    await asyncio.sleep(0.2)
    await runtime.stop()
    assert truth.one("SELECT count(*) FROM presence WHERE seen_at > now() - interval '45 seconds'") == 0
    reader = await Device(world.reader).open()
    age(truth, world.client, seconds=56)
    await in_thread(presence.sweep)
    await reader.expect("presence_changed", user=str(world.client.pk), state="offline")


def test_only_the_system_says_who_is_there(world: World) -> None:
    queries = (
        "SELECT app.presence_note(gen_random_uuid(), '{}', '{}', '{}', '{}', true)",
        "SELECT app.presence_settle('{}')",
        "SELECT app.presence_sweep()",
    )
    for person in (world.monitor, world.super_admin, world.client):
        for query in queries:
            with (
                pytest.raises(ProgrammingError, match=r"only the system|permission denied"),
                actor.acting_as(actor_of(person, Actor())),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(query)


# Typing ------------------------------------------------------------------------------------------------------------------


async def test_typing_reaches_the_others_and_expires(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typing, "EXPIRES_SECONDS", 0.4)
    client, reader = await Device(world.client).open(), await Device(world.reader).open()
    client.send("typing_start", session=world.session, kind="voice")
    started = await reader.expect("typing_start")
    assert (started["user"], started["kind"]) == (str(world.client.pk), "voice")
    await reader.expect("typing_stop", within=1)
    await client.nothing("typing_start", "typing_stop")  # not to oneself


async def test_typing_that_goes_on_is_told_now_and_then(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typing, "EXPIRES_SECONDS", 0.6)
    monkeypatch.setattr(typing, "REPEAT_SECONDS", 0.3)
    client, reader = await Device(world.client).open(), await Device(world.reader).open()
    for _ in range(8):
        client.send("typing_start", session=world.session)
        await asyncio.sleep(0.1)
    await reader.expect("typing_stop", within=2)
    starts = [frame for frame in reader.seen if frame["type"] == "typing_start"]
    assert 2 <= len(starts) <= 4


async def test_a_message_or_leaving_ends_the_signal(world: World) -> None:
    client, reader = await Device(world.client).open(), await Device(world.reader).open()
    client.send("typing_start", session=world.session)
    await reader.expect("typing_start")
    await client.say(world.session)
    await reader.expect("typing_stop", within=1)
    client.send("typing_start", session=world.session)
    await reader.expect("typing_start")
    await client.hang_up()
    await reader.expect("typing_stop", within=1)


async def test_typing_touches_no_database(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client, reader = await Device(world.client).open(), await Device(world.reader).open()
    await client.nothing(within=0.5)  # presence has been written
    ran: list[object] = []
    run = threads._run
    monkeypatch.setattr(threads, "_run", lambda who, function: (ran.append(function), run(who, function))[1])
    for _ in range(20):
        client.send("typing_start", session=world.session)
        client.send("typing_stop", session=world.session)
    await reader.expect("typing_stop")
    assert ran == []
    await client.ask("get_online_users", "online_users", session=world.session)
    assert len(ran) == 1  # what asks the database is noticed here


async def test_looking_at_a_session_is_told_to_its_members(world: World) -> None:
    client, reader = await Device(world.client).open(), await Device(world.reader).open()
    joined = await client.ask("join_session", "session_joined", session=world.session)
    assert (joined["revision"], joined["status"]) == (2, "active")
    await reader.expect("user_joined", user=str(world.client.pk))
    client.send("leave_session", session=world.session)
    await reader.expect("user_left", user=str(world.client.pk))
    admin = await Device(world.admin).open()
    await admin.ask("join_session", "session_joined", session=world.session)
    await reader.nothing("user_joined")  # who of the staff looks in is on record, and not told
