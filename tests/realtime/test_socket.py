"""The socket itself: who is admitted, what is answered, what ends it."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import InterfaceError

from accounts.identity import actor_of
from accounts.middleware import SESSION_KEY
from accounts.models import Login, User
from accounts.services import user as users
from accounts.services.sign_in import end_login, start_login
from accounts.services.token import issue_ticket
from chat.live import runtime
from chat.live.presence import PresenceKeeper
from chat.services.sync import sync
from samia_chat import actor
from samia_chat.actor import Actor
from samia_chat.roles import Role
from tests.cast import World, make_login
from tests.database import Truth
from tests.device import Closed, Device
from tests.rest import Api, in_thread

ORIGIN = settings.PUBLIC_ORIGINS[0]
# Fixed, since it stands in test names and every worker of the runner must collect the same ones.
NOBODY = "0d9e2f60-1c7b-4a55-8f3e-5b6a7c8d9e0f"


def cookie_of(person: User) -> str:
    from django.contrib.sessions.backends.db import SessionStore

    store = SessionStore()
    store[SESSION_KEY] = str(start_login(user=person, kind=Login.Kind.COOKIE).pk)
    store.create()
    return f"{settings.SESSION_COOKIE_NAME}={store.session_key}"


def headers(**values: str) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in values.items()]


def ticket_of(person: User) -> str:
    with actor.acting_as(actor_of(person, Actor())):
        return issue_ticket(login_id=make_login(person).pk)[0]


# Admission ---------------------------------------------------------------------------------------------------------------


async def test_a_cookie_from_our_own_page_is_admitted(world: World) -> None:
    device = Device(world.client)
    await device.dial(
        headers=headers(origin=ORIGIN, cookie=await in_thread(cookie_of, world.client)), subprotocols=["samia.v1"]
    )
    welcome = await device.expect("welcome")
    assert welcome["user"] == str(world.client.pk)
    assert welcome["heads"] == {str(world.session): 2}
    assert device.subprotocol == "samia.v1"


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "https://evil.example",
        f"{ORIGIN}.evil.example",
        ORIGIN.replace("http", "https"),
        f"{ORIGIN}0",
        f"{ORIGIN}/",
        "http://127.0.0.1",
        ORIGIN.upper(),
        f"{ORIGIN} https://evil.example",
    ],
)
async def test_a_cookie_from_anywhere_else_is_refused_before_the_handshake(origin: str | None, world: World) -> None:
    """Cross-site WebSocket hijacking: the browser of somebody signed in, on a page of somebody else's."""
    device = Device(world.client)
    given = {"cookie": await in_thread(cookie_of, world.client)} | ({"origin": origin} if origin else {})
    await device.dial(headers=headers(**given))
    assert device.closed == 4403
    assert device.seen == []


@pytest.mark.parametrize("cookie", ["", "samia_session=unknown", "samia_session=", "x=y; samia_session", "\x00=;;,"])
async def test_without_a_session_of_ours_one_is_signed_out(cookie: str, world: World) -> None:
    device = Device(None)
    await device.dial(headers=headers(origin=ORIGIN, cookie=cookie))
    assert await device.expect_close() == 4401


async def test_a_ticket_admits_once_and_within_its_time(world: World, truth: Truth) -> None:
    ticket = await in_thread(ticket_of, world.client)
    first = Device(world.client)
    await first.dial(subprotocols=["samia.v1", f"ticket.{ticket}"])
    await first.expect("welcome")
    assert first.subprotocol == "samia.v1"  # the ticket is not echoed
    again = Device(None)
    await again.dial(subprotocols=["samia.v1", f"ticket.{ticket}"])
    assert await again.expect_close() == 4401
    late = await in_thread(ticket_of, world.client)
    truth.rows("UPDATE accounts_ticket SET expires_at = now() - interval '1 second'")
    expired = Device(None)
    await expired.dial(subprotocols=["samia.v1", f"ticket.{late}"])
    assert await expired.expect_close() == 4401


@pytest.mark.parametrize("ticket", ["ticket.", "ticket.unknown", "ticket." + "a" * 4000])
async def test_a_bad_ticket_is_not_made_good_by_a_cookie(ticket: str, world: World) -> None:
    device = Device(world.client)
    cookie = await in_thread(cookie_of, world.client)
    await device.dial(headers=headers(origin=ORIGIN, cookie=cookie), subprotocols=["samia.v1", ticket])
    assert await device.expect_close() == 4401


