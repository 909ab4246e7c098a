"""verify_storage: the table and the bucket are compared both ways, and mended where that is possible."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command

from samia_chat import actor
from samia_chat.management.progress import ProgressBar
from storage import bucket
from storage.services import verification
from tests.cast import World
from tests.database import Truth
from tests.device import Device
from tests.rest import Api, in_thread
from tests.server import free_port
from tests.storage.conftest import Place, using
from tests.storage.files import delete_message, make_file, put, row_of, send_file, sent_file
from tests.storage.s3 import S3


def run(*options: str) -> tuple[dict[str, Any], str, str]:
    """What the command says: its last line, what it lists, and why it ends with 1 (or nothing)."""
    out, listed, why = StringIO(), StringIO(), ""
    try:
        call_command("verify_storage", *options, stdout=out, stderr=listed)
    except CommandError as error:
        why = str(error)
    return json.loads(out.getvalue().splitlines()[-1]), listed.getvalue(), why


def age(truth: Truth, place: Place) -> None:
    """Two hours pass."""
    truth.without_triggers("UPDATE chat_files SET created_at = created_at - interval '2 hours'")
    at = (datetime.now(UTC) - timedelta(hours=2)).timestamp()
    for folder, _, names in os.walk(place.folder):
        for name in names:
            os.utime(os.path.join(folder, name), (at, at))


def path_of(place: Place, file: UUID) -> Any:
    return place.folder / row_of(file).key


def test_where_all_is_well_it_says_so(world: World, truth: Truth, place: Place) -> None:
    files = [sent_file(world.reader, world.session, content=b"x" * 100) for _ in range(3)]
    make_file(world.reader, world.session, parent=files[0], rendition="aac", content=b"y" * 10)
    age(truth, place)
    summary, listed, why = run()
    assert summary == {
        "files": 4,
        "objects": 4,
        "bytes": 310,
        "hashed": 4,
        "young": 0,
        "lost": 0,
        "changed": 0,
        "orphans": 0,
        "repaired": 0,
    }
    assert (listed, why) == ("", "")


def test_what_is_under_way_is_let_be(world: World, place: Place) -> None:
    make_file(world.reader, world.session, has_object=False)
    put(bucket.key_of(session_id=world.session, owner_id=world.reader.pk, file_id=uuid4(), extension="webm"), b"x")
    summary, listed, why = run("--repair")
    assert (summary["young"], listed, why) == (2, "", "")
    assert summary["objects"] == 1
    assert len(list(bucket.entries())) == 1


def test_each_difference_is_named_and_nothing_is_touched(world: World, truth: Truth, place: Place) -> None:
    lost, shorter, other, whole = (sent_file(world.reader, world.session, content=b"content") for _ in range(4))
    orphan = bucket.key_of(session_id=world.session, owner_id=world.reader.pk, file_id=uuid4(), extension="webm")
    put(orphan, b"nobody's")
    (place.folder / "stray.txt").write_text("by hand")
    path_of(place, lost).unlink()
    path_of(place, shorter).write_bytes(b"conte")
    path_of(place, other).write_bytes(b"CONTENT")
    age(truth, place)
    before = {row["id"]: row for row in truth.rows("SELECT * FROM chat_files")}
    for _ in range(2):
        summary, listed, why = run()
        assert (summary["lost"], summary["changed"], summary["orphans"], summary["repaired"]) == (1, 2, 2, 0)
        assert "1 FILES ARE LOST" in why
        lines = listed.splitlines()
        assert any(line.startswith(f"LOST     {lost} ready") for line in lines)
        assert any(line.startswith(f"CHANGED  {shorter}") and "its size" in line for line in lines)
        assert any(line.startswith(f"CHANGED  {other}") and "its contents" in line for line in lines)
        assert any(line.startswith(f"ORPHAN   {orphan} (8 bytes") for line in lines)
        assert any(line.startswith("ORPHAN   stray.txt") for line in lines)
        assert str(whole) not in listed
        assert len(lines) == 5
    assert {row["id"]: row for row in truth.rows("SELECT * FROM chat_files")} == before
    assert len(list(bucket.entries())) == 5


def test_what_can_be_mended_is_mended_once(world: World, truth: Truth, place: Place) -> None:
    lost = sent_file(world.reader, world.session)
    child_lost = sent_file(world.reader, world.session)
    child = make_file(world.reader, world.session, parent=child_lost, rendition="aac")
    orphan_id = uuid4()
    orphan = bucket.key_of(session_id=world.session, owner_id=world.reader.pk, file_id=orphan_id, extension="webm")
    put(orphan, b"nobody's")
    (place.folder / "stray.txt").write_text("by hand")
    for file in (lost, child):
        path_of(place, file).unlink()
    age(truth, place)
    summary, _, why = run("--repair")
    assert (summary["lost"], summary["orphans"], summary["repaired"]) == (2, 2, 4)
    assert "FILES ARE LOST" in why
    row = row_of(lost)
    assert (row.state, row.reason) == ("rejected", "lost")
    answer = Api(world.client).get(f"/chat/files/{lost}")
    assert (answer.status, answer.body["reason"]) == (409, "lost")
    # What was made of a file can be made again: nothing tells of it any more.
    assert truth.one("SELECT count(*) FROM chat_files WHERE id = %s", child) == 0
    assert row_of(child_lost).renditions == []
    assert {entry.key for entry in bucket.entries()} == {row_of(child_lost).key}
    record = {
        (row["action"], row["record_id"]): row
        for row in truth.rows("SELECT * FROM chat_audit_logs WHERE actor_name = 'verify_storage'")
    }
    assert set(record) == {
        *(("file.rejected", lost), ("file.lost", lost), ("file.removed", child)),
        *(("file.orphan_removed", orphan_id), ("file.orphan_removed", None)),
    }
    assert record["file.orphan_removed", orphan_id]["new_values"] == {"key": orphan, "bytes": 8}
    summary, listed, why = run("--repair")
    assert (listed, why, summary["repaired"]) == ("", "", 0)
    call_command("verify_audit", stdout=StringIO())


async def test_who_sees_a_message_is_told_that_its_file_is_lost(world: World, truth: Truth, place: Place) -> None:
    lost = await in_thread(sent_file, world.reader, world.session)
    with_child = await in_thread(sent_file, world.reader, world.session)
    child = await in_thread(make_file, world.reader, world.session, parent=with_child, rendition="aac")
    for file in (lost, child):
        (await in_thread(path_of, place, file)).unlink()
    age(truth, place)
    client = await Device(world.client).open()
    assert (await in_thread(run, "--repair"))[0]["repaired"] == 2
    told = [(await client.expect("message_updated"))["message"]["file"] for _ in range(2)]
    shown = {UUID(file["id"]): (file["state"], file["renditions"]) for file in told}
    assert shown == {lost: ("rejected", []), with_child: ("ready", [])}


def test_lost_evidence_stays_deleted(world: World, truth: Truth, place: Place) -> None:
    file = make_file(world.reader, world.session)
    delete_message(world.reader, send_file(world.reader, world.session, file))
    path_of(place, file).unlink()
    age(truth, place)
    assert run("--repair")[0]["lost"] == 1
    assert (row_of(file).state, row_of(file).reason) == ("deleted", "lost")
    assert Api(world.admin).get(f"/chat/files/{file}").code == "file_gone"
    assert run()[2] == ""


def test_what_has_changed_is_left_to_people(world: World, truth: Truth, place: Place) -> None:
    file = sent_file(world.reader, world.session, content=b"content")
    path_of(place, file).write_bytes(b"CONTENT")
    age(truth, place)
    for _ in range(2):
        summary, _, why = run("--repair")
        assert (summary["changed"], summary["repaired"]) == (1, 0)
        assert why
    assert row_of(file).state == "ready"


def test_an_object_of_an_expired_file_is_nobodys(world: World, truth: Truth, place: Place) -> None:
    file = make_file(world.reader, world.session)
    delete_message(world.reader, send_file(world.reader, world.session, file))
    truth.rows("UPDATE chat_files SET reason = 'expired' WHERE id = %s", file)
    age(truth, place)
    assert run("--repair")[0]["orphans"] == 1
    assert list(bucket.entries()) == []
    assert run()[2] == ""


def test_contents_may_be_sampled(world: World, truth: Truth, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "BATCH", 3)  # as if there were many
    for _ in range(10):
        sent_file(world.reader, world.session)
    age(truth, place)
    for option, hashed in (("--sample=0", 0), ("--sample=4", 4), ("--sample=100", 10)):
        summary, _, why = run(option)
        assert (summary["hashed"], summary["files"], summary["objects"], why) == (hashed, 10, 10, "")
    with pytest.raises(CommandError, match="--sample"):
        call_command("verify_storage", "--sample=-1", stderr=StringIO())


def test_a_store_that_is_away_is_no_loss(world: World, truth: Truth, s3: S3) -> None:
    sent_file(world.reader, world.session)
    truth.without_triggers("UPDATE chat_files SET created_at = created_at - interval '2 hours'")
    with (
        using(s3, endpoint_url=f"http://127.0.0.1:{free_port()}"),
        pytest.raises(CommandError, match="does not answer"),
    ):
        call_command("verify_storage", "--repair", stderr=StringIO())
    assert truth.one("SELECT count(*) FROM chat_files WHERE state = 'ready'") == 1


def test_a_file_that_comes_between_is_not_lost(world: World, truth: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bucket was listed before its object came."""
    file = sent_file(world.reader, world.session)
    truth.without_triggers("UPDATE chat_files SET created_at = created_at - interval '2 hours'")
    monkeypatch.setattr(bucket, "entries", lambda: iter(()))
    assert run()[0]["lost"] == 0
    assert row_of(file).state == "ready"


def test_a_row_that_comes_between_keeps_its_object(world: World, truth: Truth, place: Place) -> None:
    """The object was listed as an orphan; when its turn comes, a row knows of it."""
    file = sent_file(world.reader, world.session)
    (entry,) = bucket.entries()
    with actor.acting_as(actor.system("test")):
        assert verification._remove_orphan(entry) is False
    assert bucket.exists(row_of(file).key)


# Progress ---------------------------------------------------------------------------------------------------------------


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_drawn_where_somebody_watches() -> None:
    seen, unseen = Terminal(), StringIO()
    for out in (seen, unseen):
        with ProgressBar(out) as bar:
            for done in range(0, 1001, 10):
                bar("objects", done, 1000)
            bar("rows", 0, 0)
    assert "objects" in seen.getvalue()
    assert "1,000 of 1,000" in seen.getvalue()
    assert seen.getvalue().count("objects") < 20
    assert seen.getvalue().endswith("\r\x1b[K")
    assert unseen.getvalue() == ""
