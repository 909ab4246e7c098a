"""Voice messages for tests of the page: there before anybody looks, decided about, and how far they are played."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from playwright.sync_api import Locator

from accounts.models import User
from chat.models import VoiceReview
from tests.files import tone
from tests.rest import Api


def send_voice(person: User, session: UUID, *, seconds: float = 6, **fields: Any) -> dict[str, Any]:
    """A voice message that is there before anybody looks."""
    answer = Api(person).upload(session, tone(seconds=seconds), "voice.webm", kind="voice", **fields)
    assert answer.status == 201, answer.body
    message: dict[str, Any] = answer.body
    return message


def decide(by: User, message: object, verdict: VoiceReview.Verdict) -> None:
    """What staff say about a voice message that waits."""
    answer = Api(by).post(
        f"/chat/messages/{message}/{verdict.value}", {"reason": "Too loud"} if verdict == "reject" else None
    )
    assert answer.status == 200, answer.body


def slider(place: Locator) -> Locator:
    """The wave of a player, in which one seeks."""
    return place.get_by_role("slider")


def at(place: Locator) -> int:
    """Where a player is, in seconds."""
    return int(slider(place).get_attribute("aria-valuenow") or 0)
