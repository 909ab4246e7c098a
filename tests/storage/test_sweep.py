"""What is swept: uploads that died half-way and evidence whose time is over; nothing else, and at whatever step it dies."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from samia_chat import actor
from storage import bucket, jobs
from storage.errors import StoreAway
from storage.folder import INCOMING
from storage.services import sweep
from storage.services.sweep import Swept
from tests.cast import World
from tests.database import Truth
from tests.rest import Api
from tests.server import free_port
from tests.storage.conftest import Place, using
from tests.storage.files import delete_message, make_avatar, make_file, row_of, send_file, sent_file
from tests.storage.s3 import S3

NOTHING = Swept()


def swept() -> Swept:
    with actor.acting_as(actor.system("sweep")):
        return sweep.sweep()


def keys() -> set[str]:
    return {entry.key for entry in bucket.entries()}


def make_older(truth: Truth, column: str, age: str, *files: UUID) -> None:
    truth.without_triggers(
        f"UPDATE chat_files SET {column} = now() - %s::interval WHERE id = ANY (%s) OR parent_id = ANY (%s)",
        age,
        list(files),
        list(files),
    )


def actions(truth: Truth, file: UUID) -> list[str]:
    rows = truth.rows("SELECT action FROM chat_audit_logs WHERE record_id = %s ORDER BY n", file)
    return [row["action"] for row in rows]


# Renditions that a worker began --------------------------------------------------------------------------------------------


def test_what_a_worker_did_not_finish_goes_and_the_file_stays(world: World, truth: Truth) -> None:
    file = sent_file(world.reader, world.session)
    begun = make_file(world.reader, world.session, parent=file, rendition="aac")
    made = make_file(world.reader, world.session, parent=file, rendition="thumbnail")
    truth.without_triggers("UPDATE chat_files SET state = 'processing' WHERE id = %s", begun)
    assert swept() == Swept()
    make_older(truth, "created_at", "2 hours", file)
    assert swept() == Swept(unmade=1)
    assert {row["id"] for row in truth.rows("SELECT id FROM chat_files")} == {file, made}
    assert len(keys()) == 2


# Uploads that died half-way ------------------------------------------------------------------------------------------------


def test_what_no_message_got_goes_after_a_while(world: World, truth: Truth, place: Place) -> None:
    file = make_file(world.reader, world.session)
    child = make_file(world.reader, world.session, parent=file, rendition="thumbnail")
    assert swept() == NOTHING
    make_older(truth, "created_at", "16 minutes", file)
    assert swept() == Swept(unsent=1)
    assert keys() == set()
    assert truth.one("SELECT count(*) FROM chat_files") == 0
    assert [actions(truth, one)[-1] for one in (file, child)] == ["file.removed", "file.removed"]
    assert truth.one("SELECT actor_name FROM chat_audit_logs WHERE action = 'file.removed' LIMIT 1") == "sweep"


def test_what_is_in_use_stays(world: World, truth: Truth) -> None:
    published = sent_file(world.reader, world.session)
    pending = sent_file(world.reader, world.session, is_held=True, purpose="voice")
    deleted = make_file(world.reader, world.session)
    delete_message(world.reader, send_file(world.reader, world.session, deleted))
    waiting = sent_file(world.reader, world.session, state="processing")
    avatar = make_avatar(world.client)
    export = make_file(world.client, None, purpose="export", content_type="text/plain")
    before = keys()
    make_older(truth, "created_at", "3 years", published, pending, deleted, waiting, avatar, export)
    assert swept() == NOTHING
    assert keys() == before
    assert len(before) == 6


def test_a_message_that_comes_at_the_last_moment_keeps_its_file(world: World, truth: Truth) -> None:
    """The file was listed; then its message was sent; then its turn came."""
    file = make_file(world.reader, world.session)
    make_older(truth, "created_at", "1 hour", file)
    send_file(world.reader, world.session, file)
    with actor.acting_as(actor.system("sweep")):
        assert sweep._discard(file) is False
    assert keys() == {row_of(file).key}


def test_a_file_that_somebody_holds_is_let_be(world: World, truth: Truth) -> None:
    file = make_file(world.reader, world.session)
    make_older(truth, "created_at", "1 hour", file)
    held, may_go = threading.Event(), threading.Event()

    def hold() -> None:
        with truth.connection.transaction():
            truth.rows("SELECT 1 FROM chat_files WHERE id = %s FOR KEY SHARE", file)  # as a message that names it
            held.set()
            assert may_go.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)
    assert swept() == NOTHING
    may_go.set()
    thread.join()
    assert swept().unsent == 1


def test_a_sweep_is_bounded(world: World, truth: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "AT_ONCE", 2)
    files = [make_file(world.reader, world.session) for _ in range(5)]
    make_older(truth, "created_at", "1 hour", *files)
    assert [swept().unsent for _ in range(4)] == [2, 2, 1, 0]


# Pictures of people -------------------------------------------------------------------------------------------------------


def test_a_picture_that_is_nobodys_goes_after_a_while(world: World, truth: Truth, place: Place) -> None:
    never_named = make_file(world.client, None, purpose="avatar", content_type="image/jpeg")
    former, current = make_avatar(world.reader), make_avatar(world.reader)
    make_older(truth, "created_at", "14 minutes", never_named, former, current)
    assert swept() == NOTHING
    make_older(truth, "created_at", "16 minutes", never_named, former, current)
    assert swept() == Swept(avatars=2)
    assert keys() == {row_of(current).key}
    assert [actions(truth, one)[-1] for one in (never_named, former)] == ["file.removed", "file.removed"]
    assert swept() == NOTHING


def test_a_picture_that_is_named_at_the_last_moment_stays(world: World, truth: Truth) -> None:
    """It was listed; then it became his; then its turn came."""
    file = make_avatar(world.client)
    make_older(truth, "created_at", "1 hour", file)
    with actor.acting_as(actor.system("sweep")):
        assert sweep._discard(file) is False
    assert keys() == {row_of(file).key}


def test_the_row_of_somebodys_picture_cannot_be_removed(world: World, truth: Truth) -> None:
    file = make_avatar(world.client)
    with (
        actor.acting_as(actor.system("sweep")),
        pytest.raises(IntegrityError, match="accounts_user_avatar"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT app.discard_file(%s)", [file])


# Evidence ---------------------------------------------------------------------------------------------------------------


def deleted_file(world: World) -> UUID:
    file = make_file(world.reader, world.session, name="a private matter.webm")
    make_file(world.reader, world.session, parent=file, rendition="aac")
    delete_message(world.reader, send_file(world.reader, world.session, file))
    return file


def test_evidence_is_kept_and_then_goes(world: World, truth: Truth, place: Place) -> None:
    file = deleted_file(world)
    truth.without_triggers("UPDATE chat_files SET waveform = ARRAY[1, 2] WHERE id = %s", file)
    make_older(truth, "deleted_at", f"{settings.EVIDENCE_DAYS} days - 1 minute", file)
    assert swept() == NOTHING
    assert Api(world.admin).get(f"/chat/files/{file}").status in (200, 302)
    make_older(truth, "deleted_at", f"{settings.EVIDENCE_DAYS} days", file)
    assert swept() == Swept(expired=1)
    assert keys() == set()
    row = row_of(file)
    assert (row.state, row.reason, row.original_name, row.waveform, row.renditions) == (
        "deleted",
        "expired",
        "",
        None,
        [],
    )
    assert truth.one("SELECT count(*) FROM chat_files") == 1  # the message's
    assert actions(truth, file)[-1] == "file.expired"
    assert Api(world.admin).get(f"/chat/files/{file}").code == "file_gone"
    assert swept() == NOTHING


def test_evidence_that_is_lost_goes_as_well(world: World, truth: Truth) -> None:
    file = deleted_file(world)
    make_older(truth, "deleted_at", "1 year", file)
    truth.rows("UPDATE chat_files SET reason = 'lost' WHERE id = %s", file)
    assert swept().expired == 1
    assert (row_of(file).reason, row_of(file).original_name) == ("expired", "")


def test_what_was_made_of_evidence_too_late_goes_alone(world: World, truth: Truth) -> None:
    file = deleted_file(world)
    make_older(truth, "deleted_at", "1 year", file)
    assert swept().expired == 1
    child = make_file(world.reader, world.session, parent=file, rendition="aac")  # the worker was slow
    assert row_of(child).state == "deleted"
    make_older(truth, "deleted_at", "1 year", file)
    assert swept().expired == 1
    assert keys() == set()
    assert truth.one("SELECT count(*) FROM chat_files") == 1


# Dying ------------------------------------------------------------------------------------------------------------------

DYING = """
import os, signal, sys
import django
django.setup()
from samia_chat import actor
from storage import bucket
from storage.services import sweep

