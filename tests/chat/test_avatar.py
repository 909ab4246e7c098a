"""One's own picture: judged, one file at a time, replaced whole, and told to those who see it."""

from __future__ import annotations

import io
import os
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test import override_settings
from PIL import Image

from samia_chat import actor
from samia_chat.limits import limiter
from storage import bucket
from storage.errors import StoreAway
from storage.services import avatar as avatars
from storage.services import file as files
from storage.services import sweep
from tests.cast import World
from tests.corpora import CORPORA, Corpus
from tests.database import Truth
from tests.device import Device
from tests.files import picture, tone
from tests.rest import Answer, Api, in_thread
from tests.server import free_port
from tests.storage import nasty, samples
from tests.storage.clamd import EICAR, FakeClamd
from tests.storage.files import open_file


def keys() -> set[str]:
    return {entry.key for entry in bucket.entries()}


def stored(truth: Truth) -> list[dict[str, Any]]:
    return truth.rows("SELECT id, key, owner_id, is_published FROM chat_files")


def changes(truth: Truth, world: World) -> list[tuple[str, Any, Any]]:
    """What is on record of the client's picture: action, former and new one."""
    rows = truth.rows(
        "SELECT action, old_values, new_values FROM chat_audit_logs WHERE record_id = %s AND action LIKE 'user.avatar%%'"
        " ORDER BY n",
        world.client.pk,
    )
    return [
        (row["action"], (row["old_values"] or {}).get("avatar"), (row["new_values"] or {}).get("avatar"))
        for row in rows
    ]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_becomes_a_square_without_metadata(form: str, world: World, truth: Truth) -> None:
    client = Api(world.client)
    answer = client.change_avatar(picture((800, 600), form), "IMG_2041 passport.jpg")
    assert answer.status == 200, answer.body
    assert client.get("/me").body == answer.body
    (row,) = stored(truth)
    assert (str(row["id"]), row["owner_id"], row["is_published"]) == (answer.body["avatar"], world.client.pk, True)
    assert keys() == {row["key"]} == {f"people/{world.client.pk}/{row['id']}.jpg"}
    opened = open_file(Api(world.reader), row["id"])
    assert (opened.status, opened.headers["Content-Type"]) == (200, "image/jpeg")
    assert "passport" not in str(opened.headers)
    with Image.open(io.BytesIO(opened.body)) as seen:
        assert (seen.size, seen.format, len(seen.getexif())) == ((256, 256), "JPEG", 0)
    assert changes(truth, world) == [("user.avatar_changed", None, str(row["id"]))]


def test_where_it_was_taken_stays_behind(world: World, tmp_path: Path) -> None:
    samples.photo(tmp_path / "photo.jpg")
    assert b"Exif" in (tmp_path / "photo.jpg").read_bytes()
    file = Api(world.client).change_avatar((tmp_path / "photo.jpg").read_bytes()).body["avatar"]
    assert b"Exif" not in open_file(Api(world.client), file).body


def test_everybody_in_the_session_is_shown_it(world: World) -> None:
    file = Api(world.client).change_avatar(picture()).body["avatar"]
    reader, session = Api(world.reader), world.session
    shapes = [
        reader.get("/chat/sessions").body["results"][0],
        reader.get(f"/chat/sessions/{session}").body,
        reader.post("/chat/sync", {"sessions": {}}).body["sessions"][0]["session"],
    ]
    shown = [shape["participants"] for shape in shapes] + [
        reader.get(f"/chat/sessions/{session}/participants").body["results"]
    ]
    for people in shown:
        assert {one["user"]: one["avatar"] for one in people} == {
            str(world.client.pk): file,
            str(world.reader.pk): None,
        }


def test_who_approves_sees_who_sent_it(world: World) -> None:
    file = Api(world.reader).change_avatar(picture()).body["avatar"]
    Api(world.reader).upload(world.session, tone(seconds=0.3), "voice.webm", kind="voice")
    assert Api(world.monitor).get("/chat/approvals").body["results"][0]["sender_avatar"] == file


# Replaced and removed ---------------------------------------------------------------------------------------------------


def test_a_second_one_replaces_the_first(world: World, truth: Truth) -> None:
    client = Api(world.client)
    first, second = (client.change_avatar(picture((size, size))).body["avatar"] for size in (300, 310))
    assert first != second
    assert [str(row["id"]) for row in stored(truth)] == [second]
    assert keys() == {stored(truth)[0]["key"]}
    assert open_file(Api(world.reader), first).status == 404
    assert changes(truth, world)[1] == ("user.avatar_changed", first, second)
    actions = truth.rows("SELECT action FROM chat_audit_logs WHERE record_id = %s ORDER BY n", first)
    assert [row["action"] for row in actions] == ["file.created", "file.removed"]


