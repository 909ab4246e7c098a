"""Sending files and voice over REST: message and file together or not at all, judged, and once."""

from __future__ import annotations

import threading
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections

from samia_chat.limits import limiter
from storage import bucket
from storage.services import file as files
from tests.cast import World, remove, set_state
from tests.database import Truth
from tests.files import picture, tone
from tests.rest import Answer, Api


def nothing_is_left(truth: Truth) -> bool:
    """No message, no row of a file, no object."""
    stored = [row["key"] for row in truth.rows("SELECT key FROM chat_files")]
    return stored == [] and truth.one("SELECT count(*) FROM chat_messages") == 0 and list(bucket.entries()) == []


def test_a_picture_becomes_a_message_with_its_file(world: World, truth: Truth) -> None:
    answer = Api(world.client).upload(world.session, picture(), "holiday.jpg", caption="look")
    assert answer.status == 201, answer.body
    message = answer.body
    assert (message["type"], message["status"], message["content"], message["seq"]) == ("image", "sent", "look", 1)
    assert message["file"]["name"] == "holiday.jpg"
    assert message["file"]["content_type"] == "image/jpeg"
    assert (message["file"]["width"], message["file"]["height"]) == (640, 480)
    assert message["file"]["renditions"] == ["thumbnail"]
    page = Api(world.reader).get(f"/chat/sessions/{world.session}/messages").body
    assert page["results"] == [message]
    assert truth.one("SELECT count(*) FROM chat_files WHERE is_published") == 2


@pytest.mark.parametrize(
    ("content", "name", "type_", "content_type"),
    [
        (b"hello, world\n", "notes.txt", "file", "text/plain; charset=utf-8"),
        (picture(form="PNG"), "drawing.png", "image", "image/jpeg"),
        (tone(seconds=0.5), "sound.webm", "audio", "audio/webm"),
        (tone(seconds=0.5, form="mp3", codec="libmp3lame"), "sound.mp3", "audio", "audio/mpeg"),
    ],
)
def test_the_type_is_what_the_file_is(world: World, content: bytes, name: str, type_: str, content_type: str) -> None:
    answer = Api(world.client).upload(world.session, content, name)
    assert (answer.status, answer.body["type"], answer.body["file"]["content_type"]) == (201, type_, content_type)


def test_every_object_is_as_its_row_says(world: World, truth: Truth) -> None:
    Api(world.client).upload(world.session, picture(), "a.jpg")
    Api(world.client).upload(world.session, b"some text", "b.txt")
    rows = {
        row["key"]: row
        for row in truth.rows("SELECT key, size_bytes, sha256, id, session_id, owner_id FROM chat_files")
    }
    assert {entry.key for entry in bucket.entries()} == set(rows)
    for key, row in rows.items():
        assert key.startswith(f"{world.session}/{world.client.pk}/{row['id']}.")


def test_a_short_voice_message_has_peaks_and_duration_at_once(world: World) -> None:
    message = Api(world.client).upload(world.session, tone(seconds=3), "voice.webm", kind="voice").body
    assert abs(message["file"]["duration_ms"] - 3000) <= 50
    assert len(message["file"]["waveform"]) == 100
    assert max(message["file"]["waveform"]) > 50


# Once ---------------------------------------------------------------------------------------------------------------------


def test_the_same_upload_again_sends_nothing(world: World, truth: Truth) -> None:
    client, message_id = Api(world.client), uuid4()
    first = client.upload(world.session, picture(), "a.jpg", id=message_id)
    again = client.upload(world.session, picture(), "another name.jpg", id=message_id)
    assert (first.status, again.status) == (201, 200)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.body == first.body
    assert truth.one("SELECT count(*) FROM chat_files") == 2
    set_state(world.session, "end")
    assert client.upload(world.session, picture(), "a.jpg", id=message_id).status == 200


@pytest.mark.parametrize("change", ["content", "caption", "kind", "person", "text"])
def test_an_id_that_was_used_for_something_else_is_taken(world: World, truth: Truth, change: str) -> None:
    message_id = uuid4()
    sound = tone(seconds=0.5)
    if change == "text":
        Api(world.client).send(world.session, "hello", id=str(message_id))
    else:
        Api(world.client).upload(world.session, sound, "a.webm", id=message_id)
    files_before = truth.one("SELECT count(*) FROM chat_files")
    who = world.reader if change == "person" else world.client
    content = tone(seconds=0.6) if change == "content" else sound
    fields: dict[str, Any] = {"caption": "other"} if change == "caption" else {}
    kind = "voice" if change == "kind" else "upload"
    answer = Api(who).upload(world.session, content, "a.webm", kind=kind, id=message_id, **fields)
    assert (answer.status, answer.code) == (409, "id_taken")
    assert truth.one("SELECT count(*) FROM chat_files") == files_before


