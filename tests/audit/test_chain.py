"""The record: append-only, chained, and every way of tampering shows."""

from __future__ import annotations

from io import StringIO
from uuid import uuid4

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from accounts.identity import actor_of
from audit.record import record
from samia_chat import actor
from samia_chat.actor import Actor
from tests.cast import World
from tests.database import Truth
from tests.device import Device
from tests.rest import Api, in_thread, until


def verify() -> str:
    out = StringIO()
    call_command("verify_audit", stdout=out)
    return out.getvalue()


@pytest.fixture
def talk(world: World) -> World:
    for text in ("one", "two", "three", "four"):
        Api(world.client).send(world.session, text)
    assert verify() == "Every chain is whole.\n"
    return world


TAMPERING = {
    "changed actor": ("UPDATE chat_audit_logs SET actor = gen_random_uuid() WHERE chain = %(c)s AND n = 4", 4),
    "changed time": ("UPDATE chat_audit_logs SET at = at - interval '1 day' WHERE chain = %(c)s AND n = 4", 4),
    "changed values": ("UPDATE chat_audit_logs SET new_values = '{}' WHERE chain = %(c)s AND n = 4", 4),
    "changed reason": ("UPDATE chat_audit_logs SET reason = 'x' WHERE chain = %(c)s AND n = 4", 4),
    "changed address": ("UPDATE chat_audit_logs SET ip_address = '10.0.0.1' WHERE chain = %(c)s AND n = 4", 4),
    "removed": ("DELETE FROM chat_audit_logs WHERE chain = %(c)s AND n = 4", 5),
    "cut tail": ("DELETE FROM chat_audit_logs WHERE chain = %(c)s AND n >= 6", 6),
    "cut tail with its head lowered": (
        "DELETE FROM chat_audit_logs WHERE chain = %(c)s AND n >= 6; UPDATE audit_chains SET n = 5 WHERE chain = %(c)s",
        5,  # the head's hash is not that of the fifth
    ),
    "re-ordered": (
        "UPDATE chat_audit_logs SET n = -1 WHERE chain = %(c)s AND n = 4;"
        " UPDATE chat_audit_logs SET n = 4 WHERE chain = %(c)s AND n = 5;"
        " UPDATE chat_audit_logs SET n = 5 WHERE chain = %(c)s AND n = -1",
        4,
    ),
    "forged at the end": (
        "INSERT INTO chat_audit_logs (id, actor_role, actor_name, action, table_name, request_id, reason, chain, n, hash)"
        " SELECT gen_random_uuid(), '', '', 'message.created', '', '', '', %(c)s, max(n) + 1, sha256('x')"
        " FROM chat_audit_logs WHERE chain = %(c)s",
        8,
    ),
}


@pytest.mark.parametrize("name", TAMPERING)
def test_tampering_shows_at_the_first_record_it_touched(name: str, talk: World, truth: Truth) -> None:
    """Done as the superuser with triggers off: what cannot be prevented is at least seen."""
    statement, at = TAMPERING[name]
    for part in statement.split(";"):
        truth.without_triggers(part.replace("%(c)s", f"'{talk.session}'"))
    error = StringIO()
    with pytest.raises(CommandError, match=f"number {at} of chain {talk.session}"):
        call_command("verify_audit", stderr=error)
    assert str(talk.session) in error.getvalue()


