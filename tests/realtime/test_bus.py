"""Events between processes: what arrives, what is dropped, and that nothing that Redis does holds anybody up."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
import redis as redis_py
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.test import override_settings

from accounts.identity import actor_of
from chat.services.session import change_state
from samia_chat import actor, telemetry
from samia_chat.actor import Actor
from samia_chat.embedded.redis import Redis
from samia_chat.realtime import bus as buses
from samia_chat.realtime import events as shapes
from samia_chat.realtime import publishing
from samia_chat.realtime.bus import CHANNEL, LETTERS, NAME_LENGTH, OUTSIDE, Bus
from samia_chat.realtime.events import Event, packets
from samia_chat.realtime.link import Address, Link
from tests.cast import World
from tests.rest import in_thread, until
from tests.server import Wire, free_port

HERE = Path(__file__).resolve().parents[2]
SESSION = UUID(int=7)


def event(revision: int, frame: bytes = b"{}") -> Event:
    return Event(session=SESSION, frame=frame, revision=revision)


def revisions(events: list[Event]) -> list[int | None]:
    return [one.revision for one in events]


class Process(Bus):
    """A process as far as its bus goes, and everything that it hears."""

    def __init__(self, url: str) -> None:
        super().__init__(url, self.deliver, self._lost)
        self.got: list[Event] = []
        self.heard: list[str] = []
        self.losses = 0

    def deliver(self, event: Event) -> None:
        self.got.append(event)

    def _lost(self) -> None:
        self.losses += 1

    def _take(self, channel: bytes, said: bytes) -> None:
        self.heard.append(channel.decode())
        super()._take(channel, said)

    async def up(self, losses: int = 1) -> None:
        """Connected, and so often told that something may have been lost: with each connection, for one."""
        await until(lambda: self.losses >= losses and self.is_up)

    async def gets(self, *expected: int) -> None:
        await until(lambda: len(self.got) >= len(expected))
        assert revisions(self.got) == list(expected)


@asynccontextmanager
async def running(*processes: Process) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(one.run()) for one in processes]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def connected(redis: Redis, count: int = 2) -> AsyncIterator[list[Process]]:
    processes = [Process(redis.url) for _ in range(count)]
    async with running(*processes):
        for one in processes:
            await one.up()
        yield processes


def tell(redis: Redis, channel: str, said: bytes) -> int:
    """Say something on a channel as anybody may who reaches Redis; how many hear it."""
    with redis_py.Redis.from_url(redis.url) as client:
        return int(client.publish(channel, said))


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, None]], None]:
    """Both event loops: each has its own way to buffer what is not taken."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buses, "PROBE_SECONDS", 0.1)
    monkeypatch.setattr(buses, "CONNECT_SECONDS", 0.3)
    monkeypatch.setattr(buses, "RETRY_SECONDS", (0.05, 0.1))
    monkeypatch.setattr(buses, "CALM_SECONDS", 0.05)


# What arrives -------------------------------------------------------------------------------------------------------------


async def test_events_arrive_at_the_others_in_order_and_not_at_home(redis: Redis) -> None:
    async with connected(redis, 3) as (one, two, three):
        for revision in range(300):
            one.publish([event(revision)])
            if revision % 7 == 0:  # several in a turn of the loop, and several turns
                await asyncio.sleep(0)
        three.publish([event(1000)])
        await until(lambda: len(two.got) == 301 and len(three.got) == 300)
        assert [one for one in revisions(two.got) if one != 1000] == list(range(300))
        assert revisions(three.got) == list(range(300))
        assert revisions(one.got) == [1000]
        assert CHANNEL + one.name not in one.heard  # Redis did not even say it


async def test_what_is_said_in_one_turn_is_one_message(redis: Redis) -> None:
    async with connected(redis) as (one, two):
        for revision in range(10):
            one.publish([event(revision)])
        await two.gets(*range(10))
        assert two.heard.count(CHANNEL + one.name) == 1


async def test_an_event_arrives_with_all_it_has(redis: Redis) -> None:
    sent = [
        Event(
            session=uuid4(),
            frame="سلام".encode(),
            revision=7,
            members_revision=3,
            not_to=uuid4(),
            further=(uuid4(), uuid4()),
        ),
        Event(session=uuid4(), frame=b"{}"),
    ]
    async with connected(redis) as (one, two):
        one.publish(sent)
        await until(lambda: len(two.got) == 2)
        assert two.got == sent


