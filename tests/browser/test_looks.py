"""How the pages look, and to whom: drawn in both languages, themes and sizes; judged by axe; the first paint is the
live page. The drawings are in tests/artefacts/, for eyes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from playwright.sync_api import expect

from accounts.models import User
from chat.demo import PEOPLE
from samia_chat import actor
from tests.browser.looks import SIZES, in_looks
from tests.browser.tab import DESKTOP, Tab
from tests.cast import as_system, remove, set_state
from tests.database import Truth
from tests.files import picture
from tests.rest import Api

HAS_MODULES = True  # conftest.py
MakeTab = Callable[..., Tab]
ROOT = Path(__file__).resolve().parent.parent.parent
AXE = next((Path(__file__).parent / "vendor").glob("axe-*.js"))
MAX_BYTES = 300_000  # of the drawing in the README
# Nobody looks at the page, so nothing is seen or read while it is compared or drawn.
UNSEEN = "document.hasFocus = () => false"
# What a page shows, line by line: classes, words, marks, waves, pictures with their sizes, files with their addresses.
DESCRIBE = """() => {
    const words = (one) => {
        const walker = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
        let found = "";
        while (walker.nextNode()) found += walker.currentNode.data.replace(/\\s+/g, "");
        return found;
    };
    const told = (one, selector, ...names) =>
        [...one.querySelectorAll(selector)].map((found) => names.map((name) => found.getAttribute(name)).join()).join(";");
    return [...document.querySelectorAll("a.session, .day, .unread-mark, .msg, .thread-who, .banner")].map((line) => {
        const one = line.cloneNode(true);
        for (const hint of one.querySelectorAll(".quote .vh, .presence, .acts, [hidden]")) hint.remove();
        return [
            [...one.classList].sort().join(" "), words(one),
            told(one, "[role=img][class^=st-]", "aria-label"), told(one, ".bars:not(.on) path", "d"),
            told(one, "img", "src", "alt", "width", "height"), told(one, "a.icon-btn", "href", "download", "aria-label"),
            told(one, ".play", "aria-label"), told(one, ".body", "class"),
            told(one, ".voice-row > [role=img]", "class", "aria-label"), told(one, ".bubble use", "href"),
        ];
    });
}"""


@pytest.fixture
def demo(clean: None, truth: Truth) -> dict[str, User]:
    """The demo people and sessions, by login."""
    command = [sys.executable, "manage.py", "demo"]
    subprocess.run(command, cwd=ROOT, env=os.environ, check=True, capture_output=True)
    with actor.acting_as(as_system()), transaction.atomic():
        return {person.login: User.objects.get(email=person.email) for person in PEOPLE}


def session_of(truth: Truth, title: str) -> Any:
    return truth.one("SELECT id FROM chat_sessions WHERE title = %s", title)


def choose(one: Tab, *, theme: str, language: str) -> Tab:
    cookies = {"samia_theme": theme, "samia_language": language}
    one.context.add_cookies([{"name": n, "value": v, "url": one.server.address} for n, v in cookies.items()])
    return one


def axe(one: Tab) -> list[str]:
    """What axe finds: rule, element, words."""
    one.page.evaluate(AXE.read_text())
    result = one.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}"
        for rule in result["violations"]
        for node in rule["nodes"]
    ]


@in_looks("desktop", "phone")
def test_pages_are_drawn_and_axe_finds_nothing(
    language: str, theme: str, size: str, demo: dict[str, User], tab: MakeTab, truth: Truth
) -> None:
    name = f"{size}-{language}-{theme}"
    door = choose(tab(viewport=SIZES[size]), theme=theme, language=language).go("/sign-in")
    door.shoot(f"sign-in-{name}")
    found = axe(door)
    person, other, title = {
        "en": (demo["client"], demo["reader"], "Celtic Cross, 45 minutes"),
        "ar": (demo["reader2"], demo["client2"], "قراءة الفنجان، ٣٠ دقيقة"),
    }[language]
    session = session_of(truth, title)
    there = tab(other).go("/").live()
    one = choose(tab(person, viewport=SIZES[size]), theme=theme, language=language)
    one.page.add_init_script(UNSEEN)
    one.go("/").live()
    expect(one.page.get_by_role("img", name="متصل" if language == "ar" else "Online").first).to_be_visible()
    one.shoot(f"list-{name}")
    found += axe(one)
    one.page.locator(f"a.session[href='/sessions/{session}']").click()
    expect(one.messages).not_to_have_count(0)
    there.page.evaluate(
        "(session) => import('chat/live').then(({ socket }) => socket.send({ type: 'typing_start', session }))",
        str(session),
    )
    expect(one.page.locator(".typing")).to_be_visible()
    one.page.locator(".thread").evaluate("(thread) => (thread.scrollTop = thread.scrollHeight)")
    one.shoot(f"thread-{name}")
    found += axe(one)
    if size == "desktop":
        own = one.page.locator(".msg.own .bubble").last
        own.hover()
        own.locator("xpath=..").get_by_role("button").last.click()
        found += axe(one)
        one.shoot(f"menu-{name}")
    assert not found, "\n".join(found)


def test_the_first_paint_is_the_live_page(demo: dict[str, User], tab: MakeTab, truth: Truth) -> None:
    """What the server paints and what the modules draw is the same, line by line."""
    assert Api(demo["reader"]).change_avatar(picture()).status == 200
    for login, title in [
        ("client", "Celtic Cross, 45 minutes"),
        ("reader2", "قراءة الفنجان، ٣٠ دقيقة"),
        ("monitor", "Three cards, 20 minutes"),
        ("admin", "Celtic Cross, 45 minutes"),
    ]:
        path = f"/sessions/{session_of(truth, title)}"
        painted = tab(demo[login], java_script_enabled=False).go(path)
        live = tab(demo[login])
        live.page.add_init_script(UNSEEN)
        live.page.route_web_socket("**/ws/chat", lambda socket: None)  # nothing comes from there
        live.go(path)
        expect(live.messages).not_to_have_count(0)
        # A page without scripts is read by the driver, which runs in a world of its own.
        assert painted.page.evaluate(DESCRIBE) == live.page.evaluate(DESCRIBE), login


@pytest.mark.drawn
@pytest.mark.parametrize(("size", "theme"), [("desktop", "dark"), ("phone", "light")])
def test_what_is_seldom_seen_is_drawn_too(
    size: str, theme: str, demo: dict[str, User], tab: MakeTab, truth: Truth
) -> None:
    found = []
    session = session_of(truth, "Celtic Cross, 45 minutes")
    client = choose(tab(demo["client"], viewport=SIZES[size]), theme=theme, language="en").open(session)

    def draw(name: str) -> None:
        client.shoot(f"{name}-{size}-{theme}")
        found.extend(axe(client))

    client.say("The Tower, upside down")
    client.sees("The Tower, upside down", tick="Sent").focus()
    client.page.keyboard.press("Enter")
    expect(client.page.get_by_role("menuitem", name="Delete")).to_be_visible()
    draw("state-menu")
    client.page.get_by_role("menuitem", name="Delete").click()
    expect(client.page.locator("dialog")).to_be_visible()
    draw("state-dialog")
    client.page.locator("dialog").get_by_role("button", name="Delete").click()
    expect(client.page.locator(".msg.gone")).to_be_visible()
    client.message("I am here").focus()
    client.page.keyboard.press("Enter")
    client.page.get_by_role("menuitem", name="Reply").click()
    client.box.fill("The Moon is not a warning here. " * 145)
    draw("state-reply")
    client.page.evaluate("import('chat/live').then(({ outbox }) => outbox.sleep())")
    client.say("One more thing")
    client.page.evaluate(
        """async () => {
            const { outbox, sync, socket } = await import("chat/live");
            const { toast } = await import("samia/toasts");
            const [waiting] = outbox.entries.values();
            outbox._keep({ ...waiting, id: "x", content: "https://samia.example/spreads", order: waiting.order + 1,
                           state: "failed", code: "busy" });
            sync._away();
            toast({ icon: "alert", isBad: true, text: "The time to change this message is over." });
        }"""
    )
    expect(client.page.locator(".thread-pane samia-banner .banner")).to_be_visible()
    expect(client.page.locator(".toast")).to_be_visible()
    draw("state-away")
    client.page.evaluate(
        "import('chat/live').then(({ outbox }) => outbox.forgetSession([...outbox.entries.values()][0].session))"
    )
    set_state(session, "lock")
    expect(client.page.locator(".lockbar")).to_be_visible()
    draw("state-locked")
    remove(demo["client"], session)
    expect(client.page.locator(".thread-pane .empty")).to_be_visible()
    draw("state-withdrawn")
    client.expects("404").go("/nowhere")
    draw("state-error")
    assert not found, "\n".join(found)


def test_the_drawing_in_the_readme(demo: dict[str, User], tab: MakeTab, truth: Truth) -> None:
    reader = tab(demo["reader"], viewport=DESKTOP).open(session_of(truth, "Celtic Cross, 45 minutes"))
    client = tab(demo["client"], viewport=DESKTOP).open(session_of(truth, "Celtic Cross, 45 minutes"))
    client.say("Beirut. It was there before you asked.")
    reader.sees("Beirut.")
    reader.say("Then that is where the Star points. Write down why, before you sleep.")
    client.sees("Then that is where the Star points.")
    client.say("I will. Thank you, Noor.")
    client.sees("I will.", tick="Read")
    expect(client.page.get_by_role("img", name="Online").first).to_be_visible()
    reader.box.press_sequentially("Sleep well")
    expect(client.page.locator(".typing")).to_be_visible()
    client.page.locator(".thread").evaluate("(thread) => (thread.scrollTop = thread.scrollHeight)")
    drawing = client.shoot("dashboard")
    assert drawing.stat().st_size <= MAX_BYTES
