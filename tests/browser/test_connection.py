"""What happens when the connection, the server, or the right to be there goes away."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from accounts.identity import actor_of
from accounts.services.sign_in import end_login
from samia_chat import actor
from samia_chat.actor import Actor
from tests.browser.tab import SERVER_AWAY, Tab
from tests.browser.test_talk import send
from tests.cast import World, make_session, remove
from tests.database import Truth
from tests.server import Server

MakeTab = Callable[..., Tab]


def level(*tabs: Tab) -> list[str]:
    """Wait until all hold the same messages, each once, in the server's order; their texts."""
    for one in tabs:
        one.live()
        expect(one.page.locator(".msg .st-sending")).to_have_count(0)
    texts = [text.strip() for text in tabs[0].texts()]
    for one in tabs:
        expect(one.page.locator("samia-message .body")).to_have_count(len(texts))
        assert [text.strip() for text in one.texts()] == texts
    assert len(set(texts)) == len(texts)
    return texts


def test_offline_for_a_while_and_level_again(world: World, tab: MakeTab, truth: Truth) -> None:
    client = tab(world.client).open(world.session).expects(SERVER_AWAY)
    reader = tab(world.reader).open(world.session)
    client.say("before")
    reader.sees("before")
    client.context.set_offline(True)
    client.say("mine 1")
    client.say("mine 2")
    reader.say("yours 1")
    expect(client.message("mine 2").locator(".meta [role=img]")).to_have_attribute("aria-label", "Sending")
    expect(client.page.locator(".thread-pane samia-banner .banner")).to_contain_text(
        re.compile("You are offline. 2 messages are waiting."), timeout=20_000
    )
    reader.say("yours 2")
    reader.act("yours 1", "Delete")
    reader.page.locator("dialog").get_by_role("button", name="Delete").click()
    client.context.set_offline(False)
    texts = level(client, reader)
    assert texts == ["before", "yours 2", "mine 1", "mine 2"]
    expect(client.page.locator(".msg.gone")).to_have_count(1)
    expect(client.page.locator(".banner")).to_have_count(0)
    stored = truth.rows("SELECT seq FROM chat_messages ORDER BY seq")
    assert [row["seq"] for row in stored] == [1, 2, 3, 4, 5]


def test_the_server_restarts_and_the_talk_goes_on(world: World, tab: MakeTab, server: Server, truth: Truth) -> None:
    client = tab(world.client).open(world.session).expects(SERVER_AWAY)
    reader = tab(world.reader).open(world.session).expects(SERVER_AWAY)
    client.say("before")
    reader.sees("before")
    server.stop()
    client.say("while it was away")
    reader.say("here as well")
    expect(client.page.locator(".thread-pane samia-banner .banner")).to_contain_text(
        "Reconnecting… 1 message is waiting."
    )
    server.start()
    for one in (client, reader):
        one.page.get_by_role("button", name="Try now").click()
    texts = level(client, reader)
    assert sorted(texts) == ["before", "here as well", "while it was away"]
    client.say("after")
    reader.sees("after")
    client.sees("after", tick="Read")
    assert truth.one("SELECT count(*) FROM chat_messages") == 4


def test_a_server_killed_in_the_middle_loses_and_doubles_nothing(
    world: World, tab: MakeTab, server: Server, truth: Truth
) -> None:
    client = tab(world.client).open(world.session).expects(SERVER_AWAY)
    reader = tab(world.reader).open(world.session).expects(SERVER_AWAY)
    for number in range(12):
        client.say(f"word {number}.")
        if number == 6:
            server.kill()
    server.start()
    for one in (client, reader):
        one.live()
    assert level(client, reader) == [f"word {number}." for number in range(12)]
    assert truth.one("SELECT count(*) FROM chat_messages") == 12