async def test_processes_come_and_go_at_any_moment(redis: Redis) -> None:
    async with connected(redis) as (one, two):
        late = Process(redis.url)
        async with running(late):
            await late.up()
            one.publish([event(1)])
            await late.gets(1)
            late.publish([event(2)])
            await one.gets(2)
        one.publish([event(3)])  # whoever has left is missed by nobody
        await two.gets(1, 2, 3)


async def test_every_other_name_is_heard_once_and_ones_own_never(redis: Redis) -> None:
    async with connected(redis, 1) as (one,):
        names = ["".join(secrets.choice(LETTERS) for _ in range(NAME_LENGTH)) for _ in range(50)]
        for at in range(NAME_LENGTH):  # alike but for one letter
            names += [one.name[:at] + letter + one.name[at + 1 :] for letter in LETTERS if letter != one.name[at]]

        def heard() -> list[int]:
            with redis_py.Redis.from_url(redis.url) as client:
                asked = client.pipeline(transaction=False)
                for name in [one.name, "-", *names]:
                    asked.publish(CHANNEL + name, packets([event(0)])[0])
                return list(asked.execute())

        assert await in_thread(heard) == [0, 1] + [1] * len(names)
        await until(lambda: len(one.got) == 1 + len(names))


async def test_a_process_from_outside_is_heard(redis: Redis) -> None:
    async with connected(redis) as (one, two):
        with override_settings(REDIS_URL=redis.url):
            for revision in (1, 2):
                await in_thread(lambda revision=revision: publishing.publish(event(revision)))
        for process in (one, two):
            await process.gets(1, 2)


async def test_what_a_command_does_reaches_the_sockets_of_a_process(world: World, start: Any, redis: Redis) -> None:
    reader = await Wire(start(REDIS_URL=redis.url), world.reader).open()

    def command() -> None:
        with actor.acting_as(actor_of(world.admin, Actor())):
            change_state(by=world.admin, session_id=world.session, verb="lock", reason="a test")

    with override_settings(REDIS_URL=redis.url):
        await in_thread(command)
    assert (await reader.expect("session_updated"))["session"] == str(world.session)


# What is dropped ----------------------------------------------------------------------------------------------------------


