"""Lists: order, pages, bounded queries, and an index behind each."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.test.utils import CaptureQueriesContext

from tests.cast import World, make_login, make_person, make_session, set_state
from tests.chat.filling import fill
from tests.database import Truth
from tests.rest import Api

# The login, BEGIN with the transaction's actor, COMMIT, and four queries: sessions, members, names and last messages.
SESSION_LIST = 7
THREAD = 4  # the page is one


def count(api: Api, path: str) -> int:
    api.get(path)  # the connection and its pool are there
    with CaptureQueriesContext(connection) as captured:
        assert api.get(path).status == 200
    return len(captured)


def test_sessions_come_with_the_latest_activity_first(world: World, truth: Truth) -> None:
    sessions = [world.session] + [make_session(world.client, world.reader) for _ in range(4)]
    for age, session in enumerate(sessions):
        truth.rows(
            "UPDATE chat_sessions SET active_at = now() - make_interval(hours => %s) WHERE id = %s", age, session
        )
        truth.rows("UPDATE chat_sessions SET created_at = active_at WHERE id = %s", session)
    api = Api(world.client)
    first = api.get("/chat/sessions?limit=2").body
    second = api.get(f"/chat/sessions?limit=2&cursor={first['next']}").body
    third = api.get(f"/chat/sessions?limit=2&cursor={second['next']}").body
    listed = [row["id"] for page in (first, second, third) for row in page["results"]]
    assert listed == [str(session) for session in sessions]
    assert third["next"] is None
    Api(world.reader).send(sessions[4])
    assert api.get("/chat/sessions").body["results"][0]["id"] == str(sessions[4])


def test_sessions_are_filtered_by_type_and_status(world: World) -> None:
    make_session(world.client, world.admin, kind="support")
    api = Api(world.client)
    assert [row["type"] for row in api.get("/chat/sessions?type=support").body["results"]] == ["support"]
    assert len(api.get("/chat/sessions?status=active").body["results"]) == 2
    assert api.get("/chat/sessions?status=ended").body["results"] == []


def test_the_session_list_asks_a_fixed_number_of_queries(world: World) -> None:
    api = Api(world.reader)
    Api(world.client).send(world.session)
    few = count(api, "/chat/sessions")
    for number in range(8):
        session = make_session(world.reader, make_person(f"p{number}"))
        Api(world.reader).send(session)
    assert count(api, "/chat/sessions") == few == SESSION_LIST


def test_a_thread_asks_a_fixed_number_of_queries(world: World) -> None:
    api = Api(world.client)
    api.send(world.session)
    few = count(api, f"/chat/sessions/{world.session}/messages")
    for _ in range(30):
        Api(world.reader).send(world.session)
    assert count(api, f"/chat/sessions/{world.session}/messages") == few == THREAD


def test_messages_are_paged_by_seq_both_ways(world: World) -> None:
    api = Api(world.client)
    for number in range(1, 13):
        api.send(world.session, str(number))
    path = f"/chat/sessions/{world.session}/messages"

    def page(query: str) -> tuple[list[int], bool]:
        body = api.get(f"{path}?{query}").body
        assert body["revision"] == 14
        return [m["seq"] for m in body["results"]], body["has_more"]

    assert page("limit=5") == ([8, 9, 10, 11, 12], True)
    assert page("limit=5&before=8") == ([3, 4, 5, 6, 7], True)
    assert page("limit=5&before=3") == ([1, 2], False)
    assert page("limit=5&after=0") == ([1, 2, 3, 4, 5], True)
    assert page("limit=5&after=10") == ([11, 12], False)
    assert page("after=12") == ([], False)
    assert page("before=1") == ([], False)


def test_a_page_around_a_message(world: World) -> None:
    api = Api(world.client)
    ids = [api.send(world.session, str(number)).body["id"] for number in range(1, 13)]
    path = f"/chat/sessions/{world.session}/messages"

    def page(seq: int, limit: int) -> tuple[list[int], bool]:
        body = api.get(f"{path}?around={ids[seq - 1]}&limit={limit}").body
        assert body["unpublished"] == []
        return [m["seq"] for m in body["results"]], body["has_more"]

    assert page(6, 5) == ([4, 5, 6, 7, 8], True)
    assert page(6, 4) == ([5, 6, 7, 8], True)
    assert page(6, 1) == ([6], True)
    assert page(1, 5) == ([1, 2, 3], False)
    assert page(12, 5) == ([8, 9, 10, 11, 12], True)
    assert page(6, 100) == (list(range(1, 13)), False)


def test_around_a_deleted_message_its_place_is_found(world: World) -> None:
    api = Api(world.client)
    message = api.send(world.session).body["id"]
    assert api.delete(f"/chat/messages/{message}").status == 200
    body = api.get(f"/chat/sessions/{world.session}/messages?around={message}").body
    assert [(m["id"], m["content"]) for m in body["results"]] == [(message, "")]


def test_around_nothing_that_is_in_the_session_is_not_found(world: World, truth: Truth) -> None:
    api = Api(world.client)
    elsewhere = make_session(world.client, world.reader2)
    message = api.send(elsewhere).body["id"]
    path = f"/chat/sessions/{world.session}/messages?around="
    for identity in (message, uuid4()):
        answer = api.get(f"{path}{identity}")
        assert (answer.status, answer.code) == (404, "not_found")
    # One that waits has no number, and no place in the thread.
    held = api.send(world.session).body["id"]
    truth.without_triggers(
        "UPDATE chat_messages SET seq = NULL, revision = NULL, published_at = NULL, status = 'pending_approval' WHERE id = %s",
        held,
    )
    assert api.get(f"{path}{held}").status == 404


def test_around_is_for_members(world: World) -> None:
    message = Api(world.client).send(world.session).body["id"]
    outsider = Api(world.reader2)
    own = make_session(world.client, world.reader2)
    for session in (world.session, own):  # nor through a session of one's own
        answer = outsider.get(f"/chat/sessions/{session}/messages?around={message}")
        assert (answer.status, answer.code) == (404, "not_found")


def test_a_page_of_an_archived_session_is_refused_to_members_wherever_it_is(world: World) -> None:
    message = Api(world.client).send(world.session).body["id"]
    set_state(world.session, "end", "archive")
    for query in ("", "?before=2", "?after=0", f"?around={message}", f"?around={uuid4()}"):
        path = f"/chat/sessions/{world.session}/messages{query}"
        assert Api(world.client).get(path).code == "session_state", query
        assert Api(world.reader2).get(path).code == "not_found", query
    found = Api(world.admin).get(f"/chat/sessions/{world.session}/messages?around={message}").body["results"]
    assert [one["id"] for one in found] == [message]


def test_a_page_around_a_message_asks_a_fixed_number_of_queries(world: World) -> None:
    api = Api(world.client)
    message = api.send(world.session).body["id"]
    path = f"/chat/sessions/{world.session}/messages?around={message}"
    few = count(api, path)
    for _ in range(30):
        Api(world.reader).send(world.session)
    assert count(api, path) == few == THREAD


@pytest.mark.parametrize(
    "query",
    [
        *(
            "limit=0",
            "limit=101",
            "limit=x",
            "before=0",
            "before=-1",
            "after=-1",
            "before=1&after=1",
            "around=x",
            "around=1",
            "around=00000000-0000-4000-8000-000000000001&after=1",
            "around=00000000-0000-4000-8000-000000000001&before=1",
            "after=9" + "9" * 20,
        ),
        *("before[$gt]=1", "order=seq", "before=1%20OR%201=1", "limit=1;DROP%20TABLE%20chat_messages", "before=%00"),
    ],
)
def test_a_page_that_is_none_is_refused(query: str, world: World) -> None:
    answer = Api(world.client).get(f"/chat/sessions/{world.session}/messages?{query}")
    assert (answer.status, answer.code) == (400, "invalid")


@pytest.mark.parametrize("query", ["cursor=abc", "cursor=MQ", "status=x", "type=x", "q=x", "cursor=" + "a" * 400])
def test_a_list_filter_that_is_none_is_refused(query: str, world: World) -> None:
    answer = Api(world.client).get(f"/chat/sessions?{query}")
    assert (answer.status, answer.code) == (400, "invalid")


# query → the index that must serve it, where row-level security binds
INDEXED = {
    "SELECT * FROM chat_messages WHERE session_id = '{session}' AND seq IS NOT NULL ORDER BY seq DESC LIMIT 51": (
        "one_message_per_seq"
    ),
    "SELECT * FROM chat_messages WHERE session_id = '{session}' AND seq > 10 ORDER BY seq LIMIT 51": "one_message_per_seq",
    "SELECT * FROM chat_messages WHERE session_id = '{session}' AND revision > 10 ORDER BY revision LIMIT 501": (
        "chat_messages_revision"
    ),
    "SELECT * FROM chat_messages WHERE session_id = '{session}' AND seq IS NULL": "chat_messages_unpublished",
    "SELECT * FROM chat_messages WHERE session_id = '{session}' AND file_id IS NOT NULL ORDER BY seq DESC LIMIT 51": (
        "chat_messages_files"
    ),
    "SELECT * FROM chat_participants WHERE session_id = '{session}'": "one_membership_per_person",
    # As app.my_people asks it: whose names and pictures one sees.
    "SELECT user_id FROM chat_participants WHERE session_id = ANY (ARRAY(SELECT app.my_sessions()))": (
        "one_membership_per_person"
    ),
    "SELECT * FROM chat_participants WHERE user_id = '{user}' AND left_at IS NULL": (
        "chat_participants_user|one_membership_per_person"
    ),
    "SELECT * FROM accounts_login WHERE user_id = '{user}' ORDER BY id DESC LIMIT 100": "login_user",
    "SELECT * FROM chat_files WHERE session_id = '{session}'": "chat_files_session",
}
STAFF_INDEXED = {
    "SELECT * FROM chat_messages WHERE status = 'pending_approval' ORDER BY created_at DESC, id DESC LIMIT 51": (
        "chat_messages_pending"
    ),
    "SELECT * FROM chat_sessions ORDER BY active_at DESC, id DESC LIMIT 51": "chat_sessions_activity",
    "SELECT * FROM chat_audit_logs ORDER BY id DESC LIMIT 51": "chat_audit_logs_pkey",
    "SELECT * FROM chat_audit_logs WHERE actor = '{user}' ORDER BY id DESC LIMIT 51": "chat_audit_logs_actor",
    "SELECT * FROM chat_audit_logs WHERE chain = '{session}' ORDER BY n DESC LIMIT 51": "chat_audit_logs_chain",
}


ASKED = (
    *("accounts_login", "accounts_user", "bookings", "chat_audit_logs", "chat_files", "chat_messages"),
    *("chat_participants", "chat_session_state", "chat_sessions", "chat_voice_reviews"),
)


def settle(truth: Truth, world: World) -> None:
    """Tables and indexes as large as what is in them, and statistics of that: rows of earlier tests leave their room behind, and
    the cheapest of two indexes of one page is not that of one page and three. Of an empty table the old statistics stay."""
    for session in (world.session, world.other):
        fill(truth, session, world.client, 2000, "hello")
    for _ in range(200):
        make_login(world.client)
    truth.rows(f"VACUUM (FULL, ANALYZE) {', '.join(ASKED)}")


@pytest.mark.parametrize(("name", "queries"), [("reader", INDEXED), ("admin", {**INDEXED, **STAFF_INDEXED})])
def test_every_list_query_has_its_index(name: str, queries: dict[str, str], world: World, truth: Truth) -> None:
    """With sequential scans and sorts made dear, a query that still needs one has no index."""
    from django.db import transaction

    from accounts.identity import actor_of
    from samia_chat import actor
    from samia_chat.actor import Actor

    settle(truth, world)
    person = world.people[name]
    with actor.acting_as(actor_of(person, Actor())), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")
        for query, index in queries.items():
            cursor.execute("EXPLAIN " + query.format(session=world.session, user=person.pk))
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert any(name in plan for name in index.split("|")), plan
            assert "Seq Scan" not in plan, plan
            assert "Sort" not in plan, plan


# function → its arguments, and what its plan must consist of, so often, whoever asks
FUNCTIONS = {
    "sync_entries": (
        "ARRAY['{session}', '{other}']::uuid[], ARRAY[1, NULL]::bigint[], ARRAY[3, 3]::bigint[], 500, 1000000, 50",
        {
            "using chat_messages_revision on chat_messages": 1,
            "Backward using one_message_per_seq on chat_messages": 2,  # the newest page, the last message
            "using chat_messages_unpublished on chat_messages": 1,
            "using one_membership_per_person on chat_participants": 1,
            "using accounts_user_pkey on accounts_user": 1,
            "Sort  (": 3,  # participants, messages for their numbers, messages by kind: never what is read for a page
            # The file of a message that has one. Nothing else is asked for each row; who asks, and for what sessions, once for a
            # table (InitPlan).
            "SubPlan": 1,
        },
    ),
    "thread_page": (
        "'{session}', NULL, NULL, NULL, 50, true",
        {
            "using chat_sessions_pkey on chat_sessions": 1,
            "using chat_session_state_pkey on chat_session_state": 1,
            "using chat_messages_pkey on chat_messages": 1,  # the message around which is asked
            "Backward using one_message_per_seq on chat_messages": 1,
            "Scan using one_message_per_seq on chat_messages": 1,
            "using chat_messages_unpublished on chat_messages": 1,
            "Sort  (": 0,
            "SubPlan": 3,  # that message; the file of one that has one, of those published and of those not
        },
    ),
    "sync": (
        """'{{"{session}": 1, "{other}": 2}}', NULL, NULL, 50, 500, 1000000, 50""",
        {
            "using chat_sessions_pkey on chat_sessions": 1,
            "using chat_session_state_pkey on chat_session_state": 1,
            "using one_membership_per_person on chat_participants": 1,
            "using bookings_pkey on bookings": 1,
            "Sort  (": 1,
            "SubPlan": 3,  # the booking of each session; the ids that are seen, hashed, and where they are looked up
        },
    ),
}


def prepare(function: str, cursor: CursorWrapper) -> str:
    """PREPARE for the body of an SQL function, its parameters numbered."""
    cursor.execute(
        "SELECT prosrc, proargnames, ARRAY(SELECT format_type(t, NULL) FROM unnest(proargtypes) t) FROM pg_proc"
        " WHERE proname = %s AND pronamespace = 'app'::regnamespace",
        [function],
    )
    body, names, types = cursor.fetchone()
    for number, name in enumerate(names, 1):
        body = re.sub(rf"\b{name}\b", f"${number}", body)
    return f"PREPARE asked ({', '.join(types)}) AS {body}"


@pytest.mark.parametrize("name", ["reader", "admin"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_a_function_asks_has_its_indexes_in_the_plan_that_is_kept(
    function: str, name: str, world: World, truth: Truth
) -> None:
    """The body of the function as each connection plans it once: for any arguments, under the policies of whoever asks."""
    from django.db import transaction

    from accounts.identity import actor_of
    from samia_chat import actor
    from samia_chat.actor import Actor

    settle(truth, world)
    arguments, parts = FUNCTIONS[function]
    with actor.acting_as(actor_of(world.people[name], Actor())), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL search_path = pg_catalog, app")
        cursor.execute(prepare(function, cursor))
        try:
            cursor.execute(f"EXPLAIN EXECUTE asked ({arguments.format(session=world.session, other=world.other)})")
            plan = "\n".join(row[0] for row in cursor.fetchall())
        finally:
            cursor.execute("DEALLOCATE asked")
    for part, times in parts.items():
        assert plan.count(part) == times, (part, plan)
    assert "Seq Scan" not in plan, plan
