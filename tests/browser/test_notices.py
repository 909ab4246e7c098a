"""What is said of messages that come while one looks elsewhere: once, in one tab."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.tab import Tab
from tests.cast import World, make_session

HAS_MODULES = True  # conftest.py
MakeTab = Callable[..., Tab]
RECORD_NOTICES = """
window.told = [];
window.Notification = class { constructor(title, options) { window.told.push([title, options.body]); } };
window.Notification.permission = "granted";
window.Notification.requestPermission = async () => "granted";
"""
HIDE = """() => {
  Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
  document.hasFocus = () => false;
}"""
WANT_NOTICES = "import('chat/preferences').then(({ preferences }) => preferences.set('notices', true))"


def icon(page: Page) -> str:
    return page.locator("link[rel=icon]").get_attribute("href") or ""


def test_a_message_in_another_session_is_told_in_one_tab_and_leads_there(world: World, tab: MakeTab) -> None:
    other = make_session(world.client, world.reader2, title="Second")
    client = tab(world.client).open(world.session)
    behind = client.another_page()
    behind.goto(f"/sessions/{world.session}")
    expect(behind.locator("samia-thread")).to_be_attached()
    client.page.bring_to_front()
    client.page.evaluate("window.dispatchEvent(new Event('focus'))")
    reader = tab(world.reader2).open(other)
    reader.say("are you there?")
    toast = client.page.locator(".toast")
    expect(toast).to_contain_text("Reader2: are you there?")
    expect(behind.locator(".toast")).to_have_count(0)
    assert icon(client.page).endswith("icon-unread.svg")
    toast.get_by_role("button", name="Open").click()
    expect(client.page).to_have_url(f"{client.server.address}/sessions/{other}")
    expect(client.page.locator("samia-message .body")).to_have_count(1)


def test_what_is_in_front_is_not_told(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session)
    reader = tab(world.reader).open(world.session)
    client.page.bring_to_front()
    reader.say("hello")
    client.sees("hello")
    expect(client.page.locator(".toast")).to_have_count(0)


def test_behind_other_windows_the_browser_tells_it_if_that_is_wanted(world: World, tab: MakeTab) -> None:
    client = tab(world.client)
    client.page.add_init_script(RECORD_NOTICES)
    client.open(world.session)
    reader = tab(world.reader).open(world.session)
    client.page.evaluate(HIDE)
    reader.say("not wanted yet")
    client.sees("not wanted yet")
    assert client.page.evaluate("told") == []
    client.page.evaluate(WANT_NOTICES)
    reader.say("look here")
    # Not by wait_for_function: what it asks a second time is eval to the policy.
    client.page.evaluate("new Promise((done) => setInterval(() => told.length && done(null), 20))")
    assert client.page.evaluate("told") == [["Reader", "look here"]]


def test_a_muted_session_is_silent(world: World, tab: MakeTab) -> None:
    other = make_session(world.client, world.reader2, title="Second")
    client = tab(world.client).open(world.session)
    reader = tab(world.reader2).open(other)
    client.page.evaluate(
        "id => import('chat/live').then(({ store }) => { store.get(id).mine.muted_until = '2999-01-01T00:00:00Z' })",
        str(other),
    )
    reader.say("psst")
    expect(client.page.locator(f'a[href="/sessions/{other}"]')).to_contain_text("psst")
    expect(client.page.locator(".toast")).to_have_count(0)