when, number = sys.argv[1:]
delete, done = bucket.delete, 0
def dying(key):
    global done
    done += 1
    if when == "before" and done == int(number):
        os.kill(os.getpid(), signal.SIGKILL)
    delete(key)
    if when == "after" and done == int(number):
        os.kill(os.getpid(), signal.SIGKILL)
bucket.delete = dying
with actor.acting_as(actor.system("sweep")):
    sweep.sweep()
    if when == "end":
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("step", ["before 1", "after 1", "before 2", "after 2", "before 3", "after 4", "end 0"])
def test_whatever_it_dies_of_the_next_one_finds_it(step: str, world: World, truth: Truth) -> None:
    """Two files with a rendition each: one that no message got, one that was deleted long ago. Four objects go."""
    unsent = make_file(world.reader, world.session)
    make_file(world.reader, world.session, parent=unsent, rendition="aac")
    evidence = deleted_file(world)
    make_older(truth, "created_at", "1 hour", unsent)
    make_older(truth, "deleted_at", "1 year", evidence)
    assert len(keys()) == 4
    died = subprocess.run(
        [sys.executable, "-c", DYING, *step.split()],
        env=os.environ,
        cwd=settings.BASE_DIR,
        capture_output=True,
        timeout=60,
    )
    assert died.returncode == -9, died.stderr
    known = {row["key"] for row in truth.rows("SELECT key FROM chat_files WHERE reason <> 'expired'")}
    assert keys() <= known  # no object that no row knows of
    deadline = time.monotonic() + 20
    # PostgreSQL must first see that whoever held the rows is gone.
    while truth.one("SELECT count(*) FROM chat_files WHERE reason <> 'expired'") and time.monotonic() < deadline:
        swept()
    assert keys() == set()
    assert [row["id"] for row in truth.rows("SELECT id FROM chat_files")] == [evidence]
    assert row_of(evidence).reason == "expired"
    assert actions(truth, evidence).count("file.expired") == 1