async def test_a_token_in_the_address_admits_nobody(world: World) -> None:
    api = await in_thread(Api, world.client)
    token = api.headers["Authorization"].removeprefix("Bearer ")
    for query in (f"token={token}", f"ticket={await in_thread(ticket_of, world.client)}"):
        device = Device(None)
        await device.dial(query_string=query.encode(), headers=headers(origin=ORIGIN))
        assert await device.expect_close() == 4401


async def test_there_is_no_other_socket(world: World) -> None:
    for path in ("/ws/other", "/", "/ws/chat/x", "/api/chat/sessions"):
        device = Device(world.client)
        await device.dial(path=path)
        assert device.closed == 4404


async def test_a_person_has_at_most_so_many_sockets(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat.live.consumer.MAX_SOCKETS", 2)
    for _ in range(2):
        await Device(world.client).open()
    with pytest.raises(Closed) as refused:
        await Device(world.client).open()
    assert refused.value.code == 4429
    await Device(world.reader).open()


# Frames ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[]",
        "7",
        '"ping"',
        "null",
        "{",
        '{"ref": 1}',
        '{"type": 7}',
        '{"type": null}',
        "[" * 40000,
        '{"a":' * 9000,
        '{"type": "ping", "ref": "\\ud800"}',
        "\ufeff{}",
    ],
)
async def test_what_is_no_frame_ends_the_socket(text: str, world: World) -> None:
    device = await Device(world.client).open()
    device.send_text(text)
    assert await device.expect_close() == 4400


async def test_bytes_end_the_socket(world: World) -> None:
    device = await Device(world.client).open()
    device.send_bytes(b"\x00\x01")
    assert await device.expect_close() == 4400


@pytest.mark.parametrize("text", ["x" * 65_537, '{"type": "ping", "ref": "' + "é" * 33_000 + '"}'])
async def test_a_frame_beyond_64_kb_ends_the_socket(text: str, world: World) -> None:
    device = await Device(world.client).open()
    device.send_text(text)
    assert await device.expect_close() == 4413


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "no_such_type"},
        {"type": "new_message"},  # only the server says so
        {"type": "send_message", "content": "x"},
        {"type": "send_message", "session": "x", "content": "x"},
        {"type": "send_message", "session": NOBODY, "content": 7},
        {"type": "send_message", "session": NOBODY, "content": "x", "sender": NOBODY},
        {"type": "send_message", "session": NOBODY, "content": "x", "seq": 1},
        {"type": "send_message", "session": NOBODY, "content": "x", "message_type": "system"},
        {"type": "send_message", "session": {"$ne": ""}, "content": "x"},
        {"type": "messages_read", "session": NOBODY, "up_to": -1},
        {"type": "messages_read", "session": NOBODY, "up_to": "1"},
        {"type": "messages_read", "session": NOBODY, "up_to": 1.5},
        {"type": "messages_read", "session": NOBODY, "up_to": 1, "user": NOBODY},
        {"type": "messages_read", "session": NOBODY, "up_to": 2**63},
        {"type": "typing_start", "session": NOBODY, "kind": "dancing"},
        {"type": "set_presence", "state": "invisible"},
        {"type": "set_presence", "state": "online", "user": NOBODY},
        {"type": "resume", "sessions": {"x": 1}},
        {"type": "resume", "sessions": {NOBODY: "1"}},
        {"type": "resume", "sessions": [NOBODY]},
        {"type": "ping", "extra": 1},
    ],
    ids=lambda frame: json.dumps(frame)[:60],
)
async def test_a_frame_of_another_form_is_answered_and_does_nothing(
    frame: dict[str, Any], world: World, truth: Truth
) -> None:
    device = await Device(world.client).open()
    device.send_text(json.dumps({"ref": "r1", **frame}))
    error = await device.expect("error", ref="r1")
    assert error["code"] == "invalid"
    await device.ask("ping", "pong")  # the socket goes on
    assert truth.one("SELECT count(*) FROM chat_messages") == 0


async def test_a_resume_of_too_many_sessions_is_refused(world: World) -> None:
    device = await Device(world.client).open()
    ref = device.send("resume", unchecked=True, sessions={str(uuid4()): 0 for _ in range(1001)})
    assert (await device.expect("error", ref=ref))["code"] == "invalid"