def test_nobody_changes_removes_or_truncates_not_even_the_owner(talk: World, truth: Truth) -> None:
    for statement in (
        "UPDATE chat_audit_logs SET action = 'x.y'",
        "DELETE FROM chat_audit_logs",
        "TRUNCATE chat_audit_logs",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            truth.rows(statement)


def test_where_a_record_came_from_can_be_erased_and_the_chain_stays_whole(talk: World, truth: Truth) -> None:
    truth.rows("UPDATE chat_audit_logs SET ip_address = NULL, user_agent = NULL, origin_salt = NULL")
    assert truth.one("SELECT count(*) FROM chat_audit_logs WHERE origin_digest IS NOT NULL") > 0
    assert verify() == "Every chain is whole.\n"


def test_an_event_cannot_be_passed_off_as_what_a_trigger_writes(world: World) -> None:
    with actor.acting_as(actor_of(world.client, Actor())):
        for action in (
            "message.created",
            "session.changed",
            "participant.removed",
            "message.deleted",
            "session.locked",
            "session.viewed",
            "user.role_changed",
            "nonsense",
            "A.b",
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                record(action)


def test_who_what_when_from_where_and_why(world: World, truth: Truth) -> None:
    admin = Api(world.admin, **{"X-Request-Id": "the-request-1", "User-Agent": "a browser"})
    admin.post(f"/chat/sessions/{world.session}/lock", {"reason": "a complaint"})
    entry = truth.rows("SELECT * FROM chat_audit_logs WHERE action = 'session.locked'")[0]
    assert (entry["actor"], entry["actor_role"], entry["reason"]) == (world.admin.pk, "admin", "a complaint")
    assert (str(entry["ip_address"]), entry["user_agent"], entry["request_id"]) == (
        "127.0.0.1",
        "a browser",
        "the-request-1",
    )
    assert (entry["table_name"], entry["record_id"], entry["session_id"]) == (
        "chat_sessions",
        world.session,
        world.session,
    )
    assert (entry["old_values"], entry["new_values"]) == ({"status": "active"}, {"status": "locked"})
    assert entry["chain"] == world.session


def test_a_hundred_receipts_write_no_record(world: World, truth: Truth) -> None:
    client, reader = Api(world.client), Api(world.reader)
    for _ in range(20):
        client.send(world.session)
    before = truth.one("SELECT count(*) FROM chat_audit_logs")
    moved = 0
    for seq in range(1, 21):
        for kind in ("delivered", "seen", "read"):
            assert reader.put(f"/chat/sessions/{world.session}/read", {"up_to": seq, "kind": kind}).status == 200
            moved += 1
    for seq in range(1, 41):
        reader.put(f"/chat/sessions/{world.session}/read", {"up_to": min(seq, 20), "kind": "read"})
        moved += 1
    assert moved == 100
    assert truth.one("SELECT count(*) FROM chat_audit_logs") == before


def test_staff_who_read_a_session_they_are_not_in_are_on_record_once_in_a_while(world: World, truth: Truth) -> None:
    Api(world.client).send(world.session)
    admin = Api(world.admin)

    def recorded() -> int:
        return truth.one(
            "SELECT count(*) FROM chat_audit_logs WHERE action = 'session.viewed' AND actor = %s", world.admin.pk
        )

    paths = (f"/chat/sessions/{world.session}/messages", f"/chat/sessions/{world.session}", "/chat/sessions")
    for path in paths:
        assert admin.get(path).status == 200
    admin.post("/chat/sync", {"sessions": {str(world.session): 0}})
    assert recorded() == 1
    truth.without_triggers(
        "UPDATE chat_audit_logs SET id = uuidv7(interval '-16 minutes') WHERE action = 'session.viewed'"
    )
    admin.get(paths[0])
    assert recorded() == 2
    Api(world.reader).get(paths[0])
    assert truth.one("SELECT count(*) FROM chat_audit_logs WHERE action = 'session.viewed'") == 2


def test_the_record_is_read_in_pages_by_session_and_actor(world: World) -> None:
    for number in range(5):
        Api(world.client).send(world.session, str(number))
    admin = Api(world.admin)
    seen, cursor = [], ""
    while True:
        answer = admin.get(f"/audit?session={world.session}&limit=3{cursor}").body
        seen += answer["results"]
        if answer["next"] is None:
            break
        cursor = f"&cursor={answer['next']}"
    numbers = [entry["n"] for entry in seen]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == len(set(numbers)) == 8  # opened, two members, five messages
    assert {entry["session_id"] for entry in seen} == {str(world.session)}
    mine = admin.get(f"/audit?actor={world.client.pk}").body["results"]
    assert {entry["actor"] for entry in mine} == {str(world.client.pk)}


def test_a_sessions_records_come_by_their_numbers_whatever_their_ids(talk: World, truth: Truth) -> None:
    """An id is made before its record waits for the chain, so that two at once may be numbered the other way round."""
    one = "WHERE chain = %s AND n = %s"
    fourth, fifth = (truth.one(f"SELECT id FROM chat_audit_logs {one}", talk.session, n) for n in (4, 5))
    for n, entry in ((4, uuid4()), (5, fourth), (4, fifth)):
        truth.without_triggers(f"UPDATE chat_audit_logs SET id = %s {one}", entry, talk.session, n)
    admin, numbers, cursor = Api(talk.admin), list[int](), ""
    while cursor is not None:
        answer = admin.get(
            f"/audit?session={talk.session}&actor={talk.client.pk}&limit=1{cursor and '&cursor='}{cursor}"
        )
        numbers += [entry["n"] for entry in answer.body["results"]]
        cursor = answer.body["next"]
    assert numbers == [7, 6, 5, 4]


@pytest.mark.parametrize(
    "query",
    [
        "actor=x",
        "session[$ne]=x",
        "cursor=%27%20OR%201=1",
        "cursor=////",
        "limit=0",
        "limit=1000",
        "order=id",
        "actor=%00",
    ],
)
def test_a_filter_that_is_none_is_refused(query: str, world: World) -> None:
    answer = Api(world.admin).get(f"/audit?{query}")
    assert (answer.status, answer.code) == (400, "invalid")


async def test_refusals_of_what_one_sees_but_may_not_do_are_on_record(world: World, truth: Truth) -> None:
    api = await in_thread(Api, world.monitor)
    assert (await in_thread(api.send, world.session)).status == 403
    device = await Device(world.monitor).open()
    assert (await device.ask("send_message", "error", session=world.session, content="x"))["code"] == "forbidden"
    await device.hang_up()
    query = "SELECT actor, new_values FROM chat_audit_logs WHERE action = 'access.refused' ORDER BY id"
    await until(lambda: len(truth.rows(query)) == 2)
    entries = truth.rows(query)
    assert {entry["actor"] for entry in entries} == {world.monitor.pk}
    assert entries[0]["new_values"]["what"] == f"POST /api/chat/sessions/{world.session}/messages"


def test_refusals_of_sign_in_survive_the_rollback(world: World, truth: Truth) -> None:
    Api().post("/auth/token", {"email": f"{uuid4()}@example.test", "password": "x"})
    assert truth.one("SELECT count(*) FROM chat_audit_logs WHERE action = 'sign_in.failed'") == 1


def test_every_verb_of_a_session_has_a_name_of_its_own(world: World, truth: Truth) -> None:
    admin = Api(world.admin)
    for verb in ("pause", "resume", "lock", "unlock", "end", "archive"):
        assert admin.post(f"/chat/sessions/{world.session}/{verb}", {"reason": "a test"}).status == 200
    rows = truth.rows(
        "SELECT action FROM chat_audit_logs WHERE session_id = %s AND action LIKE 'session.%%' ORDER BY n",
        world.session,
    )
    verbs = [row["action"].removeprefix("session.") for row in rows]
    assert [verb for verb in verbs if verb not in ("created", "viewed")] == [
        *("paused", "resumed", "locked", "unlocked", "ended", "archived"),
    ]