def test_a_store_that_is_away_ends_the_sweep_and_keeps_the_rows(world: World, truth: Truth, s3: S3) -> None:
    file = make_file(world.reader, world.session)
    make_older(truth, "created_at", "1 hour", file)
    with using(s3, endpoint_url=f"http://127.0.0.1:{free_port()}"):
        with pytest.raises(StoreAway):
            swept()
        jobs.sweep_storage(0)  # the job comes again by itself
    assert truth.one("SELECT count(*) FROM chat_files") == 1
    jobs.sweep_storage(0)
    assert truth.one("SELECT count(*) FROM chat_files") == 0


def test_what_was_never_given_its_name_goes(tmp_path: Path) -> None:
    incoming = settings.FILES_FOLDER / INCOMING
    incoming.mkdir(parents=True)
    for name, age in (("old", timedelta(hours=2)), ("new", timedelta(minutes=5))):
        (incoming / name).write_bytes(b"half")
        at = (datetime.now(UTC) - age).timestamp()
        os.utime(incoming / name, (at, at))
    assert swept() == Swept(unfinished=1)
    assert [path.name for path in incoming.iterdir()] == ["new"]


# What the database refuses ------------------------------------------------------------------------------------------------


def end(file: UUID, reason: str) -> Any:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT app.end_file(%s, %s)", [file, reason])
        return cursor.fetchone()[0]


@pytest.mark.parametrize("make", [sent_file, make_file])
def test_only_what_was_deleted_expires(make: Callable[..., UUID], world: World) -> None:
    file = make(world.reader, world.session)
    with actor.acting_as(actor.system("test")), pytest.raises(IntegrityError, match="does not end as expired"):
        end(file, "expired")
    with actor.acting_as(actor.system("test")), pytest.raises(IntegrityError, match="does not end as forgotten"):
        end(file, "forgotten")


def test_the_sweep_s_questions_have_their_index(world: World, truth: Truth) -> None:
    truth.without_triggers(
        "INSERT INTO chat_files (session_id, owner_id, purpose, key, original_name, content_type, size_bytes, sha256, state,"
        " is_published) SELECT %s, %s, 'attachment', n::text, '', 'image/png', 1, '', 'ready', true"
        " FROM generate_series(1, 5000) n",
        world.session,
        world.client.pk,
    )
    truth.rows("ANALYZE chat_files")
    with actor.acting_as(actor.system("test")), transaction.atomic():
        questions = (sweep.unsent(), sweep.evidence(), sweep.unmade(), sweep.unnamed())
        plans = [found[: sweep.AT_ONCE].explain() for found in questions]
    truth.empty()
    truth.rows("ANALYZE chat_files")
    assert "Index Scan using chat_files_unpublished" in plans[0], plans[0]
    assert "Index Scan using chat_files_evidence" in plans[1], plans[1]
    assert "chat_files_unmade" in plans[2], plans[2]
    assert "chat_files_unpublished" in plans[3], plans[3]
