"""The page as an app on a device: the shell that is kept, the page that says one is offline, a new version."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from tests.browser.tab import SERVER_AWAY, Tab
from tests.browser.test_connection import wait_until
from tests.browser.test_looks import choose
from tests.browser.test_talk import set_language
from tests.cast import World
from tests.database import Truth

MakeTab = Callable[..., Tab]
# Evaluated and not waited for: wait_for_function takes a promise, whatever comes of it, for yes.
READY = """navigator.serviceWorker.ready.then(({ active }) => active.state === "activated" ||
    new Promise((done) => active.addEventListener("statechange", () => active.state === "activated" && done(true))))"""
KEPT_LANGUAGE = "caches.match('/offline').then((page) => page.headers.get('Content-Language'))"


def go_offline(one: Tab) -> None:
    """The worker is a process of its own, and hears of it a moment after the page."""
    one.context.set_offline(True)
    (worker,) = one.context.service_workers
    wait_until(one, lambda: worker.evaluate("fetch('/healthz').then(() => false, () => true)"))


def test_without_a_connection_there_is_a_page_that_says_so_and_comes_back(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session).expects(SERVER_AWAY)
    client.page.evaluate(READY)
    go_offline(client)
    client.page.reload()
    expect(client.page.locator("h1")).to_have_text("You are offline")
    client.context.set_offline(False)
    expect(client.page.locator("samia-thread")).to_be_attached()
    assert client.page.url.endswith(str(world.session))


def test_when_the_server_was_away_the_page_comes_back_with_it(world: World, tab: MakeTab) -> None:
    """The browser is online all the while, so nothing but asking tells the page."""
    client = tab(world.client).open(world.session).expects(SERVER_AWAY)
    client.page.evaluate(READY)
    client.server.stop()
    client.page.reload()
    expect(client.page.locator("h1")).to_have_text("You are offline")
    client.server.start()
    client.live()
    assert client.page.url.endswith(str(world.session))


def test_being_offline_is_said_in_the_language_chosen_last(world: World, tab: MakeTab, truth: Truth) -> None:
    client = tab(world.client).open(world.session).expects(SERVER_AWAY)
    client.page.evaluate(READY)
    set_language(truth, world.client, language="ar")
    choose(client, theme="dark", language="ar").open(world.session)
    deadline = time.monotonic() + 5
    while client.page.evaluate(KEPT_LANGUAGE) != "ar":
        assert time.monotonic() < deadline
        client.page.wait_for_timeout(50)
    client.server.stop()  # the browser's own switch is not always thrown for a worker that has just started
    client.page.reload()
    expect(client.page.locator("h1")).to_have_text("أنت غير متصل")
    assert client.page.locator("html").get_attribute("dir") == "rtl"


def test_nothing_of_anybody_is_kept(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session)
    client.say("hello")
    client.page.evaluate(READY)
    kept: list[str] = client.page.evaluate(
        "async () => { const found = []; for (const name of await caches.keys())"
        " for (const request of await (await caches.open(name)).keys()) found.push(new URL(request.url).pathname); return found }"
    )
    assert "/offline" in kept
    assert any(re.search(r"/bundles/dashboard\.\w+\.js$", path) for path in kept)
    assert [path for path in kept if not re.match(r"^(/static/|/offline$)", path)] == []


def test_the_worker_is_one_text_for_one_version(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session)
    answers: list[Any] = [client.page.request.get(f"{client.server.address}/worker.js") for _ in range(2)]
    assert answers[0].text() == answers[1].text()
    assert answers[0].headers["cache-control"] == "no-cache"
    assert answers[0].headers["content-type"].startswith("text/javascript")


def test_a_new_version_is_offered_and_taken_when_it_is_wanted(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session)
    client.page.evaluate(READY)
    client.page.reload()
    client.live()
    # Another address is another version to the browser, and the server does not look at the query.
    client.page.evaluate("() => navigator.serviceWorker.register('/worker.js?newer').then(() => null)")
    expect(client.page.locator(".toast")).to_contain_text("There is a new version.", timeout=20_000)
    with client.page.expect_navigation():
        client.page.get_by_role("button", name="Reload").click()
    client.live()
