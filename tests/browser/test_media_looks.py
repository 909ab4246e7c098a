"""How recordings, files and the page of approvals look: drawn in both languages, themes and sizes, and judged by axe. The
drawings are in tests/artefacts/, for eyes."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from playwright.sync_api import expect

from chat.models import VoiceReview
from chat.services.file import process_file
from samia_chat import actor
from tests.browser.files import PAGE, payload, picture, put
from tests.browser.looks import SIZES, in_looks
from tests.browser.tab import Tab
from tests.browser.test_looks import axe, choose
from tests.browser.test_talk import send, set_language
from tests.browser.voice import decide, send_voice
from tests.cast import World, set_state
from tests.database import Truth
from tests.rest import Api

MakeTab = Callable[..., Tab]


def peaks(seed: int) -> str:
    """A hundred peaks as speech has them, for the database."""
    chance = random.Random(seed)
    loud = [abs(math.sin(at / 5 + seed)) * abs(math.sin(at / 17)) * chance.uniform(0.5, 1) for at in range(100)]
    return "{" + ",".join(str(int(12 + 230 * one)) for one in loud) + "}"


def as_speech(truth: Truth) -> None:
    """A tone has a dull wave."""
    for seed, row in enumerate(truth.rows("SELECT id FROM chat_files WHERE waveform IS NOT NULL")):
        truth.without_triggers("UPDATE chat_files SET waveform = %s WHERE id = %s", peaks(seed), row["id"])


@in_looks("desktop", "phone")
def test_what_messages_carry(size: str, language: str, theme: str, world: World, tab: MakeTab, truth: Truth) -> None:
    set_language(truth, world.client, world.reader, language=language)
    send(world.client, world.session, "I drew three before the full cross.")
    put(world.reader, world.session, PAGE, "natal-chart-layla.pdf")
    put(world.reader, world.session, picture((1600, 1200)), "spread.jpg", caption="من اليسار: القمر، النجمة، الشمس")
    send_voice(world.client, world.session, seconds=24)
    first = send_voice(world.reader, world.session, seconds=48)
    decide(world.monitor, first["id"], VoiceReview.Verdict.REJECT)
    send_voice(world.reader, world.session, seconds=36)
    as_speech(truth)
    one = choose(tab(world.reader, viewport=SIZES[size]), theme=theme, language=language).open(world.session)
    name = f"{size}-{language}-{theme}"
    wave = one.voices.first.get_by_role("slider")
    wave.press("PageUp")
    one.page.locator(".thread").evaluate("(thread) => (thread.scrollTop = thread.scrollHeight)")
    one.shoot(f"media-thread-{name}")
    found = axe(one)
    one.page.locator(".thread").evaluate("(thread) => (thread.scrollTop = 0)")
    one.shoot(f"media-files-{name}")
    found += axe(one)
    one.page.locator(".shot").click()
    expect(one.page.locator(".viewer img")).to_have_js_property("complete", value=True)
    one.shoot(f"media-viewer-{name}")
    found += axe(one)
    assert not found, "\n".join(found)


@in_looks("desktop", "phone")
def test_composer_and_recorder(size: str, language: str, theme: str, world: World, tab: MakeTab, truth: Truth) -> None:
    set_language(truth, world.client, language=language)
    send(world.reader, world.session, "Tell me about the dream when you can.")
    one = choose(tab(world.client, viewport=SIZES[size]), theme=theme, language=language).open(world.session)
    one.expects("ERR_")
    name = f"{size}-{language}-{theme}"
    found: list[str] = []

    def draw(what: str) -> None:
        one.shoot(f"media-{what}-{name}")
        found.extend(axe(one))

    recorder, mic = one.page.locator("samia-recorder"), one.page.locator("samia-recorder button.round")
    mic.click()
    expect(one.page.locator(".rec-dot")).to_be_visible()
    one.page.evaluate(
        """() => {
            const recording = document.querySelector("samia-recorder")._recording;
            recording._before += 77_000;
            for (let at = 0; at < 260; at += 1) {
              recording.peaks.push(Math.abs(Math.sin(at / 4) * Math.sin(at / 13)) * 200 + 12);
            }
        }"""
    )
    one.page.wait_for_timeout(1200)
    draw("locked")
    one.page.evaluate("document.querySelector('samia-recorder')._recording._before += 498_000")
    expect(one.page.locator(".hint.gold")).to_be_visible()
    draw("limit")
    recorder.locator(".rec-main").click()
    wave = recorder.get_by_role("slider")
    expect(wave).to_be_visible()
    box = wave.bounding_box()
    assert box is not None
    wave.click(position={"x": box["width"] * 0.4, "y": box["height"] / 2})
    draw("paused")
    recorder.locator(".icon-btn-danger").click()
    one.page.locator("dialog .btn-danger").click()
    mic.click()
    expect(one.page.locator(".rec-dot")).to_be_visible()
    one.page.evaluate("document.querySelector('samia-recorder')._isHeld = true")
    expect(one.page.locator(".rec-lock")).to_be_visible()
    draw("held")
    one.page.evaluate("document.querySelector('samia-recorder')._isHeld = false")
    recorder.locator(".icon-btn-danger").click()
    one.page.evaluate(
        "void (navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError')))"
    )
    mic.click()
    expect(one.page.locator(".help")).to_be_visible()
    draw("blocked")
    one.page.locator(".help .btn-quiet").click()
    one.page.route("**/upload", lambda route: None if "two" in str(route.request.post_data_buffer) else route.abort())
    chooser = one.page.locator("input[type=file]")
    chooser.set_input_files([payload("reading-notes.pdf", PAGE, "application/pdf")])
    one.page.locator(".composer .send").click()
    expect(one.page.locator(".upload.bad")).to_be_visible()
    chooser.set_input_files([payload("two-of-cups.jpg", picture())])
    one.page.locator(".composer .send").click()
    expect(one.page.get_by_role("progressbar")).to_be_visible()
    chooser.set_input_files(
        [
            payload("spread-three-cards.jpg", picture()),
            payload("the-star.jpg", picture()),
            payload("setup.exe", b"MZ", "application/x-dos"),
        ]
    )
    one.box.fill("Here is what came up last night")
    draw("uploads")
    one.page.locator(".thread-pane").evaluate(
        """(pane) => {
            const carried = new DataTransfer();
            carried.items.add(new File(["x"], "x.txt"));
            pane.dispatchEvent(new DragEvent("dragover", { dataTransfer: carried, bubbles: true, cancelable: true }));
        }"""
    )
    expect(one.page.locator(".drop")).to_be_visible()
    draw("drop")
    assert not found, "\n".join(found)


LONG = {
    "en": "The cups run over, and the moon looks on. " * 30 + "https://samia.example/rest",
    "ar": "تفيض الكؤوس والقمر ينظر من بعيد. " * 34 + "https://samia.example/rest",
}


@in_looks("desktop", "phone")
def test_forms_of_messages(size: str, language: str, theme: str, world: World, tab: MakeTab, truth: Truth) -> None:
    """Folded, large, side by side, played and not."""
    set_language(truth, world.client, world.reader, language=language)
    send(world.reader, world.session, LONG[language], "🌙")
    send(world.client, world.session, LONG[language], "👍🏽✨", "👨‍👩‍👧‍👦 🇱🇧 ❤️")
    for person, count in ((world.reader, 4), (world.client, 5)):
        for at in range(count):
            put(person, world.session, picture((500 + 200 * at, 480)), f"{at}.jpg")
    put(world.reader, world.session, PAGE, "natal-chart-layla.pdf")
    poster = truth.rows("SELECT id FROM chat_files WHERE content_type = 'application/pdf'")[0]["id"]
    with actor.acting_as(actor.system("worker")):
        assert process_file(poster)
    heard = send_voice(world.client, world.session, seconds=24)
    waiting = send_voice(world.reader, world.session, seconds=48)
    decide(world.monitor, waiting["id"], VoiceReview.Verdict.APPROVE)
    as_speech(truth)
    assert Api(world.reader).put(f"/chat/messages/{heard['id']}/played").status == 200
    one = choose(tab(world.client, viewport=SIZES[size]), theme=theme, language=language).open(world.session)
    name = f"{size}-{language}-{theme}"
    thread, found = one.page.locator(".thread"), []
    for what, place in (("end", "thread.scrollHeight"), ("middle", "thread.scrollHeight * 0.45"), ("start", "0")):
        thread.evaluate(f"(thread) => (thread.scrollTop = {place})")
        one.page.wait_for_timeout(150)
        one.shoot(f"media-forms-{what}-{name}")
        found += axe(one)
    one.page.locator(".more").first.click()
    one.page.wait_for_timeout(100)
    one.shoot(f"media-unfolded-{name}")
    found += axe(one)
    one.page.locator(".shot").last.click()
    expect(one.page.locator(".viewer img")).to_have_js_property("complete", value=True)
    one.page.keyboard.press("+")
    one.shoot(f"media-close-{name}")
    found += axe(one)
    assert not found, "\n".join(found)


@in_looks("desktop", "phone", "tablet")
def test_approvals(size: str, language: str, theme: str, world: World, tab: MakeTab, truth: Truth) -> None:
    set_language(truth, world.monitor, language=language)
    send(world.client, world.session, "The Star in the middle again! It came up in spring too.")
    send(world.reader, world.session, "I will tell you what it meant then, and what it says now.")
    send_voice(world.reader, world.session, seconds=36)
    for seconds in (12, 51):
        send_voice(world.reader2, world.other, seconds=seconds)
    as_speech(truth)
    truth.without_triggers(
        "UPDATE chat_messages SET created_at = created_at - interval '9 minutes' WHERE type = 'audio' AND sender_id = %s",
        world.reader.pk,
    )
    one = choose(tab(world.monitor, viewport=SIZES[size]), theme=theme, language=language).go("/approvals")
    name = f"{size}-{language}-{theme}"
    expect(one.page.locator(".q-item")).to_have_count(3)
    head = one.page.locator(".pane-head").first
    assert head.evaluate("(head) => head.scrollWidth <= head.clientWidth"), "nothing sticks out"
    one.shoot(f"media-queue-{name}")
    found = axe(one)
    one.page.locator(".q-item").first.click()
    expect(one.page.locator(".context")).to_be_visible()
    wave = one.page.locator(".card").get_by_role("slider")
    box = wave.bounding_box()
    assert box is not None
    wave.click(position={"x": box["width"] * 0.3, "y": box["height"] / 2})
    one.shoot(f"media-review-{name}")
    found += axe(one)
    one.page.locator(".verdict .btn-danger").click()
    one.shoot(f"media-why-{name}")
    found += axe(one)
    set_state(world.session, "end")
    one.page.locator(".verdict .btn-primary").click()
    expect(one.page.locator(".verdict .trouble")).to_be_visible()
    found += axe(one.expects("409"))
    assert not found, "\n".join(found)