async def test_refusals_of_a_send_name_the_frame(world: World) -> None:
    device = await Device(world.client).open()
    for content, code in (("", "empty_message"), ("x" * 5001, "invalid"), ("a\x00", "invalid")):
        ref = device.send("send_message", unchecked=True, session=world.session, content=content)
        assert (await device.expect("error", ref=ref))["code"] == code
    sent = await device.say(world.session)
    ref = device.send("send_message", session=world.session, content="other", id=sent["id"])
    assert (await device.expect("error", ref=ref))["code"] == "id_taken"


async def test_a_repeated_send_is_acknowledged_and_announced_once(world: World, truth: Truth) -> None:
    client, reader = await Device(world.client).open(), await Device(world.reader).open()
    mine = str(uuid4())
    acks = [await client.ask("send_message", "ack", session=world.session, content="once", id=mine) for _ in range(3)]
    assert [ack["replayed"] for ack in acks] == [False, True, True]
    assert len({json.dumps(ack["message"]) for ack in acks}) == 1
    await reader.expect("new_message")
    await reader.nothing("new_message")
    assert truth.one("SELECT count(*) FROM chat_messages") == 1


async def test_sends_of_one_socket_keep_their_order(world: World, truth: Truth) -> None:
    device = await Device(world.client).open()
    refs = [device.send("send_message", session=world.session, content=str(number)) for number in range(40)]
    acks = [await device.expect("ack", ref=ref) for ref in refs]
    assert [ack["message"]["seq"] for ack in acks] == list(range(1, 41))
    assert [ack["message"]["content"] for ack in acks] == [str(number) for number in range(40)]


# Rates -------------------------------------------------------------------------------------------------------------------


async def test_messages_beyond_the_rate_are_refused_with_the_time_to_wait(
    world: World, settings_of_limits: Any
) -> None:
    settings_of_limits(RATE_MESSAGES=3)
    one, two = await Device(world.client).open(), await Device(world.client).open()
    for device in (one, two, one):
        await device.say(world.session)
    ref = two.send("send_message", session=world.session, content="too fast")
    error = await two.expect("error", ref=ref)  # the rate is the person's, not the socket's
    assert error["code"] == "too_fast"
    assert 15 < error["retry_after"] <= 20
    await two.ask("ping", "pong")


async def test_frames_beyond_the_rate_end_the_socket(world: World, settings_of_limits: Any) -> None:
    settings_of_limits(RATE_FRAMES=5)
    device = await Device(world.client).open()
    for _ in range(6):
        device.send("ping")
    assert await device.expect_close() == 4429


# Access withdrawn ---------------------------------------------------------------------------------------------------------


async def test_signing_out_ends_the_sockets_of_that_sign_in_and_no_other(world: World) -> None:
    one, two = await Device(world.client).open(), await Device(world.client).open()
    assert one.login_id is not None

    def sign_out() -> None:
        with actor.acting_as(actor_of(world.client, Actor())):
            end_login(user=world.client, login_id=one.login_id)  # type: ignore[arg-type]

    await in_thread(sign_out)
    assert await one.expect_close(within=1) == 4401
    await two.ask("ping", "pong")


async def test_closing_an_account_ends_its_sockets(world: World) -> None:
    device, other = await Device(world.client).open(), await Device(world.reader).open()

    def close() -> None:
        with actor.acting_as(actor_of(world.admin, Actor())):
            users.deactivate(by=world.admin, user_id=world.client.pk)

    await in_thread(close)
    assert await device.expect_close(within=1) == 4403
    await other.ask("ping", "pong")
    with pytest.raises(Closed) as refused:
        await Device(world.client).open()
    assert refused.value.code == 4401


async def test_another_role_is_taken_up_by_coming_back(world: World) -> None:
    device = await Device(world.admin).open()
    await device.ask("join_session", "session_joined", session=world.session)

    def demote() -> None:
        with actor.acting_as(actor_of(world.super_admin, Actor())):
            users.change_role(by=world.super_admin, user_id=world.admin.pk, role=Role.CLIENT)

    await in_thread(demote)
    assert await device.expect_close(within=1) == 4410
    world.admin.role = "client"
    again = await Device(world.admin).open()
    assert (await again.ask("join_session", "error", session=world.session))["code"] == "not_found"


async def test_a_new_password_ends_the_other_sockets(world: World) -> None:
    from tests.cast import PASSWORD

    device = await Device(world.client).open()
    api = await in_thread(Api, world.client)
    answer = await in_thread(api.post, "/me/password", {"current": PASSWORD, "new": "another long password"})
    assert answer.status == 204
    assert await device.expect_close(within=1) == 4401


