"""A thread with a past: thousands of messages, of which the page draws some, both ways, and nothing jumps."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Locator, expect

from accounts.identity import actor_of
from accounts.models import User
from chat.services.message import delete_message, edit_message, send_message
from samia_chat import actor
from samia_chat.actor import Actor
from tests.browser.files import picture, put
from tests.browser.tab import PHONE, Tab
from tests.cast import World
from tests.database import Truth

MakeTab = Callable[..., Tab]
MANY = 3_000
MOST_NODES = 300

# Three of one, three of the other, five minutes apart. The last 150 are the reader's: how far the last own one has come is said
# below it once the end is loaded, and that is to be out of sight by then.
FILL = """
WITH said AS (
  INSERT INTO chat_messages (id, session_id, sender_id, seq, revision, type, status, content, request_hash, salt,
                             created_at, published_at)
  SELECT gen_random_uuid(), %(session)s,
         CASE WHEN n > %(count)s - 150 OR n / 3 %% 2 = 0 THEN %(reader)s ELSE %(client)s END::uuid,
         seq, seq + 2, 'text', 'sent', 'line ' || seq || '.' || repeat(' and so on', n %% 7 * (n %% 3)), sha256('x'),
         gen_random_uuid(), at, at
    FROM generate_series(1, %(count)s) n, LATERAL (SELECT %(first)s + n AS seq) s,
         LATERAL (SELECT now() - make_interval(mins => 5 * (%(count)s - n) + 1) AS at) t
  RETURNING 1)
UPDATE chat_session_state SET last_seq = %(first)s + %(count)s, revision = %(first)s + %(count)s + 2, last_message_at = now()
 WHERE session_id = %(session)s
"""
READ = """
UPDATE chat_participants SET delivered_seq = %(seq)s, seen_seq = %(seq)s, read_seq = %(seq)s, own_ahead = 0
 WHERE session_id = %(session)s
