import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Receipts } from "chat/receipts";
import { Store } from "chat/store";
import { Sync } from "chat/sync";
import { Clock, HER, ME, OTHER, SESSION, entry, message, newMessage, page, person, session, settled } from "./made.mjs";

let clock, store, socket, sync, outbox, lists;

class FakeSocket extends EventTarget {
  state = "connecting";
  sent = [];
  questions = [];

  send(frame) {
    if (this.state === "open") this.sent.push(frame);
    return this.state === "open";
  }

  ask(frame) {
    return new Promise((resolve, reject) => {
      if (this.state !== "open") reject(Object.assign(new Error(), { code: "closed" }));
      this.questions.push({ frame, resolve, reject });
    });
  }

  become(state) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }

  says(frame) {
    this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
  }

  welcome(heads) {
    this.become("open");
    this.says({ type: "welcome", heads, heartbeat_seconds: 25 });
  }

  asked(type) {
    return this.questions.filter(({ frame }) => frame.type === type);
  }
}

beforeEach(() => {
  clock = new Clock();
  store = new Store({ me: ME });
  store.takeSessions([session()]);
  store.takePage(SESSION, page([]));
  socket = new FakeSocket();
  outbox = { calls: [], wake: () => outbox.calls.push("wake"), sleep: () => outbox.calls.push("sleep") };
  outbox.confirm = (id) => outbox.calls.push(id);
  outbox.forgetSession = () => {};
  lists = [];
  const receipts = new Receipts({ store, send: (frame) => socket.send(frame), clock });
  const readCursors = async (asked) => lists.push(asked);
  sync = new Sync({ store, outbox, receipts, socket, readCursors, clock });
});

test("level from the start: nothing is asked, what waits goes out", async () => {
  socket.welcome({ [SESSION]: 2 });
  await settled();
  assert.equal(sync.state, "level");
  assert.deepEqual(outbox.calls, ["wake"]);
  assert.equal(socket.questions.length, 0);
});

test("behind: it asks until nothing is missing, and only then lets messages out", async () => {
  socket.welcome({ [SESSION]: 4 });
  await settled();
  assert.equal(sync.state, "syncing");
  assert.deepEqual(socket.questions[0].frame, { type: "resume", sessions: { [SESSION]: 2 } });
  const shape = session({ revision: 4, lastSeq: 2, unread: 2 });
  socket.questions[0].resolve({ sessions: [entry(shape, [message(1)], { revision: 3, more: true })], gone: [], more: false });
  await settled();
  assert.deepEqual(socket.questions[1].frame.sessions, { [SESSION]: 3 });
  assert.deepEqual(outbox.calls, []);
  socket.questions[1].resolve({ sessions: [entry(shape, [message(2)])], gone: [], more: false });
  await settled();
  assert.equal(sync.state, "level");
  assert.deepEqual(outbox.calls, ["wake"]);
});

test("a gap is asked for once, whatever arrives meanwhile", async () => {
  socket.welcome({ [SESSION]: 2 });
  socket.says(newMessage(2));
  socket.says(newMessage(3));
  await clock.pass(100);
  assert.equal(socket.questions.length, 1);
  const shape = session({ revision: 5, lastSeq: 3 });
  socket.questions[0].resolve({ sessions: [entry(shape, [1, 2, 3].map((seq) => message(seq)))], gone: [], more: false });
  await clock.pass(100);
  assert.deepEqual(store.get(SESSION).ordered().map((one) => one.seq), [1, 2, 3]);
});

test("a heartbeat ahead of us is asked about", async () => {
  socket.welcome({ [SESSION]: 2 });
  socket.says({ type: "heartbeat", heads: { [SESSION]: 3 } });
  await clock.pass(100);
  assert.equal(socket.asked("resume").length, 1);
});

