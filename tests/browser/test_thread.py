"""A thread with a past: thousands of messages, of which the page draws some, both ways, and nothing jumps."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from accounts.identity import actor_of
from chat.services.message import delete_message, edit_message
from samia_chat import actor
from samia_chat.actor import Actor
from tests.browser.files import picture, put
from tests.browser.looks import IS_FULL
from tests.browser.tab import PHONE, Tab
from tests.browser.thread import (
    HELPERS,
    MOST_CHILDREN,
    MOST_NODES,
    STILL,
    MakeTab,
    fill,
    id_of,
    line,
    opened,
    say,
    scroll_until,
    to_middle,
    walk,
)
from tests.cast import World
from tests.database import Truth

HAS_MODULES = True  # conftest.py
MANY = 3_000


@pytest.mark.parametrize(("language", "size"), [("en", None), ("ar", PHONE)])
def test_from_the_last_to_the_first_and_back(
    language: str, size: dict[str, int] | None, world: World, tab: MakeTab, truth: Truth
) -> None:
    truth.without_triggers("UPDATE accounts_user SET language = %s WHERE id = %s", language, world.client.pk)
    longest = MANY if IS_FULL else 1_500  # test_long_thread.py goes farther
    many = 1_000 if size else longest
    fill(truth, world, many)
    client = opened(tab, world.client, world.session, **({"viewport": size} if size else {}))
    expect(line(client, many)).to_be_in_viewport()
    for step, to in ((-400, 1), (400, many)):
        found = walk(client, step=step, to=to)
        assert found["isOrdered"]
        assert found["worst"] < STILL, (found["worst"], found["at"])
        assert found["nodes"] <= MOST_NODES, found["nodes"]
        assert found["children"] <= MOST_CHILDREN, found["children"]
        assert found["seen"] == list(range(1, many + 1)), (step, len(found["seen"]))
    expect(client.page.locator(".is-away")).to_have_count(0)
    # What is far away is forgotten: the page does not grow with what was read.
    loaded = client.page.evaluate("import('chat/live').then(({ store }) => store.list()[0].messages.size)")
    assert loaded < 1_200, loaded


def test_a_quote_leads_far_up_and_the_button_back(world: World, tab: MakeTab, truth: Truth) -> None:
    fill(truth, world, MANY)
    say(world.reader, world.session, "do you remember?", reply_to=id_of(truth, 1_000))
    client = opened(tab, world.client, world.session)
    pages: list[str] = []
    client.page.on("request", lambda request: "/messages?" in request.url and pages.append(request.url))
    client.sees("do you remember?").locator(".quote").click()
    expect(line(client, 1_000)).to_be_in_viewport()
    expect(line(client, 1_000)).to_contain_text("line 1000.")
    assert 1 <= len(pages) <= 3, pages  # around it, and what is before and after; not forty
    assert "around=" in pages[0]
    found = walk(client, step=400, to=1_200)
    assert (found["isOrdered"], found["worst"] < STILL) == (True, True)
    assert found["seen"][-1] - found["seen"][0] == len(found["seen"]) - 1
    client.button("Jump to latest").click()
    expect(client.message("do you remember?")).to_be_in_viewport()
    expect(client.page.locator(".is-away")).to_have_count(0)


def test_what_comes_while_one_is_elsewhere_is_counted_and_there_on_return(
    world: World, tab: MakeTab, truth: Truth
) -> None:
    fill(truth, world, MANY)
    client = opened(tab, world.client, world.session)
    to_middle(client, truth, 500)
    say(world.reader, world.session, "one more")
    say(world.reader, world.session, "and another")
    jump = client.page.get_by_role("button", name="Jump to latest, 2 new")
    expect(jump).to_be_visible()
    expect(client.message("one more")).to_have_count(0)
    expect(line(client, 500)).to_be_in_viewport()
    jump.click()
    expect(client.message("and another")).to_be_in_viewport()
    client.sees("one more")
    expect(jump).to_have_count(0)
    # And what is read again is the end: what comes now is drawn at once.
    say(world.reader, world.session, "here")
    expect(client.message("here")).to_be_in_viewport()


def test_who_writes_while_elsewhere_returns_to_the_end(world: World, tab: MakeTab, truth: Truth) -> None:
    fill(truth, world, MANY)
    client = opened(tab, world.client, world.session)
    to_middle(client, truth, 500)
    client.say("back again")
    expect(client.message("back again")).to_be_in_viewport()
    client.sees("back again", tick="Sent")
    expect(line(client, MANY)).to_be_in_viewport()


def test_the_message_a_quote_leads_to_is_gone(world: World, tab: MakeTab, truth: Truth) -> None:
    fill(truth, world, 200)
    client = opened(tab, world.client, world.session).expects("404")
    client.page.evaluate("document.querySelector('samia-thread')._jumps.to(crypto.randomUUID())")
    expect(client.page.locator(".toast")).to_contain_text("That message is no longer here.")
    with actor.acting_as(actor_of(world.admin, Actor())):
        delete_message(by=world.admin, message_id=id_of(truth, 20))
    to_middle(client, truth, 20)
    expect(line(client, 20)).to_contain_text("This message was deleted")


def test_when_a_page_does_not_come_a_button_asks_again(world: World, tab: MakeTab, truth: Truth) -> None:
    fill(truth, world, 400)
    client = opened(tab, world.client, world.session).expects("ERR_FAILED")
    to_middle(client, truth, 150)
    client.page.route("**/messages?after=*", lambda route: route.abort())
    again = client.button("Load newer messages")
    scroll_until(client, again, 5_000)
    client.page.unroute("**/messages?after=*")
    again.click()
    expect(again).to_have_count(0)
    assert walk(client, step=400, to=400)["isOrdered"]


@pytest.mark.parametrize("unread", [12, 20])
def test_the_mark_of_what_is_new(unread: int, world: World, tab: MakeTab, truth: Truth) -> None:
    fill(truth, world, MANY, unread=unread)
    client = opened(tab, world.client, world.session)
    mark = client.page.locator(".unread-mark")
    expect(mark).to_be_in_viewport()
    expect(mark).to_have_text(f"{unread} new messages")
    following = mark.evaluate("(mark) => mark.nextElementSibling.dataset.seq")
    assert int(following) == MANY - unread + 1
    walk(client, step=-400, to=MANY - 200)
    expect(mark).to_have_count(0)
    walk(client, step=400, to=MANY)
    following = mark.evaluate("(mark) => mark.nextElementSibling.dataset.seq")
    assert int(following) == MANY - unread + 1


def test_many_new_ones_begin_where_they_begin(world: World, tab: MakeTab, truth: Truth) -> None:
    """From the address, and chosen in the list."""
    unread = 130
    fill(truth, world, MANY, unread=unread)
    client = opened(tab, world.client, world.session)
    mark = client.page.locator(".unread-mark")
    for _ in range(2):
        expect(mark).to_be_in_viewport()
        expect(mark).to_have_text(f"{unread} new messages")
        around = mark.evaluate(
            "(mark) => [mark.previousElementSibling, mark.nextElementSibling].map((one) => one.dataset.seq)"
        )
        assert around == [str(MANY - unread), str(MANY - unread + 1)]
        expect(client.page.locator(".jump")).to_be_visible()
        client.go("/").live()
        client.page.locator("a.session").click()
    client.page.locator(".jump").click()
    expect(line(client, MANY)).to_be_in_viewport()


# Nothing moves ------------------------------------------------------------------------------------------------------------


def test_nothing_moves_when_what_is_above_changes(world: World, tab: MakeTab, truth: Truth) -> None:
    fill(truth, world, MANY)
    client = opened(tab, world.client, world.session)
    to_middle(client, truth, 1_500)
    long = "more of it.\n\n" * 20
    with actor.acting_as(actor_of(world.admin, Actor())):
        work = "() => { document.querySelector('[data-seq=\"1480\"]').style.minBlockSize = '400px'; }"
        assert client.page.evaluate(f"watched({work})") < STILL
        before = client.page.evaluate("[...inSight()]")
        edit_message(by=world.admin, message_id=id_of(truth, 1_478), content=long)
        expect(line(client, 1_478)).to_contain_text("more of it.")
        delete_message(by=world.admin, message_id=id_of(truth, 1_479))
        expect(line(client, 1_479)).to_contain_text("This message was deleted")
    client.page.evaluate("painted().then(painted)")
    after = dict(client.page.evaluate("[...inSight()]"))
    assert max(abs(after[seq] - top) for seq, top in before if seq in after) < STILL


def test_nothing_moves_when_a_picture_above_comes(world: World, tab: MakeTab, truth: Truth) -> None:
    put(world.reader, world.session, picture((1200, 1600)), "late.jpg", caption="Look")
    fill(truth, world, 40, first=1)
    client = tab(world.client)
    client.page.add_init_script(HELPERS)
    held: list[Any] = []
    client.page.route("**/api/chat/files/*", lambda route: held.append(route))
    client.open(world.session)
    client.page.evaluate("document.querySelector('.thread').scrollTop = 700")
    client.page.evaluate("painted().then(painted)")
    before = client.page.evaluate("[...inSight()]")
    for route in held:
        route.continue_()
    expect(client.page.locator(".shot img")).to_have_js_property("complete", value=True)
    client.page.evaluate("painted().then(painted)")
    assert client.page.evaluate("[...inSight()]") == before


def test_the_place_is_kept_when_the_window_changes(world: World, tab: MakeTab, truth: Truth) -> None:
    fill(truth, world, MANY)
    client = opened(tab, world.client, world.session)
    to_middle(client, truth, 1_500)
    first = client.page.evaluate("[...inSight().keys()][0]")
    before = client.page.evaluate("[...inSight().values()][0]")
    client.page.set_viewport_size({"width": 760, "height": 700})
    client.page.evaluate("painted().then(painted)")
    after = client.page.evaluate("[...inSight()][0]")
    assert after[0] == first
    assert abs(after[1] - before) < STILL
    client.button("Jump to latest").click()
    expect(line(client, MANY)).to_be_in_viewport()
    client.page.set_viewport_size({"width": 1200, "height": 500})
    expect(line(client, MANY)).to_be_in_viewport(ratio=1)


def test_what_a_button_opens_opens_downwards(world: World, tab: MakeTab, truth: Truth) -> None:
    """Also at the end of the thread, where otherwise the last message stays in sight."""
    fill(truth, world, 100)
    client = opened(tab, world.client, world.session)
    before = line(client, 98).bounding_box()
    client.page.evaluate(
        """() => {
            const message = document.querySelector("[data-seq='98']");
            const button = message.appendChild(document.createElement("button"));
            button.setAttribute("aria-expanded", "false");
            button.onclick = () => (message.style.minBlockSize = "500px");
            button.click();
        }"""
    )
    client.page.evaluate("painted().then(painted)")
    after = line(client, 98).bounding_box()
    assert before is not None
    assert after is not None
    assert after["height"] >= 500
    assert abs(after["y"] - before["y"]) < STILL
    say(world.reader, world.session, "below")  # nobody is at the end any more
    expect(client.page.get_by_role("button", name=re.compile("Jump to latest, 1 new"))).to_be_visible()


# By keyboard --------------------------------------------------------------------------------------------------------------


def focused(one: Tab) -> int:
    return int(one.page.evaluate("document.activeElement.dataset.seq ?? 0"))


def step(one: Tab, key: str, seq: int) -> None:
    """One message further, as soon as its page is there."""
    was = focused(one)
    expect(line(one, seq)).to_have_count(1)
    assert focused(one) == was
    one.page.keyboard.press(key)
    assert focused(one) == seq


def test_arrows_lead_from_message_to_message_beyond_what_is_drawn(world: World, tab: MakeTab, truth: Truth) -> None:
    fill(truth, world, 600)
    client = opened(tab, world.client, world.session)
    line(client, 600).focus()
    top, bottom = (400, 121) if IS_FULL else (480, 81)  # two pages up, and more than is drawn both ways
    for seq in range(599, top - 1, -1):
        step(client, "ArrowUp", seq)
    expect(line(client, top)).to_be_in_viewport(ratio=0.9)
    client.page.keyboard.press("End")
    expect(line(client, 600)).to_be_focused()
    expect(line(client, 600)).to_be_in_viewport()
    client.page.keyboard.press("Home")
    expect(line(client, 1)).to_be_focused()
    expect(line(client, 1)).to_be_in_viewport()
    for seq in range(2, bottom + 1):
        step(client, "ArrowDown", seq)
    client.page.keyboard.press("End")
    expect(line(client, 600)).to_be_focused()
    assert client.page.locator("samia-message").count() <= MOST_NODES


def test_the_focus_is_not_lost_with_a_message_that_is_drawn_no_more(world: World, tab: MakeTab, truth: Truth) -> None:
    fill(truth, world, 600)
    client = opened(tab, world.client, world.session)
    line(client, 600).focus()
    walk(client, step=-400, to=350)
    expect(line(client, 600)).to_have_count(0)
    expect(client.page.locator(".thread")).to_be_focused()
    client.page.keyboard.press("ArrowUp")
    client.page.wait_for_function("inSight().has(Number(document.activeElement.dataset.seq))")
    stops = client.page.locator("samia-message[tabindex='0']")
    expect(stops).to_have_count(1)
    expect(stops).to_be_in_viewport()


def test_what_is_heard_stays_in_the_page(world: World, tab: MakeTab, truth: Truth) -> None:
    fill(truth, world, 600)
    client = opened(tab, world.client, world.session)
    client.page.evaluate(
        """() => {
            window.heard = document.querySelector("[data-seq='590']");
            heard.firstElementChild.dispatchEvent(new CustomEvent("samia:played", { bubbles: true }));
        }"""
    )
    walk(client, step=-400, to=300)
    assert client.page.evaluate("heard.isConnected && heard.hidden")
    walk(client, step=400, to=600)
    assert client.page.evaluate("heard.isConnected && !heard.hidden && heard.dataset.seq === '590'")
    expect(line(client, 590)).to_have_count(1)


# What it looks like -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", ["desktop", "phone"])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_in_the_midst_of_a_long_thread(language: str, size: str, world: World, tab: MakeTab, truth: Truth) -> None:
    truth.without_triggers("UPDATE accounts_user SET language = %s WHERE id = %s", language, world.client.pk)
    fill(truth, world, MANY, unread=12)
    client = opened(tab, world.client, world.session, **({"viewport": PHONE} if size == "phone" else {}))
    to_middle(client, truth, 1_500)
    say(world.reader, world.session, "meanwhile")
    expect(client.page.locator(".jump .badge")).to_be_visible()
    client.shoot(f"long-thread-{size}-{language}")
    client.page.locator(".jump").click()
    expect(client.message("meanwhile")).to_be_in_viewport()
    client.shoot(f"long-thread-end-{size}-{language}")