def test_the_same_upload_at_the_same_time_is_one_message(world: World, truth: Truth) -> None:
    message_id, content, answers = uuid4(), picture(), list[Answer]()
    client = Api(world.client)

    def send() -> None:
        try:
            answers.append(client.upload(world.session, content, "a.jpg", id=message_id))
        finally:
            connections.close_all()

    jobs = [threading.Thread(target=send) for _ in range(4)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert sorted(answer.status for answer in answers) == [200, 200, 200, 201]
    assert truth.one("SELECT count(*) FROM chat_messages") == 1
    assert {entry.key for entry in bucket.entries()} == {row["key"] for row in truth.rows("SELECT key FROM chat_files")}
    assert truth.one("SELECT count(*) FROM chat_files") == 2


# Refused ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["upload", "voice"])
def test_whoever_may_not_send_there_is_refused_and_leaves_nothing(world: World, truth: Truth, kind: str) -> None:
    sound = tone(seconds=0.5)

    def refusal(who: str) -> tuple[int, str | None]:
        answer = Api(world.people[who]).upload(world.session, sound, "a.webm", kind=kind)
        return answer.status, answer.code

    assert refusal("client2") == (404, "not_found")
    assert refusal("monitor") == (403, "forbidden")
    assert refusal("admin") == (403, "forbidden")  # sees it, and is not in it
    assert Api().upload(world.session, sound, "a.webm", kind=kind).status == 401
    assert Api(world.client).upload(uuid4(), sound, "a.webm", kind=kind).status == 404
    for verb in ("pause", "lock", "end", "archive"):
        set_state(world.session, verb)
        assert refusal("client") == (409, "session_state")
    remove(world.client, world.session)
    assert refusal("client") == (404, "not_found")
    assert nothing_is_left(truth)


def test_refused_before_the_file_is_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "accept", lambda *_, **__: pytest.fail("the file was judged"))
    assert Api(world.client2).upload(world.session, b"x" * 100, "a.txt").status == 404
    set_state(world.session, "pause")
    assert Api(world.client).upload(world.session, b"x" * 100, "a.txt").status == 409
    assert Api(world.client).upload(world.session, b"x", "a.txt", reply_to="no").status == 400


def test_what_comes_between_look_and_send_is_refused_and_leaves_nothing(
    world: World, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept = files.accept

    def meanwhile(*args: Any, **kwargs: Any) -> Any:
        accepted = accept(*args, **kwargs)
        remove(world.client, world.session)
        return accepted

    monkeypatch.setattr(files, "accept", meanwhile)
    assert Api(world.client).upload(world.session, picture(), "a.jpg").status in (403, 404)
    assert nothing_is_left(truth)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"status": "approved"}, "invalid"),
        ({"seq": "7"}, "invalid"),
        ({"sender": str(uuid4())}, "invalid"),
        ({"session": str(uuid4())}, "invalid"),
        ({"key": "../../etc/passwd"}, "invalid"),
        ({"duration_ms": "1"}, "invalid"),
        ({"waveform": "[]"}, "invalid"),
        ({"id": "7"}, "invalid"),
        ({"caption": "x" * 5001}, "invalid"),
        ({"caption": "a\x00b"}, "invalid"),
        ({"reply_to": str(uuid4())}, "reply_unknown"),
        ({"caption": ["a", "b"]}, "invalid"),
    ],
)
def test_forged_and_malformed_fields_are_refused(world: World, truth: Truth, fields: dict[str, Any], code: str) -> None:
    answer = Api(world.client).upload(world.session, b"text", "a.txt", **fields)
    assert (answer.status, answer.code) == (400, code)
    assert nothing_is_left(truth)


