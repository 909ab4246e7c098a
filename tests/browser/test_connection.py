"""What happens when the connection, the server, or the right to be there goes away."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

import pytest
from django.db import connection, transaction
from playwright.sync_api import APIResponse, Error, Route, expect

from accounts.identity import actor_of
from accounts.models import User
from accounts.services.sign_in import end_login
from chat.services.participant import add_participant
from samia_chat import actor
from samia_chat.actor import Actor
from tests.browser.tab import SERVER_AWAY, Tab
from tests.browser.test_talk import send, set_language
from tests.cast import World, as_system, make_session, remove, set_state
from tests.database import Truth
from tests.server import Server

HAS_MODULES = True  # conftest.py
MakeTab = Callable[..., Tab]
HOLD_BACK = "import('chat/live').then(({ outbox }) => outbox.sleep())"
COME_BACK = "import('chat/live').then(({ socket }) => socket._lose())"  # as after an absence that was noticed late
GO_AWAY = "import('chat/live').then(({ socket }) => socket._drop('waiting'))"
HURRY = "import('chat/live').then(({ socket }) => socket.hurry())"


def level(*tabs: Tab) -> list[str]:
    """Wait until all hold the same messages, each once, in the server's order; their texts."""
    deadline = time.monotonic() + 10
    while len(found := {tuple(shown(one)) for one in tabs}) > 1:
        assert time.monotonic() < deadline, found
    (texts,) = found
    assert len(set(texts)) == len(texts)
    return list(texts)


def shown(one: Tab) -> list[str]:
    """The texts in a tab that is level and has nothing left to send."""
    one.live()
    expect(one.page.locator(".msg .st-sending")).to_have_count(0)
    return [text.strip() for text in one.texts()]


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
    expect(reader.page.locator(".msg.gone")).to_have_count(1)
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
        with suppress(Error):  # it may be back already
            one.page.get_by_role("button", name="Try now").click(timeout=2_000)
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
    client.page.evaluate(HOLD_BACK)
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


def test_signing_out_warns_of_what_is_not_sent(world: World, tab: MakeTab, truth: Truth) -> None:
    client = tab(world.client).open(world.session).expects(SERVER_AWAY)
    client.page.evaluate(HOLD_BACK)
    client.say("one")
    client.say("two")
    sign_out = client.page.locator(".rail [data-sign-out] button")
    sign_out.click()
    dialog = client.page.locator("dialog")
    expect(dialog).to_contain_text("2 messages were not sent and will be lost.")
    client.shoot("sign-out-unsent")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    expect(client.messages).to_have_count(2)
    set_language(truth, world.client)
    client.page.reload()
    client.live().page.evaluate(GO_AWAY)
    client.say("three")
    sign_out.click()
    expect(dialog.locator("h2")).to_have_text("تسجيل الخروج؟")
    client.shoot("sign-out-unsent-ar")
    dialog.locator(".btn-danger").click()
    expect(client.page).to_have_url(re.compile("/sign-in"))
    assert client.page.evaluate("JSON.stringify(localStorage)") == "{}"


@pytest.mark.parametrize("path", ["/approvals", "/live", "/storage"])
def test_signing_out_from_a_page_of_staff_warns_too(path: str, world: World, tab: MakeTab) -> None:
    admin = tab(world.admin).open(make_session(world.client, world.admin)).expects(SERVER_AWAY)
    admin.page.evaluate(HOLD_BACK)
    admin.say("one")
    admin.go(path)
    sign_out = admin.page.locator(".rail [data-sign-out] button")
    sign_out.click()
    dialog = admin.page.locator("dialog")
    expect(dialog).to_contain_text("1 message was not sent and will be lost.")
    dialog.get_by_role("button", name="Cancel").click()
    assert "one" in admin.page.evaluate("JSON.stringify(localStorage)")
    sign_out.click()
    dialog.get_by_role("button", name="Sign out").click()
    expect(admin.page).to_have_url(re.compile("/sign-in"))
    assert admin.page.evaluate("JSON.stringify(localStorage)") == "{}"


# Who one is -----------------------------------------------------------------------------------------------------------------


def test_a_tab_that_comes_back_as_somebody_else_sends_nothing(world: World, tab: MakeTab, truth: Truth) -> None:
    client = tab(world.client).open(world.session)
    client.page.evaluate(HOLD_BACK)
    client.say("said by the client")
    client._sign_in(world.reader)  # in another tab of the same browser
    client.page.evaluate(COME_BACK)
    expect(client.page.locator(".thread-who h1")).to_have_text("Client")
    client.live()
    expect(client.messages).to_have_count(0)
    assert truth.one("SELECT count(*) FROM chat_messages") == 0


