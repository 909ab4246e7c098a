"""A thread of 100,000 messages, as long as they get: its ends, its middle, and what stays in the page of what was passed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from playwright.sync_api import CDPSession, Request, Route, expect

from tests.browser.looks import IS_FULL
from tests.browser.tab import Tab
from tests.browser.thread import (
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
MANY = 100_000
MIDDLE = MANY // 2
FAR = 4_000  # messages that somebody scrolls past, and back
MOST_HELD = 1_200  # of the thread in memory: those in sight, 300 on both sides, and a page or two
HEAP_PER_MESSAGE = 250  # bytes; one that is kept takes more than 500, without its line and its element

HELPERS = """
/** Milliseconds from the next key to the paint in which a message is in sight. */
window.sinceKey = (seq) => {
  window.arrived = new Promise((done) => {
    const wait = async ({ timeStamp }) => {
      for (let frame = 0; frame < 600 && !inSight().has(seq); frame += 1) await painted();
      done(performance.now() - timeStamp);
    };
    addEventListener("keydown", wait, { capture: true, once: true });
  });
};
/** Scroll a step in each frame until a message is drawn. */
window.sprint = async ({ step, to }) => {
  const thread = document.querySelector(".thread");
  for (let frame = 0; !document.querySelector(`samia-message[data-seq="${to}"]`); frame += 1) {
    if (frame > 5_000) throw new Error(`${to} does not come`);
    thread.scrollTop += step;
    await new Promise(requestAnimationFrame);
  }
};
"""


@dataclass(frozen=True)
class Memory:
    """What a page holds after everything was let go that can be."""

    heap: int  # bytes of JavaScript
    nodes: int  # of the document, and those that something still refers to
    messages: int  # in the store


def memory_of(one: Tab, wire: CDPSession) -> Memory:
    for _ in range(2):  # what the first frees may hold something of the page, which the second frees
        wire.send("HeapProfiler.collectGarbage")
    return Memory(
        heap=wire.send("Runtime.getHeapUsage")["usedSize"],
        nodes=wire.send("Memory.getDOMCounters")["nodes"],
        messages=one.page.evaluate("import('chat/live').then(({ store }) => store.list()[0].messages.size)"),
    )


def in_long_thread(world: World, tab: MakeTab, truth: Truth, *, quotes: int | None = None) -> Tab:
    """The client in the long thread, at its end. With `quotes` one message more, which answers the one with this number."""
    fill(truth, world, MANY)
    if quotes:
        say(world.reader, world.session, "do you remember?", reply_to=id_of(truth, quotes))
    client = opened(tab, world.client, world.session)
    client.page.evaluate(f"() => {{{HELPERS}}}")
    expect(line(client, MANY)).to_be_in_viewport()
    return client


def pages_of(one: Tab) -> list[str]:
    """The addresses of pages of messages that are asked for from now on."""
    found: list[str] = []

    def note(request: Request) -> None:
        if "/messages?" in request.url or request.url.endswith("/messages"):
            found.append(request.url)

    one.page.on("request", note)
    return found


def press(one: Tab, key: str, seq: int) -> float:
    """Milliseconds from the key until that message is in sight."""
    one.page.evaluate("(seq) => sinceKey(seq)", seq)
    one.page.keyboard.press(key)
    expect(line(one, seq)).to_be_in_viewport()
    found: float = one.page.evaluate("arrived")
    return found


def test_its_ends_and_a_quote_from_its_middle(
    world: World, tab: MakeTab, truth: Truth, capsys: pytest.CaptureFixture[str]
) -> None:
    client = in_long_thread(world, tab, truth, quotes=MIDDLE)
    pages = pages_of(client)
    client.page.locator(".thread").focus()
    took = [(key, press(client, key, seq)) for _ in range(3) for key, seq in (("Home", 1), ("End", MANY + 1))]
    with capsys.disabled():
        print("\n" + ", ".join(f"{key} {milliseconds:.0f} ms" for key, milliseconds in took), end=" ")
    assert len(pages) == len(took), pages
    expect(client.page.locator(".is-away")).to_have_count(0)
    pages.clear()
    client.sees("do you remember?").locator(".quote").click()
    expect(line(client, MIDDLE)).to_be_in_viewport()
    expect(line(client, MIDDLE)).to_contain_text(f"line {MIDDLE}.")
    assert 1 <= len(pages) <= 3, pages
    client.button("Jump to latest").click()
    expect(client.message("do you remember?")).to_be_in_viewport()
    assert 0 < client.page.evaluate("mostNodes") <= MOST_NODES


def test_nothing_moves_while_one_scrolls_in_its_middle(world: World, tab: MakeTab, truth: Truth) -> None:
    """Pages come before and after, and lines are dropped on both sides; all that one sees moves as far as one scrolls."""
    client = in_long_thread(world, tab, truth)
    to_middle(client, truth, MIDDLE)
    pages = pages_of(client)
    for step, to in ((-300, MIDDLE - 120), (500, MIDDLE + 150), (-700, MIDDLE)):
        found = walk(client, step=step, to=to)
        assert found["isOrdered"]
        assert found["worst"] < STILL, (found["worst"], found["at"])
        assert found["nodes"] <= MOST_NODES
        assert found["children"] <= MOST_CHILDREN
        assert found["seen"] == list(range(found["seen"][0], found["seen"][-1] + 1))
    assert sum("before=" in one for one in pages) >= 3, pages
    assert sum("after=" in one for one in pages) >= 3, pages


@pytest.mark.parametrize(("edge", "page"), [(-10_000, "before"), (10_000, "after")])
def test_nothing_moves_for_one_who_waits_for_a_page(
    edge: int, page: str, world: World, tab: MakeTab, truth: Truth
) -> None:
    """At the very first line that is held, or the very last: there is nothing to scroll there until it comes."""
    client = in_long_thread(world, tab, truth)
    to_middle(client, truth, MIDDLE)
    held: list[Route] = []  # the first alone
    client.page.route(f"**/messages?{page}=*", lambda route: route.continue_() if held else held.append(route))
    loading = client.page.get_by_text("Loading older messages" if edge < 0 else "Loading newer messages")
    scroll_until(client, loading, edge)
    expect(loading).to_be_in_viewport()
    assert len(held) == 1
    before: list[list[float]] = client.page.evaluate("[...inSight()]")
    assert len(before) > 5
    client.page.evaluate("() => { window.watching = watched(() => {}, 60); }")
    held[0].continue_()
    assert client.page.evaluate("watching") < STILL
    after = dict(client.page.evaluate("[...inSight()]"))
    assert [seq for seq, top in before if seq not in after or abs(after[seq] - top) >= STILL] == []
    beyond = before[0][0] - 20 if edge < 0 else before[-1][0] + 20
    expect(line(client, int(beyond))).to_have_count(1)  # it has come


@pytest.mark.skipif(not IS_FULL, reason="only with --full")
@pytest.mark.timeout(300)
def test_what_was_passed_is_let_go(world: World, tab: MakeTab, truth: Truth) -> None:
    client = in_long_thread(world, tab, truth)
    wire = client.context.new_cdp_session(client.page)
    to_middle(client, truth, MIDDLE)

    def there_and_back(far: int) -> Memory:
        for step, to in ((-1_000, MIDDLE - far), (1_000, MIDDLE)):
            client.page.evaluate("(how) => sprint(how)", {"step": step, "to": to})
        return memory_of(client, wire)

    before = there_and_back(FAR // 8)  # from then on the page has all that it ever needs
    after = there_and_back(FAR)
    assert client.page.evaluate("mostNodes") <= MOST_NODES
    assert after.messages <= MOST_HELD
    assert after.nodes < before.nodes + FAR // 4, (before, after)
    assert after.heap < before.heap + FAR * HEAP_PER_MESSAGE, (before, after)
