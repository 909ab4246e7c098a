"""Voice messages: recorded from a microphone that beeps, also with a finger, sent once, and heard by others."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from uuid import UUID

import pytest
from playwright.sync_api import Locator, Route, expect

from chat.services import file as files
from samia_chat import actor
from tests.browser.tab import PHONE, Tab
from tests.browser.test_talk import set_language
from tests.browser.voice import at, send_voice, slider
from tests.cast import World, make_session
from tests.database import Truth

MakeTab = Callable[..., Tab]
FINGER = {"viewport": PHONE, "has_touch": True, "is_mobile": True}


class Finger:
    """A finger on a touch screen."""

    def __init__(self, one: Tab) -> None:
        self._wire = one.context.new_cdp_session(one.page)
        self._page = one.page

    def press(self, place: Locator) -> Finger:
        self._aim(place)
        self._tell("touchStart", [{"x": self._x, "y": self._y}])
        return self

    def tap(self, place: Locator) -> None:
        """A short press, of which a page that is busy hears late: the microphone is open by then."""
        self._aim(place)
        now = time.time()
        self._tell("touchStart", [{"x": self._x, "y": self._y}], timestamp=now)
        self._page.wait_for_timeout(600)
        self._tell("touchEnd", [], timestamp=now + 0.1)

    def slide(self, x: int = 0, y: int = 0) -> Finger:
        for step in range(1, 11):
            self._tell("touchMove", [{"x": self._x + x * step / 10, "y": self._y + y * step / 10}])
        return self

    def lift(self) -> None:
        self._tell("touchEnd", [])

    def _aim(self, place: Locator) -> None:
        box = place.bounding_box()
        assert box is not None
        self._x, self._y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def _tell(self, kind: str, points: list[dict[str, float]], **when: float) -> None:
        """`timestamp`: in seconds since 1970; without it, now."""
        self._wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points, **when})


# Recording ----------------------------------------------------------------------------------------------------------------


def test_recorded_listened_to_sent_and_played(world: World, tab: MakeTab, truth: Truth) -> None:
    client, reader = tab(world.client).open(world.session), tab(world.reader).open(world.session)
    client.record(2.2)
    expect(client.box).to_be_hidden()
    expect(reader.page.get_by_role("img", name="Client is recording")).to_be_visible()
    expect(reader.row("Client").locator(".is-typing")).to_have_text("recording…")
    client.button("Pause").click()
    expect(reader.page.locator(".typing")).to_have_count(0)
    # Listened to before it is sent: it plays, and can be sought in, although it is not finished.
    preview = client.page.locator("samia-recorder samia-player")
    client.button("Play what you recorded").click()
    expect(slider(preview)).to_have_attribute("aria-valuenow", "1")
    slider(preview).press("Home")
    expect(slider(preview)).to_have_attribute("aria-valuetext", re.compile("^0:00 of 0:02"))
    client.button("Go on recording").click()
    client.page.wait_for_timeout(1500)
    client.button("Send").click()
    expect(client.box).to_be_visible()
    expect(client.voices).to_have_count(1)
    expect(client.voices.get_by_role("img", name="Read")).to_be_visible()
    expect(reader.row("Client").locator(".session-last")).to_contain_text(re.compile(r"Voice message · 0:0[34]"))
    # Heard by the other person, and that it was is known once.
    heard = reader.voices
    expect(heard.get_by_role("img", name="Not played yet")).to_be_visible()
    expect(client.voices.get_by_role("img", name="Played")).to_have_count(0)
    heard.get_by_role("button", name="Play voice message").click()
    expect(slider(heard)).to_have_attribute("aria-valuenow", "1")
    expect(heard.get_by_role("button", name="Pause")).to_be_visible()
    expect(heard.get_by_role("button", name="Play voice message")).to_be_visible(timeout=8_000)
    assert at(heard) == 0, "at its end it begins anew"
    heard.get_by_role("button", name="Play voice message").click()
    expect(slider(heard)).to_have_attribute("aria-valuenow", "1")
    assert truth.rows("SELECT user_id FROM chat_plays") == [{"user_id": world.reader.pk}]
    expect(client.voices.get_by_role("img", name="Played")).to_be_visible()
    expect(reader.voices.get_by_role("img", name="Not played yet")).to_have_count(0)
    assert truth.one("SELECT duration_ms FROM chat_files WHERE parent_id IS NULL") >= 3000


def test_sought_by_click_drag_and_keys_and_played_faster(world: World, tab: MakeTab) -> None:
    send_voice(world.reader2, world.other, seconds=20)
    with_voice = make_session(world.client, world.client2)
    send_voice(world.client2, with_voice, seconds=20)
    client = tab(world.client).open(with_voice)
    voice = client.voices
    wave = slider(voice)
    expect(wave).to_have_attribute("aria-valuetext", "0:00 of 0:20")
    box = wave.bounding_box()
    assert box is not None
    wave.click(position={"x": box["width"] / 2, "y": 15})
    assert at(voice) == 10
    client.page.mouse.move(box["x"] + 10, box["y"] + 15)
    client.page.mouse.down()
    client.page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 15, steps=4)
    client.page.mouse.up()
    assert at(voice) == 15
    for key, place in [("ArrowLeft", 10), ("ArrowRight", 15), ("Home", 0), ("PageUp", 15), ("End", 20), ("Home", 0)]:
        wave.press(key)
        expect(wave).to_have_attribute("aria-valuenow", str(place))
    wave.press("PageUp")
    wave.press(" ")
    expect(wave).to_have_attribute("aria-valuenow", re.compile("1[6-9]"))
    for speed in ("Speed 1.5×", "Speed 2×", "Speed 1×"):
        voice.get_by_role("button", name=re.compile("^Speed")).click()
        expect(voice.get_by_role("button", name=speed, exact=True)).to_be_visible()


def test_one_sounds_at_a_time(world: World, tab: MakeTab) -> None:
    for _ in range(2):
        send_voice(world.client, world.session, seconds=20)
    reader = tab(world.reader).open(world.session)
    first, second = reader.voices.nth(0), reader.voices.nth(1)
    first.get_by_role("button", name="Play voice message").click()
    expect(slider(first)).to_have_attribute("aria-valuenow", "1")
    second.get_by_role("button", name="Play voice message").click()
    expect(slider(second)).to_have_attribute("aria-valuenow", "1")
    expect(first.get_by_role("button", name="Play voice message")).to_be_visible()
    stood = at(first)
    reader.page.wait_for_timeout(1200)
    assert at(first) == stood


def test_what_the_browser_does_not_play_it_gets_as_aac(world: World, tab: MakeTab) -> None:
    message = send_voice(world.client, world.session)
    reader = tab(world.reader)
    reader.page.add_init_script(
        """const canPlay = HTMLMediaElement.prototype.canPlayType;
        HTMLMediaElement.prototype.canPlayType = function (type) {
          return type.includes("webm") ? "" : canPlay.call(this, type);
        };"""
    )
    reader.open(world.session)
    reader.voices.get_by_role("button", name="Play voice message").click()
    expect(reader.voices.locator(".trouble")).to_contain_text("Your browser cannot play this yet.")
    with actor.acting_as(actor.system("worker")):
        assert files.process_file(UUID(message["file"]["id"]))
    reader.page.reload()
    reader.live()
    with reader.page.expect_request(re.compile(r"\?rendition=aac$")):
        reader.voices.get_by_role("button", name="Play voice message").click()
    # A Chromium without patents plays no AAC either; others do.
    has_aac = reader.page.evaluate("document.createElement('audio').canPlayType('audio/mp4; codecs=\"mp4a.40.2\"')")
    if has_aac:
        expect(slider(reader.voices)).to_have_attribute("aria-valuenow", "1")


def test_a_sound_that_does_not_come_says_so_and_is_asked_for_again(world: World, tab: MakeTab) -> None:
    send_voice(world.client, world.session)
    reader = tab(world.reader).open(world.session).expects("ERR_FAILED")
    reader.page.route("**/api/chat/files/*", lambda route: route.abort())
    reader.voices.get_by_role("button", name="Play voice message").click()
    expect(reader.voices.locator(".trouble")).to_contain_text("This could not be played.")
    reader.page.unroute("**/api/chat/files/*")
    reader.voices.get_by_role("button", name="Try again").click()
    expect(slider(reader.voices)).to_have_attribute("aria-valuenow", "1")
    expect(reader.voices.locator(".trouble")).to_have_count(0)


def test_discarded_and_what_is_long_only_after_a_question(world: World, tab: MakeTab, truth: Truth) -> None:
    client = tab(world.client).open(world.session)
    client.record()
    client.button("Discard").click()
    expect(client.box).to_be_focused()
    client.record()
    client.page.evaluate("document.querySelector('samia-recorder')._recording._before += 60_000")
    client.button("Discard").click()
    client.button("Keep it").click()
    expect(client.page.locator("samia-recorder samia-player")).to_be_visible()
    client.button("Discard").click()
    client.page.locator("dialog").get_by_role("button", name="Discard").click()
    expect(client.box).to_be_visible()
    assert truth.one("SELECT count(*) FROM chat_messages") == 0


def test_ten_minutes_at_most_with_a_countdown(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session)
    client.record(0.3)
    client.page.evaluate("document.querySelector('samia-recorder')._recording._before += 575_000")
    expect(client.page.locator(".hint.gold")).to_have_text(re.compile("^2[0-5] seconds left. It stops and keeps"))
    client.page.evaluate("document.querySelector('samia-recorder')._recording._before += 24_500")
    expect(client.page.locator(".hint.gold")).to_have_text("It stopped here. What you said is kept.")
    expect(client.page.locator("samia-recorder samia-player")).to_be_visible()
    expect(client.button("Go on recording")).to_have_count(0)
    client.button("Send").click()
    expect(client.voices).to_have_count(1)


def test_what_was_recorded_waits_in_its_session(world: World, tab: MakeTab) -> None:
    make_session(world.client, world.reader2)
    client = tab(world.client).open(world.session)
    client.record()
    client.row("Reader2").click()
    expect(client.box).to_be_visible()
    client.say("Meanwhile")
    client.sees("Meanwhile")
    client.row("Reader").click()
    expect(client.page.locator("samia-recorder samia-player")).to_be_visible()
    client.button("Send").click()
    expect(client.voices).to_have_count(1)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("NotAllowedError", "This browser is blocking the microphone"),
        ("NotFoundError", "No microphone was found"),
        ("NotReadableError", "The microphone is in use"),
    ],
)
def test_without_a_microphone_it_says_what_to_do(error: str, words: str, world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session)
    client.page.evaluate(
        """(name) => {
            const devices = navigator.mediaDevices;
            window.works = devices.getUserMedia.bind(devices);
            devices.getUserMedia = () => Promise.reject(new DOMException("", name));
        }""",
        error,
    )
    client.button("Record a voice message").click()
    expect(client.page.locator(".help")).to_contain_text(words)
    client.say("Writing goes on")
    client.sees("Writing goes on")
    client.page.evaluate("void (navigator.mediaDevices.getUserMedia = window.works)")
    client.button("Check again").click()
    expect(client.page.locator(".rec-dot")).to_be_visible()
    expect(client.page.locator(".help")).to_have_count(0)
    client.button("Discard").click()


def several_microphones(one: Tab) -> None:
    """What Chromium's fake devices lack: names for two that differ, and one that stands for another."""
    one.page.add_init_script(
        """
        const devices = navigator.mediaDevices, open = devices.getUserMedia.bind(devices);
        window.opened = [];
        const named = [["default", "Default - Headset"], ["a", "Headset"], ["b", "Built-in microphone"], ["communications", "x"]];
        devices.enumerateDevices = async () =>
            named.map(([deviceId, label]) => ({ kind: "audioinput", deviceId, label }));
        devices.getUserMedia = async ({ audio }) => {
            opened.push(audio.deviceId ?? null);
            const stream = await open({ audio: true });
            stream.getAudioTracks()[0].getSettings = () => ({ deviceId: audio.deviceId ?? "default" });
            return stream;
        };"""
    )


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_microphone_is_chosen_and_remembered(language: str, world: World, tab: MakeTab, truth: Truth) -> None:
    set_language(truth, world.client, language=language)
    client = tab(world.client)
    several_microphones(client)
    client.open(world.session)
    mic = client.page.locator("samia-recorder button.round")
    mic.click()
    choice = client.page.get_by_role("combobox", name={"en": "Microphone", "ar": "الميكروفون"}[language])
    expect(choice).to_have_value("default")
    names = [text.strip() for text in choice.locator("option").all_inner_texts()]
    assert names == ["Default - Headset", "Headset", "Built-in microphone"]
    choice.select_option("b")
    expect(client.page.locator(".rec-dot")).to_be_visible()
    expect(choice).to_have_value("b")
    # What is longer is not thrown away without a question.
    client.page.evaluate("document.querySelector('samia-recorder')._recording._before += 30_000")
    choice.select_option("a")
    client.page.locator("dialog .btn").first.click()
    expect(client.page.locator("dialog")).to_have_count(0)
    expect(choice).to_have_value("b")
    client.page.locator(".icon-btn-danger").click()
    client.page.locator("dialog .btn-danger").click()
    client.page.reload()
    client.live()
    mic.click()
    expect(choice).to_have_value("b")
    assert client.page.evaluate("opened") == ["b"]


