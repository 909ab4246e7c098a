import assert from "node:assert/strict";
import { test } from "node:test";
import { Store, digestOf } from "chat/store";
import { HER, ME, OTHER, SESSION, STAFF, entry, message, newMessage, page, person, session } from "./made.mjs";

function opened({ lastSeq = 0, ...options } = {}) {
  const store = new Store({ me: ME });
  store.takeSessions([session({ lastSeq, revision: lastSeq + 2, read: lastSeq, ...options })]);
  store.expectPage(SESSION);
  store.takePage(SESSION, page(Array.from({ length: lastSeq }, (_, at) => message(at + 1))));
  return store;
}

const seqs = (store) => store.get(SESSION).ordered().map((one) => one.seq);

test("what follows is applied, what is known is not, and what is ahead is a gap", () => {
  const store = opened({ lastSeq: 2 });
  assert.equal(store.apply(newMessage(3)), "applied");
  assert.equal(store.apply(newMessage(3)), "stale");
  assert.equal(store.apply(newMessage(5)), "gap");
  assert.deepEqual(seqs(store), [1, 2, 3]);
  assert.equal(store.get(SESSION).revision, 5);
});

test("a frame of a session that is not held is a gap", () => {
  assert.equal(opened().apply(newMessage(1, { sessionId: OTHER })), "gap");
});

test("an edit and a deletion replace the message, and the line of the list", () => {
  const store = opened({ lastSeq: 1 });
  const edited = { ...message(1), revision: 4, content: "better", edited_at: "2026-11-21T09:01:00Z" };
  store.apply({ type: "message_updated", session: SESSION, revision: 4, message: edited });
  assert.equal(store.get(SESSION).messages.get("m1").content, "better");
  const deleted = { ...edited, revision: 5, content: "", status: "deleted", deleted_at: "2026-11-21T09:02:00Z" };
  store.apply({ type: "message_deleted", session: SESSION, revision: 5, message: deleted });
  assert.equal(store.get(SESSION).last.deleted_at, "2026-11-21T09:02:00Z");
});

test("an answer to a change of ours and the event that tells it may come in either order", () => {
  const store = opened({ lastSeq: 1 });
  const edited = { ...message(1), revision: 4, content: "better" };
  store.keepMessage(edited);
  assert.equal(store.get(SESSION).revision, 3);
  assert.equal(store.apply({ type: "message_updated", session: SESSION, revision: 4, message: edited }), "applied");
  store.keepMessage(message(1));
  assert.equal(store.get(SESSION).messages.get("m1").content, "better", "an older form never comes back");
});

test("the state of a session changes, people come and go", () => {
  const store = opened();
  const data = { ...session(), status: "locked" };
  assert.equal(store.apply({ type: "session_updated", session: SESSION, revision: 3, data }), "applied");
  assert.equal(store.get(SESSION).status, "locked");
  store.apply({ type: "participant_added", session: SESSION, revision: 4, participant: person(STAFF) });
  assert.equal(store.get(SESSION).others(ME).length, 2);
  store.apply({ type: "participant_removed", session: SESSION, revision: 5, user: STAFF });
  assert.deepEqual(store.get(SESSION).others(ME).map((one) => one.user), [HER]);
});

test("who is removed keeps nothing, and hears of it", () => {
  const store = opened({ lastSeq: 3 });
  const left = [];
  store.addEventListener("left", ({ detail }) => left.push(detail.id));
  assert.equal(store.apply({ type: "participant_removed", session: SESSION }), "applied");
  assert.equal(store.get(SESSION), undefined);
  assert.deepEqual(left, [SESSION]);
});

test("a new session is asked for", () => {
  const store = opened();
  assert.equal(store.apply({ type: "session_created", session: OTHER, revision: 2 }), "gap");
  assert.ok(!(OTHER in store.slice().sessions));
  assert.equal(store.apply({ type: "session_created", session: SESSION, revision: 2 }), "stale");
});

