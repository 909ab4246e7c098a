"""Files: chosen, dropped, pasted; on their way, given up, tried again; looked at and saved by the other person."""

from __future__ import annotations

import io
import json
import random
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Route, expect

from accounts.models import User
from chat.models import VoiceReview
from chat.services.file import process_file
from samia_chat import actor
from tests.browser.tab import PHONE, Tab
from tests.browser.test_looks import DESCRIBE, UNSEEN
from tests.browser.test_talk import send, set_language
from tests.cast import World, make_session, remove, set_state
from tests.database import Truth
from tests.files import tone
from tests.rest import Api
from tests.storage.samples import video

MakeTab = Callable[..., Tab]
PAGE = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj
trailer<</Size 4/Root 1 0 R>>
%%EOF
"""


def picture(size: tuple[int, int] = (640, 480), *, is_noise: bool = False) -> bytes:
    made = io.BytesIO()
    image = Image.new("RGB", size, "purple")
    if is_noise:  # what does not get small
        image = Image.frombytes("RGB", size, random.Random(1).randbytes(size[0] * size[1] * 3))
    image.save(made, "JPEG", quality=95)
    return made.getvalue()


def payload(name: str, content: bytes, kind: str = "image/jpeg") -> FilePayload:
    return {"name": name, "mimeType": kind, "buffer": content}


def put(person: User, session: UUID, content: bytes, name: str, **fields: Any) -> dict[str, Any]:
    """A file that is there before anybody looks."""
    answer = Api(person).upload(session, content, name, **fields)
    assert answer.status == 201, answer.body
    message: dict[str, Any] = answer.body
    return message


# How many files this browser keeps.
KEPT = """() => new Promise((resolve) => {
    const opening = indexedDB.open("samia.files");
    opening.onsuccess = () => {
        const asked = opening.result.transaction("files").objectStore("files").count();
        asked.onsuccess = () => (opening.result.close(), resolve(asked.result));
    };
})"""
# A disk that is full.
FULL = """IDBObjectStore.prototype.put = function () {
    this.transaction.abort();
    throw new DOMException("", "QuotaExceededError");
}"""


def id_of(route: Route) -> str:
    """The id under which a file is sent."""
    found = re.search(rb'name="id"\r\n\r\n([0-9a-f-]{36})', route.request.post_data_buffer or b"")
    assert found
    return found[1].decode()


def kept(one: Tab, count: int) -> None:
    """Wait until so many files are kept."""
    deadline = time.monotonic() + 5
    while one.page.evaluate(KEPT) != count:
        assert time.monotonic() < deadline, one.page.evaluate(KEPT)
        one.page.wait_for_timeout(25)


def row(one: Tab, name: str) -> Locator:
    """A file in the composer."""
    return one.page.locator(".upload").filter(has_text=name)


def transfer(one: Tab, *files: FilePayload) -> Any:
    """What a drop or the clipboard carries."""
    given = [[file["name"], file["mimeType"], list(file["buffer"])] for file in files]
    return one.page.evaluate_handle(
        """(files) => {
            const carried = new DataTransfer();
            for (const [name, type, bytes] of files) carried.items.add(new File([new Uint8Array(bytes)], name, { type }));
            return carried;
        }""",
        given,
    )


def throttle(one: Tab, bytes_per_second: int) -> None:
    wire = one.context.new_cdp_session(one.page)
    wire.send("Network.enable")
    limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_second}
    wire.send("Network.emulateNetworkConditions", limits)


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


# Kept -----------------------------------------------------------------------------------------------------------------------


def test_what_was_handed_over_survives_a_reload(world: World, tab: MakeTab, truth: Truth) -> None:
    client = tab(world.client).open(world.session).expects("ERR_")
    ids: list[str] = []
    client.page.route("**/upload", lambda route: (ids.append(id_of(route)), route.abort()))
    client.attach(payload("one.jpg", picture()), payload("two.jpg", picture()))
    row(client, "two.jpg").get_by_role("textbox").fill("The second")
    client.button("Send").click()
    for name in ("one.jpg", "two.jpg"):
        expect(row(client, name)).to_contain_text("No connection")
    client.attach(payload("only-chosen.jpg", picture()))
    kept(client, 2)
    client.page.unroute("**/upload")
    held: list[Route] = []
    client.page.route("**/upload", lambda route: route.continue_() if held else held.append(route))
    client.page.reload()
    expect(row(client, "two.jpg")).to_contain_text("waiting")
    expect(row(client, "two.jpg").locator("img")).to_have_attribute("src", re.compile("^blob:"))
    expect(row(client, "only-chosen.jpg")).to_have_count(0)
    assert [id_of(route) for route in held] == ids[:1]
    held[0].continue_()
    expect(client.page.locator(".shot")).to_have_count(2)
    client.sees("The second", tick="Sent")
    rows = truth.rows("SELECT id, content FROM chat_messages ORDER BY seq")
    assert [(str(one["id"]), one["content"]) for one in rows] == [(ids[0], ""), (ids[1], "The second")]
    kept(client, 0)
    client.page.reload()
    client.live()
    expect(client.page.locator(".shot")).to_have_count(2)
    assert truth.one("SELECT count(*) FROM chat_messages") == 2


def test_after_a_reload_it_still_waits_as_long_as_it_was_told(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session).expects("429")
    told: list[float] = []

    def refuse(route: Route) -> None:
        told.append(time.monotonic())
        if len(told) > 1:
            route.continue_()
            return
        body = json.dumps({"code": "too_fast", "detail": "x"})
        route.fulfill(status=429, content_type="application/problem+json", headers={"Retry-After": "4"}, body=body)

    client.page.route("**/upload", refuse)
    client.attach(payload("patient.jpg", picture()))
    client.button("Send").click()
    expect(row(client, "patient.jpg")).to_contain_text("Too many at once.")
    kept(client, 1)
    client.page.reload()
    expect(row(client, "patient.jpg")).to_contain_text("Too many at once.")
    expect(client.page.locator(".shot")).to_have_count(1)
    assert told[1] - told[0] >= 3.9


def test_one_tab_sends_and_another_takes_over_when_it_goes(world: World, tab: MakeTab, truth: Truth) -> None:
    client = tab(world.client).open(world.session)
    held: list[Route] = []
    client.page.route("**/upload", lambda route: held.append(route))
    client.attach(payload("once.jpg", picture()))
    client.button("Send").click()
    kept(client, 1)
    first, second = client.page, client.another_page()
    asked: list[str] = []
    second.on("request", lambda request: asked.append(request.url) if request.url.endswith("/upload") else None)
    client.page = second
    client.open(world.session)
    second.wait_for_timeout(400)
    assert (len(held), asked) == (1, [])
    expect(row(client, "once.jpg")).to_have_count(0)
    first.close()
    expect(client.page.locator(".shot")).to_have_count(1)
    assert len(asked) == 1
    assert truth.one("SELECT count(*) FROM chat_messages") == 1


def test_a_device_without_room_sends_and_says_so(world: World, tab: MakeTab) -> None:
    client = tab(world.client)
    client.page.add_init_script(FULL)
    client.open(world.session)
    client.attach(payload("one.jpg", picture()), payload("two.jpg", picture()))
    client.button("Send").click()
    expect(client.page.locator(".shot")).to_have_count(2)
    expect(client.page.get_by_text("This device has no room to keep files.")).to_have_count(1)
    kept(client, 0)


def test_what_is_kept_goes_with_the_session_and_with_whoever_signs_in(world: World, tab: MakeTab) -> None:
    second = make_session(world.client, world.client2)
    client = tab(world.client).open(world.session).expects("ERR_")
    client.page.route("**/upload", lambda route: route.abort())
    client.attach(payload("unsent.jpg", picture()))
    client.button("Send").click()
    kept(client, 1)
    remove(world.client, world.session)
    expect(client.page.get_by_text("You no longer take part in this session").first).to_be_visible()
    kept(client, 0)
    client.open(second)
    client.attach(payload("unsent.jpg", picture()))
    client.button("Send").click()
    kept(client, 1)
    client._sign_in(world.reader)  # somebody else, on the same device
    client.page.unroute("**/upload")
    client.page.goto("/")
    client.live()
    kept(client, 0)


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


# Looked at ----------------------------------------------------------------------------------------------------------------------


def test_a_picture_opens_and_its_neighbours_by_the_arrow_keys(world: World, tab: MakeTab) -> None:
    for name, size in [("first.jpg", (1600, 1200)), ("second.jpg", (400, 900)), ("third.jpg", (90, 60))]:
        put(world.reader, world.session, picture(size), name)
    send(world.reader, world.session, "That is all")
    client = tab(world.client).open(world.session)
    shots = client.page.locator(".shot")
    expect(shots).to_have_count(3)
    shots.nth(1).click()
    viewer = client.page.get_by_role("dialog")
    expect(viewer.get_by_role("heading")).to_have_text("second.jpg")
    expect(viewer).to_contain_text("2 of 3")
    expect(viewer.locator("img")).to_have_js_property("naturalHeight", 900)
    for key, name in [("ArrowRight", "third.jpg"), ("ArrowRight", "third.jpg"), ("ArrowLeft", "second.jpg")]:
        client.page.keyboard.press(key)
        expect(viewer.get_by_role("heading")).to_have_text(name)
    viewer.get_by_role("button", name="Previous picture").click()
    expect(viewer.get_by_role("heading")).to_have_text("first.jpg")
    expect(viewer.get_by_role("button", name="Previous picture")).to_be_hidden()
    with client.page.expect_download() as saved:
        viewer.get_by_role("link", name="Download first.jpg").click()
    assert saved.value.suggested_filename == "first.jpg"
    client.page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)
    expect(shots.nth(1)).to_be_focused()


PLACE = """(picture) => {
    const { a, e, f } = new DOMMatrix(getComputedStyle(picture).transform);
    return [a, e, f].map((value) => Math.round(value * 100) / 100);
}"""


def viewed(one: Tab, world: World) -> Locator:
    """The second of three pictures, large."""
    for name in ("first.jpg", "second.jpg", "third.jpg"):
        put(world.reader, world.session, picture((1600, 1200)), name)
    one.open(world.session)
    one.page.locator(".shot").nth(1).click()
    shown = one.page.locator(".viewer img")
    expect(shown).to_have_js_property("naturalWidth", 1600)
    return shown


def test_looked_at_closely_by_keys_wheel_and_double_click(world: World, tab: MakeTab) -> None:
    client = tab(world.client)
    shown = viewed(client, world)
    keys, mouse = client.page.keyboard, client.page.mouse
    viewer = client.page.get_by_role("dialog")
    for key, scale in [("+", 1.5), ("=", 2.25), ("-", 1.5), ("0", 1), ("-", 1)]:
        keys.press(key)
        assert shown.evaluate(PLACE)[0] == scale, key
    keys.press("+")
    keys.press("+")
    expect(viewer.get_by_role("status")).to_have_text("2 of 3 · 225%")
    # While it is close the arrows move it, as far as there is something to be seen.
    for _ in range(20):
        keys.press("ArrowRight")
    expect(viewer.get_by_role("heading")).to_have_text("second.jpg")
    figure, box = viewer.locator("figure").bounding_box(), shown.bounding_box()
    assert figure is not None
    assert box is not None
    assert abs(box["x"] + box["width"] - figure["x"] - figure["width"]) <= 1
    keys.press("0")
    keys.press("ArrowRight")
    expect(viewer.get_by_role("heading")).to_have_text("third.jpg")
    shown = viewer.locator("img")
    expect(shown).to_have_js_property("naturalWidth", 1600)
    assert shown.evaluate(PLACE) == [1, 0, 0], "the next one is whole"
    middle = (figure["x"] + figure["width"] / 2, figure["y"] + figure["height"] / 2)
    mouse.move(*middle)
    keys.down("Control")
    mouse.wheel(0, -100)
    keys.up("Control")
    assert shown.evaluate(PLACE)[0] > 1.5
    mouse.wheel(0, 300)
    assert shown.evaluate(PLACE)[0] > 1.5, "without Control a wheel is none of it"
    keys.press("0")
    mouse.dblclick(middle[0] + 50, middle[1])
    assert shown.evaluate(PLACE) == [2, -50, 0], "what was clicked stays there"
    mouse.down()
    mouse.move(middle[0] + 80, middle[1], steps=3)
    mouse.up()
    assert shown.evaluate(PLACE) == [2, -20, 0]
    expect(viewer).to_be_visible()
    mouse.dblclick(*middle)
    assert shown.evaluate(PLACE) == [1, 0, 0]
    mouse.click(figure["x"] + 150, figure["y"] + 10)
    expect(viewer).to_have_count(0)


@pytest.mark.parametrize(("language", "ahead"), [("en", -1), ("ar", 1)])
def test_looked_at_closely_by_fingers(language: str, ahead: int, world: World, tab: MakeTab, truth: Truth) -> None:
    set_language(truth, world.client, language=language)
    client = tab(world.client, viewport=PHONE, has_touch=True, is_mobile=True)
    shown = viewed(client, world)
    viewer, wire = client.page.get_by_role("dialog"), client.context.new_cdp_session(client.page)
    x, y = PHONE["width"] / 2, PHONE["height"] / 2

    def touch(kind: str, *points: tuple[float, float]) -> None:
        given = [{"x": x + right, "y": y + down, "id": at} for at, (right, down) in enumerate(points)]
        wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": given})

    def swipe(right: float, down: float = 0) -> None:
        touch("touchStart", (0, 0))
        for step in range(1, 6):
            touch("touchMove", (right * step / 5, down * step / 5))
        touch("touchEnd")

    touch("touchStart", (-40, 0), (40, 0))
    for half in (60, 80, 100):
        touch("touchMove", (-half, 0), (half, 0))
    touch("touchEnd")
    assert shown.evaluate(PLACE)[0] == 2.5
    expect(viewer).to_be_visible()
    swipe(-60)
    assert shown.evaluate(PLACE)[1] == -60, "close up it is dragged, and no neighbour comes"
    expect(viewer.get_by_role("heading")).to_have_text("second.jpg")
    for _ in range(2):
        touch("touchStart", (0, 0))
        touch("touchEnd")
    assert shown.evaluate(PLACE) == [1, 0, 0]
    swipe(20)
    assert shown.evaluate(PLACE) == [1, 0, 0], "a little is nothing"
    swipe(ahead * 120)
    expect(viewer.get_by_role("heading")).to_have_text("third.jpg")
    swipe(-ahead * 120)
    expect(viewer.get_by_role("heading")).to_have_text("second.jpg")
    swipe(0, 150)
    expect(viewer).to_have_count(0)
    width = client.page.evaluate("[document.documentElement.scrollWidth, innerWidth, visualViewport.scale]")
    assert width == [PHONE["width"], PHONE["width"], 1], "the page itself was not zoomed"


SHIFTS = """new PerformanceObserver((list) => {
    for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) window.shift = (window.shift ?? 0) + value;
}).observe({ type: "layout-shift", buffered: true });"""


def test_the_page_does_not_shift_while_files_come(world: World, tab: MakeTab, tmp_path: Path) -> None:
    made = tmp_path / "dance.webm"
    video(made, "webm", "libvpx", "libopus", count=40, size=(480, 320))
    messages = [
        put(world.reader, world.session, made.read_bytes(), "dance.webm"),
        put(world.reader, world.session, PAGE, "natal-chart.pdf"),
        put(world.reader, world.session, picture((1600, 1200)), "wide.jpg", caption="Wide"),
        put(world.reader, world.session, picture((300, 900)), "tall.jpg", caption="Tall"),
    ]
    with actor.acting_as(actor.system("worker")):
        for message in messages[:2]:
            assert process_file(UUID(message["file"]["id"]))
    send(world.reader, world.session, "That is all")
    client = tab(world.client)
    client.page.add_init_script(SHIFTS)
    is_late = False
    held: list[Route] = []
    client.page.route("**/api/chat/files/*", lambda route: route.continue_() if is_late else held.append(route))
    client.page.goto(f"/sessions/{world.session}", wait_until="commit")  # posters hold up its end
    client.live()
    expect(client.page.locator("video")).to_have_attribute("poster", re.compile("poster$"))
    page_of_pdf = client.page.locator(".bubble > .file img")
    expect(page_of_pdf).to_have_attribute("src", re.compile("poster$"))
    client.page.wait_for_timeout(200)
    is_late = True
    for route in held:
        route.continue_()
    for shown in (page_of_pdf, *client.page.locator(".shot img").all()):
        shown.scroll_into_view_if_needed()
        expect(shown).to_have_js_property("complete", value=True)
        assert shown.evaluate("(one) => one.naturalWidth") > 1
    client.page.wait_for_timeout(300)
    assert client.page.evaluate("window.shift ?? 0") == 0


def test_nothing_moves_when_a_picture_comes(world: World, tab: MakeTab) -> None:
    put(world.reader, world.session, picture((1600, 1200)), "late.jpg", caption="Look")
    client = tab(world.client)
    held: list[Route] = []
    client.page.route("**/api/chat/files/*", lambda route: held.append(route))
    client.open(world.session)
    expect(client.page.locator(".shot")).to_be_visible()
    before = client.message("Look").bounding_box()
    client.page.wait_for_timeout(200)
    for route in held:
        route.continue_()
    expect(client.page.locator(".shot img")).to_have_js_property("complete", value=True)
    client.page.wait_for_timeout(100)
    assert client.message("Look").bounding_box() == before


def test_a_picture_that_does_not_come_says_so(world: World, tab: MakeTab) -> None:
    put(world.reader, world.session, picture(), "gone.jpg")
    client = tab(world.client).expects("ERR_FAILED")
    client.page.route("**/api/chat/files/*", lambda route: route.abort())
    client.open(world.session)
    expect(client.page.locator(".pics .trouble")).to_contain_text("The picture could not be loaded.")
    client.page.unroute("**/api/chat/files/*")
    client.page.locator(".pics").get_by_role("button", name="Try again").click()
    expect(client.page.locator(".shot img")).to_have_js_property("complete", value=True)
    expect(client.page.locator(".shot")).to_be_visible()


def test_a_file_is_saved_under_its_name(world: World, tab: MakeTab) -> None:
    put(world.reader, world.session, "خريطة\n".encode() * 400, "خريطة ليلى.txt")
    put(world.reader, world.session, PAGE, "natal-chart.pdf", caption="Read it tonight")
    client = tab(world.client).open(world.session)
    arabic, chart = client.page.locator(".file").nth(0), client.page.locator(".file").nth(1)
    expect(arabic.locator(".file-name")).to_have_attribute("dir", "auto")
    expect(arabic.locator(".file-sub")).to_have_text("TXT · 4 kB")
    expect(chart.locator(".file-sub")).to_have_text("PDF · 1 kB")
    client.sees("Read it tonight")
    with client.page.expect_download() as saved:
        arabic.get_by_role("link", name="Download").click()
    assert saved.value.suggested_filename == "خريطة ليلى.txt"
    assert saved.value.path().read_bytes() == "خريطة\n".encode() * 400


def test_a_file_that_may_not_be_opened_says_why(world: World, tab: MakeTab, truth: Truth) -> None:
    for name in ("waits.pdf", "ill.pdf"):
        put(world.reader, world.session, PAGE, name)
    voice = Api(world.client).upload(world.session, tone(seconds=1), "voice.webm", kind="voice")
    truth.without_triggers("UPDATE chat_files SET state = 'processing' WHERE original_name = 'waits.pdf'")
    truth.without_triggers(
        "UPDATE chat_files SET state = 'rejected', reason = 'file_infected' WHERE original_name = 'ill.pdf' OR id = %s",
        voice.body["file"]["id"],
    )
    client = tab(world.client).open(world.session)
    for at, words in enumerate(["This file is being checked.", "A virus was found in this file."]):
        expect(client.page.locator(".file").nth(at)).to_contain_text(words)
    expect(client.page.get_by_role("link", name=re.compile("^Download"))).to_have_count(0)
    expect(client.voices).to_contain_text("A virus was found in this file.")
    expect(client.voices.locator(".play")).to_be_disabled()


def test_a_deleted_file_is_gone_at_once(world: World, tab: MakeTab) -> None:
    client, reader = tab(world.client).open(world.session), tab(world.reader).open(world.session)
    client.attach(payload("wrong.jpg", picture()))
    client.box.fill("Not this one")
    client.button("Send").click()
    reader.sees("Not this one")
    client.act("Not this one", "Delete")
    client.page.locator("dialog").get_by_role("button", name="Delete").click()
    for one in (client, reader):
        expect(one.page.locator(".msg.gone")).to_be_visible()
        expect(one.page.locator(".shot")).to_have_count(0)


def test_a_video_has_a_poster_and_plays(world: World, tab: MakeTab, tmp_path: Path) -> None:
    made = tmp_path / "dance.webm"
    video(made, "webm", "libvpx", "libopus", count=40, size=(480, 320))
    message = put(world.reader, world.session, made.read_bytes(), "dance.webm", caption="Watch")
    client = tab(world.client).open(world.session)
    shown = client.message("Watch").locator("video")
    expect(shown).to_have_attribute("width", "328")
    expect(shown).not_to_have_attribute("poster", re.compile("."))
    with actor.acting_as(actor.system("worker")):
        assert process_file(UUID(message["file"]["id"]))
    client.page.reload()
    client.live()
    expect(shown).to_have_attribute("poster", re.compile(r"\?rendition=poster$"))
    before = shown.bounding_box()
    shown.evaluate("(one) => one.play()")
    expect(shown).to_have_js_property("paused", value=False)
    deadline = time.monotonic() + 10
    while shown.evaluate("(one) => one.currentTime") < 0.5:
        assert time.monotonic() < deadline
        client.page.wait_for_timeout(50)
    assert shown.bounding_box() == before
    # Where a browser does not play it, it can be saved.
    shown.evaluate("(one) => one.dispatchEvent(new Event('error'))")
    expect(client.page.get_by_role("link", name="Download dance.webm")).to_be_visible()


# Side by side -----------------------------------------------------------------------------------------------------------------


def places(one: Tab) -> list[tuple[int, int]]:
    """Column and row of each picture, from where the first one stands."""
    found: list[list[float]] = one.page.locator(".shot").evaluate_all(
        "(all) => all.map((shot) => { const { x, y, width } = shot.getBoundingClientRect(); return [x, y, width]; })"
    )
    (x, y, width) = found[0]
    step = width + 2
    return [(round((one_x - x) / step), round((one_y - y) / step)) for one_x, one_y, _ in found]


@pytest.mark.parametrize(("language", "side"), [("en", 1), ("ar", -1)])
@pytest.mark.parametrize("sender", ["reader", "client"])
def test_pictures_sent_together_stand_side_by_side(
    sender: str, language: str, side: int, world: World, tab: MakeTab, truth: Truth
) -> None:
    set_language(truth, world.client, language=language)
    for at in range(5):
        put(world.people[sender], world.session, picture((640 + at, 480)), f"{at}.jpg")
    client = tab(world.client).open(world.session)
    expect(client.page.locator(".shot")).to_have_count(5)
    # Own ones are flush with the end: a row that is not full begins further in.
    last = [(0, 1), (side, 1)] if sender == "reader" else [(side, 1), (2 * side, 1)]
    assert places(client) == [(0, 0), (side, 0), (2 * side, 0), *last]
    # Each is a message: a stop of the keyboard, with its menu, in the order in which it was sent.
    messages = client.messages
    messages.nth(4).focus()
    for at in (3, 2, 1):
        client.page.keyboard.press("ArrowUp")
        expect(messages.nth(at)).to_be_focused()
    if sender == "client":
        client.page.keyboard.press("Enter")
        client.page.get_by_role("menuitem").last.press("Enter")
        client.page.locator("dialog .btn-danger").click()
        expect(client.page.locator("samia-message.gone")).to_have_count(1)
        expect(client.page.locator(".cell")).to_have_count(3)  # the one before it stands alone again


def test_a_grid_grows_while_one_looks_and_fits_a_phone(world: World, tab: MakeTab) -> None:
    client = tab(world.client, viewport=PHONE, has_touch=True, is_mobile=True).open(world.session)
    for at in range(3):
        put(world.reader, world.session, picture((640, 480 + at)), f"{at}.jpg")
        expect(client.page.locator(".shot")).to_have_count(at + 1)
    assert places(client) == [(0, 0), (1, 0), (2, 0)]
    client.page.locator(".shot").nth(2).tap()
    expect(client.page.get_by_role("dialog").get_by_role("heading")).to_have_text("2.jpg")
    client.page.get_by_role("button", name="Close").tap()
    send(world.reader, world.session, "Words end it")
    put(world.reader, world.session, picture(), "alone.jpg")
    expect(client.page.locator(".shot")).to_have_count(4)
    expect(client.page.locator(".cell")).to_have_count(3)
    width = client.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] == width[1]


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


def decide(by: User, message: object, verdict: VoiceReview.Verdict) -> None:
    answer = Api(by).post(
        f"/chat/messages/{message}/{verdict.value}", {"reason": "Too loud"} if verdict == "reject" else None
    )
    assert answer.status == 200, answer.body


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
