"""A thread with a past, and what of it is in the page and in sight while somebody scrolls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from playwright.sync_api import Locator, expect

from accounts.identity import actor_of
from accounts.models import User
from chat.services.message import send_message
from samia_chat import actor
from samia_chat.actor import Actor
from tests.browser.tab import Tab
from tests.cast import World
from tests.database import Truth

MakeTab = Callable[..., Tab]
MOST_NODES = 300  # elements of messages in the page, and beside each two comments of Lit's
MOST_CHILDREN = 3 * MOST_NODES
STILL = 0.5  # pixels: what is nearer to where it was has not moved

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
/** The most elements that messages had in the page, at any time. */
window.mostNodes = 0;
new MutationObserver(() => {
  mostNodes = Math.max(mostNodes, document.getElementsByTagName("samia-message").length);
}).observe(document, { childList: true, subtree: true });
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
  const found = { children: 0, worst: 0, isOrdered: true, steps: 0 };
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
      found.children = Math.max(found.children, thread.firstElementChild.childNodes.length);
      found.isOrdered &&= seqs.every((seq, at) => at === 0 || seq === seqs[at - 1] + 1);
      [before, moved] = [now, 0];
    }
  }
  return { ...found, nodes: mostNodes, seen: [...seen].sort((a, b) => a - b) };
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


IN_SIGHT = """(all) => all.some((one) => {
  const { top, bottom } = one.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
})"""


def scroll_until(one: Tab, there: Locator, by: int) -> None:
    """To what stands at an end of what is loaded. What is drawn ends before it, and goes on a few lines in each frame."""
    for _ in range(60):
        if there.evaluate_all(IN_SIGHT):
            return
        scrolled(one, by)
    raise AssertionError(f"not there: {there}")


def to_middle(one: Tab, truth: Truth, seq: int) -> None:
    """As the quote of an earlier message leads there."""
    message = str(id_of(truth, seq))
    one.page.evaluate("(id) => document.querySelector('samia-thread')._jumps.to(id)", message)
    expect(line(one, seq)).to_be_in_viewport()