def test_leaving_takes_nothing_of_somebody_else_along(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session)
    client.box.fill("a draft")
    theirs = f"samia.draft.{world.reader.pk}.{world.session}"
    client.page.evaluate("(name) => localStorage.setItem(name, '\"theirs\"')", theirs)
    with actor.acting_as(actor_of(world.client, Actor())):
        end_login(user=world.client, login_id=client.login_id)
    expect(client.page).to_have_url(re.compile("/sign-in"))
    assert client.page.evaluate("Object.keys(localStorage)") == [theirs]


def test_staff_who_look_in_and_are_made_members(world: World, tab: MakeTab) -> None:
    reader, admin = tab(world.reader).open(world.session), tab(world.admin).open(world.session)
    reader.say("Live")
    admin.sees("Live")
    expect(admin.box).to_have_count(0)
    admit(world.admin, world.session)
    expect(admin.box).to_have_count(1)
    expect(admin.page.locator(".banner[role=note]")).to_have_count(0)
    admin.say("Now I am in it")
    reader.sees("Now I am in it")
    assert level(admin, reader) == ["Live", "Now I am in it"]


def test_let_in_again(world: World, tab: MakeTab) -> None:
    together = make_session(world.client, world.reader, world.admin)
    client, reader = tab(world.client).open(together), tab(world.reader).open(together)
    reader.say("before")
    reader.sees("before", tick="Read")
    remove(world.client, together)
    expect(client.page.locator(".thread-pane .empty")).to_contain_text("You no longer take part in this session")
    admit(world.client, together)
    client.sees("before")
    reader.say("after")
    client.sees("after")
    reader.sees("after", tick="Read")


def admit(person: User, session: UUID) -> None:
    with actor.acting_as(as_system()):
        add_participant(by=actor.current(), session_id=session, user_id=person.pk)


# What is asked for ----------------------------------------------------------------------------------------------------------


def test_more_sessions_than_one_question_can_name(world: World, tab: MakeTab, truth: Truth) -> None:
    with actor.acting_as(as_system()), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT app.open_session('general', '', NULL, %s::uuid[]) FROM generate_series(1, 1060)",
            [[world.client.pk, world.reader2.pk]],
        )
    client = tab(world.client)
    asked: list[str] = []
    client.page.on(
        "websocket", lambda one: one.on("framesent", lambda text: '"resume"' in text and asked.append(str(text)))
    )
    client.open(world.session)
    client.page.evaluate(HOLD_BACK)
    client.say("kept")
    client.page.evaluate(GO_AWAY)
    send(world.reader, world.session, "missed")
    truth.rows("UPDATE accounts_user SET display_name = 'Newcomer' WHERE id = %s", world.client2.pk)
    make_session(world.client, world.client2)
    client.page.evaluate(HURRY)
    client.sees("missed")
    client.sees("kept", tick="Sent")
    expect(client.row("Newcomer")).to_have_count(1)
    assert truth.one("SELECT count(*) FROM chat_messages") == 2
    assert len(asked) < 10


def test_a_request_that_hangs_holds_nothing_back(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session)
    client.say("before")
    client.sees("before", tick="Sent")
    client.page.evaluate(HOLD_BACK)
    client.say("kept")
    client.page.evaluate(GO_AWAY)
    # What the reader does meanwhile is no change of the session: only its cursors tell.
    reader = tab(world.reader).open(world.session)
    reader.sees("before")
    client.page.route("**/api/**", lambda _: None)
    client.page.evaluate(HURRY)
    client.sees("before", tick="Read")
    client.sees("kept")
    reader.sees("kept")


def test_receipts_missed_while_away_are_caught_up_with(world: World, tab: MakeTab, truth: Truth) -> None:
    client = tab(world.client).open(world.session)
    client.say("before")
    client.sees("before", tick="Sent")
    client.page.evaluate(GO_AWAY)
    tab(world.reader).open(world.session).sees("before")
    read = "SELECT read_seq FROM chat_participants WHERE session_id = %s AND user_id = %s"
    wait_until(client, lambda: truth.one(read, world.session, world.reader.pk) == 1)
    client.page.route("**/api/**", lambda _: None)
    client.page.evaluate(HURRY)
    client.sees("before", tick="Read")