"""

# What is painted is what there is when sizes are observed: our observer is younger than the thread's, so it comes after.
HELPERS = """
window.painted = () => new Promise((done) => {
  const observer = new ResizeObserver(() => { observer.disconnect(); done(); });
  observer.observe(document.querySelector(".thread"));
});
window.drawn = () => [...document.querySelectorAll("samia-message[data-seq]:not([hidden])")];
window.inSight = () => {
  const box = document.querySelector(".thread").getBoundingClientRect();
  const tops = new Map();
  for (const one of drawn()) {
    const { top, bottom } = one.getBoundingClientRect();
    if (bottom > box.top && top < box.bottom) tops.set(Number(one.dataset.seq), top);
  }
  return tops;
};
/** How far what is in sight moves in the frames while something is done. */
window.watched = async (work, frames = 20) => {
  await painted();
  let before = inSight();
  let worst = 0;
  work();
  for (let frame = 0; frame < frames; frame += 1) {
    await painted();
    const now = inSight();
    for (const [seq, top] of now) if (before.has(seq)) worst = Math.max(worst, Math.abs(top - before.get(seq)));
    before = now;
  }
  return worst;
};
/** Scroll by steps until a message is in sight, and note all that was. */
window.walk = async ({ step, to }) => {
  const thread = document.querySelector(".thread");
  const seen = new Set(inSight().keys());
  const found = { nodes: 0, worst: 0, isOrdered: true, steps: 0 };
  let before = inSight();
  while (!seen.has(to) && found.steps++ < 3_000) {
    const from = thread.scrollTop;
    thread.scrollTop += step;
    let moved = from - thread.scrollTop;
    for (let frame = 0; frame < 2; frame += 1) {
      await painted();
      const now = inSight();
      for (const [seq, top] of now) {
        const off = before.has(seq) ? Math.abs(top - before.get(seq) - moved) : 0;
        if (off > found.worst) [found.worst, found.at] = [off, `${seq} in step ${found.steps}, frame ${frame}`];
        seen.add(seq);
      }
      const seqs = drawn().map((one) => Number(one.dataset.seq));
      found.nodes = Math.max(found.nodes, document.querySelectorAll("samia-message").length);
      found.isOrdered &&= seqs.every((seq, at) => at === 0 || seq === seqs[at - 1] + 1);
      [before, moved] = [now, 0];
    }
  }
  return { ...found, seen: [...seen].sort((a, b) => a - b) };
};
"""


def fill(truth: Truth, world: World, count: int, *, first: int = 0, unread: int = 0) -> None:
    """A past of so many messages after the first ones; the last so many are unread."""
    given = {
        "session": world.session,
        "client": world.client.pk,
        "reader": world.reader.pk,
        "count": count,
        "first": first,
    }
    with truth.connection.transaction():
        truth.connection.execute("SET LOCAL session_replication_role = replica")
        truth.connection.execute(FILL, given)
        truth.connection.execute(READ, {"session": world.session, "seq": first + count - unread})


def id_of(truth: Truth, seq: int) -> UUID:
    found: UUID = truth.one("SELECT id FROM chat_messages WHERE seq = %s", seq)
    return found


def say(person: User, session: UUID, text: str, **fields: Any) -> None:
    with actor.acting_as(actor_of(person, Actor())):
        send_message(sender=actor.current(), session_id=session, content=text, **fields)


def opened(tab: MakeTab, person: User, session: UUID, **options: Any) -> Tab:
    one = tab(person, **options)
    one.page.add_init_script(HELPERS)
    return one.open(session)


def line(one: Tab, seq: int) -> Locator:
    return one.page.locator(f"samia-message[data-seq='{seq}']")


def walk(one: Tab, *, step: int, to: int) -> dict[str, Any]:
    found: dict[str, Any] = one.page.evaluate("(how) => walk(how)", {"step": step, "to": to})
    return found


def scrolled(one: Tab, by: int) -> None:
    one.page.evaluate("(by) => (document.querySelector('.thread').scrollTop += by)", by)
    one.page.evaluate("painted().then(painted)")


def to_middle(one: Tab, truth: Truth, seq: int) -> None:
    """As the quote of an earlier message leads there."""
    message = str(id_of(truth, seq))
    one.page.evaluate("(id) => document.querySelector('samia-thread')._jumps.to(id)", message)
    expect(line(one, seq)).to_be_in_viewport()


@pytest.mark.parametrize(("language", "size"), [("en", None), ("ar", PHONE)])
def test_from_the_last_to_the_first_and_back(
    language: str, size: dict[str, int] | None, world: World, tab: MakeTab, truth: Truth
) -> None:
    truth.without_triggers("UPDATE accounts_user SET language = %s WHERE id = %s", language, world.client.pk)
    many = MANY if size is None else MANY // 3
    fill(truth, world, many)
    client = opened(tab, world.client, world.session, **({"viewport": size} if size else {}))
    expect(line(client, many)).to_be_in_viewport()
    for step, to in ((-400, 1), (400, many)):
        found = walk(client, step=step, to=to)
        assert found["isOrdered"]
        assert found["worst"] < 2, (found["worst"], found["at"])
        assert found["nodes"] <= MOST_NODES, found["nodes"]
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
    assert (found["isOrdered"], found["worst"] < 2) == (True, True)
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
    for _ in range(3):  # what is drawn ends before what is loaded does
        scrolled(client, 5_000)
    expect(again).to_be_visible()
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
        assert client.page.evaluate(f"watched({work})") < 2
        before = client.page.evaluate("[...inSight()]")
        edit_message(by=world.admin, message_id=id_of(truth, 1_478), content=long)
        expect(line(client, 1_478)).to_contain_text("more of it.")
        delete_message(by=world.admin, message_id=id_of(truth, 1_479))
        expect(line(client, 1_479)).to_contain_text("This message was deleted")
    client.page.evaluate("painted().then(painted)")
    after = dict(client.page.evaluate("[...inSight()]"))
    assert max(abs(after[seq] - top) for seq, top in before if seq in after) < 2


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
    assert abs(after[1] - before) < 2
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
    assert abs(after["y"] - before["y"]) < 2
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
    for seq in range(599, 399, -1):
        step(client, "ArrowUp", seq)
    expect(line(client, 400)).to_be_in_viewport(ratio=0.9)
    client.page.keyboard.press("End")
    expect(line(client, 600)).to_be_focused()
    expect(line(client, 600)).to_be_in_viewport()
    client.page.keyboard.press("Home")
    expect(line(client, 1)).to_be_focused()
    expect(line(client, 1)).to_be_in_viewport()
    for seq in range(2, 122):
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
    assert focused(client) in client.page.evaluate("[...inSight().keys()]")
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
