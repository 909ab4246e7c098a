"""What fails in production, made to fail here: processes killed, Redis gone, events lost. Real processes, real sockets."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import Any
from uuid import uuid4

from samia_chat.embedded.redis import Redis
from tests.cast import World
from tests.database import Truth
from tests.realtime.conftest import HEARTBEAT
from tests.rest import in_thread, until
from tests.server import Server, Wire

# Whoever waits for a lock in this database; other tests wait in others. (pg_stat_activity stands still in a transaction.)
WAITING = """
SELECT count(*) FROM pg_locks w WHERE NOT w.granted AND EXISTS (
  SELECT FROM pg_locks h JOIN pg_database d ON d.oid = h.database WHERE h.pid = w.pid AND d.datname = current_database())
"""


def ids(truth: Truth, session: object) -> list[str]:
    rows = truth.rows("SELECT id FROM chat_messages WHERE session_id = %s ORDER BY seq", session)
    return [str(row["id"]) for row in rows]


async def level(wire: Wire, session: object, revision: int, held: set[str]) -> int:
    """Ask for what is missing, as a client does that saw a gap or a head ahead of it; the revision held then."""
    answer = await wire.ask("resume", "resumed", sessions={str(session): revision})
    for entry in answer["sessions"]:
        held |= {message["id"] for message in entry["messages"]}
        revision = entry["revision"]
    return revision


async def test_killed_between_commit_and_answer_a_retry_stores_nothing_twice(
    world: World, truth: Truth, start: Any
) -> None:
    server = start()
    client = await Wire(server, world.client).open()
    mine = str(uuid4())
    with truth.connection.transaction():
        # The send waits for these counters; the process is stopped before its answer can come.
        truth.rows("SELECT 1 FROM chat_session_state WHERE session_id = %s FOR UPDATE", world.session)
        await client.send("send_message", session=world.session, content="once", id=mine)
        await until(lambda: truth.one(WAITING) > 0)
        server.signal(signal.SIGSTOP)
    await until(lambda: ids(truth, world.session) == [mine])  # committed, and nobody was told
    server.kill()
    assert not [frame for frame in client.frames if frame["type"] == "ack"]
    server.start()
    reader = await Wire(server, world.reader).open()
    again = await Wire(server, world.client).open()
    ack = await again.ask("send_message", "ack", session=world.session, content="once", id=mine)
    assert (ack["replayed"], ack["message"]["seq"]) == (True, 1)
    assert ids(truth, world.session) == [mine]
    held: set[str] = set()
    await level(reader, world.session, 2, held)
    assert held == {mine}


async def test_a_bus_that_loses_a_fifth_is_made_good_within_a_heartbeat(
    world: World, truth: Truth, start: Any, redis: Redis
) -> None:
    lossy = {"REDIS_URL": redis.url, "DJANGO_SETTINGS_MODULE": "tests.lossy_settings"}
    one, two = start(**lossy), start(**lossy)
    client, reader = await Wire(one, world.client).open(), await Wire(two, world.reader).open()
    for number in range(60):
        await client.say(world.session, str(number))
    await asyncio.sleep(0.5)
    got = {frame["message"]["id"]: frame["revision"] for frame in reader.frames if frame["type"] == "new_message"}
    stored = ids(truth, world.session)
    assert len(got) < len(stored)  # something was lost, or this test shows nothing
    # The client's rule: apply what is own + 1, ask on a gap. Here: hold the first unbroken stretch, then wait for a head.
    revision = 2
    held: set[str] = set()
    for frame in [frame for frame in reader.frames if frame["type"] == "new_message"]:
        if frame["revision"] == revision + 1:
            revision, held = frame["revision"], held | {frame["message"]["id"]}
    reader.frames.clear()
    await level(reader, world.session, revision, held)
    assert held == set(stored)
    # Without any further event a lost one is told by the next heartbeat.
    before = len(stored)
    while True:
        await client.say(world.session, "the last")
        await asyncio.sleep(0.2)
        if not [frame for frame in reader.frames if frame["type"] == "new_message"]:
            break
        reader.frames.clear()
    beat = await reader.expect("heartbeat", within=HEARTBEAT + 1.5)
    while str(world.session) not in beat["heads"]:
        beat = await reader.expect("heartbeat", within=HEARTBEAT + 1.5)
    await level(reader, world.session, 2 + before, held)
    assert held == set(ids(truth, world.session))


async def test_redis_dies_and_returns_and_nothing_is_missing(
    world: World, truth: Truth, start: Any, redis: Redis
) -> None:
    one, two = start(REDIS_URL=redis.url), start(REDIS_URL=redis.url)
    client, reader = await Wire(one, world.client).open(), await Wire(two, world.reader).open()
    await client.say(world.session, "before")
    await reader.expect("new_message")
    redis.stop()
    started = time.monotonic()
    for number in range(10):
        await client.say(world.session, f"meanwhile {number}")
    assert time.monotonic() - started < 2  # a dead Redis holds nobody up
    await until(lambda: one.readiness()["status"] == "degraded", within=10)
    assert not [frame for frame in reader.frames if frame["type"] == "new_message"]
    beat = await reader.expect("heartbeat", within=HEARTBEAT + 1.5)
    while str(world.session) not in beat["heads"]:
        beat = await reader.expect("heartbeat", within=HEARTBEAT + 1.5)
    held: set[str] = set()
    revision = await level(reader, world.session, 2, held)
    assert held == set(ids(truth, world.session))
    redis.start()
    await until(lambda: two.readiness()["status"] == one.readiness()["status"] == "ok", within=15)
    reader.frames.clear()
    await client.say(world.session, "after")
    assert (await reader.expect("new_message"))["revision"] == revision + 1


async def test_a_removed_member_hears_nothing_within_a_second_without_redis(
    world: World, truth: Truth, start: Any, redis: Redis
) -> None:
    """Two processes, the removal in one and the socket in the other, and no Redis between them."""
    one, two = start(REDIS_URL=redis.url), start(REDIS_URL=redis.url)
    admin, reader = await Wire(one, world.admin).open(), await Wire(two, world.reader).open()
    here, client = await Wire(one, world.reader).open(), await Wire(two, world.client).open()
    redis.stop()
    started = time.monotonic()
    await in_thread(remove_over_rest, one, world)
    for wire in (reader, here):
        assert (await wire.expect("participant_removed"))["session"] == str(world.session)
    assert time.monotonic() - started < 1.0 + 1.0  # the request itself, and a second
    reader.frames.clear()
    here.frames.clear()
    for number in range(5):
        await client.say(world.session, f"among ourselves {number}")  # in the very process where his socket is
    await asyncio.sleep(HEARTBEAT + 0.5)
    for wire in (reader, here):
        assert not [frame for frame in wire.frames if str(world.session) in str(frame)]
        answer = await wire.ask("resume", "resumed", sessions={str(world.session): 0})
        assert answer["gone"] == [str(world.session)]
        assert str(world.session) not in [entry["session"]["id"] for entry in answer["sessions"]]
    await admin.close()


def remove_over_rest(server: Server, world: World) -> None:
    import urllib.request

    from accounts.tokens import make_access_token
    from tests.cast import make_login

    token = make_access_token(user_id=world.admin.pk, login_id=make_login(world.admin).pk)
    path = f"/api/chat/sessions/{world.session}/participants/{world.reader.pk}"
    request = urllib.request.Request(
        server.address + path, method="DELETE", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 204


async def test_a_restart_closes_sockets_so_that_they_come_back(world: World, start: Any) -> None:
    server = start()
    client = await Wire(server, world.client).open()
    await client.say(world.session, "before the restart")
    await in_thread(server.stop)
    assert await client.closed() == 1012


async def test_typing_and_presence_cross_processes(world: World, start: Any, redis: Redis) -> None:
    one, two = start(REDIS_URL=redis.url), start(REDIS_URL=redis.url)
    reader = await Wire(two, world.reader).open()
    client = await Wire(one, world.client).open()
    changed = await reader.expect("presence_changed", user=str(world.client.pk))
    assert changed["state"] == "online"
    await client.send("typing_start", session=world.session)
    assert (await reader.expect("typing_start"))["user"] == str(world.client.pk)
    assert (await reader.expect("typing_stop", within=7))["user"] == str(world.client.pk)