test("staff who looked in and were made members ask for the session again", () => {
  const store = opened({ mine: false });
  store.watch(SESSION, true);
  assert.equal(store.apply({ type: "participant_added", session: SESSION, revision: 3, participant: person(ME) }), "gap");
  assert.equal(store.apply({ type: "session_created", session: SESSION, revision: 3 }), "gap");
  assert.deepEqual(store.slice().sessions, { [SESSION]: 2 });
  const shape = session({ revision: 3, participants: [person(ME), person(HER)] });
  store.takeResumed({ sessions: [entry(shape, [])], cursors: {}, gone: [] }, { [SESSION]: 2 });
  assert.ok(store.get(SESSION).mine);
  assert.equal(store.apply({ type: "session_created", session: SESSION, revision: 3 }), "stale");
});

test("a session of ours that was created again further on is behind", () => {
  const store = opened();
  assert.equal(store.apply({ type: "session_created", session: SESSION, revision: 3 }), "gap");
});

// Resuming ---------------------------------------------------------------------------------------------------------------

test("a resume brings what was missed, page by page", () => {
  const store = opened({ lastSeq: 1 });
  const shape = session({ revision: 5, lastSeq: 3, read: 1, unread: 2 });
  const first = entry(shape, [message(2)], { revision: 4, more: true });
  store.takeResumed({ sessions: [first], cursors: {}, gone: [] }, { [SESSION]: 3 });
  assert.equal(store.get(SESSION).revision, 4);
  store.takeResumed({ sessions: [entry(shape, [message(3)])], cursors: {}, gone: [] }, { [SESSION]: 4 });
  assert.equal(store.get(SESSION).revision, 5);
  assert.deepEqual(seqs(store), [1, 2, 3]);
  assert.equal(store.get(SESSION).mine.unread, 2);
});

test("an answer that events have overtaken takes nothing back", () => {
  const store = opened({ lastSeq: 1 });
  store.apply(newMessage(2));
  const shape = session({ revision: 3, lastSeq: 1, read: 1, title: "old" });
  store.takeResumed({ sessions: [entry(shape, [message(1)])], cursors: {}, gone: [] }, { [SESSION]: 3 });
  assert.equal(store.get(SESSION).revision, 4);
  assert.equal(store.get(SESSION).lastSeq, 2);
  assert.equal(store.get(SESSION).title, "");
});

test("a reset forgets what is held", () => {
  const store = opened({ lastSeq: 9 });
  const shape = session({ revision: 4, lastSeq: 2, read: 2 });
  store.takeResumed({ sessions: [entry(shape, [message(1), message(2)], { reset: true })], cursors: {}, gone: [] }, { [SESSION]: 11 });
  assert.deepEqual(seqs(store), [1, 2]);
  assert.equal(store.get(SESSION).revision, 4);
});

test("what is gone is removed", () => {
  const store = opened();
  store.takeResumed({ sessions: [], cursors: {}, gone: [SESSION] }, { [SESSION]: 2 });
  assert.equal(store.sessions.size, 0);
});

test("a session that is new comes with its newest page", () => {
  const store = new Store({ me: ME });
  const shape = session({ revision: 90, lastSeq: 80, read: 80 });
  store.takeResumed({ sessions: [entry(shape, [message(79), message(80)])], cursors: {}, gone: [] }, {});
  assert.deepEqual(seqs(store), [79, 80]);
  assert.ok(store.get(SESSION).hasOlder);
});

test("held messages come whole each time, and leave when they are published", () => {
  const store = opened();
  const held = message(null, { id: "voice", revision: null, sender: ME, type: "audio", status: "pending_approval" });
  const shape = session({ revision: 3 });
  store.takeResumed({ sessions: [entry(shape, [], { unpublished: [held] })], cursors: {}, gone: [] }, { [SESSION]: 2 });
  assert.deepEqual([...store.get(SESSION).held.keys()], ["voice"]);
  store.apply(newMessage(1, { id: "voice", revision: 4, sender: ME }));
  assert.equal(store.get(SESSION).held.size, 0);
  assert.deepEqual(seqs(store), [1]);
});

test("a session nobody opened keeps its last line only", () => {
  const store = new Store({ me: ME });
  store.takeSessions([session()]);
  store.apply(newMessage(1));
  assert.equal(store.get(SESSION).messages, null);
  assert.equal(store.get(SESSION).last.seq, 1);
  assert.equal(store.get(SESSION).mine.unread, 1);
});

// Welcome and heartbeat --------------------------------------------------------------------------------------------------

