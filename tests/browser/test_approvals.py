"""Voice messages of readers wait until staff have heard them: approved or rejected with a reason, live at every end;
of two who decide the second is told; the sender can take them back."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.tab import Tab
from tests.browser.test_talk import set_language
from tests.browser.voice import at, send_voice, slider
from tests.cast import World, set_state
from tests.database import Truth

MakeTab = Callable[..., Tab]


def item(one: Tab, name: str) -> Locator:
    """An entry of the queue."""
    return one.page.locator(".q-item").filter(has_text=name)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_what_waits_is_taken_back_by_its_sender(language: str, world: World, tab: MakeTab, truth: Truth) -> None:
    set_language(truth, world.reader, world.monitor, language=language)
    words = {"en": ("Deleted by its sender", "This message was deleted"), "ar": ("حذفها مرسلها", "حُذفت هذه الرسالة")}
    send_voice(world.reader, world.session)
    send_voice(world.reader, world.session, seconds=3)
    reader, client = tab(world.reader).open(world.session), tab(world.client).open(world.session)
    staff = tab(world.monitor).go("/approvals")
    expect(staff.page.locator(".q-item")).to_have_count(2)
    waiting = reader.page.locator("samia-message.held").first
    waiting.focus()
    waiting.press("Enter")  # the menu by keyboard
    items = reader.page.get_by_role("menuitem")
    expect(items).to_have_count(1)
    items.first.press("Enter")
    reader.page.locator("dialog .btn-danger").click()
    expect(reader.page.locator("samia-message.gone")).to_contain_text(words[language][1])
    expect(reader.page.locator("samia-message.held")).to_have_count(1)
    expect(staff.page.locator(".q-item.decided")).to_contain_text(words[language][0])
    expect(staff.page.locator(".q-item")).to_have_count(1)
    expect(client.messages).to_have_count(0)
    reader.page.reload()
    expect(reader.live().page.locator("samia-message.gone")).to_have_count(1)


def test_a_readers_voice_waits_and_is_approved(world: World, tab: MakeTab, truth: Truth) -> None:
    client, reader = tab(world.client).open(world.session), tab(world.reader).open(world.session)
    monitor = tab(world.monitor).go("/").live()
    link = monitor.page.locator(".rail [data-approvals]")
    expect(link.locator(".badge")).to_be_hidden()
    client.say("I listen")
    reader.sees("I listen")
    reader.record(3)
    reader.button("Send").click()
    held = reader.voices
    expect(held).to_contain_text("Waiting for approval")
    expect(held).to_contain_text("Only you and our team can hear it.")
    expect(held).to_have_class(re.compile(r"\bheld\b"))
    expect(client.page.locator(".typing")).to_have_count(0)
    expect(client.voices).to_have_count(0)
    expect(link.locator(".badge")).to_have_text("1")
    link.click()
    expect(monitor.page).to_have_title(re.compile(r"^\(1\) Voice approvals"))
    expect(monitor.page.locator("samia-approvals:defined")).to_be_attached()  # from then on there are keys
    monitor.page.keyboard.press("j")
    review = monitor.page.locator(".review")
    expect(review.get_by_role("heading", name="Reader to Client")).to_be_visible()
    expect(review.locator(".banner")).to_contain_text("That you read this session is recorded.")
    expect(review.locator(".context")).to_contain_text("I listen")
    monitor.page.keyboard.press(" ")
    expect(slider(review.locator(".card"))).to_have_attribute("aria-valuenow", "1")
    monitor.page.keyboard.press("a")
    expect(monitor.page.locator(".toast")).to_contain_text("Approved.")
    expect(monitor.page.locator(".queue")).to_have_count(0)
    # Live at both ends, once.
    expect(client.voices).to_have_count(1)
    expect(held).to_have_count(1)
    expect(held).not_to_have_class(re.compile(r"\bheld\b"))
    expect(held.get_by_role("img", name=re.compile("Sent|Delivered|Seen|Read"))).to_be_visible()
    client.voices.get_by_role("button", name="Play voice message").click()
    expect(slider(client.voices)).to_have_attribute("aria-valuenow", "1")
    assert truth.one("SELECT status FROM chat_messages WHERE type = 'audio'") == "approved"


def test_rejected_with_a_reason_and_recorded_again(world: World, tab: MakeTab, truth: Truth) -> None:
    send_voice(world.reader, world.session)
    reader = tab(world.reader).open(world.session)
    monitor = tab(world.monitor).go("/approvals")
    looks = "SELECT count(*) FROM chat_audit_logs WHERE action = 'session.viewed' AND actor_role = 'monitor'"
    expect(item(monitor, "Reader")).to_be_visible()
    assert truth.one(looks) == 0, "the queue is no look into a session"
    item(monitor, "Reader").click()
    expect(monitor.page.locator(".review")).to_contain_text("Nothing was written yet.")
    assert truth.one(looks) == 1
    monitor.page.keyboard.press("r")
    expect(monitor.page.locator(".verdict .trouble")).to_have_text("Say why: the sender reads it.")
    expect(monitor.page.get_by_label("Reason for rejecting")).to_be_focused()
    monitor.page.keyboard.type("jkar is no shortcut here")
    monitor.button("Background noise").click()
    expect(monitor.page.get_by_label("Reason for rejecting")).to_have_value(re.compile("^There is too much noise"))
    monitor.button("Reject").click()
    expect(monitor.page.locator(".toast")).to_contain_text("Rejected. Reader can read why.")
    voice = reader.voices
    expect(voice).to_contain_text("Not approved")
    expect(voice).to_contain_text(
        "There is too much noise in the background. Please record it again in a quieter place."
    )
    reader.page.reload()
    expect(reader.live().voices).to_contain_text("There is too much noise")
    reader.button("Record again").click()
    expect(reader.page.locator(".rec-dot")).to_be_visible()
    reader.page.wait_for_timeout(600)
    reader.button("Send").click()
    expect(reader.voices).to_have_count(2)
    expect(reader.voices.last).to_contain_text("Waiting for approval")
    expect(item(monitor, "Reader")).to_have_count(1)


def test_two_decide_and_the_second_is_told(world: World, tab: MakeTab) -> None:
    client, reader = tab(world.client), tab(world.reader)
    for _ in range(2):
        send_voice(world.reader, world.session)
    monitor, admin = tab(world.monitor).go("/approvals"), tab(world.admin).go("/approvals").expects("409")
    for one in (monitor, admin):
        item(one, "Reader").first.click()
        expect(one.page.locator(".context, .muted").first).to_be_visible()
    monitor.button("Approve").click()
    expect(admin.page.locator(".decided-notice")).to_have_text("Approved by somebody else")
    expect(admin.button("Approve")).to_have_count(0)
    admin.page.get_by_role("button", name="Next").last.click()
    expect(admin.button("Approve")).to_be_visible()
    expect(item(admin, "Reader")).to_have_count(1)
    # The word of it is lost on the way: the answer says so.
    admin.page.evaluate("void (document.querySelector('samia-approvals')._queue.apply = () => {})")
    expect(monitor.button("Approve")).to_be_enabled()
    monitor.button("Approve").click()
    expect(item(monitor, "Reader")).to_have_count(0)
    admin.button("Approve").click()
    expect(admin.page.locator(".decided-notice")).to_have_text("Somebody else has decided about it.")
    for one in (client, reader):
        expect(one.open(world.session).voices).to_have_count(2)


def test_one_that_is_not_open_says_that_it_was_decided_and_goes(world: World, tab: MakeTab) -> None:
    message = send_voice(world.reader, world.session)
    monitor, admin = tab(world.monitor).go("/approvals"), tab(world.admin).go("/approvals")
    expect(item(monitor, "Reader")).to_be_visible()
    item(admin, "Reader").click()
    admin.button("Approve").click()
    expect(item(monitor, "Approved by somebody else")).to_be_visible()
    expect(monitor.page.locator(".list-pane .empty")).to_contain_text("Nothing waits")
    monitor.page.goto(f"/approvals#{message['id']}")
    expect(monitor.page.locator(".review .empty")).to_be_visible()


def test_a_refusal_is_told_and_nothing_is_decided(world: World, tab: MakeTab) -> None:
    send_voice(world.reader, world.session)
    set_state(world.session, "end")
    monitor = tab(world.monitor).go("/approvals").expects("409|ERR_FAILED")
    item(monitor, "Reader").click()
    monitor.button("Approve").click()
    expect(monitor.page.locator(".verdict .trouble")).to_have_text("The session is over: it can only be rejected.")
    monitor.page.route("**/reject", lambda route: route.abort())
    monitor.page.get_by_label("Reason for rejecting").fill("Too late")
    monitor.button("Reject").click()
    expect(monitor.page.locator(".verdict .trouble")).to_have_text("No connection. Try again in a moment.")
    expect(monitor.page.get_by_label("Reason for rejecting")).to_have_value("Too late")
    monitor.page.unroute("**/reject")
    monitor.page.get_by_label("Reason for rejecting").press("Control+Enter")
    expect(monitor.page.locator(".list-pane .empty")).to_be_visible()


def test_the_page_of_approvals_is_for_staff(world: World, tab: MakeTab) -> None:
    for person in (world.client, world.reader):
        one = tab(person).expects("404")
        one.go("/approvals")
        expect(one.page.get_by_role("heading")).to_have_text("There is nothing here")
        one.go("/")
        expect(one.page.locator("[data-approvals]")).to_have_count(0)
    empty = tab(world.monitor).go("/approvals")
    expect(empty.page.locator(".list-pane .empty")).to_contain_text("Nothing waits")
    painted = tab(world.admin, java_script_enabled=False)
    send_voice(world.reader, world.session)
    painted.go("/approvals")
    expect(item(painted, "Reader")).to_contain_text("0:06")
    live = tab(world.admin).go("/approvals")
    expect(live.page.locator("samia-approval-list [role=status]")).to_have_count(1)
    drawn = (
        "[...document.querySelectorAll('.q-item, .q-item path')].map((one) => [one.innerText, one.getAttribute('d')])"
    )
    assert painted.page.evaluate(drawn) == live.page.evaluate(drawn)
    expect(item(empty, "Reader")).to_have_count(0, timeout=200)  # another process took it: no event comes from there


def test_approved_in_arabic(world: World, tab: MakeTab, truth: Truth) -> None:
    set_language(truth, world.client, world.reader, world.monitor)
    client, reader = tab(world.client).open(world.session), tab(world.reader).open(world.session)
    reader.button("تسجيل رسالة صوتية").click()
    expect(client.page.get_by_role("img", name="جارٍ التسجيل: Reader")).to_be_visible()
    reader.page.wait_for_timeout(2200)
    reader.button("إيقاف مؤقت").click()
    expect(reader.page.locator("samia-recorder .rec-time")).to_have_text(re.compile("^٠:٠[٢٣]"))
    reader.button("إرسال").click()
    expect(reader.voices).to_contain_text("بانتظار الموافقة")
    monitor = tab(world.monitor).go("/approvals")
    item(monitor, "Reader").click()
    monitor.button("موافقة").click()
    expect(client.voices).to_have_count(1)
    wave = slider(client.voices)
    expect(wave).to_have_attribute("aria-valuetext", re.compile("^٠:٠٠ من ٠:٠[٢٣]"))
    # A tape runs from left to right in every language: more is at the right.
    box = wave.bounding_box()
    assert box is not None
    wave.click(position={"x": box["width"] * 0.9, "y": 15})
    assert at(client.voices) >= 1
    expect(client.row("Reader").locator(".session-last")).to_contain_text("رسالة صوتية · ٠:٠")
