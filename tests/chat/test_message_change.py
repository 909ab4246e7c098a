"""Editing and deleting: who, until when, what stays, what others get."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import override_settings

from tests.cast import World, set_state
from tests.database import Truth
from tests.device import Device
from tests.rest import Api, in_thread


def test_an_edit_keeps_the_former_text_for_staff(world: World, truth: Truth) -> None:
    api = Api(world.client)
    sent = api.send(world.session, "first words").body
    edited = api.patch(f"/chat/messages/{sent['id']}", {"content": "better words"})
    assert (edited.status, edited.body["content"], edited.body["seq"]) == (200, "better words", 1)
    assert edited.body["revision"] == sent["revision"] + 1
    assert edited.body["edited_at"] is not None
    versions = truth.rows("SELECT content, replaced_by FROM chat_message_versions")
    assert versions == [{"content": "first words", "replaced_by": world.client.pk}]
    entry = truth.rows("SELECT * FROM chat_audit_logs WHERE action = 'message.edited'")[0]
    assert "words" not in str(entry)
    assert (entry["old_values"]["content_length"], entry["new_values"]["content_length"]) == (11, 12)


def test_the_same_text_again_changes_nothing(world: World, truth: Truth) -> None:
    api = Api(world.client)
    sent = api.send(world.session, "words").body
    again = api.patch(f"/chat/messages/{sent['id']}", {"content": "words"})
    assert (again.status, again.body) == (200, sent)
    assert truth.one("SELECT count(*) FROM chat_message_versions") == 0


def test_a_deleted_message_keeps_its_place_and_loses_its_text(world: World, truth: Truth) -> None:
    api = Api(world.client)
    sent = api.send(world.session, "never mind").body
    api.send(world.session, "after")
    deleted = api.delete(f"/chat/messages/{sent['id']}")
    assert (deleted.status, deleted.body["status"], deleted.body["content"]) == (200, "deleted", "")
    assert deleted.body["seq"] == 1
    listed = Api(world.reader).get(f"/chat/sessions/{world.session}/messages").body["results"]
    assert [(m["seq"], m["content"]) for m in listed] == [(1, ""), (2, "after")]
    row = truth.rows("SELECT * FROM chat_messages WHERE id = %s", sent["id"])[0]
    assert (row["content"], row["deleted_by"]) == ("", world.client.pk)
    assert truth.one("SELECT content FROM chat_message_versions") == "never mind"


def test_a_deletion_repeated_writes_nothing(world: World, truth: Truth) -> None:
    api = Api(world.client)
    sent = api.send(world.session).body
    first, again = api.delete(f"/chat/messages/{sent['id']}"), api.delete(f"/chat/messages/{sent['id']}")
    assert (again.status, again.body) == (200, first.body)
    assert truth.one("SELECT count(*) FROM chat_audit_logs WHERE action = 'message.deleted'") == 1


def test_a_deleted_message_is_not_edited(world: World) -> None:
    api = Api(world.client)
    sent = api.send(world.session).body
    api.delete(f"/chat/messages/{sent['id']}")
    answer = api.patch(f"/chat/messages/{sent['id']}", {"content": "back"})
    assert (answer.status, answer.code) == (409, "message_deleted")


def test_the_window_closes_for_members_and_not_for_administrators(world: World, truth: Truth) -> None:
    sent = Api(world.client).send(world.session).body
    with override_settings(MESSAGE_EDIT_WINDOW=0):
        edit = Api(world.client).patch(f"/chat/messages/{sent['id']}", {"content": "late"})
        delete = Api(world.client).delete(f"/chat/messages/{sent['id']}")
        assert {(a.status, a.code) for a in (edit, delete)} == {(409, "edit_window_over")}
        assert Api(world.admin).delete(f"/chat/messages/{sent['id']}").status == 200
    assert truth.one("SELECT deleted_by FROM chat_messages") == world.admin.pk


@pytest.mark.parametrize("who", ["client", "admin"])
@pytest.mark.parametrize(("verbs", "expected"), [((), 200), (("pause",), 200), (("lock",), 409), (("end",), 409)])
def test_a_change_needs_a_session_that_is_active_or_paused(
    verbs: tuple[str, ...], expected: int, who: str, world: World, truth: Truth
) -> None:
    """Otherwise the state is wrong, not the person: 409, and no refusal on record."""
    sent = Api(world.client).send(world.session).body
    set_state(world.session, *verbs)
    api = Api(world.people[who])
    answers = [api.patch(f"/chat/messages/{sent['id']}", {"content": "x"}), api.delete(f"/chat/messages/{sent['id']}")]
    assert [answer.status for answer in answers] == [expected] * 2
    assert {answer.code for answer in answers} == {None if expected == 200 else "session_state"}
    assert truth.one("SELECT count(*) FROM chat_audit_logs WHERE action = 'access.refused'") == 0


def test_a_deletion_repeated_after_the_end_answers_the_same(world: World, truth: Truth) -> None:
    api = Api(world.client)
    sent = api.send(world.session).body
    first = api.delete(f"/chat/messages/{sent['id']}")
    set_state(world.session, "end")
    again = api.delete(f"/chat/messages/{sent['id']}")
    assert (first.status, again.status, again.body) == (200, 200, first.body)
    assert truth.one("SELECT count(*) FROM chat_audit_logs WHERE action = 'message.deleted'") == 1


def test_somebody_elses_message_is_nobodys_to_change_in_any_state(world: World, truth: Truth) -> None:
    sent = Api(world.client).send(world.session).body
    for verb in ("pause", "lock", "end"):
        set_state(world.session, verb)
        for answer in (
            Api(world.reader).patch(f"/chat/messages/{sent['id']}", {"content": "x"}),
            Api(world.reader).delete(f"/chat/messages/{sent['id']}"),
        ):
            assert (answer.status, answer.code) == (403, "forbidden")
    assert truth.one("SELECT count(*) FROM chat_audit_logs WHERE action = 'access.refused'") == 6


async def test_others_get_the_whole_message_with_its_new_revision(world: World) -> None:
    client, reader = await Device(world.client).open(), await Device(world.reader).open()
    sent = await client.say(world.session, "words")
    api = await in_thread(Api, world.client)
    edited = await in_thread(api.patch, f"/chat/messages/{sent['id']}", {"content": "better"})
    assert (await reader.expect("message_updated"))["message"] == edited.body
    deleted = await in_thread(api.delete, f"/chat/messages/{sent['id']}")
    frame = await reader.expect("message_deleted")
    assert frame["message"] == deleted.body
    assert frame["revision"] == sent["revision"] + 2


def test_the_table_itself_keeps_what_identifies_a_message(world: World, truth: Truth) -> None:
    """From a shell, as the superuser: identity never changes, a deletion is final, a change moves the revision on."""
    import psycopg

    sent = Api(world.client).send(world.session).body["id"]
    statements = {
        "UPDATE chat_messages SET sender_id = %s": (world.reader.pk,),
        "UPDATE chat_messages SET session_id = %s": (world.other,),
        "UPDATE chat_messages SET seq = 7, revision = revision + 1": (),
        "UPDATE chat_messages SET created_at = now()": (),
        "UPDATE chat_messages SET request_hash = sha256('x')": (),
        "UPDATE chat_messages SET content = 'x'": (),  # without a new revision
        "UPDATE chat_messages SET content = '', revision = revision + 1": (),
        "UPDATE chat_messages SET content = repeat('x', 5001), revision = revision + 1": (),
        "UPDATE chat_messages SET type = 'image', revision = revision + 1": (),
    }
    for statement, arguments in statements.items():
        with pytest.raises(psycopg.errors.CheckViolation):
            truth.rows(statement, *arguments)
    truth.rows("UPDATE chat_messages SET deleted_at = now(), revision = revision + 1 WHERE id = %s", sent)
    assert truth.one("SELECT content FROM chat_messages") == ""
    for statement in ("deleted_at = NULL, status = 'sent'", "content = 'back', revision = revision + 1"):
        with pytest.raises(psycopg.errors.CheckViolation):
            truth.rows(f"UPDATE chat_messages SET {statement}")


def test_former_texts_are_swept_after_their_time(world: World, truth: Truth) -> None:
    from chat.jobs import sweep

    api = Api(world.client)
    for text in ("one", "two"):
        sent = api.send(world.session, text).body
        api.patch(f"/chat/messages/{sent['id']}", {"content": "changed"})
    old = timedelta(days=31)
    truth.rows("UPDATE chat_message_versions SET replaced_at = now() - %s WHERE content = 'one'", old)
    sweep(0)
    assert [row["content"] for row in truth.rows("SELECT content FROM chat_message_versions")] == ["two"]