const named = (store, after, limit) => store.slice(after, limit).sessions;

test("sessions beyond the list are named at the revision at which nothing of them is missing", () => {
  const store = opened();
  store.welcome({ heads: { [SESSION]: 2, [OTHER]: 40 } }, { isReturn: false });
  assert.deepEqual(named(store), { [SESSION]: 2, [OTHER]: 40 });
  store.welcome({ heads: { [SESSION]: 2, [OTHER]: 41 } }, { isReturn: true });
  assert.deepEqual(named(store), { [SESSION]: 2, [OTHER]: 40 });
  const shape = session({ id: OTHER, revision: 41, lastSeq: 30, read: 29, unread: 1 });
  const changed = [message(30, { sessionId: OTHER, revision: 41 })];
  store.takeResumed({ sessions: [entry(shape, changed)], cursors: {}, gone: [] }, { [SESSION]: 2, [OTHER]: 40 });
  assert.equal(store.get(OTHER).messages, null, "what changed is not the newest page");
});

test("what is new after an absence, or beside a whole list, is not named; what is lost is forgotten", () => {
  for (const [isWhole, isReturn] of [[true, false], [false, true]]) {
    const store = new Store({ me: ME, isWhole });
    store.takeSessions([session()]);
    store.welcome({ heads: { [SESSION]: 2, [OTHER]: 40 } }, { isReturn });
    assert.deepEqual(named(store), { [SESSION]: 2 });
  }
  const store = opened();
  store.welcome({ heads: { [SESSION]: 2, [OTHER]: 40 } }, { isReturn: false });
  store.welcome({ heads: { [SESSION]: 2 } }, { isReturn: true });
  assert.deepEqual(named(store), { [SESSION]: 2 });
});

test("slices follow one another by id", () => {
  const store = opened();
  store.welcome({ heads: { [OTHER]: 40 } }, { isReturn: false });
  assert.deepEqual(store.slice(null, 1), { sessions: { [SESSION]: 2 }, upTo: SESSION });
  assert.deepEqual(store.slice(SESSION, 1), { sessions: { [OTHER]: 40 }, upTo: null });
  assert.deepEqual(store.slice(null, 2).upTo, null);
});

test("cursors of a level session are taken; an unread count that events or we have overtaken is not", () => {
  const told = (read, unread) => ({ [SESSION]: { unread, users: { [HER]: [5, 4, 3], [ME]: [read, read, read] } } });
  const resumed = (store, cursors) => store.takeResumed({ sessions: [], cursors, gone: [] }, { [SESSION]: 7 });
  const store = new Store({ me: ME });
  store.takeSessions([session({ revision: 7, lastSeq: 5, read: 1, unread: 4, participants: [person(ME, 1), person(HER, 1)] })]);
  resumed(store, told(3, 2));
  assert.deepEqual(store.get(SESSION).participants.get(HER), person(HER, 0, { delivered_seq: 5, seen_seq: 4, read_seq: 3 }));
  assert.equal(store.get(SESSION).mine.read_seq, 3);
  assert.equal(store.get(SESSION).mine.unread, 2);
  store.markRead(SESSION, 5);
  resumed(store, told(3, 2));
  assert.equal(store.get(SESSION).mine.unread, 0);
  store.apply(newMessage(6, { revision: 8 }));
  resumed(store, told(5, 0));
  assert.equal(store.get(SESSION).mine.unread, 1);
});

test("a heartbeat shows what was lost", () => {
  const store = opened();
  const digest = digestOf([SESSION]);
  assert.equal(store.heartbeat({ heads: {}, sessions_digest: digest }), false);
  assert.equal(store.heartbeat({ heads: {} }), false, "some carry no digest");
  assert.equal(store.heartbeat({ heads: { [SESSION]: 3 }, sessions_digest: digest }), true);
  assert.equal(store.heartbeat({ heads: { [SESSION]: 2 } }), false);
  assert.equal(store.heartbeat({ heads: {}, sessions_digest: digestOf([SESSION, OTHER]) }), true);
});

test("the digest is that of the server: the same in any order", () => {
  assert.equal(digestOf([]), "0".repeat(32));
  assert.equal(digestOf([SESSION, OTHER]), digestOf([OTHER, SESSION]));
  assert.equal(digestOf([SESSION, OTHER]), "00000000000000000000000000000003");
});

