"""The details beside the thread: who takes part, what was shared, muting, and what each role may do with a session."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from tests.browser.looks import SIZES, looks
from tests.browser.tab import PHONE, TABLET, Tab
from tests.browser.test_looks import axe, choose
from tests.browser.test_talk import send, set_language
from tests.cast import World, make_session, set_state
from tests.database import Truth

MakeTab = Callable[..., Tab]


def details(one: Tab) -> Locator:
    return one.page.locator(".details-pane")


def opened(one: Tab, name: str = "Details") -> Tab:
    """With the details open."""
    one.page.get_by_role("button", name=name, exact=True).click()
    expect(details(one)).to_be_visible()
    return one


def act(one: Tab, name: str, *, reason: str | None = None) -> None:
    """Press a button of the details, and say yes to what it asks."""
    details(one).get_by_role("button", name=name, exact=True).click()
    dialog = one.page.locator("dialog")
    if reason is not None:
        dialog.get_by_label("Reason").fill(reason)
    dialog.get_by_role("button", name=name.split(" Reader")[0], exact=True).click()
    expect(dialog).to_have_count(0)


def acts(one: Tab) -> list[str]:
    """What may be done with the session, as it is offered."""
    return details(one).locator("[aria-labelledby=details-session] .choices button").all_inner_texts()


def picture(colour: str) -> dict[str, Any]:
    made = io.BytesIO()
    Image.new("RGB", (640, 480), colour).save(made, "JPEG")
    return {"name": f"{colour}.jpg", "mimeType": "image/jpeg", "buffer": made.getvalue()}


def share(one: Tab, *files: dict[str, Any]) -> None:
    """Send files as a person does, and wait until they are there."""
    for file in files:
        before = one.messages.count()
        one.page.locator("samia-composer input[type=file]").set_input_files([file])
        one.page.get_by_role("button", name="Send").click()
        expect(one.messages).to_have_count(before + 1)
        expect(one.page.locator(".upload")).to_have_count(0)


NOTES = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"Moon, Star, Sun\n"}


# Open and closed ----------------------------------------------------------------------------------------------------------


def test_on_a_desk_they_stand_beside_the_thread_and_stay(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session)
    button = client.page.get_by_role("button", name="Details", exact=True)
    expect(button).to_have_attribute("aria-expanded", "false")
    opened(client)
    expect(button).to_have_attribute("aria-expanded", "true")
    pane, thread = details(client).bounding_box(), client.page.locator(".thread-pane").bounding_box()
    assert pane is not None
    assert thread is not None
    assert (pane["width"], pane["x"]) == (316, thread["x"] + thread["width"])
    expect(details(client).get_by_role("heading", name="Reader")).to_be_visible()
    expect(details(client)).to_contain_text("Celtic Cross")
    expect(details(client)).to_contain_text(re.compile("Today, [0-9]{2}:[0-9]{2}"))
    expect(details(client).locator(".people li")).to_have_count(2)
    expect(details(client)).to_contain_text("Nothing was shared yet.")
    client.page.reload()
    client.live()
    expect(details(client)).to_be_visible()
    details(client).get_by_role("button", name="Close details").press("Escape")
    expect(details(client)).to_have_count(0)
    expect(button).to_be_focused()
    client.page.reload()
    client.live()
    expect(details(client)).to_have_count(0)


@pytest.mark.parametrize("size", [TABLET, PHONE], ids=["tablet", "phone"])
def test_narrower_they_are_a_sheet_that_back_and_escape_close(world: World, tab: MakeTab, size: dict[str, int]) -> None:
    client = opened(tab(world.client, viewport=size).open(world.session))
    button = client.page.get_by_role("button", name="Details", exact=True)
    close = client.page.get_by_role("button", name="Close details")
    expect(close).to_be_focused()
    expect(client.page.get_by_role("dialog", name="Details")).to_be_visible()
    expect(client.page.locator(".thread-pane")).to_have_attribute("inert", "")
    client.page.keyboard.press("Escape")
    expect(details(client)).to_have_count(0)
    expect(button).to_be_focused()
    expect(client.page.locator("[inert]")).to_have_count(0)
    button.click()
    expect(close).to_be_focused()
    client.page.go_back()
    expect(details(client)).to_have_count(0)
    expect(client.page).to_have_url(re.compile(f"{world.session}$"))
    client.page.go_forward()
    expect(details(client)).to_be_visible()
    close.click()
    expect(details(client)).to_have_count(0)
    width = client.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] == width[1], "nothing sticks out"


def test_they_follow_the_open_session(world: World, tab: MakeTab) -> None:
    make_session(world.client, world.reader2)
    client = opened(tab(world.client).open(world.session))
    client.row("Reader2").click()
    expect(details(client).locator(".person h3")).to_have_text("Reader2")
    client.page.get_by_role("link", name="Chats").click()
    expect(details(client)).to_have_count(0)


# The reader ---------------------------------------------------------------------------------------------------------------


def test_a_reader_pauses_resumes_and_ends(world: World, tab: MakeTab) -> None:
    client, reader = tab(world.client).open(world.session), opened(tab(world.reader).open(world.session))
    assert acts(reader) == ["Pause", "End session"]
    act(reader, "Pause")
    expect(client.page.locator(".lockbar")).to_contain_text("This session is paused")
    expect(reader.page.locator(".toast")).to_contain_text("The session is paused.")
    act(reader, "Resume")
    expect(client.box).to_be_visible()
    act(reader, "End session")
    for one in (client, reader):
        expect(one.page.locator(".lockbar")).to_contain_text("This session has ended")
    expect(details(reader).locator(".tag", has_text="Ended")).to_be_visible()
    assert acts(reader) == []
    # The button that had the focus is gone; the focus is not.
    assert reader.page.evaluate("document.activeElement !== document.body")


def test_what_was_asked_can_be_given_up(world: World, tab: MakeTab, truth: Truth) -> None:
    reader = opened(tab(world.reader).open(world.session))
    end = details(reader).get_by_role("button", name="End session")
    end.click()
    reader.page.locator("dialog").get_by_role("button", name="Cancel").click()
    expect(reader.page.locator("dialog")).to_have_count(0)
    expect(end).to_be_focused()
    end.click()
    reader.page.keyboard.press("Escape")
    expect(reader.page.locator("dialog")).to_have_count(0)
    expect(details(reader)).to_be_visible()
    assert truth.one("SELECT status FROM chat_sessions WHERE id = %s", world.session) == "active"


def test_a_refusal_is_said_in_words(world: World, tab: MakeTab) -> None:
    reader = opened(tab(world.reader).open(world.session)).expects("409")
    details(reader).get_by_role("button", name="Pause").click()
    set_state(world.session, "lock")
    dialog = reader.page.locator("dialog")
    dialog.get_by_role("button", name="Pause").click()
    expect(dialog.get_by_role("alert")).to_contain_text("The session has changed meanwhile")
    reader.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


# Each role ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "allowed", "may_change_people"),
    [
        ("client", [], False),
        ("reader", ["Pause", "End session"], False),
        ("monitor", ["Lock"], False),
        ("admin", ["Pause", "Lock", "End session"], True),
        ("super_admin", ["Pause", "Lock", "End session"], True),
    ],
)
def test_everybody_sees_what_he_may_do(
    who: str, allowed: list[str], may_change_people: bool, world: World, tab: MakeTab
) -> None:
    one = opened(tab(world.people[who]).open(world.session))
    expect(details(one).locator(".people li")).to_have_count(2)
    assert acts(one) == allowed
    expect(details(one).get_by_role("button", name="Add a person")).to_have_count(int(may_change_people))
    expect(details(one).get_by_role("button", name=re.compile("^Remove"))).to_have_count(2 * may_change_people)
    expect(details(one).get_by_role("button", name="Mute")).to_have_count(int(who in ("client", "reader")))


def test_staff_lock_with_a_reason(world: World, tab: MakeTab, truth: Truth) -> None:
    client, monitor = tab(world.client).open(world.session), opened(tab(world.monitor).open(world.session))
    details(monitor).get_by_role("button", name="Lock", exact=True).click()
    dialog = monitor.page.locator("dialog")
    expect(dialog.get_by_label("Reason")).to_be_focused()
    dialog.get_by_role("button", name="Lock").click()
    expect(dialog.get_by_role("alert")).to_have_text("Say why: it is recorded.")
    expect(dialog.get_by_label("Reason")).to_be_focused()
    dialog.get_by_label("Reason").fill("They exchange phone numbers")
    dialog.get_by_role("button", name="Lock").click()
    expect(client.page.locator(".lockbar")).to_contain_text("This session is locked")
    expect(details(monitor).get_by_role("button", name="Unlock", exact=True)).to_be_visible()
    recorded = "SELECT count(*) FROM chat_audit_logs WHERE session_id = %s AND actor = %s AND reason = %s"
    assert truth.one(recorded, world.session, world.monitor.pk, "They exchange phone numbers") >= 1
    act(monitor, "Unlock", reason="A misunderstanding")
    expect(client.box).to_be_visible()


def test_an_administrator_removes_somebody_and_takes_him_back(world: World, tab: MakeTab) -> None:
    reader, admin = tab(world.reader).open(world.session), opened(tab(world.admin).open(world.session))
    details(admin).get_by_role("button", name="Remove Reader").click()
    dialog = admin.page.locator("dialog")
    expect(dialog).to_contain_text("Remove Reader?")
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(reader.page.locator(".thread-pane .empty")).to_contain_text("You no longer take part in this session")
    expect(details(admin).locator(".people li")).to_have_count(1)
    # A session that goes on keeps somebody.
    admin.expects("409")
    details(admin).get_by_role("button", name="Remove Client").click()
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("A session that goes on needs somebody in it.")
    dialog.get_by_role("button", name="Cancel").click()
    details(admin).get_by_role("button", name="Add a person").click()
    dialog.get_by_role("button", name="Reader", exact=True).click()
    expect(dialog.get_by_label("The person's id")).to_have_value(str(world.reader.pk))
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(details(admin).locator(".people li")).to_have_count(2)
    expect(reader.row("Client")).to_have_count(1)


def test_who_is_added_is_checked(world: World, tab: MakeTab) -> None:
    admin = opened(tab(world.admin).open(world.session)).expects("400")
    details(admin).get_by_role("button", name="Add a person").click()
    dialog = admin.page.locator("dialog")
    field, add = dialog.get_by_label("The person's id"), dialog.get_by_role("button", name="Add", exact=True)
    for given, words in [
        ("Reader", "An id looks like this:"),
        (str(world.client.pk), "This person takes part already."),
        ("00000000-0000-4000-8000-000000000000", "Nobody with an open account has this id."),
    ]:
        field.fill(given)
        add.click()
        expect(dialog.get_by_role("alert")).to_contain_text(words)
    # Whoever looks in may enter himself, and write then.
    expect(admin.box).to_have_count(0)
    dialog.get_by_role("button", name="You", exact=True).click()
    add.click()
    expect(admin.box).to_be_visible()
    expect(details(admin).locator(".people li")).to_have_count(3)


def test_details_of_a_lost_session_go_with_it(world: World, tab: MakeTab) -> None:
    reader = opened(tab(world.reader, viewport=TABLET).open(world.session))
    admin = opened(tab(world.admin).open(world.session))
    details(admin).get_by_role("button", name="Remove Reader").click()
    admin.page.locator("dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(details(reader)).to_have_count(0)
    expect(reader.page.locator("[inert]")).to_have_count(0)
    expect(reader.page.locator(".thread-pane .empty")).to_be_visible()


# Muting -------------------------------------------------------------------------------------------------------------------


def test_muting_is_kept_shown_and_taken_back(world: World, tab: MakeTab, truth: Truth) -> None:
    client = opened(tab(world.client).open(world.session))
    mute = details(client).get_by_role("button", name="Mute", exact=True)
    mute.click()
    expect(mute).to_have_attribute("aria-expanded", "true")
    details(client).get_by_role("button", name="For 1 hour").click()
    unmute = details(client).get_by_role("button", name="Unmute", exact=True)
    expect(unmute).to_be_focused()
    expect(details(client)).to_contain_text(re.compile("Muted until .*[0-9]{2}:[0-9]{2}"))
    expect(client.row("Reader").get_by_role("img", name="Muted")).to_be_visible()
    hours = "SELECT round(extract(epoch FROM muted_until - now()) / 3600) FROM chat_participants WHERE user_id = %s"
    assert truth.one(hours, world.client.pk) == 1
    painted = tab(world.client, java_script_enabled=False).go("/")
    expect(painted.row("Reader").get_by_role("img", name="Muted")).to_be_visible()
    unmute.click()
    expect(client.row("Reader").get_by_role("img", name="Muted")).to_have_count(0)
    mute.click()
    details(client).get_by_role("button", name="Until you unmute it").click()
    expect(details(client).locator(".person [role=status]")).to_have_text("Muted")
    assert truth.one("SELECT muted_until FROM chat_participants WHERE user_id = %s", world.client.pk).year == 2999


def test_a_muted_session_is_quiet(world: World, tab: MakeTab) -> None:
    make_session(world.client, world.reader2)
    client = opened(tab(world.client).open(world.session))
    details(client).get_by_role("button", name="Mute", exact=True).click()
    details(client).get_by_role("button", name="For 8 hours").click()
    client.row("Reader2").click()
    muted, other = tab(world.reader).open(world.session), tab(world.reader2).go("/").live()
    muted.say("You hear nothing of this")
    expect(client.row("Reader").locator(".badge")).to_contain_text("1")
    client.page.get_by_role("link", name="Chats").click()
    other.row("Client").click()
    other.say("But of this")
    expect(client.page.locator(".toast")).to_have_count(1)
    expect(client.page.locator(".toast")).to_contain_text("But of this")


# What was shared ----------------------------------------------------------------------------------------------------------


def test_shared_files_appear_and_go(world: World, tab: MakeTab) -> None:
    client, reader = tab(world.client).open(world.session), opened(tab(world.reader).open(world.session))
    share(client, picture("purple"), NOTES)
    thumb = details(reader).get_by_role("button", name="Picture purple.jpg")
    expect(thumb.locator("img")).to_have_attribute("src", re.compile("rendition=thumbnail$"))
    expect(thumb.locator("img")).to_have_js_property("naturalWidth", 320)
    expect(details(reader).get_by_role("link", name="Download notes.txt")).to_be_visible()
    thumb.click()
    expect(reader.page.locator("dialog.viewer img")).to_be_visible()
    reader.page.keyboard.press("Escape")
    expect(thumb).to_be_focused()
    reader.page.reload()
    expect(details(reader.live()).get_by_role("link", name="Download notes.txt")).to_be_visible()
    notes = client.messages.filter(has=client.page.locator(".file"))
    notes.hover()
    notes.get_by_role("button", name="More").click()
    client.page.get_by_role("menuitem", name="Delete").click()
    client.page.locator("dialog").get_by_role("button", name="Delete").click()
    expect(details(reader).get_by_role("link", name="Download notes.txt")).to_have_count(0)


def test_all_files_are_read_page_by_page(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session)
    share(client, *[{**NOTES, "name": f"notes {number}.txt"} for number in range(5)])
    sizes: list[str] = []

    def in_twos(route: Any) -> None:
        sizes.append(route.request.url)
        route.continue_(url=route.request.url.replace("limit=24", "limit=2"))

    client.page.route("**/files?**", in_twos)
    client.page.reload()
    files = details(opened(client.live())).locator(".mini li")
    expect(files).to_have_count(2)
    client.page.get_by_role("button", name="Show all").click()
    client.page.get_by_role("button", name="Show more").click()
    client.page.get_by_role("button", name="Show more").click()
    expect(client.page.get_by_role("button", name="Show more")).to_have_count(0)
    expect(files).to_have_count(5)
    assert len(sizes) == 3


def test_while_they_load_and_when_they_do_not(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session).expects("ERR_FAILED")
    held: list[Any] = []
    client.page.route("**/files?**", lambda route: held.append(route))
    opened(client)
    expect(details(client).get_by_role("img", name="Loading")).to_be_visible()
    held[0].abort()
    expect(details(client)).to_contain_text("No connection. Try again in a moment.")
    client.page.unroute("**/files?**")
    details(client).get_by_role("button", name="Try again").click()
    expect(details(client)).to_contain_text("Nothing was shared yet.")


def test_of_an_archived_session_it_is_said_who_keeps_it(world: World, tab: MakeTab) -> None:
    set_state(world.session, "end", "archive")
    client = tab(world.client).expects("409").go("/").live()
    client.row("Reader").click()
    opened(client)
    expect(details(client)).to_contain_text("Our team keeps its messages.")


# Languages and looks ------------------------------------------------------------------------------------------------------


def test_in_arabic(world: World, tab: MakeTab, truth: Truth) -> None:
    set_language(truth, world.reader)
    client, reader = tab(world.client).open(world.session), opened(tab(world.reader).open(world.session), "التفاصيل")
    pane, thread = details(reader).bounding_box(), reader.page.locator(".thread-pane").bounding_box()
    assert pane is not None
    assert thread is not None
    assert pane["x"] == 0 < thread["x"], "at the end of the line: at the left, here"
    expect(details(reader)).to_contain_text(re.compile("اليوم، [٠-٩]{2}:[٠-٩]{2}"))
    details(reader).get_by_role("button", name="إيقاف مؤقت").click()
    reader.page.locator("dialog").get_by_role("button", name="إيقاف مؤقت").click()
    expect(client.page.locator(".lockbar")).to_contain_text("This session is paused")
    details(reader).get_by_role("button", name="كتم").click()
    details(reader).get_by_role("button", name="حتى تلغي الكتم").click()
    expect(reader.row("Client").get_by_role("img", name="مكتومة")).to_be_visible()


@pytest.fixture
def rich(world: World, tab: MakeTab) -> World:
    """With something to see in every part."""
    client = tab(world.client).open(world.session)
    share(client, *[picture(colour) for colour in ("purple", "teal", "orange", "navy", "crimson")], NOTES)
    send(world.reader, world.session, "The Star in the middle again!")
    return world


@pytest.mark.drawn
@pytest.mark.parametrize(
    ("size", "who", "language", "theme"),
    [
        (size, who, language, theme)
        for size, language, theme in looks("desktop", "phone", "tablet")
        for who in {"desktop": ("reader", "admin"), "phone": ("reader",), "tablet": ("client",)}[size]
    ],
)
def test_axe_finds_nothing(
    size: str, who: str, language: str, theme: str, rich: World, tab: MakeTab, truth: Truth
) -> None:
    person = rich.people[who]
    set_language(truth, person, language=language)
    viewport = SIZES[size]
    one = choose(tab(person, viewport=viewport), theme=theme, language=language).open(rich.session)
    opened(one, "التفاصيل" if language == "ar" else "Details")
    expect(details(one).locator(".thumb img").first).to_have_js_property("naturalWidth", 320)
    one.page.wait_for_timeout(100)
    name = f"{who}-{size}-{language}-{theme}"
    one.shoot(f"details-{name}")
    found = axe(one)
    if who != "client":
        details(one).locator(".choices button").last.click()
        expect(one.page.locator("dialog")).to_be_visible()
        one.shoot(f"details-dialog-{name}")
        found += axe(one)
    assert found == []
