"""Files handed over are kept on the device until they are sent: through a reload, in order, under the same ids, by
one tab; and they go with the session and with whoever signs in."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable

from playwright.sync_api import Route, expect

from tests.browser.files import id_of, kept, payload, picture, row
from tests.browser.tab import Tab
from tests.cast import World, make_session, remove
from tests.database import Truth

MakeTab = Callable[..., Tab]
# A disk that is full.
FULL = """IDBObjectStore.prototype.put = function () {
    this.transaction.abort();
    throw new DOMException("", "QuotaExceededError");
}"""


def test_what_was_handed_over_survives_a_reload(world: World, tab: MakeTab, truth: Truth) -> None:
    client = tab(world.client).open(world.session).expects("ERR_")
    ids: list[str] = []
    reloaded: list[bool] = []
    held: list[Route] = []

    def answer(route: Route) -> None:
        """Nothing arrives before the reload, whenever it is tried again; the first after it is held."""
        if not reloaded:
            ids.append(id_of(route))
            route.abort()
        elif held:
            route.continue_()
        else:
            held.append(route)

    client.page.route("**/upload", answer)
    client.attach(payload("one.jpg", picture()), payload("two.jpg", picture()))
    row(client, "two.jpg").get_by_role("textbox").fill("The second")
    client.button("Send").click()
    for name in ("one.jpg", "two.jpg"):
        expect(row(client, name)).to_contain_text("No connection")
    client.attach(payload("only-chosen.jpg", picture()))
    kept(client, 2)
    client.page.once("framenavigated", lambda _: reloaded.append(True))
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