// Pages ------------------------------------------------------------------------------------------------------------------

test("older pages are put before what is held", () => {
  const store = new Store({ me: ME });
  store.takeSessions([session({ lastSeq: 4, revision: 6 })]);
  store.takePage(SESSION, page([message(3), message(4)], { has_more: true }));
  assert.ok(store.get(SESSION).hasOlder);
  store.takePage(SESSION, page([message(2)], { has_more: true }), { before: 9 });
  assert.deepEqual(seqs(store), [3, 4], "a page that does not join is not taken");
  store.takePage(SESSION, page([message(1), message(2)]), { before: 3 });
  assert.deepEqual(seqs(store), [1, 2, 3, 4]);
  assert.ok(!store.get(SESSION).hasOlder);
});

/** A session of 1,000 messages, of which these are held. */
function at(first, last, where = { around: "m" }) {
  const store = new Store({ me: ME });
  store.takeSessions([session({ lastSeq: 1_000, revision: 1_002, read: 1_000 })]);
  store.takePage(SESSION, stretch(first, last, { has_more: first > 1 }), where);
  return store;
}

function stretch(first, last, extra = {}) {
  return page(Array.from({ length: last - first + 1 }, (_, number) => message(first + number)), extra);
}

const ends = (store) => [seqs(store)[0], seqs(store).at(-1)];

test("a page around a message takes the place of what is held, and goes on both ways", () => {
  const store = at(951, 1_000, {});
  assert.ok(!store.get(SESSION).hasNewer);
  store.takePage(SESSION, stretch(101, 150, { has_more: true }), { around: "m120" });
  assert.deepEqual(ends(store), [101, 150]);
  assert.ok(store.get(SESSION).hasOlder && store.get(SESSION).hasNewer);
  store.takePage(SESSION, stretch(51, 100, { has_more: true }), { before: 101 });
  store.takePage(SESSION, stretch(151, 200, { has_more: true }), { after: 150 });
  assert.deepEqual(ends(store), [51, 200]);
  assert.equal(seqs(store).length, 150);
  store.takePage(SESSION, stretch(201, 250, { has_more: true }), { after: 150 });
  assert.deepEqual(ends(store), [51, 200], "a page that does not join is not taken");
});

test("the last page after joins the newest", () => {
  const store = at(901, 950);
  store.takePage(SESSION, stretch(951, 1_000), { after: 950 });
  assert.ok(!store.get(SESSION).hasNewer);
  store.apply(newMessage(1_001));
  assert.deepEqual(ends(store), [901, 1_001]);
});

test("a page around one of the last messages ends with the newest", () => {
  const store = at(951, 1_000);
  assert.ok(!store.get(SESSION).hasNewer);
  store.apply(newMessage(1_001));
  assert.deepEqual(ends(store), [951, 1_001]);
});

test("where the newest were purged the thread ends all the same", () => {
  const store = at(901, 950);
  store.takePage(SESSION, page([]), { after: 950 });
  assert.ok(!store.get(SESSION).hasNewer);
});

test("the first page of all has nothing before it", () => {
  const store = at(951, 1_000, {});
  store.takePage(SESSION, stretch(1, 50, { has_more: true }), { from: 1 });
  assert.deepEqual(ends(store), [1, 50]);
  assert.ok(!store.get(SESSION).hasOlder);
  assert.ok(store.get(SESSION).hasNewer);
});

test("a page from one message on begins with it, and takes the place of what is held", () => {
  const store = at(951, 1_000, {});
  store.takePage(SESSION, stretch(401, 450, { has_more: true }), { from: 401 });
  assert.deepEqual(ends(store), [401, 450]);
  assert.ok(store.get(SESSION).hasOlder && store.get(SESSION).hasNewer);
  store.takePage(SESSION, stretch(981, 1_000), { from: 981 });
  assert.ok(store.get(SESSION).hasOlder && !store.get(SESSION).hasNewer);
});

