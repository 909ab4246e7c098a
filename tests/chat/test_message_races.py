"""Many at once: numbers without a hole, one order for all, nothing late and nothing twice, no deadlock."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connections

from accounts.identity import actor_of
from accounts.models import User
from chat.live import runtime
from chat.services import message as messages
from chat.services import participant as participants
from chat.services import session as sessions
from samia_chat import actor
from samia_chat.actor import Actor
from samia_chat.errors import Problem
from tests.cast import World, as_system, make_person, make_session
from tests.database import Truth
from tests.device import Device
from tests.rest import in_thread

SENDERS = 50


@pytest.fixture(autouse=True)
def unlimited(settings_of_limits: Any) -> None:
    settings_of_limits(RATE_MESSAGES=100_000, RATE_WRITES=100_000)


def sequence(truth: Truth, session: UUID) -> list[int]:
    return [
        row["seq"] for row in truth.rows("SELECT seq FROM chat_messages WHERE session_id = %s ORDER BY seq", session)
    ]


def counters(truth: Truth, session: UUID) -> tuple[int, int]:
    row = truth.rows("SELECT last_seq, revision FROM chat_session_state WHERE session_id = %s", session)[0]
    return row["last_seq"], row["revision"]


def at_once(*work: Any) -> list[Any]:
    """Run callables in a thread each; their results, or the refusals they raised."""

    def run(function: Any) -> Any:
        try:
            return function()
        except Problem as problem:
            return problem
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(run, work))


def sending(person: User, session: UUID, content: str = "hello", **fields: Any) -> Any:
    who = actor_of(person, Actor())
    return lambda: messages.send_message(sender=who, session_id=session, content=content, **fields)


async def test_fifty_senders_get_numbers_without_a_hole_and_all_see_one_order(world: World, truth: Truth) -> None:
    people = await in_thread(lambda: [make_person(f"p{n}") for n in range(SENDERS)])
    session = await in_thread(make_session, *people)
    devices = [await Device(person).open() for person in people]
    for turn in range(4):
        await asyncio.gather(*(device.say(session, f"{n}-{turn}") for n, device in enumerate(devices)))
    assert sequence(truth, session) == list(range(1, SENDERS * 4 + 1))
    orders = []
    for device in devices:
        await device.ask("ping", "pong")
        orders.append([frame["message"]["seq"] for frame in device.seen if frame["type"] == "new_message"])
    assert all(order == list(range(1, SENDERS * 4 + 1)) for order in orders)
    mine = [frame["message"]["content"] for frame in devices[0].seen if frame["type"] == "ack"]
    assert mine == [f"0-{turn}" for turn in range(4)]  # each sender's own order is kept
    await asyncio.gather(*(device.hang_up() for device in devices))


def test_the_same_id_at_once_is_stored_once(world: World, truth: Truth) -> None:
    mine = uuid4()
    outcomes = at_once(*[sending(world.client, world.session, message_id=mine)] * 8)
    assert sorted(sent.is_replay for sent in outcomes) == [False] + [True] * 7
    assert sequence(truth, world.session) == [1]


def test_the_same_id_with_other_words_at_once_is_refused(world: World, truth: Truth) -> None:
    mine = uuid4()
    outcomes = at_once(*[sending(world.client, world.session, str(n), message_id=mine) for n in range(8)])
    assert sum(isinstance(outcome, messages.Sent) for outcome in outcomes) == 1
    assert {outcome.code for outcome in outcomes if isinstance(outcome, Problem)} == {"id_taken"}
    assert sequence(truth, world.session) == [1]


def test_sends_edits_deletes_and_receipts_at_once_leave_no_hole(world: World, truth: Truth) -> None:
    first = [sending(world.client, world.session, f"first {n}")() for n in range(6)]
    who = actor_of(world.client, Actor())

    def as_client(function: Any, **fields: Any) -> Any:
        def work() -> Any:
            with actor.acting_as(who):
                return function(by=world.client, **fields)

        return work

    edits = [as_client(messages.edit_message, message_id=s.message["id"], content="other words") for s in first[:3]]
    deletes = [as_client(messages.delete_message, message_id=s.message["id"]) for s in first[2:]]
    sends = [sending(person, world.session) for person in (world.client, world.reader) * 6]
    outcomes = at_once(*edits, *deletes, *sends)
    refused = [outcome.code for outcome in outcomes if isinstance(outcome, Problem)]
    assert set(refused) <= {"message_deleted"}  # the edit that came after the delete of the same message
    assert sequence(truth, world.session) == list(range(1, 19))
    last_seq, revision = counters(truth, world.session)
    revisions = truth.rows("SELECT revision FROM chat_messages WHERE session_id = %s", world.session)
    assert last_seq == 18
    assert max(row["revision"] for row in revisions) == revision
    assert len({row["revision"] for row in revisions}) == 18  # no two changes share a revision


@pytest.mark.parametrize("turn", range(5))
def test_no_message_is_later_than_the_end(turn: int, world: World, truth: Truth) -> None:
    def end() -> Any:
        with actor.acting_as(as_system()):
            return sessions.change_state(by=actor.current(), session_id=world.session, verb="end")

    sends = [sending(person, world.session) for person in (world.client, world.reader) * 6]
    outcomes = at_once(*sends[:6], end, *sends[6:])
    refused = [outcome for outcome in outcomes if isinstance(outcome, Problem)]
    assert {problem.code for problem in refused} <= {"session_state"}
    stored = sequence(truth, world.session)
    assert stored == list(range(1, 12 - len(refused) + 1))
    ended = truth.rows("SELECT revision FROM chat_session_state WHERE session_id = %s", world.session)[0]["revision"]
    newest = truth.one("SELECT max(revision) FROM chat_messages WHERE session_id = %s", world.session) or 0
    assert newest < ended  # the end is the last change
    late = truth.one(
        "SELECT count(*) FROM chat_messages m JOIN chat_sessions c ON c.id = m.session_id WHERE m.created_at > c.ended_at"
    )
    assert late == 0


@pytest.mark.parametrize("turn", range(5))
def test_nothing_of_a_removed_member_is_stored_after_the_removal(turn: int, world: World, truth: Truth) -> None:
    def remove() -> Any:
        with actor.acting_as(as_system()):
            return participants.remove_participant(
                by=actor.current(), session_id=world.session, user_id=world.client.pk
            )

    sends = [sending(world.client, world.session) for _ in range(8)]
    outcomes = at_once(*sends[:4], remove, *sends[4:])
    refused = [outcome for outcome in outcomes if isinstance(outcome, Problem)]
    assert {problem.code for problem in refused} <= {"not_found", "forbidden"}
    assert sequence(truth, world.session) == list(range(1, 8 - len(refused) + 1))
    removed_at = truth.one("SELECT members_revision FROM chat_session_state WHERE session_id = %s", world.session)
    newest = truth.one("SELECT max(revision) FROM chat_messages WHERE session_id = %s", world.session) or 0
    assert newest < removed_at


def test_opening_one_booking_at_once_gives_one_session(world: World, truth: Truth) -> None:
    with actor.acting_as(as_system()):
        sessions.change_state(by=actor.current(), session_id=world.session, verb="end")

    def opening(person: User) -> Any:
        def work() -> Any:
            with actor.acting_as(actor_of(person, Actor())):
                return sessions.open_session(kind="booking", booking_id=world.booking.pk)

        return work

    outcomes = at_once(*[opening(person) for person in (world.client, world.reader, world.admin) * 3])
    assert len({session for session, _ in outcomes}) == 1
    assert sum(is_new for _, is_new in outcomes) == 1


def test_batches_of_two_processes_over_the_same_sessions_do_not_deadlock(world: World, truth: Truth) -> None:
    """Each batch locks its sessions in one order; a third party ends and edits in between."""
    pairs = [(world.client, world.session), (world.client2, world.other)] * 40

    async def process(order: int) -> list[Any]:
        from django.conf import settings

        from chat.live.batcher import Batcher

        batcher = Batcher(settings.DATABASE_URL)
        drafts = [
            messages.new_draft(sender=actor_of(person, Actor()), session_id=session, content="x")
            for person, session in pairs[::order]
        ]
        answers = await asyncio.gather(*(batcher.submit(draft) for draft in drafts))
        await batcher.close()
        return [stored.code for stored, _ in answers]

    codes = at_once(lambda: asyncio.run(process(1)), lambda: asyncio.run(process(-1)))
    assert codes == [["ok"] * 80] * 2
    for session in (world.session, world.other):
        assert sequence(truth, session) == list(range(1, 81))


async def test_a_session_locked_for_long_fails_alone(world: World, truth: Truth) -> None:
    """Somebody holds the counters of one session: its sends are `busy` after two seconds, others go on."""
    running = runtime.ensure_started()

    def drafts(person: User, session: UUID) -> messages.Draft:
        return messages.new_draft(sender=actor_of(person, Actor()), session_id=session, content="x")

    with truth.connection.transaction():
        truth.rows("SELECT 1 FROM chat_session_state WHERE session_id = %s FOR UPDATE", world.session)
        locked = [running.batcher.submit(drafts(world.client, world.session)) for _ in range(3)]
        free = [running.batcher.submit(drafts(world.client2, world.other)) for _ in range(3)]
        outcomes = await asyncio.gather(*locked, *free, return_exceptions=True)
    assert [type(outcome).__name__ for outcome in outcomes[:3]] == ["Busy"] * 3
    assert [outcome[0].code for outcome in outcomes[3:]] == ["ok"] * 3  # type: ignore[index]
    assert sequence(truth, world.session) == []
    assert sequence(truth, world.other) == [1, 2, 3]