test("a refused resume is tried again, a lost one with the next connection", async () => {
  socket.welcome({ [SESSION]: 3 });
  await settled();
  socket.questions[0].reject(Object.assign(new Error(), { code: "busy", retryAfter: 1 }));
  await clock.pass(1_000);
  assert.equal(socket.questions.length, 2);
  socket.become("waiting");
  socket.questions[1].reject(Object.assign(new Error(), { code: "closed" }));
  await clock.pass(10_000);
  assert.equal(socket.questions.length, 2);
  assert.equal(sync.state, "away");
  socket.welcome({ [SESSION]: 3 });
  await settled();
  assert.equal(socket.questions.length, 3);
});

test("how far others are is read on every connection, for receipts are no revisions", async () => {
  sync.look(SESSION);
  for (const isReturn of [false, true]) {
    socket.welcome({ [SESSION]: 2 });
    await settled();
    assert.deepEqual(lists.at(-1), { session: SESSION, isReturn });
    socket.become("waiting");
  }
  store.takeCursors(SESSION, [person(HER, 7)]);
  assert.equal(store.get(SESSION).participants.get(HER).read_seq, 7);
});

test("our own messages, however they come, leave the outbox", () => {
  socket.welcome({ [SESSION]: 2 });
  socket.says(newMessage(1, { id: "mine", sender: ME }));
  assert.ok(outbox.calls.includes("mine"));
});

test("what arrives is told as delivered, once; and again after a reconnect until it is known", async () => {
  socket.welcome({ [SESSION]: 2 });
  socket.says(newMessage(1));
  socket.says(newMessage(2));
  await clock.pass(1_000);
  const told = () => socket.sent.filter((frame) => frame.type === "messages_delivered");
  assert.deepEqual(told(), [{ type: "messages_delivered", session: SESSION, up_to: 2 }]);
  socket.become("waiting");
  socket.welcome({ [SESSION]: 4 });
  await clock.pass(1_000);
  assert.equal(told().length, 2);
  socket.says({ type: "messages_delivered", session: SESSION, user: ME, delivered: 2, seen: 0, read: 0 });
  socket.become("waiting");
  socket.welcome({ [SESSION]: 4 });
  await clock.pass(1_000);
  assert.equal(told().length, 2);
});

test("reading says more than seeing, and seeing more than having", async () => {
  const receipts = new Receipts({ store, send: (frame) => socket.send(frame), clock });
  socket.become("open");
  for (const [kind, seq] of [["delivered", 5], ["seen", 5], ["seen", 3], ["read", 4]]) receipts.note(SESSION, kind, seq);
  await clock.pass(1_000);
  assert.deepEqual(socket.sent.map((frame) => [frame.type, frame.up_to]), [["messages_read", 4], ["messages_seen", 5]]);
  receipts.note(OTHER, "read", 1);
  await clock.pass(1_000);
  assert.equal(socket.sent.length, 2, "sessions we are not in get none");
});

test("it says which session is looked at, again on every connection; staff hear of it then", async () => {
  store.takeSessions([session({ id: OTHER, mine: false })]);
  sync.look(OTHER);
  socket.welcome({ [SESSION]: 2 });
  await settled();
  assert.deepEqual(socket.asked("join_session").map(({ frame }) => frame.session), [OTHER]);
  assert.ok(OTHER in store.heldRevisions());
  socket.asked("join_session")[0].resolve({ revision: 7 });
  await clock.pass(100);
  assert.equal(socket.asked("resume").length, 1, "it had moved on before we joined");
  sync.look(SESSION);
  assert.deepEqual(socket.sent.at(-1), { type: "leave_session", session: OTHER });
  assert.ok(!(OTHER in store.heldRevisions()));
});

test("typing and receipts of others are no reason to ask", async () => {
  socket.welcome({ [SESSION]: 2 });
  socket.says({ type: "typing_start", session: SESSION, user: HER, kind: "text" });
  socket.says({ type: "messages_read", session: SESSION, user: HER, delivered: 1, seen: 1, read: 1 });
  socket.says({ type: "error", ref: null, code: "beyond_last", detail: "" });
  await clock.pass(1_000);
  assert.equal(socket.questions.length, 0);
});