test("what is published while somebody looks elsewhere is counted and not put into the gap", () => {
  const store = at(101, 150);
  const arrived = [];
  store.addEventListener("arrived", ({ detail }) => arrived.push(detail.seq));
  store.apply(newMessage(1_001));
  assert.deepEqual(arrived, [1_001]);
  assert.deepEqual(ends(store), [101, 150]);
  const { lastSeq, last, mine } = store.get(SESSION);
  assert.deepEqual([lastSeq, last.seq, mine.unread], [1_001, 1_001, 1]);
  assert.equal(store.get(SESSION).othersAfter(1_000, ME), 1);
  const edited = { ...message(120), revision: 1_004, content: "better" };
  store.apply({ type: "message_updated", session: SESSION, revision: 1_004, message: edited });
  assert.equal(store.get(SESSION).messages.get("m120").content, "better", "what is held is kept level");
  store.markRead(SESSION, 1_001);
  assert.equal(store.get(SESSION).mine.unread, 0);
  store.takePage(SESSION, stretch(952, 1_001, { has_more: true }));
  assert.deepEqual(ends(store), [952, 1_001]);
});

test("what is published while a page after is on its way is not lost where that is the last", () => {
  const store = at(901, 950);
  store.expectPage(SESSION);
  store.apply(newMessage(1_001));
  store.takePage(SESSION, stretch(951, 1_000), { after: 950 }); // read before it
  assert.deepEqual(ends(store), [901, 1_001]);
});

test("a sync that starts anew is the newest page", () => {
  const store = at(101, 150);
  const shape = session({ revision: 1_003, lastSeq: 1_001, read: 1_001 });
  store.takeResumed({ sessions: [entry(shape, [message(1_001)], { reset: true })], cursors: {}, gone: [] }, { [SESSION]: 1_002 });
  assert.deepEqual(ends(store), [1_001, 1_001]);
  assert.ok(!store.get(SESSION).hasNewer);
});

test("what is far from where somebody looks is forgotten, at both ends, and read again", () => {
  const store = at(1, 1_000, {});
  store.trim(SESSION, 450, 550);
  assert.deepEqual(ends(store), [150, 850]);
  assert.ok(store.get(SESSION).hasOlder && store.get(SESSION).hasNewer);
  store.trim(SESSION, 500, 600);
  assert.deepEqual(ends(store), [150, 850], "not for every page");
  store.takePage(SESSION, stretch(100, 149, { has_more: true }), { before: 150 });
  store.takePage(SESSION, stretch(851, 900, { has_more: true }), { after: 850 });
  assert.deepEqual(ends(store), [100, 900]);
  assert.equal(seqs(store).length, 801);
});

test("at the end of a thread nothing newer is forgotten", () => {
  const store = at(1, 1_000, {});
  store.trim(SESSION, 900, 1_000);
  assert.deepEqual(ends(store), [600, 1_000]);
  assert.ok(!store.get(SESSION).hasNewer);
});

test("what changes while a page is on its way is not lost, and not undone by it", () => {
  const store = new Store({ me: ME });
  store.takeSessions([session({ lastSeq: 2, revision: 4 })]);
  store.expectPage(SESSION);
  store.apply(newMessage(3));
  const edited = { ...message(1), revision: 6, content: "better" };
  store.apply({ type: "message_updated", session: SESSION, revision: 6, message: edited });
  store.takePage(SESSION, page([message(1), message(2)])); // read before both
  assert.deepEqual(seqs(store), [1, 2, 3]);
  assert.equal(store.get(SESSION).messages.get("m1").content, "better");
});

test("an edit of a message far above what is held is not drawn alone", () => {
  const store = new Store({ me: ME });
  store.takeSessions([session({ lastSeq: 90, revision: 92 })]);
  store.takePage(SESSION, page([message(90)], { has_more: true }));
  const edited = { ...message(3), revision: 93 };
  store.apply({ type: "message_updated", session: SESSION, revision: 93, message: edited });
  assert.deepEqual(seqs(store), [90]);
  assert.equal(store.get(SESSION).last.seq, 90);
});

// Cursors ----------------------------------------------------------------------------------------------------------------

function receipt(user, kind, seq, cursors = {}) {
  return { type: `messages_${kind}`, session: SESSION, user, delivered: seq, seen: 0, read: 0, ...cursors };
}

