"""Files looked at: pictures large, close up and side by side, videos, files saved under their names; what may not be
opened or is deleted says so; and nothing moves while they come."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Locator, Route, expect

from chat.services.file import process_file
from samia_chat import actor
from tests.browser.files import PAGE, payload, picture, put
from tests.browser.tab import PHONE, Tab
from tests.browser.test_talk import send, set_language
from tests.cast import World
from tests.database import Truth
from tests.files import tone
from tests.rest import Api
from tests.storage.samples import video

MakeTab = Callable[..., Tab]


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
