"""Staff who are not in a session and are answered its content leave one record, whichever answer it was."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from tests.cast import World, set_state
from tests.database import Truth
from tests.rest import Answer, Api

Ask = Callable[[Api, World, str], Answer]

ANSWERS: dict[str, Ask] = {
    "list": lambda api, world, _: api.get("/chat/sessions"),
    "session": lambda api, world, _: api.get(f"/chat/sessions/{world.session}"),
    "title": lambda api, world, _: api.patch(f"/chat/sessions/{world.session}", {"title": "another"}),
    "same title": lambda api, world, _: api.patch(f"/chat/sessions/{world.session}", {"title": ""}),
    "verb": lambda api, world, _: api.post(f"/chat/sessions/{world.session}/lock", {"reason": "a complaint"}),
    "verb repeated": lambda api, world, _: api.post(
        f"/chat/sessions/{world.session}/unlock", {"reason": "a complaint"}
    ),
    "opening": lambda api, world, _: api.post("/chat/sessions", {"type": "booking", "booking": world.booking.pk}),
    "thread": lambda api, world, _: api.get(f"/chat/sessions/{world.session}/messages"),
    "flat thread": lambda api, world, _: api.get(f"/chat/messages/{world.session}"),
    "participants": lambda api, world, _: api.get(f"/chat/sessions/{world.session}/participants"),
    "sync": lambda api, world, _: api.post("/chat/sync", {"sessions": {str(world.session): 0}}),
    "edit": lambda api, world, message: api.patch(f"/chat/messages/{message}", {"content": "another text"}),
    "same text": lambda api, world, message: api.patch(f"/chat/messages/{message}", {"content": "a secret"}),
    "delete": lambda api, world, message: api.delete(f"/chat/messages/{message}"),
}


def looks(truth: Truth, session: UUID) -> list[UUID]:
    """Who is on record for it."""
    query = "SELECT actor FROM chat_audit_logs WHERE action = 'session.viewed' AND session_id = %s"
    return [row["actor"] for row in truth.rows(query, session)]


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_with_content_leaves_one_record_of_staff(answer: str, world: World, truth: Truth) -> None:
    message = Api(world.client).send(world.session, "a secret").body["id"]
    api = Api(world.admin)
    for _ in range(2):
        assert ANSWERS[answer](api, world, message).status == 200
        assert looks(truth, world.session) == [world.admin.pk]


def test_a_monitors_lock_shows_the_last_message_and_is_on_record(world: World, truth: Truth) -> None:
    Api(world.client).send(world.session, "a secret")
    locked = Api(world.monitor).post(f"/chat/sessions/{world.session}/lock", {"reason": "a complaint"})
    assert locked.body["last_message"]["content"] == "a secret"
    assert looks(truth, world.session) == [world.monitor.pk]


@pytest.mark.parametrize("answer", [name for name in ANSWERS if "title" not in name and "verb" not in name])
def test_members_leave_none(answer: str, world: World, truth: Truth) -> None:
    message = Api(world.client).send(world.session, "a secret").body["id"]
    assert ANSWERS[answer](Api(world.client), world, message).status == 200
    assert looks(truth, world.session) == []


def test_where_nothing_was_shown_nothing_is_on_record(world: World, truth: Truth) -> None:
    """An empty session, and refusals."""
    admin = Api(world.admin)
    assert admin.get(f"/chat/sessions/{world.session}").body["last_message"] is None
    message = Api(world.client).send(world.session, "a secret").body["id"]
    assert Api(world.monitor).patch(f"/chat/messages/{message}", {"content": "x"}).status == 403
    set_state(world.session, "end")
    assert admin.patch(f"/chat/messages/{message}", {"content": "x"}).status == 409
    assert looks(truth, world.session) == []
