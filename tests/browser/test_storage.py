"""The page of storage for administrators: the ways to it and from it, by hand and by keyboard, and how it looks."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from playwright.sync_api import Locator, expect

from accounts.models import User
from tests.browser.looks import SIZES, in_looks
from tests.browser.tab import PHONE, TABLET, Tab
from tests.browser.test_looks import axe, choose
from tests.browser.test_pictures import give
from tests.browser.test_talk import set_language
from tests.cast import World, make_person, make_session, set_state
from tests.database import Truth
from tests.storage.files import delete_message, make_file, send_file, sent_file

MakeTab = Callable[..., Tab]
KB, MB = 1024, 1024**2
NARROW = {"width": 320, "height": 640}
NAMES = [
    ("Layla Haddad", "Omar Rahal"),
    ("نور العبدالله", "ليلى حداد"),
    ("Wilhelmina Featherstonehaugh-Cholmondeley", "Jo"),
]


def resize(truth: Truth, file: UUID, size: float) -> None:
    truth.without_triggers("UPDATE chat_files SET size_bytes = %s WHERE id = %s", int(size), file)


def call(truth: Truth, person: User, name: str) -> User:
    truth.without_triggers("UPDATE accounts_user SET display_name = %s WHERE id = %s", name, person.pk)
    return person


def fill(world: World, truth: Truth) -> None:
    """Sessions of many sizes and kinds, people with and without pictures, long names, and something that was deleted."""
    for at, names in enumerate(NAMES * 3):
        client = call(truth, make_person(f"client{at + 3}"), names[0])
        reader = call(truth, make_person(f"reader{at + 3}", "reader"), names[1])
        kind = ("general", "support", "emergency")[at % 3]
        session = make_session(
            client, reader, kind=kind, title="" if at % 2 else "What the Moon says of a long journey"
        )
        resize(truth, sent_file(client, session), 700 * KB / (at + 1) ** 2)
        resize(truth, sent_file(reader, session), 1300 * MB / (at + 1) ** 3)
        if at == 4:
            set_state(session, "end")
    deleted = make_file(world.reader, world.session)
    delete_message(world.reader, send_file(world.reader, world.session, deleted))
    resize(truth, deleted, 31.25 * MB)
    for person, colour in ((world.reader, "#be185d"), (world.admin, "#0e7490")):
        give(person, colour)


def entry(one: Tab, name: str) -> Locator:
    return one.page.locator(".room-row").filter(has=one.page.get_by_text(name, exact=True))


def fits(one: Tab) -> None:
    width = one.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] == width[1], "nothing sticks out"


def test_an_administrator_goes_from_the_rail_to_a_session(world: World, tab: MakeTab, truth: Truth) -> None:
    resize(truth, sent_file(world.reader, world.session), 2.5 * MB)
    admin = tab(world.admin).go("/").live()
    admin.page.get_by_role("link", name="Storage").click()
    expect(admin.page.get_by_role("heading", level=1)).to_have_text("Storage")
    expect(admin.page.get_by_role("link", name="Storage")).to_have_attribute("aria-current", "page")
    expect(admin.page.locator("dd")).to_have_text(["1", "2.5 MB", "–"])
    expect(entry(admin, "Client · Reader").locator(".room-size")).to_have_text("2.5 MB")
    entry(admin, "Client · Reader").click()
    expect(admin.page).to_have_url(re.compile(f"/sessions/{world.session}$"))
    expect(admin.live().page.locator(".banner[role=note]")).to_contain_text("You are looking in.")


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("size", [TABLET, PHONE, NARROW], ids=["tablet", "phone", "narrow"])
def test_on_narrow_screens_the_way_leads_over_live_sessions(
    size: dict[str, int], language: str, world: World, tab: MakeTab, truth: Truth
) -> None:
    set_language(truth, world.admin, language=language)
    sent_file(world.reader, world.session)
    admin = tab(world.admin, viewport=size).go("/live")
    for path in ("/storage", "/live", "/storage", "/approvals"):
        head = admin.page.locator(".pane-head").first
        assert head.evaluate("(head) => head.scrollWidth <= head.clientWidth"), "nothing sticks out"
        fits(admin)
        head.locator(f'a[href="{path}"]').click()
        expect(admin.page).to_have_url(re.compile(f"{path}$"))
        if path == "/approvals":
            admin.page.go_back()
    admin.page.locator('.pane-head a[href="#of-people"], a[href="#of-people"]').click()
    expect(admin.page.locator("#of-people")).to_be_in_viewport()
    admin.page.locator('.pane-head a[href="/"]').click()
    expect(admin.page).to_have_url(re.compile("/$"))


def test_by_keyboard(world: World, tab: MakeTab) -> None:
    sent_file(world.reader, world.session)
    admin = tab(world.admin).go("/storage")
    admin.page.keyboard.press("Tab")
    skip = admin.page.get_by_role("link", name="To the figures")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    admin.page.keyboard.press("Enter")
    admin.page.keyboard.press("Tab")
    expect(admin.page.get_by_role("region", name="Storage")).to_be_focused()  # to be scrolled
    admin.page.keyboard.press("Tab")
    expect(admin.page.locator("a.room-row")).to_be_focused()
    admin.page.keyboard.press("Enter")
    expect(admin.page).to_have_url(re.compile(f"/sessions/{world.session}$"))


@pytest.mark.parametrize("who", ["client", "monitor"])
def test_for_others_there_is_no_such_page(who: str, world: World, tab: MakeTab) -> None:
    one = tab(world.people[who]).expects("404").go("/storage")
    expect(one.page.get_by_role("heading")).to_have_text("There is nothing here")
    one.go("/")
    expect(one.page.get_by_role("link", name="Storage")).to_have_count(0)


def test_it_is_there_without_scripts(world: World, tab: MakeTab) -> None:
    sent_file(world.reader, world.session)
    admin = tab(world.admin, java_script_enabled=False).go("/storage")
    expect(entry(admin, "Client · Reader")).to_be_visible()
    expect(admin.page.locator(".room-row")).to_have_count(2)


def test_signing_out_here_forgets_what_was_not_sent(world: World, tab: MakeTab) -> None:
    session = make_session(world.client, world.admin)
    admin = tab(world.admin).open(session)
    admin.box.fill("a draft")
    expect(admin.page.locator(".rail")).to_be_visible()
    admin.go("/storage")
    assert "a draft" in admin.page.evaluate("JSON.stringify(localStorage)")
    admin.page.locator(".rail").get_by_role("button", name="Sign out").click()
    expect(admin.page).to_have_url(re.compile("/sign-in"))
    assert admin.page.evaluate("JSON.stringify(localStorage)") == "{}"


def test_the_theme_is_changed_here_too(world: World, tab: MakeTab) -> None:
    admin = tab(world.admin).go("/storage")
    admin.page.get_by_role("button", name="Theme: dark").click()
    expect(admin.page.get_by_role("button", name="Theme: light")).to_be_visible()


@in_looks("desktop", "phone", "tablet")
def test_axe_finds_nothing(size: str, language: str, theme: str, world: World, tab: MakeTab, truth: Truth) -> None:
    set_language(truth, world.admin, language=language)
    admin = choose(tab(world.admin, viewport=SIZES[size]), theme=theme, language=language).go("/storage")
    expect(admin.page.locator(".empty")).to_be_visible()
    admin.shoot(f"storage-empty-{size}-{language}-{theme}")
    found = axe(admin)
    fits(admin)
    fill(world, truth)
    admin.page.reload()
    expect(admin.page.locator("a.room-row")).to_have_count(10)
    admin.page.wait_for_load_state("networkidle")  # the pictures of people
    admin.shoot(f"storage-{size}-{language}-{theme}")
    found += axe(admin)
    fits(admin)
    assert not found, "\n".join(found)
