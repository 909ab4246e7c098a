"""Files of a session: their list, and deleting one."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from tests.cast import World, remove, set_state
from tests.files import tone
from tests.rest import Api


def text(world: World, content: bytes = b"notes", who: str = "client") -> dict[str, Any]:
    message: dict[str, Any] = Api(world.people[who]).upload(world.session, content, "notes.txt").body
    return message


def test_the_list_has_published_files_newest_first(world: World) -> None:
    Api(world.client).send(world.session, "no file")
    first, second = text(world, b"one"), text(world, b"two", "reader")
    Api(world.reader).upload(world.session, tone(seconds=0.3), "voice.webm", kind="voice")  # held
    deleted = text(world, b"three")
    Api(world.client).delete(f"/chat/messages/{deleted['id']}")
    page = Api(world.reader).get(f"/chat/sessions/{world.session}/files").body
    assert (page["results"], page["next"]) == ([second, first], None)
    start = Api(world.reader).get(f"/chat/sessions/{world.session}/files?limit=1").body
    rest = Api(world.reader).get(f"/chat/sessions/{world.session}/files?limit=1&cursor={start['next']}").body
    assert (start["results"], rest["results"], rest["next"]) == ([second], [first], None)


def test_the_list_asks_as_often_whatever_its_length(world: World) -> None:
    reader = Api(world.reader)

    def count() -> int:
        with CaptureQueriesContext(connections["default"]) as queries:
            assert reader.get(f"/chat/sessions/{world.session}/files").status == 200
        return len(queries)

    text(world, b"one")
    before = count()
    for number in range(5):
        text(world, b"more %d" % number)
    assert count() == before


def test_only_who_may_read_the_session_has_the_list(world: World) -> None:
    text(world)
    path = f"/chat/sessions/{world.session}/files"
    assert Api().get(path).status == 401
    assert Api(world.client2).get(path).status == 404
    assert Api(world.monitor).get(path).status == 200
    remove(world.reader, world.session)
    assert Api(world.reader).get(path).status == 404
    set_state(world.session, "end", "archive")
    assert Api(world.client).get(path).code == "session_state"


@pytest.mark.parametrize(
    ("who", "status"), [("client", 200), ("reader", 403), ("client2", 404), ("monitor", 403), ("admin", 200)]
)
def test_deleting_a_file_is_to_delete_its_message(world: World, who: str, status: int) -> None:
    message = text(world)
    path = f"/chat/files/{message['file']['id']}"
    answer = Api(world.people[who]).delete(path)
    assert answer.status == status
    if status == 200:
        assert (answer.body["id"], answer.body["status"]) == (message["id"], "deleted")
        assert Api(world.reader).get(path).status == 404
        assert Api(world.people[who]).delete(path).status == 200


def test_what_is_no_file_cannot_be_deleted(world: World) -> None:
    assert Api(world.client).delete(f"/chat/files/{uuid4()}").status == 404
    message = Api(world.client).send(world.session).body
    assert Api(world.client).delete(f"/chat/files/{message['id']}").status == 404
