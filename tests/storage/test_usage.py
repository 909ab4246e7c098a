"""How much room files take: what is counted, for whom, and what that reads."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.identity import actor_of
from accounts.models import User
from samia_chat import actor
from samia_chat.actor import Actor
from storage.services import usage
from storage.services.usage import Usage
from tests.cast import World, set_state
from tests.database import Truth
from tests.storage.files import delete_message, make_avatar, make_file, send_file, sent_file

Figures = tuple[UUID | None, int, int, int]


def ask(question: Callable[[], Any], who: User | None = None) -> Any:
    """As that person, or as the system."""
    with actor.acting_as(actor_of(who, Actor()) if who else actor.system("test")), transaction.atomic():
        return question()


def figures(row: Usage) -> Figures:
    return (row.id, row.files, row.size_bytes, row.evidence_bytes)


def listed(question: Callable[[], list[Usage]], who: User | None = None) -> list[Figures]:
    return [figures(row) for row in ask(question, who)]


def stored(world: World) -> None:
    """1,000 + 500 + 20 of the reader, 100 + 7 of the client, 10 of a stranger."""
    first = sent_file(world.reader, world.session, content=b"x" * 1000)
    make_file(world.reader, world.session, parent=first, rendition="aac", content=b"x" * 500)
    sent_file(world.client, world.session, content=b"x" * 100)
    sent_file(world.client2, world.other, content=b"x" * 10)
    make_file(world.client, None, purpose="export", content_type="text/plain", content=b"x" * 7)
    deleted = make_file(world.reader, world.session, content=b"x" * 20)
    delete_message(world.reader, send_file(world.reader, world.session, deleted))


def test_files_are_counted_once_with_what_was_made_of_them(world: World) -> None:
    stored(world)
    assert listed(usage.by_session) == [
        (world.session, 3, 1620, 20),
        (world.other, 1, 10, 0),
        (None, 1, 7, 0),
    ]
    assert listed(usage.by_person) == [
        (world.reader.pk, 2, 1520, 20),
        (world.client.pk, 2, 107, 0),
        (world.client2.pk, 1, 10, 0),
    ]
    assert figures(ask(usage.total)) == (None, 5, 1637, 20)
    assert [row[0] for row in listed(lambda: usage.by_session(1))] == [world.session]
    assert [row[0] for row in listed(lambda: usage.by_person(2))] == [world.reader.pk, world.client.pk]


def test_where_nothing_is_stored_there_is_none_of_it(world: World) -> None:
    assert figures(ask(usage.total)) == (None, 0, 0, 0)
    assert (listed(usage.by_session), listed(usage.by_person)) == ([], [])


@pytest.mark.parametrize("reason", ["lost", "expired"])
def test_what_the_bucket_has_no_more_takes_no_room(reason: str, world: World, truth: Truth) -> None:
    sent_file(world.reader, world.session, content=b"x" * 30)
    gone = sent_file(world.client, world.session, content=b"x" * 1000)
    truth.without_triggers("UPDATE chat_files SET reason = %s WHERE id = %s", reason, gone)
    assert figures(ask(usage.total)) == (None, 1, 30, 0)
    assert listed(usage.by_person) == [(world.reader.pk, 1, 30, 0)]


def test_the_command_names_who_and_where(world: World) -> None:
    stored(world)
    out = StringIO()
    call_command("storage_usage", "--top", "2", stdout=out)
    lines = [line.split() for line in out.getvalue().splitlines() if line]
    assert [line[:2] for line in lines if line[0] not in ("session", "person", "files")] == [
        [str(world.session), "3"],
        [str(world.other), "1"],
        [world.reader.email, "2"],
        [world.client.email, "2"],
        ["all", "5"],
    ]


# Who asks ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["monitor", "admin", "super_admin"])
def test_row_level_security_shows_staff_all(name: str, world: World) -> None:
    stored(world)
    assert figures(ask(usage.total, world.people[name])) == (None, 5, 1637, 20)


def test_row_level_security_shows_a_client_what_he_may_see(world: World) -> None:
    """The sessions that are his, what is published in them, and his own; no stranger's, no evidence, nothing that waits."""
    stored(world)
    sent_file(world.reader, world.session, content=b"x" * 40, is_held=True)
    own = make_file(world.client, world.session, content=b"x" * 3)  # not sent yet
    assert listed(usage.by_session, world.client) == [(world.session, 3, 1603, 0)]
    assert listed(usage.by_person, world.client) == [(world.reader.pk, 1, 1500, 0), (world.client.pk, 2, 103, 0)]
    assert figures(ask(usage.total, world.client)) == (None, 3, 1603, 0)
    assert listed(usage.by_session, world.client2) == [(world.other, 1, 10, 0)]
    assert own not in [row[0] for row in listed(usage.by_session, world.client2)]
    set_state(world.session, "end", "archive")
    assert listed(usage.by_session, world.client) == []


def test_row_level_security_shows_a_client_no_strangers_picture(world: World, truth: Truth) -> None:
    for person in (world.client, world.reader, world.client2):
        make_avatar(person)
    truth.without_triggers("UPDATE chat_files SET size_bytes = 5")
    assert listed(usage.by_session, world.client) == [(None, 2, 10, 0)]
    assert {row[0] for row in listed(usage.by_person, world.client)} == {world.client.pk, world.reader.pk}


def test_without_an_actor_there_is_nothing(world: World) -> None:
    stored(world)
    with transaction.atomic():
        assert (usage.by_session(), usage.by_person(), usage.total().size_bytes) == ([], [], 0)


# What it costs ----------------------------------------------------------------------------------------------------------


def test_each_answer_reads_the_files_once_and_nothing_else(world: World, truth: Truth) -> None:
    """Whoever asks is looked up once, and no table is joined or asked again for each row."""
    stored(world)
    with actor.acting_as(actor_of(world.admin, Actor())), transaction.atomic(), connection.cursor() as cursor:
        with CaptureQueriesContext(connection) as asked:
            assert usage.by_session()
            assert usage.by_person()
            assert usage.total().files
        assert len(asked) == 3
        for query in asked:
            cursor.execute("EXPLAIN " + query["sql"])
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert re.findall(r"Scan.* on (\w+)", plan) == ["chat_files"], plan
            assert "SubPlan" not in plan, plan