def wait_until(client: Tab, condition: Callable[[], bool]) -> None:
    for _ in range(100):
        if condition():
            return
        client.page.wait_for_timeout(50)
    raise AssertionError("it did not happen")


def test_two_questions_for_one_page_lose_nothing(world: World, tab: MakeTab) -> None:
    send(world.reader, world.session, "one")
    client = tab(world.client).go("/").live()
    answers: list[tuple[Route, APIResponse]] = []
    client.page.route("**/messages", lambda route: answers.append((route, route.fetch())))
    client.page.evaluate(
        """(session) => {
            import("chat/live").then(({ readPage }) => {
                readPage(session);
                setTimeout(() => readPage(session), 200);
            });
        }""",
        str(world.session),
    )
    client.page.wait_for_timeout(500)
    send(world.reader, world.session, "two")
    expect(client.row("Reader").locator(".badge")).to_contain_text("2")
    for route, answer in answers:
        route.fulfill(response=answer)
        client.page.wait_for_timeout(200)
    client.row("Reader").click()
    client.sees("two")
    assert [text.strip() for text in client.texts()] == ["one", "two"]


def test_a_hidden_tab_comes_back_as_away(world: World, tab: MakeTab) -> None:
    client, reader = tab(world.client).open(world.session), tab(world.reader).open(world.session)
    expect(reader.page.locator(".there")).to_have_text("Online")
    client.page.evaluate("Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' })")
    client.page.evaluate(COME_BACK)
    expect(reader.page.locator(".there")).to_have_text("Away")


# What cannot be sent --------------------------------------------------------------------------------------------------------


def to_outbox(one: Tab, session: UUID, text: str) -> None:
    """Past the composer, which would not let it through."""
    one.page.evaluate(
        """async ([session, content]) => {
            const { outbox } = await import("chat/live");
            outbox.add({ session, content: JSON.parse(content), replyTo: null });
        }""",
        [str(session), json.dumps(text)],
    )


def test_half_a_character_is_sent_as_a_whole_one(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session)
    client.box.evaluate("(box) => (box.value = 'half \\ud83d')")
    client.box.press("Enter")
    client.sees("half \ufffd", tick="Sent")


def test_a_message_that_cannot_be_sent_stays_and_can_be_sent_again(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session)
    set_state(world.session, "lock")
    expect(client.box).to_have_count(0)
    # As if the lock had come while the message was on its way.
    to_outbox(client, world.session, "Too late")
    failed = client.page.locator(".msg.failed")
    expect(failed).to_contain_text("Not sent: the session is closed for writing")
    client.page.reload()
    expect(client.live().page.locator(".msg.failed")).to_contain_text("Too late")
    set_state(world.session, "unlock")
    expect(client.box).to_be_visible()
    failed.get_by_role("button", name="Try again").click()
    client.sees("Too late", tick="Sent")


def test_what_ends_the_connection_is_not_sent_for_ever(world: World, tab: MakeTab) -> None:
    client, reader = tab(world.client).open(world.session), tab(world.reader).open(world.session)
    # Kept by a page that still let halves of characters into the outbox.
    to_outbox(client, world.session, "half \ud83d")
    failed = client.page.locator(".msg.failed")
    expect(failed).to_contain_text("Not sent")
    client.live().say("after")
    reader.sees("after")
    failed.get_by_role("button", name="Delete").click()
    expect(failed).to_have_count(0)
    assert level(client, reader) == ["after"]


# What stays behind ----------------------------------------------------------------------------------------------------------


def test_what_was_announced_in_one_thread_is_not_said_in_another(world: World, tab: MakeTab) -> None:
    make_session(world.client, world.reader2)
    client, reader = tab(world.client).open(world.session), tab(world.reader).open(world.session)
    reader.say("for this thread")
    spoken = client.page.locator("samia-thread p[role=status]")
    expect(spoken).to_have_text("Reader: for this thread")
    client.row("Reader2").click()
    expect(client.page.locator(".thread-who h1")).to_have_text("Reader2")
    expect(spoken).to_have_text("")


def test_what_is_typed_before_the_page_is_live_is_added_to_the_draft(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session)
    client.box.fill("a draft")
    held: list[Route] = []
    client.page.route(re.compile("chat/composer"), lambda route: held.append(route))
    client.page.reload(wait_until="commit")
    client.box.press_sequentially("and more")
    held[0].continue_()
    expect(client.live().box).to_have_value("a draft\nand more")
    client.page.unroute_all()
    client.page.reload()
    expect(client.live().box).to_have_value("a draft\nand more")
