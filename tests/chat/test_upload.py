"""Sending files and voice over REST: message and file together or not at all, judged, and once."""

from __future__ import annotations

import io

from PIL import Image

from tests.cast import World
from tests.database import Truth
from tests.files import tone
from tests.rest import Api


def picture(size: tuple[int, int] = (640, 480), form: str = "JPEG") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, "purple").save(made, form)
    return made.getvalue()


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


def test_a_voice_message_of_a_reader_waits(world: World) -> None:
    reader = Api(world.reader)
    answer = reader.upload(world.session, tone(seconds=2), "voice.webm", kind="voice")
    assert answer.status == 201, answer.body
    assert (answer.body["status"], answer.body["seq"]) == ("pending_approval", None)
    assert len(answer.body["file"]["waveform"]) == 100
    assert Api(world.client).get(f"/chat/sessions/{world.session}/messages").body["unpublished"] == []
    assert reader.get(f"/chat/sessions/{world.session}/messages").body["unpublished"] == [answer.body]