@pytest.mark.parametrize(
    ("content", "name", "status", "code"),
    [
        (b"", "a.txt", 422, "file_empty"),
        (b"<html><script>alert(1)</script>", "a.jpg", 422, "file_type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.png", 422, "file_type"),
        (b"MZ" + bytes(100), "a.exe", 422, "file_type"),
        (b"PK\x03\x04" + bytes(100), "a.zip", 422, "file_type"),
        (picture()[:2000], "a.jpg", 422, "file_unreadable"),
        (b"a" * (10 * 2**20 + 1), "a.txt", 413, "file_too_large"),
    ],
    ids=["empty", "html", "svg", "program", "archive", "truncated", "large"],
)
def test_what_is_no_file_for_us_is_refused_with_its_code(
    world: World, truth: Truth, content: bytes, name: str, status: int, code: str
) -> None:
    answer = Api(world.client).upload(world.session, content, name)
    assert (answer.status, answer.code) == (status, code)
    assert nothing_is_left(truth)


def test_a_voice_message_is_a_sound(world: World, truth: Truth) -> None:
    assert Api(world.client).upload(world.session, picture(), "a.webm", kind="voice").code == "not_voice"
    assert nothing_is_left(truth)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"file": "no file"}, 400),
        ({"voice": "no file"}, 400),
    ],
)
def test_a_form_without_its_file_is_refused(world: World, body: dict[str, object], status: int) -> None:
    for kind in ("upload", "voice"):
        answer = Api(world.client).form(f"/chat/sessions/{world.session}/{kind}", body)
        assert (answer.status, answer.code) == (status, "invalid")
    assert Api(world.client).post(f"/chat/sessions/{world.session}/upload", {"file": "x"}).status == 415


def test_the_older_form(world: World) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    file = SimpleUploadedFile("a.txt", b"hello")
    answer = Api(world.client).form("/chat/upload", {"session": str(world.session), "file": file})
    assert (answer.status, answer.body["session"]) == (201, str(world.session))


@pytest.mark.parametrize("kind", ["upload", "voice"])
def test_too_many_are_told_to_wait(world: World, kind: str) -> None:
    key = str(world.client.pk)
    while limiter.take(kind, key) == 0:
        pass
    answer = Api(world.client).upload(world.session, b"text", "a.txt", kind=kind)
    assert (answer.status, answer.code) == (429, "too_fast")
    assert int(answer.headers["Retry-After"]) > 0


# What it may be called ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claimed", "shown"),
    [
        ("notes.txt", "notes.txt"),
        ("../../etc/passwd", "passwd.txt"),
        ("..\\..\\boot.ini", "boot.ini.txt"),
        ("page.html", "page.html.txt"),
        ("photo\u202egpj.txt", "photogpj.txt"),
        ('a"b.txt', 'a"b.txt'),
        ("تقرير.txt", "تقرير.txt"),
        ("a\u200b\u2066b\u2069.txt", "ab.txt"),
        ("  .txt", "txt.txt"),
        (" . ", "file.txt"),
        ("x" * 300 + ".txt", "x" * 251 + ".txt"),
        ("readme.md", "readme.md"),
    ],
)
def test_a_name_is_kept_as_far_as_it_is_harmless(world: World, claimed: str, shown: str) -> None:
    from storage.names import shown_name

    assert shown_name(claimed, "txt") == shown


# Afterwards ---------------------------------------------------------------------------------------------------------------


def test_a_deleted_messages_file_is_gone_for_members_and_kept_for_staff(world: World, truth: Truth) -> None:
    message = Api(world.client).upload(world.session, picture(), "a.jpg").body
    answer = Api(world.client).delete(f"/chat/messages/{message['id']}")
    assert (answer.body["status"], answer.body["file"]) == ("deleted", None)
    assert {row["state"] for row in truth.rows("SELECT state FROM chat_files")} == {"deleted"}
    assert len(list(bucket.entries())) == 2
    for who in ("client", "reader"):
        page = Api(world.people[who]).get(f"/chat/sessions/{world.session}/messages").body
        assert page["results"][0]["file"] is None


def test_editing_the_caption_keeps_the_file(world: World) -> None:
    client = Api(world.client)
    message = client.upload(world.session, picture(), "a.jpg", caption="luck").body
    edited = client.patch(f"/chat/messages/{message['id']}", {"content": "look"}).body
    assert (edited["content"], edited["file"]) == ("look", message["file"])


def test_sync_tells_of_files(world: World) -> None:
    message = Api(world.client).upload(world.session, picture(), "a.jpg").body
    entry = Api(world.reader).post("/chat/sync", {"sessions": {str(world.session): 0}}).body["sessions"][0]
    assert entry["messages"] == [message]
    assert entry["session"]["last_message"] == message
