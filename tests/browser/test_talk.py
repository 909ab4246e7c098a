"""Two people talk, each in a browser of his own."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from accounts.identity import actor_of
from accounts.models import User
from chat.services.message import send_message
from samia_chat import actor
from samia_chat.actor import Actor
from tests.browser.tab import PHONE, Tab
from tests.browser.test_looks import DESCRIBE, UNSEEN
from tests.cast import World, make_session, set_state
from tests.database import Truth

MakeTab = Callable[..., Tab]


def send(person: User, session: object, *texts: str) -> None:
    """Messages that are there before anybody looks."""
    for text in texts:
        with actor.acting_as(actor_of(person, Actor())):
            send_message(sender=actor.current(), session_id=session, content=text)  # type: ignore[arg-type]


def set_language(truth: Truth, *people: User, language: str = "ar") -> None:
    for person in people:
        truth.without_triggers("UPDATE accounts_user SET language = %s WHERE id = %s", language, person.pk)


def test_two_people_talk(world: World, tab: MakeTab) -> None:
    client, reader = tab(world.client).open(world.session), tab(world.reader).open(world.session)
    expect(client.page.locator(".thread-who h1")).to_have_text("Reader")
    client.say("Good evening")
    reader.sees("Good evening")
    reader.say("And to you")
    client.sees("And to you")
    for one in (client, reader):
        assert [text.strip() for text in one.texts()] == ["Good evening", "And to you"]
        expect(one.page.locator("html")).to_have_attribute("dir", "ltr")
    expect(client.page).to_have_title("Reader · SAMIA TAROT")


def test_two_people_talk_in_arabic(world: World, tab: MakeTab, truth: Truth) -> None:
    set_language(truth, world.client, world.reader)
    client, reader = tab(world.client).open(world.session), tab(world.reader).open(world.session)
    expect(client.page.locator("html")).to_have_attribute("dir", "rtl")
    expect(client.box).to_have_attribute("placeholder", "اكتب إلى Reader")
    client.say("مساء الخير")
    reader.sees("مساء الخير")
    reader.say("Good evening, and مرحبا")
    client.sees("Good evening")
    client.sees("مساء الخير", tick="قُرئت")
    # Own bubbles stand at the end of the line: at the left, here.
    own, other = (client.message(text).bounding_box() for text in ("مساء الخير", "Good evening"))
    assert own is not None
    assert other is not None
    assert own["x"] < other["x"]
    expect(client.message("مساء الخير").locator("time")).to_have_text(re.compile("[٠-٩]{2}:[٠-٩]{2}"))


def test_ticks_follow_the_other_person(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session)
    client.say("Are you there?")
    client.sees("Are you there?", tick="Sent")
    reader = tab(world.reader).go("/").live()
    client.sees("Are you there?", tick="Delivered")
    expect(reader.row("Client").locator(".badge")).to_contain_text("1")
    expect(reader.page).to_have_title("(1) Chats · SAMIA TAROT")
    reader.row("Client").click()
    reader.sees("Are you there?")
    client.sees("Are you there?", tick="Read")
    expect(client.message("Are you there?").locator(".after")).to_have_text("Read")
    expect(reader.row("Client").locator(".badge")).to_have_count(0)
    expect(reader.page.locator(".unread-mark")).to_have_text("1 new message")
    reader.say("Here I am")
    expect(reader.page.locator(".unread-mark")).to_have_count(0)


def test_what_is_out_of_sight_is_not_read(world: World, tab: MakeTab) -> None:
    send(world.reader, world.session, *[f"line {number}.\n\n" for number in range(30)])
    client, reader = tab(world.client).open(world.session), tab(world.reader).open(world.session)
    # A thread opens where the new begins.
    expect(client.page.locator(".unread-mark")).to_be_in_viewport()
    reader.sees("line 0.", tick="Seen")
    reader.sees("line 29.", tick="Delivered")
    reader.say("Down here")
    jump = client.page.get_by_role("button", name=re.compile("Jump to latest, [0-9]+ new"))
    expect(jump).to_be_visible()
    reader.sees("Down here", tick="Delivered")
    jump.click()
    reader.sees("Down here", tick="Read")
    reader.sees("line 0.", tick="Read")
    expect(client.page.locator(".is-away")).to_have_count(0)


def test_typing_shows_in_thread_and_list(world: World, tab: MakeTab) -> None:
    client, reader = tab(world.client).open(world.session), tab(world.reader).go("/").live()
    client.box.press_sequentially("Wait")
    expect(reader.row("Client").locator(".is-typing")).to_have_text("typing…")
    reader.row("Client").click()
    dots = reader.page.get_by_role("img", name="Client is typing")
    client.box.press_sequentially(" a moment")
    expect(dots).to_be_visible()
    client.box.press("Enter")
    reader.sees("Wait a moment")
    expect(dots).to_have_count(0)


def test_presence_shows_who_is_there(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session)
    expect(client.page.locator(".there")).to_have_text("Offline")
    reader = tab(world.reader).go("/").live()
    expect(client.page.locator(".there")).to_have_text("Online")
    expect(client.row("Reader").get_by_role("img", name="Online")).to_have_count(1)
    reader.page.close()
    expect(client.page.locator(".there")).to_have_text(re.compile("Last seen"))


# Doing something with a message -------------------------------------------------------------------------------------------


def test_reply_and_jump_to_what_it_answers(world: World, tab: MakeTab, truth: Truth) -> None:
    send(world.reader, world.session, "the first of all", *[f"line {number}" for number in range(80)], "the last")
    client, reader = tab(world.client).open(world.session), tab(world.reader).open(world.session)
    client.page.locator(".jump").click()  # so many are new that it begins further back
    client.act("the last", "Reply")
    expect(client.page.locator(".strip")).to_contain_text("Reader")
    client.say("I answer")
    reader.sees("I answer")
    quote = reader.message("I answer").locator(".quote")
    expect(quote).to_contain_text("the last")
    # A quote of something that is not loaded leads to it all the same.
    first = truth.one("SELECT id FROM chat_messages WHERE seq = 1")
    with actor.acting_as(actor_of(world.client, Actor())):
        send_message(sender=actor.current(), session_id=world.session, content="far back", reply_to=first)
    reader.sees("far back").locator(".quote").click()
    expect(reader.message("the first of all").locator(".bubble")).to_be_in_viewport()


def test_edit(world: World, tab: MakeTab) -> None:
    client, reader = tab(world.client).open(world.session), tab(world.reader).open(world.session)
    client.say("Celtic Corss")
    reader.sees("Celtic Corss")
    client.box.press("ArrowUp")
    expect(client.page.locator(".strip")).to_contain_text("5 minutes left to change it")
    client.say("Celtic Cross")
    reader.sees("Celtic Cross")
    expect(reader.message("Celtic Cross").locator(".meta")).to_contain_text("edited")
    expect(client.page.locator(".strip")).to_have_count(0)
    expect(client.box).to_have_value("")
    client.act("Celtic Cross", "Edit")
    client.box.press("Escape")
    expect(client.page.locator(".strip")).to_have_count(0)
    expect(reader.message("Celtic Cross").get_by_role("button", name="Edit")).to_have_count(0)


def test_an_edit_that_comes_too_late_is_refused_in_words(world: World, tab: MakeTab, truth: Truth) -> None:
    client = tab(world.client).open(world.session).expects("409")
    client.say("Too late")
    client.sees("Too late", tick="Sent")
    truth.without_triggers("UPDATE chat_messages SET created_at = created_at - interval '10 minutes'")
    client.act("Too late", "Edit")
    client.say("Never")
    expect(client.page.locator(".toast")).to_contain_text("The time to change this message is over.")
    expect(client.box).to_have_value("Never")


def test_delete_asks_and_leaves_a_trace(world: World, tab: MakeTab) -> None:
    client, reader = tab(world.client).open(world.session), tab(world.reader).open(world.session)
    client.say("Not this")
    reader.sees("Not this")
    client.act("Not this", "Delete")
    client.page.get_by_role("button", name="Keep it").click()
    expect(client.page.locator("dialog")).to_have_count(0)
    client.act("Not this", "Delete")
    client.page.locator("dialog").get_by_role("button", name="Delete").click()
    for one in (client, reader):
        expect(one.page.locator(".msg.gone")).to_contain_text("This message was deleted")
        expect(one.message("Not this")).to_have_count(0)
    expect(reader.row("Client").locator(".session-last")).to_contain_text("This message was deleted")


def test_everything_by_keyboard(world: World, tab: MakeTab) -> None:
    client, reader = tab(world.client).open(world.session), tab(world.reader).open(world.session)
    client.say("First")
    client.say("Second")
    reader.sees("Second")
    client.sees("Second", tick="Read")
    client.box.press("Shift+Tab")  # the last message's own buttons come before the box
    client.message("Second").focus()
    client.page.keyboard.press("ArrowUp")
    expect(client.message("First")).to_be_focused()
    client.page.keyboard.press("Enter")
    expect(client.page.get_by_role("menuitem", name="Reply")).to_be_focused()
    client.page.keyboard.press("ArrowDown")
    expect(client.page.get_by_role("menuitem", name="Copy text")).to_be_focused()
    client.page.keyboard.press("Escape")
    expect(client.message("First")).to_be_focused()
    client.page.keyboard.press("Enter")
    client.page.keyboard.press("Enter")
    expect(client.box).to_be_focused()
    expect(client.page.locator(".strip")).to_contain_text("First")


# What is written ----------------------------------------------------------------------------------------------------------


def test_text_is_text_and_addresses_are_links(world: World, tab: MakeTab) -> None:
    evil = '<img src=x onerror="document.title=1"><b>bold</b> https://samia.example/a?b=1&c=2.'
    send(world.reader, world.session, evil)
    painted = tab(world.client, java_script_enabled=False).go(f"/sessions/{world.session}")
    live = tab(world.client).open(world.session)
    for one in (painted, live):
        body = one.page.locator(".msg .body p")
        assert body.inner_text().strip() == evil
        expect(one.page.locator(".msg img, .msg .body b")).to_have_count(0)
        link = body.locator("a")
        expect(link).to_have_attribute("href", "https://samia.example/a?b=1&c=2")
        expect(link).to_have_attribute("rel", "noopener noreferrer")
        expect(link).to_have_attribute("target", "_blank")


LONG = "The cups run over. " * 60 + "\nSee https://samia.example/rest for the rest."


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_long_message_is_folded_until_one_asks(language: str, world: World, tab: MakeTab, truth: Truth) -> None:
    set_language(truth, world.client, language=language)
    more, less = {"en": ("Show more", "Show less"), "ar": ("عرض المزيد", "عرض أقل")}[language]
    send(world.reader, world.session, *[f"line {number}." for number in range(20)], LONG, "The end")
    client = tab(world.client).open(world.session)
    message = client.page.locator("samia-message").nth(20)
    text = message.locator(".body p")
    expect(message.locator("a")).to_have_count(0)  # so nobody gets to it by the Tab key
    assert len(text.inner_text().strip()) <= 700
    message.get_by_role("button", name=more).focus()
    top = message.bounding_box()
    client.page.keyboard.press("Enter")
    expect(text).to_have_text(LONG)
    assert message.bounding_box()["y"] == top["y"], "it grows downwards, also at the end of the thread"  # type: ignore[index]
    fold = message.get_by_role("button", name=less)
    expect(fold).to_be_focused()
    expect(fold).to_have_attribute("aria-expanded", "true")
    client.page.keyboard.press("Enter")
    expect(message.locator("a")).to_have_count(0)
    button = message.get_by_role("button", name=more)
    expect(button).to_be_focused()
    assert message.bounding_box()["y"] == top["y"]  # type: ignore[index]
    # Copied is the whole.
    client.context.grant_permissions(["clipboard-read", "clipboard-write"])
    message.hover()
    message.locator(".acts button").last.click()
    client.page.get_by_role("menuitem").filter(has=client.page.locator("[href='#i-copy']")).click()
    expect(client.page.locator(".toast")).to_be_visible()
    assert client.page.evaluate("navigator.clipboard.readText()") == LONG


def test_a_few_emoji_are_large(world: World, tab: MakeTab) -> None:
    send(world.reader, world.session, "🌙", "👨‍👩‍👧‍👦 🇱🇧", "1", "🌙 good night")
    client = tab(world.client).open(world.session)
    sizes = client.page.locator(".body p").evaluate_all(
        "(all) => all.map((one) => parseFloat(getComputedStyle(one).fontSize))"
    )
    assert sizes == [52, 40, 15, 15]
    client.say("✨🔮✨")
    expect(client.message("✨🔮✨").locator(".body")).to_have_class("body big big-3")


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_first_paint_folds_and_enlarges_too(language: str, world: World, tab: MakeTab, truth: Truth) -> None:
    set_language(truth, world.client, world.reader, language=language)
    send(world.reader, world.session, LONG, "🌙", "كلمة " * 190, "line\n" * 14 + "end")
    send(world.client, world.session, "👍🏽", "x" * 901, "short")
    for person in (world.client, world.reader):
        path = f"/sessions/{world.session}"
        painted = tab(person, java_script_enabled=False).go(path)
        live = tab(person)
        live.page.add_init_script(UNSEEN)
        live.page.route_web_socket("**/ws/chat", lambda socket: None)
        live.go(path)
        expect(live.messages).to_have_count(7)
        assert painted.page.locator(".folded").count() == 4
        assert painted.page.evaluate(DESCRIBE) == live.page.evaluate(DESCRIBE), person


def test_lines_drafts_and_the_limit(world: World, tab: MakeTab) -> None:
    session = make_session(world.client, world.reader2)
    client, reader = tab(world.client).open(world.session), tab(world.reader).open(world.session)
    client.box.press_sequentially("one")
    client.box.press("Shift+Enter")
    client.box.press_sequentially("two")
    client.row("Reader2").click()
    expect(client.page).to_have_url(re.compile(f"{session}$"))
    expect(client.box).to_have_value("")
    expect(client.row("Reader").locator(".draft")).to_be_visible()
    client.page.go_back()
    expect(client.box).to_have_value("one\ntwo")
    client.page.reload()
    expect(client.live().box).to_have_value("one\ntwo")
    client.box.press("Enter")
    reader.sees("one\ntwo")
    client.box.fill("😀" * 4_600)
    expect(client.page.locator(".count")).to_have_text("4,600 of 5,000 characters")
    client.box.fill("x" * 5_001)
    expect(client.page.get_by_role("button", name="Send")).to_be_disabled()
    client.box.press("Enter")
    expect(client.box).to_have_value("x" * 5_001)


def test_a_closed_session_says_so_in_words(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session)
    client.say("Before")
    for verbs, words in [
        (["pause"], "This session is paused"),
        (["resume", "lock"], "This session is locked"),
        (["unlock", "end"], "This session has ended"),
    ]:
        set_state(world.session, *verbs)
        expect(client.page.locator(".lockbar")).to_contain_text(words)
        expect(client.box).to_have_count(0)
        client.sees("Before")
    expect(client.row("Reader").locator(".tag")).to_have_text("Ended")


def test_older_messages_come_without_a_jump(world: World, tab: MakeTab) -> None:
    send(world.client, world.session, *[f"line {number}." for number in range(130)])
    client = tab(world.client).open(world.session)
    expect(client.page.locator(".thread:not(.first-paint) samia-message")).to_have_count(50)
    thread = client.page.locator(".thread")
    before = client.page.evaluate(
        """() => {
            const thread = document.querySelector(".thread");
            thread.scrollTop = 40;
            return document.querySelector("samia-message[data-seq='83']").getBoundingClientRect().top;
        }"""
    )
    expect(client.page.locator("samia-message[data-seq='60']")).to_have_count(1)
    # Where it stands when the next frame is drawn: before that nobody has seen anything move.
    after = client.page.evaluate(
        """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() =>
            done(document.querySelector("samia-message[data-seq='83']").getBoundingClientRect().top))))"""
    )
    assert abs(after - before) < 2, (before, after)
    for _ in range(3):
        thread.evaluate("(thread) => (thread.scrollTop = 0)")
        client.page.wait_for_timeout(150)
    expect(client.page.locator("samia-message[data-seq='1']")).to_be_in_viewport()
    texts = [text.strip() for text in client.texts()]
    assert texts == [f"line {number}." for number in range(len(texts))]


def test_rows_in_sight_stay_when_the_list_comes_to_life(world: World, tab: MakeTab) -> None:
    """Also on a tall screen; those out of sight are drawn after it, and none is missing in the end."""
    for _ in range(45):
        make_session(world.client, world.reader)
    client = tab(world.client, viewport={"width": 1440, "height": 1800})
    client.page.add_init_script("""
        window.fewest = Infinity;
        const count = () => {
          const list = document.querySelector(".sessions");
          if (list) {
            const end = Math.min(innerHeight, list.getBoundingClientRect().bottom);
            const rows = [...list.querySelectorAll("a.session")].filter((one) => one.getBoundingClientRect().top < end);
            window.fewest = Math.min(fewest, rows.length);
          }
          requestAnimationFrame(count);
        };
        addEventListener("DOMContentLoaded", count);
    """)
    client.go().live()
    expect(client.page.locator("a.session")).to_have_count(46)
    in_sight = client.page.evaluate("fewest")
    assert 20 <= in_sight < 46


def test_filters_and_empty_places(world: World, tab: MakeTab) -> None:
    ended = make_session(world.client, world.reader2)
    set_state(ended, "end")
    send(world.reader, world.session, "unread")
    client = tab(world.client).go("/").live()
    expect(client.page.locator("a.session")).to_have_count(2)
    client.page.get_by_role("button", name="Unread").click()
    expect(client.page.locator("a.session")).to_have_count(1)
    client.page.get_by_role("button", name="Ended").click()
    expect(client.row("Reader2")).to_have_count(1)
    newcomer = tab(world.super_admin).go("/")
    newcomer.page.get_by_role("button", name="Unread").click()
    expect(newcomer.page.locator(".list-pane .empty")).to_contain_text("Nothing here")


def test_staff_look_in_and_it_is_known(world: World, tab: MakeTab, truth: Truth) -> None:
    reader = tab(world.reader).open(world.session)
    monitor = tab(world.monitor).open(world.session)
    expect(monitor.page.locator(".banner[role=note]")).to_contain_text("You are looking in.")
    expect(monitor.box).to_have_count(0)
    reader.say("Live")
    monitor.sees("Live")
    expect(monitor.message("Live").locator(".who")).to_have_text("Reader")
    reader.sees("Live", tick="Sent")
    assert truth.one("SELECT count(*) FROM chat_audit_logs WHERE action = 'session.viewed'") >= 1
    for path in ("/sessions/00000000-0000-4000-8000-000000000000", "/nowhere"):
        stranger = tab(world.client).expects("404")
        stranger.go(path)
        expect(stranger.page.get_by_role("heading")).to_have_text("There is nothing here")
    outsider = tab(world.client2).expects("404")
    outsider.go(f"/sessions/{world.session}")
    expect(outsider.page.get_by_role("heading")).to_have_text("There is nothing here")


# Phone --------------------------------------------------------------------------------------------------------------------


def test_one_pane_on_a_phone(world: World, tab: MakeTab) -> None:
    client = tab(world.client, viewport=PHONE, has_touch=True, is_mobile=True).go("/").live()
    expect(client.page.locator(".thread-pane")).to_be_hidden()
    client.row("Reader").tap()
    expect(client.page).to_have_url(re.compile("/sessions/"))
    expect(client.page.locator(".list-pane")).to_be_hidden()
    client.box.fill("From the phone")
    client.page.get_by_role("button", name="Send").tap()
    client.sees("From the phone", tick="Sent")
    client.page.get_by_role("link", name="Back to chats").tap()
    expect(client.page.locator(".list-pane")).to_be_visible()
    client.page.go_forward()
    expect(client.page.locator(".thread-pane")).to_be_visible()
    client.page.go_back()
    expect(client.page.locator(".thread-pane")).to_be_hidden()
    width = client.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] == width[1], "nothing sticks out"


def test_a_long_press_opens_the_menu(world: World, tab: MakeTab) -> None:
    send(world.reader, world.session, "Press me")
    client = tab(world.client, viewport=PHONE, has_touch=True, is_mobile=True).open(world.session)
    box = client.message("Press me").locator(".bubble").bounding_box()
    assert box is not None
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    session = client.context.new_cdp_session(client.page)
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
    expect(client.page.get_by_role("menu")).to_be_visible()
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    client.page.get_by_role("menuitem", name="Reply").tap()
    expect(client.page.locator(".strip")).to_contain_text("Press me")