async def test_what_cannot_be_read_is_counted_and_stops_nothing(
    redis: Redis, dropped: dict[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    (good,) = packets([event(1)])
    encode = msgspec.msgpack.encode
    bad = [
        *(b"", b"nonsense", b"\xc1", good[:-1], good + b"\x00", b"\x00" * (shapes.MAX_PACKET_BYTES + 1)),
        *(encode(said) for said in (2, {"form": 1}, [1], [1, 7], [2, []], [1, [7]], [1, [["short"]]])),
        encode([1, [[7, b"{}", 1, 1, None, []]]]),
        encode([1, [[b"no uuid", b"{}", 1, 1, None, []]]]),
        encode([1, [[SESSION.bytes, b"\xff", 1, 1, None, []]]]),
        encode([1, [[SESSION.bytes, "{}", 1, 1, None, []]]]),  # a text, of an earlier version
        encode([1, [[SESSION.bytes, b"{}", "1", 1, None, []]]]),
    ]
    async with connected(redis) as (one, two):
        for said in bad:
            assert await in_thread(lambda said=said: tell(redis, OUTSIDE, said)) == 2
        two.publish([event(2)])
        await one.gets(2)
        assert dropped == {"unreadable": 2 * len(bad)}
        assert len([line for line in caplog.records if "cannot be read" in line.message]) == 2  # once a process
        assert (one.losses, two.losses) == (1, 1)


async def test_a_later_version_may_say_more_of_an_event(redis: Redis) -> None:
    said = msgspec.msgpack.encode([1, [[SESSION.bytes, b"{}", 5, 1, None, [], [], False, "news"]], "more news"])
    async with connected(redis, 1) as (one,):
        await in_thread(lambda: tell(redis, OUTSIDE, said))
        await one.gets(5)


async def test_an_event_that_cannot_be_handed_on_stops_nothing(
    redis: Redis, dropped: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connected(redis) as (one, two):

        def fails_once(given: Event) -> None:
            if given.revision == 2:
                raise KeyError(given.revision)
            two.got.append(given)

        monkeypatch.setattr(two, "_deliver", fails_once)
        one.publish([event(1), event(2), event(3)])
        await two.gets(1, 3)
        assert dropped == {"failed": 1}


async def test_large_ones_travel_in_several_and_only_what_is_too_large_alone_is_dropped(
    redis: Redis, dropped: dict[str, int]
) -> None:
    large, too_large = b"x" * 300_000, b"x" * shapes.MAX_PACKET_BYTES
    async with connected(redis) as (one, two):
        one.publish([*(event(revision, large) for revision in range(10)), event(10, too_large), event(11)])
        await two.gets(*range(10), 11)
        assert dropped == {"oversized": 1}
        assert two.heard.count(CHANNEL + one.name) >= 4


# How it is read -----------------------------------------------------------------------------------------------------------


def message(said: bytes) -> bytes:
    words = (b"pmessage", b"samia.events.[^a]*", b"samia.events.b", said)
    return b"*4\r\n" + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


async def test_a_message_may_come_in_any_pieces() -> None:
    said = [b"", b"\r\n$3\r\n", *(packets([event(revision)])[0] for revision in range(20))]
    stream = b"".join(message(one) for one in said)
    for length in (1, 2, 3, 7, 100, len(stream)):
        heard: list[bytes] = []
        link = Link(lambda channel, what, heard=heard: heard.append(what))  # type: ignore[misc]
        for at in range(0, len(stream), length):
            link.data_received(stream[at : at + length])
        assert heard == said


async def test_answers_that_nobody_asked_for_do_not_pile_up() -> None:
    link = Link(lambda channel, what: None)
    link.data_received(b":1\r\n" * 10_000)
    assert link._answers.qsize() < 100


# When Redis fails ---------------------------------------------------------------------------------------------------------


async def test_redis_restarts(redis: Redis, dropped: dict[str, int], quick: None) -> None:
    async with connected(redis) as (one, two):
        redis.stop()
        await until(lambda: not one.is_up and not two.is_up)
        for revision in range(100):
            one.publish([event(revision)])
        await asyncio.sleep(0)
        assert dropped == {"layer": 100}
        redis.start()
        await one.up(losses=2)
        await two.up(losses=2)
        one.publish([event(200)])
        await two.gets(200)


def test_what_a_redis_that_hangs_does_not_take_is_bounded(
    redis: Redis,
    dropped: dict[str, int],
    quick: None,
    monkeypatch: pytest.MonkeyPatch,
    run: Callable[[Coroutine[Any, Any, None]], None],
) -> None:
    monkeypatch.setattr(buses, "MAX_UNSENT_BYTES", 1_000_000)
    monkeypatch.setattr(buses, "MAX_UNANSWERED", 1000)

    async def scenario() -> None:
        async with connected(redis) as (one, two):
            os.kill(redis.pid, signal.SIGSTOP)
            started = time.monotonic()
            for revision in range(200):
                one.publish([event(revision, b"x" * 50_000)])
                await asyncio.sleep(0)
            assert time.monotonic() - started < 1  # it held nobody up
            assert one.unsent_bytes < 1_100_000
            assert dropped["layer"] > 150
            await until(lambda: not one.is_up)
            os.kill(redis.pid, signal.SIGCONT)
            await one.up(losses=2)
            kept = 200 - dropped["layer"]
            one.publish([event(1000)])
            await two.gets(*range(kept), 1000)

    run(scenario())


def test_connections_on_which_nothing_is_answered_are_made_anew(
    redis: Redis, quick: None, run: Callable[[Coroutine[Any, Any, None]], None], caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with connected(redis) as (one, two):
            os.kill(redis.pid, signal.SIGSTOP)
            one.publish([event(1, b"x" * 500_000) for _ in range(20)])  # more than the kernel holds
            links = list(one._links)
            await until(lambda: one._links != links and not one.is_up)
            await asyncio.sleep(1)  # in which it tries again, and nobody answers either
            assert one.unsent_bytes == 0
            os.kill(redis.pid, signal.SIGCONT)
            await one.up(losses=2)
            await two.up(losses=2)
            two.publish([event(2)])
            await one.gets(2)
        lines = [getattr(line, "why", "") for line in caplog.records if "are lost" in line.message]
        assert len(lines) <= 2 * 3  # two processes; each reason once

    run(scenario())


@pytest.mark.parametrize("greeting", [None, b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
async def test_a_server_that_is_no_redis_holds_nobody_up(
    greeting: bytes | None, tmp_path: Path, dropped: dict[str, int], quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    """It accepts and never says anything, closes at once, or talks nonsense; and then it is Redis again."""
    comers: list[asyncio.StreamWriter] = []

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        comers.append(writer)
        if greeting is not None:
            writer.write(greeting)
            writer.close()

    one = Process(f"unix://{tmp_path}/redis.sock")
    server = await asyncio.start_unix_server(meet, tmp_path / "redis.sock")
    async with running(one):
        await until(lambda: len(comers) >= 3)
        assert not one.is_up
        assert one.losses == 0
        one.publish([event(1)])
        await asyncio.sleep(0.5)
        assert len(comers) < 15  # it asks less and less often
        assert dropped == {"layer": 1}
        server.close()
        for writer in comers:
            writer.close()
        (tmp_path / "redis.sock").unlink(missing_ok=True)
        real = Redis("--unixsocket", str(tmp_path / "redis.sock"))
        real.socket = tmp_path / "redis.sock"
        real.start()
        try:
            await one.up()
        finally:
            real.remove()
    assert len([line for line in caplog.records if line.levelno >= logging.WARNING]) <= 6  # each reason once


async def test_a_wrong_password_is_logged_once_and_not_for_every_event(
    dropped: dict[str, int], quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    redis = Redis("--requirepass", "right")
    redis.start()
    try:
        one = Process(redis.url.replace("unix://", "unix://:wrong@"))
        async with running(one):
            for revision in range(50):
                one.publish([event(revision)])
                await asyncio.sleep(0.01)  # and several attempts to sign in
            assert not one.is_up
        assert dropped == {"layer": 50}
        lines = [line for line in caplog.records if line.levelno >= logging.WARNING]
        assert len(lines) == 1
        assert "WRONGPASS" in lines[0].why  # type: ignore[attr-defined]
        two = Process(redis.url.replace("unix://", "unix://:right@"))
        async with running(two):
            await two.up()
    finally:
        redis.remove()


async def test_a_redis_that_is_slow_to_answer_is_waited_for(redis: Redis) -> None:
    os.kill(redis.pid, signal.SIGSTOP)
    one = Process(redis.url)
    async with running(one):
        await asyncio.sleep(0.5)
        assert one.is_up  # nothing else is known yet
        os.kill(redis.pid, signal.SIGCONT)
        await one.up()


async def test_what_was_lost_is_read_when_redis_is_back_and_not_only_with_the_heartbeat(
    world: World, start: Any, redis: Redis
) -> None:
    seldom = {"REDIS_URL": redis.url, "SAMIA_HEARTBEAT_SECONDS": "600"}
    one, two = start(**seldom), start(**seldom)
    client, reader = await Wire(one, world.client).open(), await Wire(two, world.reader).open()
    redis.stop()
    await client.say(world.session, "to nobody")
    redis.start()
    beat = await reader.expect("heartbeat", within=15)
    assert beat["heads"] == {str(world.session): 3}


async def test_whoever_lost_events_tells_the_others_who_heard_nothing_of_it(redis: Redis, quick: None) -> None:
    one, two, three = Process(f"{redis.url}?client_name=one"), Process(redis.url), Process(redis.url)

    def cut_off() -> None:
        with redis_py.Redis.from_url(redis.url) as client:
            for found in client.client_list():
                if found["name"] == "one":
                    client.client_kill_filter(_id=found["id"])

    async with running(one, two, three):
        for process in (one, two, three):
            await process.up()
        await in_thread(cut_off)
        await until(lambda: not one.is_up)
        one.publish([event(1)])
        await one.up(losses=2)
        for process in (two, three):
            await process.up(losses=2)
        two.publish([event(2)])
        await one.gets(2)
        assert (one.losses, two.losses, three.losses) == (2, 2, 2)
        assert three.got == [*two.got, event(2)] == [event(2)]


async def test_a_dead_redis_holds_no_command_up(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    failed: list[str] = []
    monkeypatch.setattr(telemetry, "observe", lambda name, **fields: failed.append(name))
    monkeypatch.setattr(publishing, "OUTSIDE_SECONDS", 0.2)
    monkeypatch.setattr(publishing, "PAUSE_SECONDS", 0.5)
    monkeypatch.setattr(publishing, "_silent_until", 0.0)
    os.kill(redis.pid, signal.SIGSTOP)
    started = time.monotonic()
    with override_settings(REDIS_URL=redis.url):
        for _ in range(100):
            await in_thread(lambda: publishing.publish(event(1)))
        assert time.monotonic() - started < 2.0
        assert failed == ["layer.failed"] * 100
        os.kill(redis.pid, signal.SIGCONT)
        await asyncio.sleep(0.6)
        async with connected(redis, 1) as (one,):
            await in_thread(lambda: publishing.publish(event(2)))
            await one.gets(2)
            redis.stop()
            redis.start()  # its connection is closed; the next event does not notice
            await one.up(losses=2)
            await in_thread(lambda: publishing.publish(event(3)))
            await one.gets(2, 3)


# Addresses ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://cache", Address(host="cache", port=6379)),
        ("redis://cache:7000/3", Address(host="cache", port=7000)),
        ("redis://[::1]:7000/0?client_name=samia", Address(host="::1", port=7000, name="samia")),
        ("redis://:p%40ss%2Fw%3Ard%25@cache", Address(host="cache", port=6379, credentials=("p@ss/w:rd%",))),
        ("redis://me:pass@cache", Address(host="cache", port=6379, credentials=("me", "pass"))),
        ("redis://me@cache", Address(host="cache", port=6379, credentials=("me", ""))),
        ("unix:///run/redis.sock?db=2", Address(path="/run/redis.sock")),
        ("unix://:word@/run/redis.sock", Address(path="/run/redis.sock", credentials=("word",))),
        (
            "unix:///run/redis.sock?username=me&password=word",
            Address(path="/run/redis.sock", credentials=("me", "word")),
        ),
    ],
)
def test_addresses(url: str, expected: Address) -> None:
    assert Address.of(url) == expected


def test_what_is_no_address_is_refused() -> None:
    for url in ("http://cache", "cache:6379", ""):
        with pytest.raises(ValueError, match="scheme"):
            Address.of(url)


def make_certificate(folder: Path) -> tuple[str, str]:
    """One that localhost signed for itself, and its key: their files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(hours=1)
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "certificate.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").write_bytes(secret)
    return str(folder / "certificate.pem"), str(folder / "key.pem")


def test_over_tls_with_a_user_and_a_password(tmp_path: Path, run: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    certificate, key = make_certificate(tmp_path)
    port, word = free_port(), "p@ss/w:rd%"
    files = ("--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate)
    redis = Redis("--tls-port", str(port), "--tls-auth-clients", "no", *files)
    address = f"rediss://me:p%40ss%2Fw%3Ard%25@localhost:{port}/0"

    async def scenario() -> None:
        one, two = (Process(f"{address}?ssl_ca_certs={certificate}") for _ in range(2))
        async with running(one, two):
            await one.up()
            await two.up()
            one.publish([event(1, b"x" * 500_000)])
            await two.gets(1)
        stranger = Process(address)  # which does not know who signed the certificate
        async with running(stranger):
            await until(lambda: not stranger.is_up)
            assert "CERTIFICATE_VERIFY_FAILED" in stranger._trouble

    redis.start()
    try:
        with redis_py.Redis.from_url(redis.url) as client:
            client.acl_setuser("me", enabled=True, passwords=[f"+{word}"], channels=["*"], categories=["+@all"])
        run(scenario())
    finally:
        redis.remove()


# The house rule -----------------------------------------------------------------------------------------------------------


def test_events_leave_a_process_only_after_a_commit_and_only_by_the_bus() -> None:
    """Redis's PUBLISH and the bus are named in samia_chat/realtime and where a process makes its bus, and nowhere else."""
    allowed = {"samia_chat/settings.py", "chat/live/runtime.py"}
    for folder in ("samia_chat", "audit", "accounts", "storage", "chat", "monitoring"):
        for path in (HERE / folder).rglob("*.py"):
            name = path.relative_to(HERE).as_posix()
            if name.startswith("samia_chat/realtime/"):
                continue
            text = path.read_text()
            for word in ("group_send", "get_channel_layer", "PUBLISH", "realtime.link", "realtime.bus"):
                assert word not in text or (word == "realtime.bus" and name in allowed), f"{name} names {word}"
