"""The page of live sessions for staff, and finding a session in the list."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.looks import SIZES, in_looks
from tests.browser.tab import PHONE, SERVER_AWAY, TABLET, Tab
from tests.browser.test_looks import axe, choose
from tests.browser.test_talk import send, set_language
from tests.cast import World, make_session, set_state
from tests.database import Truth

MakeTab = Callable[..., Tab]


def live(one: Tab, query: str = "") -> Tab:
    """On the page, once its modules have taken over."""
    one.go(f"/live{query}")
    expect(one.page.locator(".live-tools .chip").first).to_be_enabled()
    return one


def row(one: Tab, name: str) -> Locator:
    return one.page.locator("li.live-row").filter(has=one.page.get_by_text(name, exact=True))


def chosen(one: Tab, group: str, name: str) -> None:
    one.page.get_by_role("group", name=group).get_by_role("button", name=name, exact=True).click()


# Staff --------------------------------------------------------------------------------------------------------------------


def test_staff_see_all_sessions_and_look_in(world: World, tab: MakeTab, truth: Truth) -> None:
    send(world.reader, world.session, "Only you and I read this")
    monitor = tab(world.monitor).go("/").live()
    monitor.page.get_by_role("link", name="Live sessions").click()
    expect(monitor.page.get_by_role("heading", name="Live sessions")).to_be_visible()
    expect(monitor.page.locator(".live-note")).to_contain_text("is recorded")
    expect(monitor.page.locator("li.live-row")).to_have_count(2)
    found = row(monitor, "Client · Reader")
    expect(found).to_contain_text("Celtic Cross")
    assert found.locator(".tag").all_inner_texts() == ["Booking", "Active"]
    expect(found).not_to_contain_text("Only you and I")
    found.get_by_role("link", name="Look in").click()
    monitor.live().sees("Only you and I read this")
    expect(monitor.page.locator(".banner[role=note]")).to_contain_text("You are looking in.")
    expect(monitor.box).to_have_count(0)
    viewed = "SELECT count(*) FROM chat_audit_logs WHERE action = 'session.viewed' AND session_id = %s AND actor = %s"
    assert truth.one(viewed, world.session, world.monitor.pk) == 1


@pytest.mark.parametrize("who", ["client", "reader"])
def test_for_others_there_is_no_such_page(who: str, world: World, tab: MakeTab) -> None:
    one = tab(world.people[who]).expects("404")
    one.go("/live")
    expect(one.page.get_by_role("heading")).to_have_text("There is nothing here")
    one.go("/")
    expect(one.page.get_by_role("link", name="Live sessions")).to_have_count(0)


def test_a_monitor_locks_with_a_reason_and_unlocks(world: World, tab: MakeTab, truth: Truth) -> None:
    client, monitor = tab(world.client).open(world.session), live(tab(world.monitor), "?status=all")
    found = row(monitor, "Client · Reader")
    expect(found.get_by_role("button", name="End session")).to_have_count(0)
    found.get_by_role("button", name="Lock Client · Reader").click()
    dialog = monitor.page.locator("dialog")
    dialog.get_by_role("button", name="Lock").click()
    expect(dialog.get_by_role("alert")).to_have_text("Say why: it is recorded.")
    dialog.get_by_label("Reason").fill("Contact details")
    dialog.get_by_role("button", name="Lock").click()
    expect(client.page.locator(".lockbar")).to_contain_text("This session is locked")
    expect(found.locator(".tag").last).to_have_text("Locked")
    recorded = "SELECT count(*) FROM chat_audit_logs WHERE session_id = %s AND reason = 'Contact details'"
    assert truth.one(recorded, world.session) >= 1
    found.get_by_role("button", name="Unlock").click()
    dialog.get_by_label("Reason").fill("Cleared up")
    dialog.get_by_role("button", name="Unlock").click()
    expect(client.box).to_be_visible()


def test_an_administrator_ends_one_and_it_leaves_the_list(world: World, tab: MakeTab) -> None:
    client, admin = tab(world.client).open(world.session), live(tab(world.admin))
    row(admin, "Client · Reader").get_by_role("button", name="End session").click()
    admin.page.locator("dialog").get_by_label("Reason").fill("The booking is over")
    admin.page.locator("dialog").get_by_role("button", name="End session").click()
    expect(client.page.locator(".lockbar")).to_contain_text("This session has ended")
    expect(row(admin, "Client · Reader")).to_have_count(0)
    assert admin.page.evaluate("document.activeElement !== document.body")
    chosen(admin, "Status", "Ended")
    expect(row(admin, "Client · Reader")).to_be_visible()
    expect(row(admin, "Client · Reader").get_by_role("button")).to_have_count(0)


def test_status_and_type_filter_and_stand_in_the_address(world: World, tab: MakeTab) -> None:
    make_session(world.client2, world.monitor, kind="support")
    paused = make_session(world.client, world.reader2)
    set_state(paused, "pause")
    admin = live(tab(world.admin))
    expect(admin.page.locator("li.live-row")).to_have_count(3)
    chosen(admin, "Type", "Support")
    expect(admin.page.locator("li.live-row")).to_have_count(1)
    expect(admin.page).to_have_url(re.compile(r"/live\?status=active&type=support$"))
    admin.page.reload()
    expect(admin.page.locator("li.live-row")).to_have_count(1)
    chosen(admin, "Status", "Paused")
    expect(admin.page.locator(".empty")).to_contain_text("No session is in this selection.")
    chosen(admin, "Type", "All")
    expect(row(admin, "Client · Reader2")).to_be_visible()
    live(admin, "?status=nonsense&type=nonsense")
    expect(admin.page.locator("li.live-row")).to_have_count(3)


def test_it_is_kept_fresh(world: World, tab: MakeTab) -> None:
    """By what the page hears, and by its own clock."""
    admin = tab(world.admin).expects(SERVER_AWAY)  # hours pass faster than answers come
    admin.page.clock.install()
    live(admin)
    expect(admin.page.locator("li.live-row")).to_have_count(2)
    make_session(world.client, world.reader2)  # of strangers: no frame tells of it
    admin.page.clock.fast_forward(31_000)
    expect(admin.page.locator("li.live-row")).to_have_count(3)


def test_what_the_page_hears_makes_it_look_again(world: World, tab: MakeTab) -> None:
    session = make_session(world.client, world.admin)
    client, admin = tab(world.client).open(session), tab(world.admin)
    with admin.page.expect_response("**/api/chat/sessions?**"):
        live(admin)  # it looks once when it is welcomed
    with admin.page.expect_response("**/api/chat/sessions?**", timeout=10_000):
        client.say("Is anybody there?")


@pytest.mark.parametrize("size", [TABLET, PHONE], ids=["tablet", "phone"])
def test_staff_find_the_way_on_narrow_screens(world: World, tab: MakeTab, size: dict[str, int]) -> None:
    admin = tab(world.admin, viewport=size).go("/").live()
    head = admin.page.locator(".list-pane .pane-head")
    assert head.evaluate("(head) => head.scrollWidth <= head.clientWidth"), "nothing sticks out"
    head.get_by_role("link", name="Live sessions").click()
    expect(admin.page.locator("li.live-row")).to_have_count(2)
    admin.page.get_by_role("link", name="Back to chats").click()
    expect(admin.page).to_have_url(re.compile("/$"))


def test_pages_are_read_one_after_the_other(world: World, tab: MakeTab) -> None:
    for _ in range(3):
        make_session(world.client, world.reader2)
    admin = tab(world.admin)
    admin.page.route(
        "**/api/chat/sessions?**", lambda route: route.continue_(url=route.request.url.replace("limit=50", "limit=2"))
    )
    live(admin)
    chosen(admin, "Type", "General")
    expect(admin.page.locator("li.live-row")).to_have_count(2)
    admin.page.get_by_role("button", name="Show more").click()
    expect(admin.page.locator("li.live-row")).to_have_count(4)
    expect(admin.page.get_by_role("button", name="Show more")).to_have_count(0)


def test_when_it_cannot_be_read_it_says_so_and_tries_again(world: World, tab: MakeTab) -> None:
    admin = live(tab(world.admin).expects("ERR_FAILED"))
    admin.page.route("**/api/chat/sessions?**", lambda route: route.abort())
    chosen(admin, "Status", "All")
    expect(admin.page.get_by_role("alert")).to_contain_text("No connection. Try again in a moment.")
    admin.page.unroute("**/api/chat/sessions?**")
    admin.page.get_by_role("button", name="Try again").click()
    expect(admin.page.locator("li.live-row")).to_have_count(2)
    expect(admin.page.get_by_role("alert")).to_have_count(0)


@in_looks("desktop", "phone", "tablet")
def test_axe_finds_nothing(size: str, language: str, theme: str, world: World, tab: MakeTab, truth: Truth) -> None:
    set_language(truth, world.admin, language=language)
    locked, over = make_session(world.client, world.reader2, title="A word of advice"), make_session(world.client2)
    make_session(world.client, world.monitor, kind="support")
    set_state(locked, "lock")
    set_state(over, "end")
    viewport = SIZES[size]
    admin = live(choose(tab(world.admin, viewport=viewport), theme=theme, language=language), "?status=all")
    expect(admin.page.locator("li.live-row")).to_have_count(5)
    admin.shoot(f"live-{size}-{language}-{theme}")
    assert axe(admin) == []
    width = admin.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] == width[1], "nothing sticks out"


# Finding one in the list --------------------------------------------------------------------------------------------------


def test_the_list_is_filtered_by_type(world: World, tab: MakeTab) -> None:
    make_session(world.client, world.monitor, kind="support")
    client = tab(world.client).go("/").live()
    rows = client.page.locator("a.session")
    for name, count in [("Bookings", 1), ("Support", 1), ("Ended", 0), ("All", 2)]:
        client.page.get_by_role("button", name=name, exact=True).click()
        expect(rows).to_have_count(count)
        expect(client.page.get_by_role("button", name=name, exact=True)).to_have_attribute("aria-pressed", "true")


def test_people_and_titles_are_found(world: World, tab: MakeTab, truth: Truth) -> None:
    truth.without_triggers("UPDATE accounts_user SET display_name = 'Renée أمل' WHERE id = %s", world.reader2.pk)
    make_session(world.client, world.reader2, title="On patience")
    client = tab(world.client).go("/").live()
    rows, search = client.page.locator("a.session"), client.page.get_by_label("Search people")
    for query, count in [("renee", 1), ("امل", 1), ("PATIENCE ren", 1), ("celtic", 1), ("re", 2), ("nobody", 0)]:
        search.fill(query)
        expect(rows).to_have_count(count)
        if count:
            expect(client.page.locator("samia-session-list > [role=status]")).to_have_text(f"{count} found")
    expect(client.page.locator(".list-pane .empty")).to_contain_text("No name and no title is like that.")
    search.press("Escape")
    expect(search).to_have_value("")
    expect(rows).to_have_count(2)


def test_it_is_said_that_only_what_is_loaded_was_searched(world: World, tab: MakeTab) -> None:
    for _ in range(51):
        make_session(world.client, world.reader2)
    client = tab(world.client).go("/").live()
    search = client.page.get_by_label("Search people")
    expect(client.page.locator(".list-pane")).not_to_contain_text("Only the sessions that are loaded")
    search.fill("celtic")  # the oldest of them: not loaded
    expect(client.page.locator("a.session")).to_have_count(0)
    expect(client.page.locator(".list-pane")).to_contain_text("Only the sessions that are loaded were searched.")
    client.page.get_by_role("button", name="Show more").click()
    expect(client.row("Reader")).to_be_visible()
    expect(client.page.locator(".list-pane")).not_to_contain_text("Only the sessions that are loaded")