def test_unsent_messages_survive_a_reload(world: World, tab: MakeTab, truth: Truth) -> None:
    client, reader = tab(world.client).open(world.session), tab(world.reader).open(world.session)
    # The page's socket is held back, so that the message waits; then the page is loaded anew.
    client.page.evaluate("import('chat/live').then(({ outbox }) => outbox.sleep())")
    client.say("kept")
    expect(client.message("kept").locator(".meta [role=img]")).to_have_attribute("aria-label", "Sending")
    client.page.reload()
    reader.sees("kept")
    client.sees("kept", tick="Read")
    assert truth.one("SELECT count(*) FROM chat_messages") == 1


def test_a_reload_keeps_the_conversation(world: World, tab: MakeTab) -> None:
    send(world.reader, world.session, "one", "two")
    client = tab(world.client).open(world.session)
    client.say("three")
    client.sees("three", tick="Sent")
    client.page.reload()
    client.live()
    assert [text.strip() for text in client.texts()] == ["one", "two", "three"]


def test_frames_that_are_lost_are_missed(world: World, tab: MakeTab) -> None:
    client, reader = tab(world.client).open(world.session), tab(world.reader).open(world.session)
    # A page that hears only every third message: the gap before it tells what was missed.
    client.page.evaluate(
        """async () => {
            const { socket } = await import("chat/live");
            const hear = socket._hear.bind(socket);
            let count = 0;
            socket._socket.onmessage = (event) => {
                const frame = JSON.parse(event.data);
                if (frame.type !== "new_message" || count++ % 3 === 2) hear(frame);
            };
        }"""
    )
    for number in range(9):
        reader.say(f"word {number}.")
    client.sees("word 8.")
    assert level(client, reader) == [f"word {number}." for number in range(9)]


def test_removed_while_reading(world: World, tab: MakeTab) -> None:
    together = make_session(world.client, world.reader, world.reader2, title="Together")
    other = make_session(world.client, world.reader, world.reader2, title="Another")
    client = tab(world.client).open(together)
    client.say("a secret")
    client.box.fill("a draft")
    remove(world.client, together)
    expect(client.page.locator(".thread-pane .empty")).to_contain_text("You no longer take part in this session")
    expect(client.page.locator(f"a[href='/sessions/{together}']")).to_have_count(0)
    assert "a secret" not in client.page.content()
    assert client.page.evaluate("JSON.stringify(localStorage)") == "{}"
    client.page.get_by_role("link", name="Back to chats").first.click()
    expect(client.page).to_have_url(re.compile("/$"))
    remove(world.client, other)
    expect(client.page.locator(".toast")).to_contain_text(
        "You no longer take part in the session with Reader · Reader2."
    )


def test_added_to_a_session(world: World, tab: MakeTab) -> None:
    client = tab(world.client).go("/").live()
    expect(client.page.locator("a.session")).to_have_count(1)
    session = make_session(world.client, world.reader2)
    expect(client.row("Reader2")).to_have_count(1)
    send(world.reader2, session, "welcome")
    expect(client.row("Reader2").locator(".badge")).to_contain_text("1")
    client.row("Reader2").click()
    client.sees("welcome")


def test_signed_out_elsewhere(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session)
    client.say("a secret")
    client.sees("a secret", tick="Sent")
    client.box.fill("a draft")
    with actor.acting_as(actor_of(world.client, Actor())):
        end_login(user=world.client, login_id=client.login_id)
    expect(client.page).to_have_url(re.compile(rf"/sign-in\?next=%2Fsessions%2F{world.session}$"))
    assert "a secret" not in client.page.content()
    assert client.page.evaluate("JSON.stringify(localStorage)") == "{}"


def test_signing_out_closes_the_other_tab(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session)
    second = client.another_page()
    second.goto("/")
    client.box.fill("a draft")
    client.page.get_by_role("button", name="Sign out").click()
    for page in (client.page, second):
        expect(page).to_have_url(re.compile("/sign-in"))
    assert client.page.evaluate("JSON.stringify(localStorage)") == "{}"
    client.page.go_back()
    expect(client.page).to_have_url(re.compile("/sign-in"))
