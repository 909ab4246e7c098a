"""A process killed at every step of an upload: what is left is a message with its file, or what the sweep removes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.conf import settings

from samia_chat import actor
from storage import bucket
from storage.services import sweep
from tests.cast import World
from tests.database import Truth
from tests.files import tone
from tests.rest import Api

# Sends the file argv[4] as the person argv[1] into the session argv[2] under the id argv[3], and dies at the step argv[5].
SENDER = """
import os, signal, sys
from pathlib import Path
from uuid import UUID
import django
django.setup()
from django.db import transaction
from accounts.identity import actor_of
from accounts.models import User
from chat.services import upload
from samia_chat import actor
from samia_chat.actor import Actor
from storage import bucket
from storage.services import file as files

person, session, message, path, step = sys.argv[1:]

def dying(function, when):
    def run(*args, **kwargs):
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        made = function(*args, **kwargs)
        if when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return made
    return run

where, _, when = step.partition(" ")
places = {
    "judging": (files, "accept"),
    "rows": (files, "lay_down"),
    "object": (bucket, "put"),
    "message": (upload, "_send"),
    "job": (upload.process_file, "defer"),
}
if where in places:
    owner, name = places[where]
    setattr(owner, name, dying(getattr(owner, name), when))
with actor.acting_as(actor.system("test")), transaction.atomic():
    user = User.objects.get(pk=person)
with actor.acting_as(actor_of(user, Actor())) as sender:
    upload.send_file(
        sender=sender, session_id=UUID(session), message_id=UUID(message), kind="voice",
        upload=files.Upload(path=Path(path), name="voice.webm"),
    )
"""
STEPS = [
    *("judging before", "judging after", "rows before", "object before", "object after", "rows after"),
    *("message before", "job before", "job after", "message after"),
]


@pytest.mark.parametrize("step", STEPS)
def test_whatever_it_dies_of(world: World, truth: Truth, tmp_path: Path, step: str) -> None:
    content, message_id = tone(seconds=0.5), uuid4()
    path = tmp_path / "voice.webm"
    path.write_bytes(content)
    arguments = [str(world.client.pk), str(world.session), str(message_id), str(path), step]
    environment = {**os.environ, "PYTHONPATH": str(settings.BASE_DIR)}
    outcome = subprocess.run([sys.executable, "-c", SENDER, *arguments], env=environment, cwd=settings.BASE_DIR)
    assert outcome.returncode == -signal.SIGKILL, "it did not die where it should"

    sent = truth.one("SELECT count(*) FROM chat_messages")
    assert sent == (1 if step == "message after" else 0)
    truth.without_triggers("UPDATE chat_files SET created_at = now() - interval '1 hour'")
    with actor.acting_as(actor.system("sweep")):
        sweep.sweep_unsent()
    rows = {row["key"] for row in truth.rows("SELECT key FROM chat_files")}
    assert {entry.key for entry in bucket.entries()} == rows
    assert len(rows) == sent

    # Whoever got no answer sends it again: there is one message, and its file.
    again = Api(world.client).upload(world.session, content, "voice.webm", kind="voice", id=message_id)
    assert again.status == (200 if sent else 201), again.body
    assert truth.one("SELECT count(*) FROM chat_messages") == 1
    file = UUID(again.body["file"]["id"])
    assert bucket.exists(truth.one("SELECT key FROM chat_files WHERE id = %s", file))
