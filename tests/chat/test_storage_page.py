"""The page that says how much room files take: for whom it is, what it shows and does not read, and what it costs."""

from __future__ import annotations

import re
from html import unescape
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from accounts.models import User
from chat.painted_files import size_words
from samia_chat.digits import number
from tests.cast import PASSWORD, World, make_person, make_session, set_state
from tests.database import Truth
from tests.rest import Api
from tests.storage.files import delete_message, make_avatar, make_file, send_file, sent_file

KB, MB, GB = 1024, 1024**2, 1024**3
# The browser's session and its login, BEGIN with the transaction's actor, COMMIT; three of sizes; sessions, their members and
# those people; the owners; what waits for approval.
QUERIES = 12


def browser(person: User) -> Client:
    client = Client()
    assert client.post("/sign-in", {"email": person.email, "password": PASSWORD}).status_code == 302
    return client


def page(client: Client) -> str:
    answer = client.get("/storage")
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    return unescape(answer.content.decode())


def rows(text: str) -> list[tuple[str, list[str]]]:
    """Each row: where it leads, and its words."""
    found = re.findall(r'<(?:a|div) class="room-row"(?: href="([^"]*)")?>(.*?)</li>', text, re.DOTALL)
    return [(link, re.findall(r">([^<>]*[^<>\s][^<>]*)<", words)) for link, words in found]


def resize(truth: Truth, size: int, **column: UUID) -> None:
    ((name, value),) = column.items()
    truth.without_triggers(f"UPDATE chat_files SET size_bytes = %s WHERE {name} = %s", size, value)


def figures(text: str) -> list[str]:
    return re.findall(r"<dd>([^<]*)</dd>", text)


# For whom ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["client", "reader", "monitor"])
def test_for_others_there_is_no_such_page(name: str, world: World) -> None:
    sent_file(world.reader, world.session)
    client = browser(world.people[name])
    answer = client.get("/storage")
    assert answer.status_code == 404
    assert "room-row" not in answer.content.decode()
    assert 'href="/storage"' not in client.get("/").content.decode()


@pytest.mark.parametrize("name", ["admin", "super_admin"])
def test_administrators_find_it_beside_live_sessions(name: str, world: World) -> None:
    client = browser(world.people[name])
    for path in ("/", "/live", "/approvals"):
        assert 'href="/storage"' in client.get(path).content.decode(), path
    assert re.search(r'href="/storage"[^>]* aria-current="page"', page(client))


def test_a_monitor_keeps_the_way_to_live_sessions(world: World) -> None:
    text = browser(world.monitor).get("/").content.decode()
    assert 'href="/live"' in text
    assert 'href="/storage"' not in text


def test_who_is_not_signed_in_goes_to_the_door(world: World) -> None:
    answer = Client().get("/storage")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in?next=%2Fstorage")


def test_it_is_only_read(world: World) -> None:
    client = browser(world.admin)
    assert [client.generic(method, "/storage").status_code for method in ("POST", "PUT", "DELETE")] == [405, 405, 405]


def test_an_administrator_who_became_a_client_sees_nothing(world: World, truth: Truth) -> None:
    client = browser(world.admin)
    page(client)
    truth.without_triggers("UPDATE accounts_user SET role = 'client' WHERE id = %s", world.admin.pk)
    assert client.get("/storage").status_code == 404


# What it shows ----------------------------------------------------------------------------------------------------------


def test_the_largest_come_first_with_their_names(world: World, truth: Truth) -> None:
    support = make_session(world.client2, world.reader2, kind="support", title="About a refund")
    resize(truth, 1536 * MB, id=sent_file(world.reader, world.session))
    resize(truth, 300 * KB, id=sent_file(world.client2, support))
    deleted = make_file(world.reader, world.session)
    delete_message(world.reader, send_file(world.reader, world.session, deleted))
    resize(truth, 3 * MB, id=deleted)
    picture = make_avatar(world.reader)
    resize(truth, 20 * KB, id=picture)
    text = page(browser(world.admin))
    assert figures(text) == ["4", "1.5 GB", "3 MB"]
    assert rows(text) == [
        (
            f"/sessions/{world.session}",
            ["CR", "Client · Reader", "Celtic Cross", "2 files", "3 MB deleted", "1.5 GB"],
        ),
        (
            f"/sessions/{support}",
            ["CR", "Client2 · Reader2", "Support", "About a refund", "1 file", "300 kB"],
        ),
        ("", ["In no session", "Pictures of people, exports", "1 file", "20 kB"]),
        ("", ["R", "Reader", "Reader", "3 files", "3 MB deleted", "1.5 GB"]),
        ("", ["C", "Client2", "Client", "1 file", "300 kB"]),
    ]
    assert f'src="/api/chat/files/{picture}"' in text
    assert "kept as evidence for 30 days." in text