def test_one_is_removed_and_nothing_the_second_time(world: World, truth: Truth) -> None:
    client = Api(world.client)
    file = client.change_avatar(picture()).body["avatar"]
    for _ in range(2):
        assert client.delete("/me/avatar").status == 204
        assert (client.get("/me").body["avatar"], stored(truth), keys()) == (None, [], set())
    assert changes(truth, world) == [("user.avatar_changed", None, file), ("user.avatar_removed", file, None)]
    assert open_file(Api(world.reader), file).status == 404


@pytest.mark.parametrize("attempt", range(3))
def test_of_many_at_once_exactly_one_is_left(attempt: int, world: World, truth: Truth) -> None:
    client, answers = Api(world.client), list[Answer]()
    client.change_avatar(picture())

    def change(size: int) -> None:
        try:
            answers.append(client.change_avatar(picture((size, size))))
        finally:
            connections.close_all()

    jobs = [threading.Thread(target=change, args=(100 + number,)) for number in range(5)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert [answer.status for answer in answers] == [200] * 5
    (row,) = stored(truth)
    assert (row["id"], row["is_published"]) == (
        truth.one("SELECT avatar FROM accounts_user WHERE id = %s", world.client.pk),
        True,
    )
    assert keys() == {row["key"]}
    # One after the other: each replaced the one before it.
    record = changes(truth, world)
    assert [new for _, _, new in record[:-1]] == [old for _, old, _ in record[1:]]


def test_what_dies_before_it_is_named_leaves_the_former_one_and_is_swept(
    world: World, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Api(world.client)
    former = client.change_avatar(picture()).body["avatar"]

    def die(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(avatars, "_set", die)
    monkeypatch.setattr(files, "take_back", lambda _: None)  # it died, after all
    assert client.change_avatar(picture()).status == 500
    assert client.get("/me").body["avatar"] == former
    assert len(stored(truth)) == len(keys()) == 2
    truth.without_triggers("UPDATE chat_files SET created_at = now() - interval '1 hour'")
    with actor.acting_as(actor.system("sweep")):
        assert sweep.sweep().avatars == 1
    assert [str(row["id"]) for row in stored(truth)] == [former]
    assert open_file(Api(world.reader), former).status == 200


def test_what_cannot_be_named_is_taken_back(world: World, truth: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(avatars, "_set", refuse)
    assert Api(world.client).change_avatar(picture()).status == 500
    assert (stored(truth), keys()) == ([], set())


def test_a_store_that_is_away_changes_nothing(world: World, truth: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Api(world.client)
    former = client.change_avatar(picture()).body["avatar"]

    def away(*_: Any) -> None:
        raise StoreAway(retry_after=5)

    monkeypatch.setattr(bucket, "put", away)
    answer = client.change_avatar(picture())
    assert (answer.status, answer.code) == (503, "store_away")
    assert client.get("/me").body["avatar"] == former
    assert [str(row["id"]) for row in stored(truth)] == [former]


# Refused ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "file_empty"),
        (b"<html><script>alert(1)</script>", 422, "file_type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422, "file_type"),
        (b"MZ" + bytes(100), 422, "file_type"),
        (b"hello, world\n", 422, "not_picture"),
        (tone(seconds=0.3), 422, "not_picture"),
        (picture()[:2000], 422, "file_unreadable"),
        (nasty.png(50_000, 50_000), 422, "image_too_large"),
        (
            nasty.png(10, 10, rows=10, extra=nasty.chunk(b"zTXt", b"a\0\0" + nasty.zeros(100_000_000))),
            422,
            "file_unreadable",
        ),
        (picture() + bytes(5 * 2**20), 413, "file_too_large"),
    ],
    ids=["empty", "html", "svg", "program", "text", "sound", "truncated", "bomb", "text-bomb", "large"],
)
def test_what_is_no_picture_for_us_is_refused_with_its_code(
    world: World, truth: Truth, content: bytes, status: int, code: str
) -> None:
    answer = Api(world.client).change_avatar(content)
    assert (answer.status, answer.code) == (status, code)
    assert (stored(truth), keys(), changes(truth, world)) == ([], set(), [])
    assert Api(world.client).get("/me").body["avatar"] is None


def test_one_picture_in_a_form_and_nothing_else(world: World, truth: Truth) -> None:
    client = Api(world.client)

    def file() -> SimpleUploadedFile:
        return SimpleUploadedFile("me.jpg", picture())

    forms: list[dict[str, object]] = [
        {},
        {"avatar": "no file"},
        {"file": file()},
        {"avatar": file(), "user": str(world.reader.pk)},
        {"avatar": file(), "id": str(world.reader.pk)},
    ]
    for fields in forms:
        answer = client.form("/me/avatar", fields, method="PUT")
        assert (answer.status, answer.code) == (400, "invalid"), fields
    two = client.form("/me/avatar", {"avatar": [file(), file()]}, method="PUT")
    assert (two.status, two.code) == (400, "bad_request")
    assert client.put("/me/avatar", {"avatar": "x"}).status == 415
    for body in (b"", b"--BoUnDaRyStRiNg\r\nno header", b"\xff" * 100):
        response = client._client.generic(
            "PUT", "/api/me/avatar", body, "multipart/form-data; boundary=BoUnDaRyStRiNg", headers=client.headers
        )
        assert response.status_code == 400, body
    response = client._client.generic("PUT", "/api/me/avatar", b"x", "multipart/form-data", headers=client.headers)
    assert response.status_code == 400
    assert client.form("/me/avatar", {"avatar": file()}).status == 405
    assert (stored(truth), keys()) == ([], set())


def test_whoever_is_not_signed_in_has_none(world: World) -> None:
    assert Api().change_avatar(picture()).status == 401
    assert Api().delete("/me/avatar").status == 401


def test_too_many_are_told_to_wait(world: World) -> None:
    while limiter.take("upload", str(world.client.pk)) == 0:
        pass
    answer = Api(world.client).change_avatar(picture())
    assert (answer.status, answer.code) == (429, "too_fast")
    assert int(answer.headers["Retry-After"]) > 0


@pytest.fixture
def clamd() -> Iterator[FakeClamd]:
    found = FakeClamd()
    with override_settings(CLAMAV=found.address):
        yield found
    found.stop()


def test_what_is_infected_is_refused_and_on_record(world: World, truth: Truth, clamd: FakeClamd) -> None:
    answer = Api(world.client).change_avatar(picture() + EICAR)
    assert (answer.status, answer.code) == (422, "file_infected")
    assert (stored(truth), keys()) == ([], set())
    assert Api(world.client).change_avatar(picture()).status == 200


def test_what_cannot_be_scanned_now_is_for_later(world: World, truth: Truth) -> None:
    with override_settings(CLAMAV=f"127.0.0.1:{free_port()}"):
        answer = Api(world.client).change_avatar(picture())
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "busy", "60")
    assert (stored(truth), keys()) == ([], set())


# Word of it -------------------------------------------------------------------------------------------------------------


async def test_those_in_his_sessions_hear_of_it_and_nobody_else(world: World) -> None:
    reader, client, stranger = [await Device(one).open() for one in (world.reader, world.client, world.client2)]
    api = await in_thread(Api, world.client)
    file = (await in_thread(api.change_avatar, picture())).body["avatar"]
    for device in (reader, client):
        assert (await device.expect("person_changed", user=str(world.client.pk)))["avatar"] == file
    await in_thread(api.delete, "/me/avatar")
    assert (await reader.expect("person_changed", user=str(world.client.pk)))["avatar"] is None
    await in_thread(api.delete, "/me/avatar")
    await reader.nothing("person_changed")
    assert not [frame for frame in stranger.seen if frame["type"] == "person_changed"]
    for device in (reader, client, stranger):
        await device.hang_up()


def test_whoever_is_in_no_session_has_a_picture_too(world: World) -> None:
    assert Api(world.monitor).change_avatar(picture()).status == 200
    assert Api(world.monitor).delete("/me/avatar").status == 204


@pytest.mark.skipif(not os.environ.get("TEST_FULL"), reason="only with --full")
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("corpus", CORPORA, ids=lambda corpus: corpus.project)
def test_strange_files_of_others_are_taken_or_refused_and_leave_one(corpus: Corpus, world: World, truth: Truth) -> None:
    client, statuses = Api(world.client), Counter[int]()
    for source in corpus.files():
        answer = client.change_avatar(source.read_bytes(), source.name)
        assert answer.status in (200, 413, 422), (source, answer.body)
        statuses[answer.status] += 1
        limiter.reset()
    assert statuses.total() >= 100, "run ./samia test --full, which gets them"
    assert [row["key"] for row in stored(truth)] == sorted(keys())
    assert len(keys()) == bool(statuses[200])