def test_of_one_microphone_there_is_nothing_to_choose(world: World, tab: MakeTab) -> None:
    client = tab(world.client)
    client.page.add_init_script(
        """navigator.mediaDevices.enumerateDevices = async () =>
            ["default", "a"].map((deviceId) => ({ kind: "audioinput", deviceId, label: deviceId }))"""
    )
    client.open(world.session)
    client.record(0.3)
    expect(client.page.get_by_role("combobox")).to_have_count(0)


def test_the_voice_is_sent_once_though_the_answer_is_lost(world: World, tab: MakeTab, truth: Truth) -> None:
    client = tab(world.client).open(world.session).expects("ERR_FAILED")
    seen: list[str] = []

    def swallow(route: Route) -> None:
        if not seen:
            seen.append(route.request.url)
            route.fetch()
            route.abort()
        else:
            route.continue_()

    client.page.route("**/voice", swallow)
    client.record()
    client.button("Send").click()
    row = client.page.locator(".upload")
    expect(row).to_contain_text("Voice message")
    expect(row).to_have_class(re.compile("bad"))
    expect(client.voices).to_have_count(1)  # the event came
    row.get_by_role("button", name="Try again").click()
    expect(row).to_have_count(0)
    expect(client.voices).to_have_count(1)
    assert truth.one("SELECT count(*) FROM chat_messages") == 1


