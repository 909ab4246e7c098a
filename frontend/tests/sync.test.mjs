import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Receipts } from "chat/receipts";
import { Store } from "chat/store";
import { Sync } from "chat/sync";
import { Clock, HER, ME, OTHER, SESSION, entry, message, newMessage, page, person, session, settled } from "./made.mjs";

let clock, store, socket, sync, outbox;

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
  const receipts = new Receipts({ store, send: (frame) => socket.send(frame), clock });
  sync = new Sync({ store, outbox, receipts, socket, clock, maxNamed: 2 });
});

const NOTHING = { sessions: [], cursors: {}, gone: [], more: false };

/** Welcomed, and level at once. */
async function welcomed(heads) {
  socket.welcome(heads);
  await settled();
  socket.asked("resume").at(-1).resolve(NOTHING);
  await settled();
  socket.questions.length = 0;
}

test("level from the start: it asks all the same, because receipts are no revisions; then what waits goes out", async () => {
  socket.welcome({ [SESSION]: 2 });
  await settled();
  assert.deepEqual(socket.questions.map(({ frame }) => frame), [
    { type: "resume", sessions: { [SESSION]: 2 }, after: null, up_to: null },
  ]);
  assert.deepEqual(outbox.calls, []);
  const cursors = { [SESSION]: { unread: 0, users: { [HER]: [7, 7, 7], [ME]: [0, 0, 0] } } };
  socket.questions[0].resolve({ ...NOTHING, cursors });
  await settled();
  assert.equal(store.get(SESSION).participants.get(HER).read_seq, 7);
  assert.equal(sync.state, "level");
  assert.deepEqual(outbox.calls, ["wake"]);
});

test("more sessions than one question names are asked for in slices, each until it is level", async () => {
  const id = (number) => SESSION.slice(0, -1) + number;
  const held = [1, 2, 3, 5, 7];
  store.takeSessions(held.map((number) => session({ id: id(number) })));
  socket.welcome(Object.fromEntries(held.map((number) => [id(number), 2])));
  const answer = async (given) => {
    await settled();
    const { frame, resolve } = socket.questions.at(-1);
    resolve({ ...NOTHING, ...given });
    await settled();
    return [Object.keys(frame.sessions).map((name) => Number(name.at(-1))), frame.after, frame.up_to];
  };
  assert.deepEqual(await answer({}), [[1, 2], null, id(2)]);
  // Something is new in the second one: with that it ends earlier.
  const newcomer = entry(session({ id: id(4) }), []);
  assert.deepEqual(await answer({ sessions: [newcomer], more: true }), [[3, 5], id(2), id(5)]);
  assert.deepEqual(await answer({}), [[3, 4], id(2), id(4)]);
  assert.equal(sync.state, "syncing");
  assert.deepEqual(await answer({}), [[5, 7], id(4), null]);
  assert.equal(sync.state, "level");
});

test("an answer that moves nothing is not asked for again at once", async () => {
  socket.welcome({ [SESSION]: 2 });
  await settled();
  socket.questions[0].resolve({ ...NOTHING, more: true });
  await settled();
  assert.equal(socket.questions.length, 1);
  assert.equal(sync.state, "level");
});

test("behind: it asks until nothing is missing, and only then lets messages out", async () => {
  socket.welcome({ [SESSION]: 4 });
  await settled();
  assert.equal(sync.state, "syncing");
  assert.deepEqual(socket.questions[0].frame, { type: "resume", sessions: { [SESSION]: 2 }, after: null, up_to: null });
  const shape = session({ revision: 4, lastSeq: 2, unread: 2 });
  socket.questions[0].resolve({ sessions: [entry(shape, [message(1)], { revision: 3, more: true })], cursors: {}, gone: [], more: false });
  await settled();
  assert.deepEqual(socket.questions[1].frame.sessions, { [SESSION]: 3 });
  assert.deepEqual(outbox.calls, []);
  socket.questions[1].resolve({ sessions: [entry(shape, [message(2)])], cursors: {}, gone: [], more: false });
  await settled();
  assert.equal(sync.state, "level");
  assert.deepEqual(outbox.calls, ["wake"]);
});

