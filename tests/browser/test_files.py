"""Files: chosen, dropped, pasted; on their way, given up, tried again; refused in words; painted as a live page is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from uuid import UUID

import pytest
from playwright.sync_api import Route, expect

from chat.models import VoiceReview
from tests.browser.files import PAGE, id_of, kept, payload, picture, put, row, throttle, transfer
from tests.browser.tab import PHONE, Tab
from tests.browser.test_looks import DESCRIBE, UNSEEN
from tests.browser.test_talk import send, set_language
from tests.browser.voice import decide
from tests.cast import World, set_state
from tests.database import Truth
from tests.files import tone
from tests.rest import Api

MakeTab = Callable[..., Tab]


# On their way ---------------------------------------------------------------------------------------------------------------


def test_attached_and_sent_with_a_caption(world: World, tab: MakeTab) -> None:
    client, reader = tab(world.client).open(world.session), tab(world.reader).open(world.session)
    client.attach(payload("spread.jpg", picture()))
    expect(row(client, "spread.jpg")).to_contain_text("ready")
    expect(row(client, "spread.jpg").locator("img")).to_have_attribute("src", re.compile("^blob:"))
    expect(reader.messages).to_have_count(0)
    client.box.fill("From left to right")
    client.box.press("Enter")
    expect(client.page.locator(".upload")).to_have_count(0)
    expect(client.box).to_have_value("")
    for one in (client, reader):
        one.sees("From left to right")
        shown = one.message("From left to right").locator(".shot img")
        expect(shown).to_have_attribute("alt", "From left to right")
        expect(shown).to_have_js_property("complete", value=True)
        assert shown.evaluate("(one) => one.naturalWidth") == 320, "the thumbnail"
    client.sees("From left to right", tick="Read")
    expect(reader.row("Client").locator(".session-last")).to_have_text("From left to right")


def test_several_go_one_after_the_other_and_the_text_goes_ahead(world: World, tab: MakeTab, truth: Truth) -> None:
    client, reader = tab(world.client).open(world.session), tab(world.reader).open(world.session)
    reader.say("Show me")
    client.sees("Show me")
    client.act("Show me", "Reply")
    client.attach(payload("one.jpg", picture()), payload("two.txt", b"words", "text/plain"))
    client.box.fill("Here they are")
    client.button("Send").click()
    reader.sees("Here they are")
    expect(reader.messages).to_have_count(4)
    rows = truth.rows("SELECT type, content, reply_to_id IS NOT NULL AS answers FROM chat_messages ORDER BY seq")
    assert [tuple(one.values()) for one in rows] == [
        ("text", "Show me", False),
        ("text", "Here they are", True),
        ("image", "", False),
        ("file", "", False),
    ]


def test_progress_is_shown_and_one_is_given_up(world: World, tab: MakeTab, truth: Truth) -> None:
    client = tab(world.client).open(world.session)
    throttle(client, 150_000)
    client.attach(payload("slow.jpg", picture((900, 700), is_noise=True)), payload("next.jpg", picture()))
    client.button("Send").click()
    progress = row(client, "slow.jpg").get_by_role("progressbar")
    expect(progress).to_be_visible()
    expect(row(client, "next.jpg")).to_contain_text("waiting")
    expect(row(client, "slow.jpg")).to_contain_text(re.compile(r"[\d.]+ [kM]B of [\d.]+ [kM]B"))
    shares = set()
    while (share := progress.evaluate("(one) => one.value")) < 0.3:
        shares.add(share)
        client.page.wait_for_timeout(50)
    assert share < 1
    assert len(shares) > 1, "it grows"
    row(client, "slow.jpg").get_by_role("button", name="Cancel").click()
    expect(row(client, "slow.jpg")).to_have_count(0)
    expect(client.page.locator(".shot")).to_have_count(1)
    assert truth.one("SELECT string_agg(original_name, ',') FROM chat_files WHERE parent_id IS NULL") == "next.jpg"


def test_what_was_cut_off_is_tried_again_under_the_same_id(world: World, tab: MakeTab, truth: Truth) -> None:
    client = tab(world.client).open(world.session).expects("ERR_")
    ids: list[str] = []

    def cut(route: Route) -> None:
        ids.append(id_of(route))
        if len(ids) == 1:
            route.fetch()  # it arrives, and its answer does not
            route.abort("connectionreset")
        elif len(ids) == 2:
            route.abort("connectionreset")
        else:
            route.continue_()

    client.page.route("**/upload", cut)
    client.attach(payload("once.jpg", picture()))
    client.button("Send").click()
    for _ in range(2):
        expect(row(client, "once.jpg")).to_contain_text("no connection", ignore_case=True)
        row(client, "once.jpg").get_by_role("button", name="Try again").click()
    expect(client.page.locator(".upload")).to_have_count(0)
    expect(client.page.locator(".shot")).to_have_count(1)
    assert (len(ids), len(set(ids))) == (3, 1)
    assert truth.one("SELECT count(*) FROM chat_messages") == 1


def test_too_fast_waits_says_so_and_goes_on(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session).expects("429")
    answers = [
        {"status": 429, "headers": {"Retry-After": "3"}, "body": json.dumps({"code": "too_fast", "detail": "x"})}
    ]

    def refuse(route: Route) -> None:
        if answers:
            route.fulfill(content_type="application/problem+json", **answers.pop())
        else:
            route.continue_()

    client.page.route("**/upload", refuse)
    client.attach(payload("patient.jpg", picture()))
    client.button("Send").click()
    expect(row(client, "patient.jpg")).to_contain_text(re.compile("Too many at once. It goes on in [123] second"))
    expect(client.page.locator(".shot")).to_have_count(1)


def test_dropped_and_pasted(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session)
    carried = transfer(client, payload("dropped.jpg", picture()))
    thread = client.page.locator(".thread")
    thread.dispatch_event("dragover", {"dataTransfer": carried})
    expect(client.page.locator(".drop")).to_be_visible()
    thread.dispatch_event("drop", {"dataTransfer": carried})
    expect(client.page.locator(".drop")).to_have_count(0)
    expect(row(client, "dropped.jpg")).to_be_visible()
    # Beside the thread nothing is taken, and nothing opens in place of the page.
    client.page.locator(".list-pane").dispatch_event("drop", {"dataTransfer": carried})
    expect(client.page.locator(".upload")).to_have_count(1)
    client.box.evaluate(
        """(box, clipboardData) =>
            box.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }))""",
        transfer(client, payload("pasted.jpg", picture())),
    )
    expect(client.page.locator(".upload")).to_have_count(2)
    client.button("Send").click()
    expect(client.page.locator(".shot")).to_have_count(2)


def test_of_several_each_has_its_caption(world: World, tab: MakeTab, truth: Truth) -> None:
    client = tab(world.client).open(world.session)
    client.attach(payload("left.jpg", picture()))
    expect(row(client, "left.jpg").get_by_role("textbox")).to_have_count(0)
    client.attach(payload("right.jpg", picture()), payload("plain.txt", b"words", "text/plain"))
    for name, text in [("left.jpg", "The Moon"), ("right.jpg", "النجمة")]:
        row(client, name).get_by_role("textbox", name=f"Caption of {name}").fill(text)
    client.box.fill("Two cards")
    row(client, "right.jpg").get_by_role("textbox").press("Enter")
    client.sees("النجمة")
    expect(client.page.locator(".upload")).to_have_count(0)
    rows = truth.rows("SELECT type, content FROM chat_messages ORDER BY seq")
    assert [tuple(one.values()) for one in rows] == [
        ("text", "Two cards"),
        ("image", "The Moon"),
        ("image", "النجمة"),
        ("file", ""),
    ]
    # A caption that was written stays where it was written, also when its file is the only one left.
    client.attach(payload("last.jpg", picture()), payload("given-up.jpg", picture()))
    row(client, "last.jpg").get_by_role("textbox").fill("The Sun")
    row(client, "given-up.jpg").get_by_role("button", name="Remove").click()
    client.box.fill("And one more")
    client.button("Send").click()
    client.sees("The Sun")
    client.sees("And one more")


# Refused ----------------------------------------------------------------------------------------------------------------------


def test_what_cannot_be_sent_is_told_before_it_is(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session)
    asked: list[str] = []
    client.page.on("request", lambda request: asked.append(request.url) if "/upload" in request.url else None)
    client.attach(
        payload("setup.exe", b"MZ", "application/x-msdownload"),
        payload("large.pdf", b"%PDF-1.4" + bytes(11 * 2**20), "application/pdf"),
        payload("nothing.txt", b"", "text/plain"),
    )
    expect(row(client, "setup.exe")).to_contain_text("This type cannot be sent.")
    expect(row(client, "large.pdf")).to_contain_text("11 MB is too large. Up to 10 MB can be sent.")
    expect(row(client, "nothing.txt")).to_contain_text("This file is empty.")
    expect(client.button("Send")).to_have_count(0)
    row(client, "setup.exe").get_by_role("button", name="Remove").click()
    expect(client.page.locator(".upload")).to_have_count(2)
    expect(client.box).to_be_focused()
    assert asked == []


@pytest.mark.parametrize(
    ("name", "content", "kind", "words"),
    [
        ("picture.jpg", b"<!doctype html><script>1</script>", "image/jpeg", "This type cannot be sent."),
        ("cut.jpg", picture()[:400], "image/jpeg", "This file is damaged and cannot be read."),
    ],
)
def test_what_the_server_refuses_is_told_in_words(
    name: str, content: bytes, kind: str, words: str, world: World, tab: MakeTab
) -> None:
    client = tab(world.client).open(world.session).expects("422")
    client.attach(payload(name, content, kind))
    client.button("Send").click()
    expect(row(client, name)).to_contain_text(words)
    expect(row(client, name).get_by_role("button", name="Try again")).to_have_count(0)
    client.say("Writing goes on")
    client.sees("Writing goes on")


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        ("image_too_large", 422, "This picture has too many pixels."),
        ("file_infected", 422, "A virus was found in this file."),
        ("store_away", 503, "Files cannot be stored just now. Try again in a moment."),
        ("something_new", 400, "That did not work. Try again in a moment."),
    ],
)
def test_every_refusal_has_words(code: str, status: int, words: str, world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session).expects(str(status))
    body = json.dumps({"code": code, "detail": "in English, for programs"})
    client.page.route(
        "**/upload", lambda route: route.fulfill(status=status, content_type="application/json", body=body)
    )
    client.attach(payload("some.jpg", picture()))
    client.button("Send").click()
    expect(row(client, "some.jpg")).to_contain_text(words)


def test_a_session_that_closes_meanwhile_keeps_the_file(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session).expects("409")
    held: list[Route] = []
    client.page.route("**/upload", lambda route: held.append(route))
    client.attach(payload("late.jpg", picture()))
    with client.page.expect_request("**/upload"):
        client.button("Send").click()
    # Here and not in the route: that runs in a greenlet of its own, whose connection nobody would give back.
    set_state(world.session, "lock")
    held.pop().continue_()
    expect(client.page.locator(".lockbar")).to_be_visible()
    expect(row(client, "late.jpg")).to_contain_text("The session is closed for writing.")
    client.page.unroute("**/upload")
    set_state(world.session, "unlock")
    expect(client.box).to_be_visible()
    row(client, "late.jpg").get_by_role("button", name="Try again").click()
    expect(client.page.locator(".shot")).to_have_count(1)


def test_who_signs_out_meanwhile_is_asked(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session).expects("ERR_")
    client.page.route("**/upload", lambda route: route.abort())
    client.attach(payload("unsent.jpg", picture()))
    client.button("Send").click()
    expect(row(client, "unsent.jpg")).to_contain_text("No connection")
    client.page.locator(".rail").get_by_role("button", name="Sign out").click()
    expect(client.page.locator("dialog")).to_contain_text("1 message was not sent and will be lost.")
    kept(client, 1)
    client.page.locator("dialog").get_by_role("button", name="Sign out").click()
    expect(client.page).to_have_url(re.compile("/sign-in"))
    kept(client, 0)


# Painted --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_first_paint_of_files_is_the_live_page(language: str, world: World, tab: MakeTab, truth: Truth) -> None:
    set_language(truth, world.client, world.reader, world.monitor, language=language)
    send(world.client, world.session, "Before")
    put(world.reader, world.session, picture((1600, 1200)), "spread.jpg", caption="See https://samia.example")
    put(world.client, world.session, picture((300, 900)), "tall.jpg")
    put(world.reader, world.session, PAGE, "natal-chart.pdf")
    put(world.client, world.session, tone(seconds=12), "song.webm", caption="Mine")
    voices = [Api(world.reader).upload(world.session, tone(seconds=n), "v.webm", kind="voice").body for n in (1, 2, 3)]
    for voice, verdict in zip(voices, (VoiceReview.Verdict.REJECT, VoiceReview.Verdict.APPROVE), strict=False):
        decide(world.monitor, UUID(voice["id"]), verdict)
    for person in (world.reader, world.client):
        for at in range(4):
            put(person, world.session, picture((640, 480 + at)), f"{at}.jpg")
    send(world.client, world.session, "After")
    for person in (world.client, world.reader, world.monitor):
        path = f"/sessions/{world.session}"
        painted = tab(person, java_script_enabled=False).go(path)
        live = tab(person)
        live.page.add_init_script(UNSEEN)
        live.page.route_web_socket("**/ws/chat", lambda socket: None)  # nothing comes from there
        live.go(path)
        expect(live.messages).not_to_have_count(0)
        one, other = painted.page.evaluate(DESCRIBE), live.page.evaluate(DESCRIBE)
        assert one == other, person


def test_from_a_phone(world: World, tab: MakeTab) -> None:
    put(world.reader, world.session, picture((1600, 1200)), "spread.jpg")
    client = tab(world.client, viewport=PHONE, has_touch=True, is_mobile=True).open(world.session)
    client.page.locator(".shot").tap()
    viewer = client.page.get_by_role("dialog")
    expect(viewer).to_be_visible()
    viewer.get_by_role("button", name="Close").tap()
    expect(viewer).to_have_count(0)
    client.attach(payload("from-phone.jpg", picture()))
    expect(row(client, "from-phone.jpg")).to_be_visible()
    assert client.page.evaluate("document.activeElement.tagName") != "TEXTAREA", "no keyboard comes unasked"
    client.button("Send").tap()
    expect(client.page.locator(".shot")).to_have_count(2)
    width = client.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] == width[1], "nothing sticks out"