async def test_the_connection_that_brings_notices_comes_back_and_looks_at_all(world: World, truth: Truth) -> None:
    """Killed from outside; what happened meanwhile is found out when it is there again."""
    client, reader, admin = [await Device(p).open() for p in (world.client, world.reader, world.admin)]
    assert admin.login_id is not None
    listening = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%%' AND datname = current_database()"
    with truth.connection.transaction():
        # Without notices: triggers are off, as if the connection had been away.
        for row in truth.rows(listening):
            truth.rows("SELECT pg_terminate_backend(%s)", row["pid"])
        truth.rows("SET LOCAL session_replication_role = replica")
        truth.rows("UPDATE chat_participants SET left_at = now() WHERE user_id = %s", world.reader.pk)
        truth.rows(
            "UPDATE chat_sessions SET participants = ARRAY[%s]::uuid[] WHERE id = %s", world.client.pk, world.session
        )
        truth.rows(
            "UPDATE chat_session_state SET revision = 3, members_revision = 3 WHERE session_id = %s", world.session
        )
        truth.rows("UPDATE accounts_login SET ended_at = now() WHERE id = %s", admin.login_id)
    assert (await reader.expect("participant_removed"))["session"] == str(world.session)
    assert await admin.expect_close() == 4401
    heartbeat = await client.expect("heartbeat")
    assert heartbeat["heads"] == {str(world.session): 3}


def lose_connections(truth: Truth, which: str, *, ended: Device) -> None:
    """End these connections to the database, and a login while nobody listens."""
    with truth.connection.transaction():
        truth.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE usename IN ('samia_app', 'samia_staff') AND datname = current_database() AND {which}"
        )
        truth.rows("SET LOCAL session_replication_role = replica")  # no notice
        truth.rows("UPDATE accounts_login SET ended_at = now() WHERE id = %s", ended.login_id)


async def test_withdrawn_access_is_found_when_every_connection_was_lost(world: World, truth: Truth) -> None:
    """As when PostgreSQL restarts: the pooled connections are gone as well, and what was missed is asked through them."""
    away, later = await Device(world.client).open(), await Device(world.reader).open()
    await asyncio.gather(*(in_thread(make_login, world.client2) for _ in range(6)))  # several, made and put back
    lose_connections(truth, "true", ended=away)
    assert await away.expect_close(within=1.2) == 4401  # it listens again after 0.1 s
    assert later.closed is None

    def sign_out() -> None:
        with actor.acting_as(actor_of(world.reader, Actor())):
            end_login(user=world.reader, login_id=later.login_id)  # type: ignore[arg-type]

    await in_thread(sign_out)  # and notices are heard again
    assert await later.expect_close(within=1) == 4401


