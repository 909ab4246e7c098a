"""What the worker does with files: as a process of its own, and told to whoever sees the message."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings

from chat.services import file as files
from samia_chat import actor
from storage import bucket
from storage.parsers import NoParser, ParserPool, Refused
from tests.cast import World
from tests.database import Truth
from tests.files import tone
from tests.rest import Api


@contextmanager
def worker() -> Iterator[subprocess.Popen[bytes]]:
    """The worker as `./samia up` runs it."""
    process = subprocess.Popen([sys.executable, "manage.py", "work"], cwd=settings.BASE_DIR)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def process(message: dict[str, Any]) -> bool:
    """What the worker's job does, here."""
    with actor.acting_as(actor.system("worker")):
        return files.process_file(UUID(message["file"]["id"]))


def seen(world: World, who: str = "reader") -> dict[str, Any]:
    """The only message of the thread."""
    page = Api(world.people[who]).get(f"/chat/sessions/{world.session}/messages").body
    (message,) = page["results"] or page["unpublished"]
    found: dict[str, Any] = message
    return found


def voice(world: World, who: str = "client", seconds: float = 1) -> dict[str, Any]:
    answer = Api(world.people[who]).upload(world.session, tone(seconds=seconds), "voice.webm", kind="voice")
    assert answer.status == 201, answer.body
    message: dict[str, Any] = answer.body
    return message


def until(condition: Any, within: float = 30.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_the_worker_makes_a_sound_that_every_browser_plays(world: World, truth: Truth) -> None:
    message = voice(world)
    assert message["file"]["renditions"] == []
    with worker():
        until(lambda: seen(world)["file"]["renditions"] == ["aac"])
        until(lambda: truth.one("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'chat.process_file'") == 0)
    now = seen(world)
    assert now["revision"] > message["revision"]
    assert {**now, "file": message["file"], "revision": message["revision"]} == message
    (made,) = truth.rows("SELECT * FROM chat_files WHERE rendition = 'aac'")
    assert (made["content_type"], made["state"], made["is_published"]) == ("audio/mp4", "ready", True)
    assert abs(made["duration_ms"] - 1000) <= 50
    assert bucket.size(made["key"]) == made["size_bytes"]


def test_peaks_of_a_long_recording_come_later(world: World) -> None:
    message = voice(world, seconds=65)
    assert message["file"]["waveform"] is None
    assert abs(message["file"]["duration_ms"] - 65000) <= 50
    assert process(message)
    assert len(seen(world)["file"]["waveform"]) == 100


def test_again_changes_nothing(world: World, truth: Truth) -> None:
    message = voice(world)
    process(message)
    before = seen(world)
    process(message)
    assert seen(world) == before
    assert truth.one("SELECT count(*) FROM chat_files") == 2


def test_a_job_that_died_in_the_middle_is_begun_again(
    world: World, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = voice(world)
    for step in ("put", "get"):
        with monkeypatch.context() as patch:
            patch.setattr(bucket, step, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                process(message)
    assert seen(world)["file"]["renditions"] == []
    process(message)
    assert seen(world)["file"]["renditions"] == ["aac"]
    assert {entry.key for entry in bucket.entries()} == {row["key"] for row in truth.rows("SELECT key FROM chat_files")}


def test_a_sound_that_kills_the_parser_is_rejected_and_the_queue_goes_on(
    world: World, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = voice(world)

    def refuse(*_: Any) -> Any:
        raise Refused("file_unreadable", "a parser was lost over it")

    with monkeypatch.context() as patch:
        patch.setattr(ParserPool, "render_audio", refuse)
        assert process(message)
    file = seen(world)["file"]
    assert (file["state"], file["reason"]) == ("rejected", "file_unreadable")
    assert truth.one("SELECT count(*) FROM chat_audit_logs WHERE action = 'file.rejected'") == 1
    assert process(message)  # and nothing more happens
    assert process(voice(world))


def test_all_parsers_busy_is_no_verdict(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    message = voice(world)

    def busy(*_: Any) -> Any:
        raise NoParser

    monkeypatch.setattr(ParserPool, "render_audio", busy)
    with pytest.raises(NoParser):
        process(message)
    assert seen(world)["file"]["state"] == "ready"


def test_of_a_held_voice_nothing_is_published(world: World, truth: Truth) -> None:
    message = voice(world, "reader")
    process(message)
    now = seen(world)
    assert (now["seq"], now["revision"], now["status"]) == (None, None, "pending_approval")
    assert now["file"]["renditions"] == ["aac"]
    assert truth.one("SELECT count(*) FROM chat_files WHERE is_published") == 0
    assert truth.one("SELECT revision FROM chat_session_state WHERE session_id = %s", world.session) == 2
    Api(world.monitor).post(f"/chat/messages/{message['id']}/approve")
    assert truth.one("SELECT count(*) FROM chat_files WHERE is_published") == 2


def test_a_rendition_of_a_deleted_message_is_not_shown(world: World, truth: Truth) -> None:
    message = voice(world)
    Api(world.client).delete(f"/chat/messages/{message['id']}")
    assert process(message)
    assert truth.one("SELECT count(*) FROM chat_files") == 1