test("ticks follow the other's cursors", () => {
  const store = opened();
  store.takeSessions([session({ participants: [person(ME), person(HER)] })]);
  store.apply(newMessage(1, { sender: ME }));
  const mine = store.get(SESSION).messages.get("m1");
  const tick = () => store.tick(store.get(SESSION), mine);
  assert.equal(tick(), "sent");
  store.apply(receipt(HER, "delivered", 1));
  assert.equal(tick(), "delivered");
  store.apply(receipt(HER, "seen", 1, { seen: 1 }));
  assert.equal(tick(), "seen");
  store.apply(receipt(HER, "read", 1, { seen: 1, read: 1 }));
  assert.equal(tick(), "read");
  store.apply(receipt(HER, "delivered", 1));
  assert.equal(tick(), "read", "cursors never go back");
});

test("staff who were added do not hold a tick back, unless there is nobody else", () => {
  const store = opened();
  const people = [person(ME), person(HER, 1), person(STAFF, 0, { role_in_session: "staff" })];
  store.takeSessions([session({ id: OTHER, participants: people })]);
  assert.equal(store.tick(store.get(OTHER), message(1, { sender: ME })), "read");
  people.splice(1, 1);
  store.takeSessions([session({ id: OTHER, participants: people, revision: 3 })]);
  store.get(OTHER).participants.delete(HER);
  assert.equal(store.tick(store.get(OTHER), message(1, { sender: ME })), "sent");
});

test("unread is counted, and reading takes it away", () => {
  const store = opened({ lastSeq: 1 });
  for (const seq of [2, 3, 4]) store.apply(newMessage(seq));
  assert.equal(store.get(SESSION).mine.unread, 3);
  store.markRead(SESSION, 3);
  assert.equal(store.get(SESSION).mine.unread, 1);
  store.apply(receipt(ME, "read", 4, { seen: 4, read: 4 }));
  assert.equal(store.get(SESSION).mine.unread, 0);
});

test("sending moves our own cursor only when nothing was unread", () => {
  const store = opened();
  store.apply(newMessage(1, { sender: ME }));
  assert.equal(store.get(SESSION).mine.read_seq, 1);
  store.apply(newMessage(2));
  store.apply(newMessage(3, { sender: ME }));
  assert.equal(store.get(SESSION).mine.read_seq, 1);
  assert.equal(store.get(SESSION).mine.unread, 1);
});

test("a list read later brings cursors, but no changes out of order", () => {
  const store = opened({ lastSeq: 2 });
  const shape = session({ revision: 9, lastSeq: 7, read: 2, unread: 5, status: "locked" });
  shape.participants[1] = person(HER, 2);
  store.takeSessions([shape]);
  assert.equal(store.get(SESSION).revision, 4);
  assert.equal(store.get(SESSION).participants.get(HER).read_seq, 2);
});

// The rest ---------------------------------------------------------------------------------------------------------------

test("typing ends with its word, with the message, and by itself", () => {
  let now = 0;
  const store = new Store({ me: ME, now: () => now });
  store.takeSessions([session()]);
  const typing = (type) => store.apply({ type, session: SESSION, user: HER, kind: "text" });
  const writers = () => store.writers(store.get(SESSION)).map(({ user }) => user);
  typing("typing_start");
  assert.deepEqual(writers(), [HER]);
  typing("typing_stop");
  assert.deepEqual(writers(), []);
  typing("typing_start");
  store.apply(newMessage(1));
  assert.deepEqual(writers(), []);
  typing("typing_start");
  now = 60_000;
  assert.deepEqual(writers(), []);
});

test("who speaks is told from who types", () => {
  const store = new Store({ me: ME });
  store.takeSessions([session()]);
  store.apply({ type: "typing_start", session: SESSION, user: HER, kind: "voice" });
  assert.deepEqual(store.writers(store.get(SESSION)), [{ user: HER, kind: "voice" }]);
});

// What waits for approval ------------------------------------------------------------------------------------------------

const voice = (extra = {}) =>
  message(null, { id: "v", sender: ME, revision: null, type: "audio", status: "pending_approval", content: "", ...extra });
const voiceFrame = (type, extra) => ({ type, session: SESSION, message: voice(extra) });
const held = (store) => [...store.get(SESSION).held.values()].map(({ id, status }) => `${id} ${status}`);