def test_sessions_that_are_over_are_counted(world: World) -> None:
    for verbs in (["end"], ["end", "archive"]):
        session = make_session(world.client, world.reader)
        sent_file(world.reader, session)
        set_state(session, *verbs)
    assert len([link for link, _ in rows(page(browser(world.admin))) if link]) == 2


def test_in_arabic_numbers_are_written_as_there(world: World, truth: Truth) -> None:
    truth.without_triggers("UPDATE accounts_user SET language = 'ar' WHERE id = %s", world.admin.pk)
    for _ in range(3):
        resize(truth, 5 * MB // 2, id=sent_file(world.reader, world.session))
    text = page(browser(world.admin))
    assert figures(text) == ["٣", "٧٫٥ م.ب", "–"]
    assert rows(text)[0][1][-2:] == ["٣ ملفات", "٧٫٥ م.ب"]
    assert "لمدة ٣٠ يوماً" in text


def test_what_people_are_called_is_no_markup(world: World, truth: Truth) -> None:
    name = "<img src=x onerror=alert(1)>"
    truth.without_triggers("UPDATE accounts_user SET display_name = %s WHERE id = %s", name, world.reader.pk)
    sent_file(world.reader, world.session)
    assert name not in browser(world.admin).get("/storage").content.decode()


def test_where_nothing_is_stored_it_says_so(world: World) -> None:
    text = page(browser(world.admin))
    assert "Nothing is stored yet." in text
    assert (rows(text), figures(text)) == ([], [])


def test_only_the_first_fifty_are_shown_and_it_says_that(world: World, truth: Truth) -> None:
    said = "The 50 that take the most room"
    people = [make_person(f"p{at}") for at in range(50)]
    sessions = [make_session(person, world.reader) for person in people]
    for at, (person, session) in enumerate(zip(people, sessions, strict=True), 1):
        resize(truth, at * MB, id=sent_file(person, session))
    client = browser(world.admin)
    text = page(client)
    assert [link for link, _ in rows(text) if link] == [f"/sessions/{session}" for session in reversed(sessions)]
    assert (len(rows(text)), said in text) == (100, False)
    sent_file(world.client, world.session)  # the smallest
    text = page(client)
    assert f"/sessions/{world.session}" not in text
    assert (len(rows(text)), text.count(said)) == (100, 2)
    assert figures(text)[0] == "51"


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (1, "1 kB"),
        (1023 * KB, "1,023 kB"),
        (MB, "1 MB"),
        (2.4 * MB, "2.4 MB"),
        (1023.4 * MB, "1,023.4 MB"),
        (GB, "1 GB"),
        (1536.25 * GB, "1,536.3 GB"),
    ],
)
def test_sizes_are_written_for_people(size: float, words: str) -> None:
    assert size_words(int(size)) == words


@pytest.mark.parametrize(
    ("value", "english", "arabic"),
    [
        (0, "0", "٠"),
        (999, "999", "٩٩٩"),
        (1234567, "1,234,567", "١٬٢٣٤٬٥٦٧"),
        (2.0, "2", "٢"),
        (1234.5, "1,234.5", "١٬٢٣٤٫٥"),
    ],
)
def test_numbers_are_written_as_intl_does(value: float, english: str, arabic: str) -> None:
    written = {}
    for language in ("en", "ar"):
        with translation.override(language):
            written[language] = number(value)
    assert written == {"en": english, "ar": arabic}


# What it reads and costs ------------------------------------------------------------------------------------------------


def asked(client: Client) -> list[str]:
    page(client)  # the connection and its pool are there
    with CaptureQueriesContext(connection) as captured:
        page(client)
    return [query["sql"] for query in captured]


def test_it_asks_a_fixed_number_of_queries(world: World) -> None:
    client = browser(world.admin)
    sent_file(world.reader, world.session)
    few = asked(client)
    for at in range(8):
        person = make_person(f"p{at}")
        sent_file(person, make_session(person, world.reader))
        make_avatar(person)
    assert len(rows(page(client))) == 19
    many = asked(client)
    assert len(many) == len(few) == QUERIES, many


def test_nothing_that_was_said_is_read_and_nothing_is_on_record(world: World, truth: Truth) -> None:
    """Sizes and names only: whoever opens a session from here leaves the usual record."""
    Api(world.client).send(world.session, "a secret")
    sent_file(world.reader, world.session, name="natal-chart.webm")
    client = browser(world.admin)
    records = "SELECT count(*) FROM chat_audit_logs"
    before = truth.one(records)
    queries = asked(client)
    text = page(client)
    assert "a secret" not in text
    assert "natal-chart" not in text
    about_messages = [query for query in queries if "chat_messages" in query]
    assert len(about_messages) == 1  # how many wait for approval
    assert "COUNT(*)" in about_messages[0]
    assert truth.one(records) == before
    client.get(f"/sessions/{world.session}")
    viewed = "SELECT count(*) FROM chat_audit_logs WHERE action = 'session.viewed' AND actor = %s AND session_id = %s"
    assert truth.one(viewed, world.admin.pk, world.session) == 1
