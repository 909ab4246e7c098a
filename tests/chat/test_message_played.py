"""Played: a voice message that a member has heard."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from accounts.models import User
from tests.cast import World, remove, set_state
from tests.database import Truth
from tests.rest import Api


def voice_message(truth: Truth, session: UUID, sender: User) -> UUID:
    """One that is published. Written by the superuser, past the upload and its approval."""
    file = truth.one(
        """
        INSERT INTO chat_files (session_id, owner_id, purpose, key, original_name, content_type, size_bytes, sha256, state)
        VALUES (%s, %s, 'voice', %s, 'a.webm', 'audio/webm', 1, sha256(''), 'ready') RETURNING id
        """,
        session,
        sender.pk,
        str(uuid4()),
    )
    return truth.one(
        """
        INSERT INTO chat_messages (
          id, session_id, sender_id, seq, revision, type, status, content, file_id, request_hash, salt)
        SELECT %s, session_id, %s, last_seq + 1, revision + 1, 'audio', 'sent', '', %s, sha256(''), gen_random_uuid()
          FROM chat_session_state WHERE session_id = %s
        RETURNING id
        """,
        uuid4(),
        sender.pk,
        file,
        session,
    )


def plays(truth: Truth) -> list[UUID]:
    return [row["user_id"] for row in truth.rows("SELECT user_id FROM chat_plays")]


@pytest.mark.parametrize("state", [(), ("pause",), ("lock",), ("end",)])
def test_a_member_has_played_it_once_while_the_session_can_be_read(
    state: tuple[str, ...], world: World, truth: Truth
) -> None:
    message = voice_message(truth, world.session, world.client)
    set_state(world.session, *state)
    for _ in range(2):
        answer = Api(world.reader).put(f"/chat/messages/{message}/played")
        assert (answer.status, answer.body["id"]) == (200, str(message))
    assert plays(truth) == [world.reader.pk]


@pytest.mark.parametrize("role", ["monitor", "admin", "super_admin"])
def test_staff_who_look_in_play_nothing(role: str, world: World, truth: Truth) -> None:
    message = voice_message(truth, world.session, world.client)
    who = world.people[role]
    answer = Api(who).put(f"/chat/messages/{message}/played")
    assert (answer.status, answer.code) == (403, "forbidden")
    assert "content" not in answer.body
    assert plays(truth) == []


def test_neither_do_former_members_nor_members_of_an_archived_session(world: World, truth: Truth) -> None:
    message = voice_message(truth, world.session, world.client)
    path = f"/chat/messages/{message}/played"
    admin = Api(world.admin)
    admin.post(f"/chat/sessions/{world.session}/participants", {"user": world.admin.pk})
    assert admin.put(path).status == 200
    set_state(world.session, "end", "archive")
    refused = admin.put(path)
    assert (refused.status, refused.code) == (409, "session_state")
    assert Api(world.reader).put(path).status == 404
    remove(world.admin, world.session)
    assert admin.put(path).status == 403
    assert plays(truth) == [world.admin.pk]


def test_a_text_is_not_played(world: World) -> None:
    sent = Api(world.client).send(world.session).body
    answer = Api(world.reader).put(f"/chat/messages/{sent['id']}/played")
    assert (answer.status, answer.code) == (409, "not_audio")