test("a gap is asked for once, whatever arrives meanwhile", async () => {
  await welcomed({ [SESSION]: 2 });
  socket.says(newMessage(2));
  socket.says(newMessage(3));
  await clock.pass(100);
  assert.equal(socket.questions.length, 1);
  const shape = session({ revision: 5, lastSeq: 3 });
  socket.questions[0].resolve({ sessions: [entry(shape, [1, 2, 3].map((seq) => message(seq)))], cursors: {}, gone: [], more: false });
  await clock.pass(100);
  assert.deepEqual(store.get(SESSION).ordered().map((one) => one.seq), [1, 2, 3]);
});

test("what was sent stays in sight, also where something before it is missing", async () => {
  await welcomed({ [SESSION]: 2 });
  socket.says({ type: "ack", ref: "q1", message: message(2, { sender: ME }), replayed: false });
  assert.equal(outbox.calls.at(-1), "m2");
  assert.deepEqual(store.get(SESSION).ordered().map((one) => one.seq), [2]);
  socket.says(newMessage(2, { sender: ME }));
  await clock.pass(100);
  assert.deepEqual(socket.asked("resume").at(-1).frame.sessions, { [SESSION]: 2 });
  const both = [message(1), message(2, { sender: ME })];
  socket.questions.at(-1).resolve({ ...NOTHING, sessions: [entry(session({ revision: 4, lastSeq: 2 }), both)] });
  await clock.pass(100);
  assert.deepEqual(store.get(SESSION).ordered().map((one) => one.seq), [1, 2]);
});

test("a heartbeat ahead of us is asked about", async () => {
  await welcomed({ [SESSION]: 2 });
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

test("our own messages, however they come, leave the outbox", () => {
  socket.welcome({ [SESSION]: 2 });
  socket.says(newMessage(1, { id: "mine", sender: ME }));
  assert.ok(outbox.calls.includes("mine"));
});

test("what arrives is told as delivered, once; and again after a reconnect until it is known", async () => {
  await welcomed({ [SESSION]: 2 });
  socket.says(newMessage(1));
  socket.says(newMessage(2));
  await clock.pass(1_000);
  const told = () => socket.sent.filter((frame) => frame.type === "messages_delivered");
  assert.deepEqual(told(), [{ type: "messages_delivered", session: SESSION, up_to: 2 }]);
  socket.become("waiting");
  await welcomed({ [SESSION]: 4 });
  await clock.pass(1_000);
  assert.equal(told().length, 2);
  socket.says({ type: "messages_delivered", session: SESSION, user: ME, delivered: 2, seen: 0, read: 0 });
  socket.become("waiting");
  await welcomed({ [SESSION]: 4 });
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
  assert.deepEqual(Object.keys(socket.asked("resume")[0].frame.sessions), [SESSION, OTHER]);
  socket.asked("resume")[0].resolve(NOTHING);
  await settled();
  assert.deepEqual(socket.asked("join_session").map(({ frame }) => frame.session), [OTHER]);
  socket.asked("join_session")[0].resolve({ revision: 7 });
  await clock.pass(100);
  assert.equal(socket.asked("resume").length, 2, "it had moved on before we joined");
  sync.look(SESSION);
  assert.deepEqual(socket.sent.at(-1), { type: "leave_session", session: OTHER });
  assert.ok(!(OTHER in store.slice().sessions));
});

test("typing and receipts of others are no reason to ask", async () => {
  await welcomed({ [SESSION]: 2 });
  socket.says({ type: "typing_start", session: SESSION, user: HER, kind: "text" });
  socket.says({ type: "messages_read", session: SESSION, user: HER, delivered: 1, seen: 1, read: 1 });
  socket.says({ type: "error", ref: null, code: "beyond_last", detail: "" });
  await clock.pass(1_000);
  assert.equal(socket.questions.length, 0);
});