@pytest.mark.parametrize("fault", [InterfaceError("the connection is closed"), RuntimeError("of no known kind")])
async def test_notices_are_listened_to_again_whatever_went_wrong(
    fault: Exception, world: World, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = await Device(world.client).open()
    faults, live_logins = [fault, fault], runtime.live_logins

    def faulty(login_ids: list[UUID]) -> Any:
        if faults:
            raise faults.pop()
        return live_logins(login_ids)

    monkeypatch.setattr(runtime, "live_logins", faulty)
    lose_connections(truth, "query LIKE 'LISTEN%%'", ended=device)
    assert await device.expect_close(within=2) == 4401
    assert not faults


async def test_a_job_that_ends_by_itself_begins_again(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(runtime, "AGAIN_SECONDS", 0.05)
    begun = 0

    async def run(self: PresenceKeeper) -> None:
        nonlocal begun
        begun += 1
        if begun == 1:
            raise RuntimeError("of no known kind")
        if begun > 2:
            await asyncio.sleep(60)

    monkeypatch.setattr(PresenceKeeper, "run", run)
    runtime.ensure_started()
    await asyncio.sleep(0.3)
    assert begun == 3
    said = [record.message for record in caplog.records if "a job of this process" in record.message]
    assert said == ["a job of this process has failed", "a job of this process has ended"]


async def test_a_sign_out_during_the_handshake_is_not_missed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The login ends after it was looked up and before notices find the socket."""
    hub = runtime.ensure_started().hub
    await asyncio.sleep(0.2)  # the notices are listened to
    join = hub.join
    login = await in_thread(make_login, world.client)

    async def slow_join(socket: Any) -> Any:
        def sign_out() -> None:
            with actor.acting_as(actor_of(world.client, Actor())):
                end_login(user=world.client, login_id=login.pk)

        await in_thread(sign_out)
        await asyncio.sleep(0.2)
        return await join(socket)

    monkeypatch.setattr(hub, "join", slow_join)
    device = Device(world.client, login_id=login.pk)
    with pytest.raises(Closed) as refused:
        await device.open()
    assert refused.value.code == 4401


async def test_another_role_during_the_handshake_is_not_missed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = runtime.ensure_started().hub
    await asyncio.sleep(0.2)  # the notices are listened to
    join = hub.join

    async def slow_join(socket: Any) -> Any:
        def demote() -> None:
            with actor.acting_as(actor_of(world.super_admin, Actor())):
                users.change_role(by=world.super_admin, user_id=world.admin.pk, role=Role.MONITOR)

        await in_thread(demote)
        await asyncio.sleep(0.2)
        return await join(socket)

    monkeypatch.setattr(hub, "join", slow_join)
    device = Device(world.admin)
    await device.dial(subprotocols=["ticket." + await in_thread(ticket_of, world.admin)])
    assert await device.expect_close() == 4410


async def test_a_socket_that_cannot_be_admitted_may_come_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anybody is known (the notices are not listened to) as well as after."""
    running = runtime.ensure_started()
    await asyncio.sleep(0.2)
    monkeypatch.setattr("chat.live.consumer.START_SECONDS", 0.05)
    running.listening.clear()
    early = Device(world.client)
    await early.dial(subprotocols=["ticket." + await in_thread(ticket_of, world.client)])
    assert await early.expect_close() == 1013
    running.listening.set()

    async def fail(socket: Any) -> Any:
        raise OSError

    monkeypatch.setattr(running.hub, "join", fail)
    late = Device(world.client)
    await late.dial(subprotocols=["ticket." + await in_thread(ticket_of, world.client)])
    assert await late.expect_close() == 1013
    assert not running.hub.sockets


@pytest.mark.parametrize("others", ['prefs={"a":1}', "name=John Smith", "na[me]=1", "junk", "a=é"])
async def test_cookies_of_others_do_not_hide_ours(others: str, world: World) -> None:
    ours = await in_thread(cookie_of, world.client)
    device = Device(world.client)
    await device.dial(
        headers=[(b"origin", ORIGIN.encode()), (b"cookie", f"{others}; {ours}; {others}".encode("latin1"))]
    )
    await device.expect("welcome")


async def test_a_client_that_asks_again_and_again_gets_one_answer_at_a_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = most = 0

    def counting(*, viewer: User, held: Any) -> dict[str, Any]:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        time.sleep(0.02)
        answer = sync(viewer=viewer, held=held)
        at_once -= 1
        return answer

    monkeypatch.setattr("chat.live.consumer.sync", counting)
    device = await Device(world.client).open()
    for _ in range(5):
        device.send("resume", sessions={})
    for _ in range(5):
        await device.expect("resumed")
    assert most == 1


async def test_an_idle_socket_is_closed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat.live.runtime.IDLE_SECONDS", 0.5)
    monkeypatch.setattr(settings, "HEARTBEAT_SECONDS", 1)
    idle, busy = await Device(world.client).open(), await Device(world.reader).open()
    for _ in range(6):
        await busy.ask("ping", "pong")
        await asyncio.sleep(0.2)
    assert await idle.expect_close() == 4408
    assert busy.closed is None


async def test_heartbeats_tell_the_set_of_sessions(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from samia_chat.realtime.hub import digest

    monkeypatch.setattr(settings, "HEARTBEAT_SECONDS", 1)
    device = await Device(world.client).open()
    beat = await device.expect("heartbeat")
    assert beat["heads"] == {}
    assert beat["sessions_digest"] == digest([world.session])
    assert digest([world.session, world.other]) == digest([world.other, world.session])
    assert digest([]) == "0" * 32


async def test_who_missed_something_does_not_wait_behind_those_who_come(world: World) -> None:
    device = await Device(world.client).open()
    held = {"sessions": {str(world.session): 0}}
    await device.ask("resume", "resumed", **held)  # from here on it is level
    coming = runtime.ensure_started().coming
    for _ in range(runtime.RESUMES):
        await coming.acquire()
    late = await Device(world.reader).open()
    ref = late.send("resume", **held)
    await device.ask("resume", "resumed", **held)
    await late.nothing("resumed")
    coming.release()
    await late.expect("resumed", ref=ref)