# A finger -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "start"), [("en", -1), ("ar", 1)])
def test_held_to_talk_slid_to_cancel_slid_up_to_lock(
    language: str, start: int, world: World, tab: MakeTab, truth: Truth
) -> None:
    set_language(truth, world.client, language=language)
    client = tab(world.client, **FINGER).open(world.session)
    finger, mic = Finger(client), client.page.locator("samia-recorder button.round")
    finger.press(mic)
    expect(client.page.locator(".mic-live")).to_be_visible()
    client.page.wait_for_timeout(1200)
    finger.lift()
    expect(client.voices).to_have_count(1)
    finger.press(mic)
    expect(client.page.locator(".rec-lock")).to_be_visible()
    finger.slide(x=start * 140).lift()
    expect(client.box).to_be_visible()
    finger.press(mic)
    expect(client.page.locator(".rec-lock")).to_be_visible()
    finger.slide(y=-100).lift()
    expect(client.page.locator(".rec .send")).to_be_visible()
    client.page.wait_for_timeout(600)
    client.page.locator(".rec .send").tap()
    expect(client.voices).to_have_count(2)
    # A tap begins it, too: whoever cannot hold, or holds a screen reader's cursor, records all the same.
    finger.tap(mic)
    expect(client.page.locator(".rec .send")).to_be_visible()
    client.page.locator(".rec .icon-btn-danger").tap()
    expect(client.box).to_be_visible()
    assert truth.one("SELECT count(*) FROM chat_messages") == 2
