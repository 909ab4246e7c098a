import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Outbox } from "chat/outbox";
import { Keep } from "samia/keep";
import { Clock, ME, OTHER, SESSION, settled } from "./made.mjs";

let clock, storage, posted;

class FakeStorage {
  constructor() {
    this.items = new Map();
  }
  get length() {
    return this.items.size;
  }
  key(at) {
    return [...this.items.keys()][at];
  }
  getItem(name) {
    return this.items.get(name) ?? null;
  }
  setItem(name, value) {
    if (this.isFull) throw new Error("full");
    this.items.set(name, value);
  }
  removeItem(name) {
    this.items.delete(name);
  }
}

beforeEach(() => {
  clock = new Clock();
  storage = new FakeStorage();
  posted = [];
});

function outbox() {
  let last = 0;
  const post = (entry) =>
    new Promise((resolve, reject) =>
      posted.push({
        entry,
        resolve,
        refuse: (code, retryAfter = null) => reject(Object.assign(new Error(code), { code, retryAfter })),
      }),
    );
  const newId = () => `id-${posted.length}-${++last}`;
  return new Outbox({ me: ME, storage: new Keep(storage), post, newId, now: () => 1000, clock });
}

const say = (box, content, session = SESSION) => box.add({ session, content, replyTo: null });

test("one at a time and in order; sessions do not wait for one another", async () => {
  const box = outbox();
  box.wake();
  for (const content of ["one", "two"]) say(box, content);
  say(box, "elsewhere", OTHER);
  assert.deepEqual(posted.map(({ entry }) => entry.content), ["one", "elsewhere"]);
  posted[0].resolve();
  await settled();
  assert.deepEqual(posted.map(({ entry }) => entry.content), ["one", "elsewhere", "two"]);
  assert.deepEqual(box.of(SESSION).map((entry) => entry.content), ["two"]);
});

test("nothing goes out before the connection is level", () => {
  const box = outbox();
  say(box, "early");
  assert.equal(posted.length, 0);
  assert.equal(box.waiting, 1);
  box.wake();
  assert.equal(posted.length, 1);
});

test("after a lost connection the same id is sent again", async () => {
  const box = outbox();
  box.wake();
  const { id } = say(box, "hello");
  posted[0].refuse("closed");
  await settled();
  assert.equal(box.of(SESSION)[0].state, "waiting");
  box.wake();
  assert.equal(posted[1].entry.id, id);
});

test("what the server turns out to have is not sent again", async () => {
  const box = outbox();
  box.wake();
  const { id } = say(box, "hello");
  posted[0].refuse("closed");
  await settled();
  box.confirm(id);
  box.wake();
  assert.equal(posted.length, 1);
  assert.equal(storage.length, 0);
});

test("a refusal for now is waited out, in order", async () => {
  const box = outbox();
  box.wake();
  say(box, "one");
  say(box, "two");
  posted[0].refuse("too_fast", 3);
  await clock.pass(2_900);
  assert.equal(posted.length, 1);
  await clock.pass(200);
  assert.equal(posted[1].entry.content, "one");
  posted[1].refuse("busy");
  await clock.pass(2_000);
  assert.equal(posted[2].entry.content, "one");
});

test("a refusal for good fails the message and lets the next one go", async () => {
  const box = outbox();
  box.wake();
  const { id } = say(box, "one");
  say(box, "two");
  posted[0].refuse("session_state");
  await settled();
  assert.equal(box.of(SESSION)[0].state, "failed");
  assert.equal(box.of(SESSION)[0].code, "session_state");
  assert.equal(posted[1].entry.content, "two");
  posted[1].resolve();
  await settled();
  box.retry(id);
  assert.equal(posted[2].entry.id, id);
  posted[2].resolve();
  await settled();
  assert.equal(box.entries.size, 0);
});

test("it survives a reload, with what failed", async () => {
  const before = outbox();
  before.wake();
  say(before, "one");
  say(before, "two");
  posted[0].refuse("session_state");
  await settled();
  const after = outbox();
  assert.deepEqual(after.of(SESSION).map(({ content, state }) => [content, state]), [["one", "failed"], ["two", "waiting"]]);
});

test("a full or forbidden storage is no obstacle", () => {
  storage.isFull = true;
  const box = outbox();
  say(box, "hello");
  assert.equal(box.waiting, 1);
  assert.equal(new Keep(null).get("anything"), null);
});

test("signing out forgets; other people's words go when somebody else signs in", () => {
  const keep = new Keep(storage);
  keep.set("samia.out.me.1", { id: "1" });
  keep.set("samia.out.her.2", { id: "2" });
  keep.wipe("samia.out.", "samia.out.me.");
  assert.deepEqual(keep.entries("samia.out."), [{ id: "1" }]);
  keep.wipe("samia.out.");
  assert.equal(storage.length, 0);
});

test("a session that was left takes its unsent messages along", () => {
  const box = outbox();
  say(box, "hello");
  say(box, "elsewhere", OTHER);
  box.forgetSession(SESSION);
  assert.deepEqual([...box.entries.values()].map((entry) => entry.content), ["elsewhere"]);
});