test("a voice message that waits is held, and published once it is approved", () => {
  const store = opened({ lastSeq: 2 });
  assert.equal(store.apply(voiceFrame("voice_approval_needed")), "applied");
  assert.deepEqual(held(store), ["v pending_approval"]);
  assert.equal(store.get(SESSION).revision, 4, "it has none of its own");
  const approved = { ...voice(), seq: 3, revision: 5, status: "approved" };
  store.apply({ type: "voice_approved", session: SESSION, message: approved });
  assert.deepEqual(held(store), []);
  assert.deepEqual(seqs(store), [1, 2, 3]);
  assert.equal(store.apply({ type: "new_message", session: SESSION, revision: 5, message: approved }), "applied");
  assert.equal(store.get(SESSION).lastSeq, 3);
  assert.deepEqual(seqs(store), [1, 2, 3]);
});

test("what was decided stays so, whatever comes late", () => {
  const store = opened({ lastSeq: 1 });
  store.apply(voiceFrame("voice_rejected", { status: "rejected", reason: "noise" }));
  store.keepMessage(voice());
  assert.deepEqual(held(store), ["v rejected"]);
  const approved = message(2, { id: "w", sender: ME, status: "approved" });
  store.apply({ type: "new_message", session: SESSION, revision: approved.revision, message: approved });
  store.apply(voiceFrame("voice_approval_needed", { id: "w" }));
  assert.deepEqual(held(store), ["v rejected"]);
});

test("what its sender took back stays deleted in its place, whatever comes late", () => {
  const store = opened({ lastSeq: 1 });
  store.apply(voiceFrame("voice_approval_needed"));
  const gone = { status: "deleted", deleted_at: "2026-11-21T09:00:00Z", file: null };
  assert.equal(store.apply(voiceFrame("voice_withdrawn", gone)), "applied");
  assert.deepEqual(held(store), ["v deleted"]);
  store.apply(voiceFrame("voice_approval_needed")); // its file is ready
  assert.deepEqual(held(store), ["v deleted"]);
});

test("an answer that was read before an event does not undo it", () => {
  const store = opened({ lastSeq: 1 });
  store.apply(voiceFrame("voice_approval_needed", { id: "old" }));
  const { sessions } = store.slice();
  store.keepMessage(voice());
  const approved = message(2, { id: "old", sender: ME, status: "approved" });
  store.apply({ type: "new_message", session: SESSION, revision: approved.revision, message: approved });
  const shape = session({ lastSeq: 1, revision: 3 });
  const answer = { sessions: [entry(shape, [], { unpublished: [voice({ id: "old" })] })], cursors: {}, gone: [] };
  store.takeResumed(answer, sessions);
  assert.deepEqual(held(store), ["v pending_approval"]);
  const next = store.slice().sessions;
  store.takeResumed({ sessions: [entry({ ...shape, revision: 4 }, [])], cursors: {}, gone: [] }, next);
  assert.deepEqual(held(store), [], "a later answer knows better");
});

test("what is held survives a page that was read before it", () => {
  const store = opened({ lastSeq: 1 });
  store.expectPage(SESSION);
  store.apply(voiceFrame("voice_approval_needed"));
  store.takePage(SESSION, page([message(1)]));
  assert.deepEqual(held(store), ["v pending_approval"]);
});

test("staff hear of sessions that are not here", () => {
  const store = opened();
  assert.equal(store.apply({ ...voiceFrame("voice_approval_needed"), session: OTHER }), "ignored");
});

test("the latest activity comes first", () => {
  const store = new Store({ me: ME });
  store.takeSessions([session(), session({ id: OTHER, active_at: "2026-11-21T08:30:00Z" })]);
  assert.deepEqual(store.list().map((one) => one.id), [OTHER, SESSION]);
  store.apply(newMessage(1));
  assert.deepEqual(store.list().map((one) => one.id), [SESSION, OTHER]);
});

test("whatever is lost, doubled or reordered on the way, resuming makes it level", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = mulberry(seed);
    const server = { messages: [], log: [], revision: 2 };
    const store = opened();
    const resume = () => {
      const asked = store.slice().sessions;
      const changed = server.messages.filter((one) => one.revision > asked[SESSION]).sort((a, b) => a.revision - b.revision);
      const some = changed.slice(0, 1 + Math.floor(random() * 4));
      const more = some.length < changed.length;
      const shape = session({ revision: server.revision, lastSeq: server.messages.length, read: 0 });
      const revision = more ? some.at(-1).revision : server.revision;
      store.takeResumed({ sessions: server.revision > asked[SESSION] ? [entry(shape, some, { revision, more })] : [], cursors: {}, gone: [] }, asked);
      return more;
    };
    for (let step = 0; step < 60; step += 1) {
      change(server, random);
      const frame = server.log[Math.max(0, server.log.length - 1 - Math.floor(random() * random() * 4))];
      if (random() < 0.7 && store.apply(frame) === "gap" && random() < 0.5) resume();
    }
    while (resume());
    assert.deepEqual(store.get(SESSION).ordered(), server.messages, `seed ${seed}`);
    assert.equal(store.get(SESSION).revision, server.revision);
  }
});

function change(server, random) {
  server.revision += 1;
  const { revision } = server;
  const at = Math.floor(random() * server.messages.length);
  let type = "new_message";
  let made;
  if (!server.messages.length || random() < 0.7) {
    made = message(server.messages.length + 1, { revision, sender: random() < 0.5 ? ME : HER });
    server.messages.push(made);
  } else {
    type = "message_updated";
    made = { ...server.messages[at], revision, content: `edited at ${revision}` };
    server.messages[at] = made;
  }
  server.log.push({ type, session: SESSION, revision, message: made });
}

function mulberry(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

test("somebody's new picture is the same in all sessions, and no change that counts", () => {
  const store = opened({ lastSeq: 1 });
  store.takeSessions([session({ id: OTHER, participants: [person(ME), person(STAFF)] })]);
  const changed = [];
  store.addEventListener("change", ({ detail }) => changed.push(detail));
  assert.equal(store.apply({ type: "person_changed", user: HER, avatar: "p1" }), "applied");
  assert.equal(store.get(SESSION).participants.get(HER).avatar, "p1");
  assert.deepEqual(changed, [SESSION]);
  assert.equal(store.get(SESSION).revision, 3);
  store.apply({ type: "person_changed", user: ME, avatar: "p2" });
  assert.deepEqual([SESSION, OTHER].map((id) => store.get(id).participants.get(ME).avatar), ["p2", "p2"]);
  store.apply({ type: "person_changed", user: HER, avatar: null });
  assert.equal(store.get(SESSION).participants.get(HER).avatar, null);
});

test("who is there is news once", () => {
  const store = opened();
  const changed = [];
  store.addEventListener("change", ({ detail }) => changed.push(detail));
  const her = { user: HER, state: "online", last_seen_at: null };
  store.takePresence([her]);
  store.takePresence([{ ...her }, { user: ME, state: "online", last_seen_at: null }]);
  assert.deepEqual(changed, [SESSION]);
  store.takePresence([{ ...her, state: "away" }]);
  assert.equal(changed.length, 2);
  assert.equal(store.presence.get(HER).state, "away");
});

test("cursors that are known are no news", () => {
  const participants = [person(ME, 1), person(HER, 1)];
  const store = opened({ revision: 5, lastSeq: 3, read: 1, unread: 2, participants });
  const changed = [];
  store.addEventListener("change", ({ detail }) => changed.push(detail));
  const resumed = (mine, hers, unread) =>
    store.takeResumed(
      { sessions: [], cursors: { [SESSION]: { unread, users: { [ME]: mine, [HER]: hers } } }, gone: [] },
      { [SESSION]: 5 },
    );
  resumed([1, 1, 1], [1, 1, 1], 2);
  assert.deepEqual(changed, []);
  resumed([1, 1, 1], [3, 3, 3], 2);
  assert.equal(changed.length, 1);
  assert.equal(store.get(SESSION).participants.get(HER).read_seq, 3);
  resumed([3, 3, 3], [3, 3, 3], 0);
  assert.equal(changed.length, 2);
  assert.equal(store.get(SESSION).mine.unread, 0);
  resumed([3, 3, 3], [3, 3, 3], 1);
  assert.equal(changed.length, 3);
});
