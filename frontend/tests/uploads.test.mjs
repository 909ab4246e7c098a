import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { refusalOf, refusalWords, soundUrl, shownSize } from "chat/files";
import { Uploads, formOf, isRetryable } from "chat/uploads";
import { speak } from "samia/text";
import { Clock, OTHER, SESSION, settled } from "./made.mjs";

const LIMITS = { file_bytes: 1000 };
let clock, posted, kept;

/** What is kept on a device, of one page or the next. */
class Kept {
  constructor() {
    this.files = new Map();
    this.isFull = false;
  }

  async keep(entry) {
    if (this.isFull) throw new Error("QuotaExceededError");
    this.files.set(entry.id, structuredClone({ ...entry, file: null }));
  }

  async forget(id) {
    this.files.delete(id);
  }

  async offer(take) {
    for (const entry of this.files.values()) take({ ...entry, file: picture(entry.name) });
  }
}

beforeEach(() => {
  clock = new Clock();
  posted = [];
  kept = new Kept();
  speak({ language: "en", texts: {}, plurals: {} });
});

function uploads(last = 0) {
  const post = (entry, { onProgress, signal }) =>
    new Promise((resolve, reject) => {
      const refuse = (code, retryAfter = null) => reject(Object.assign(new Error(code), { code, retryAfter }));
      signal.addEventListener("abort", () => refuse("aborted"));
      posted.push({ entry, id: entry.id, onProgress, refuse, accept: () => resolve({ id: entry.id }) });
    });
  return new Uploads({ post, kept, newId: () => `id-${++last}`, limits: LIMITS, now: () => clock.at, clock });
}

const picture = (name = "a.jpg", size = 500) => new File([new Uint8Array(size)], name, { type: "image/jpeg" });
const states = (queue, session = SESSION) =>
  queue.of(session).map(({ id, state, code }) => [id, state, code].filter(Boolean).join(" "));

test("what is chosen waits for the word, then goes one after the other", async () => {
  const queue = uploads();
  queue.choose(SESSION, [picture("a.jpg"), picture("b.jpg")]);
  assert.deepEqual(states(queue), ["id-1 chosen", "id-2 chosen"]);
  assert.equal(posted.length, 0);
  assert.equal(queue.unsent, 0);
  queue.send(SESSION, { replyTo: "m1" });
  assert.deepEqual(states(queue), ["id-1 sending", "id-2 waiting"]);
  assert.equal(queue.unsent, 2);
  const sent = [];
  queue.addEventListener("sent", ({ detail }) => sent.push(detail.id));
  posted[0].onProgress(0.5);
  assert.equal(queue.of(SESSION)[0].progress, 0.5);
  posted[0].accept();
  await settled();
  assert.deepEqual(states(queue), ["id-2 sending"]);
  posted[1].accept();
  await settled();
  assert.deepEqual(states(queue), []);
  assert.deepEqual(sent, ["id-1", "id-2"]);
  assert.deepEqual(
    posted.map(({ entry }) => entry.replyTo),
    ["m1", null],
  );
});

test("what would be refused is said before anything is sent, and stops nothing else", () => {
  const queue = uploads();
  const program = new File(["MZ"], "setup.exe", { type: "application/x-msdownload" });
  queue.choose(SESSION, [picture("big.jpg", 1001), program, new File([], "empty.txt"), picture()]);
  queue.send(SESSION);
  assert.deepEqual(states(queue), [
    "id-1 refused file_too_large",
    "id-2 refused file_type",
    "id-3 refused file_empty",
    "id-4 sending",
  ]);
  queue.drop("id-1");
  assert.equal(states(queue).length, 3);
});

test("names and types: what may be text is left to the server", () => {
  const refused = (name, type) => refusalOf({ name, type, size: 1 }, LIMITS);
  assert.equal(refused("page.svg", "image/svg+xml"), "file_type");
  assert.equal(refused("page.html", "text/html"), "file_type");
  assert.equal(refused("photo.heic", "image/heic"), "file_type");
  assert.equal(refused("README", ""), null);
  assert.equal(refused("sound.OPUS", "audio/x-opus+ogg"), null);
  assert.equal(refused("voice.webm", "audio/webm;codecs=opus"), null);
});

test("what failed is tried again under the same id, and another goes ahead meanwhile", async () => {
  const queue = uploads();
  queue.choose(SESSION, [picture("a.jpg"), picture("b.jpg")]);
  queue.send(SESSION);
  posted[0].onProgress(0.4);
  posted[0].refuse("unreachable");
  await settled();
  assert.deepEqual(states(queue), ["id-1 failed unreachable", "id-2 sending"]);
  const [failed] = queue.of(SESSION);
  assert.ok(isRetryable(failed));
  assert.equal(refusalWords(failed, LIMITS), "Stopped at 40%, no connection");
  queue.retry("id-1");
  posted[1].accept();
  await settled();
  assert.deepEqual(
    posted.map(({ id }) => id),
    ["id-1", "id-2", "id-1"],
  );
});

test("a connection that comes back takes up what it stopped, and nothing else", async () => {
  const queue = uploads();
  queue.choose(SESSION, [picture("a.jpg"), picture("b.jpg")]);
  queue.send(SESSION);
  posted[0].refuse("unreachable");
  await settled();
  posted[1].refuse("file_unreadable");
  await settled();
  queue.wake();
  assert.deepEqual(states(queue), ["id-1 sending", "id-2 failed file_unreadable"]);
  assert.ok(!isRetryable(queue.of(SESSION)[1]), "it stays damaged");
});

test("too fast waits as long as it was told, says so, and goes on", async () => {
  const queue = uploads();
  queue.choose(SESSION, [picture()]);
  queue.send(SESSION);
  posted[0].refuse("too_fast", 12);
  await settled();
  assert.deepEqual(states(queue), ["id-1 pausing too_fast"]);
  assert.equal(queue.of(SESSION)[0].resumesAt, 12_000);
  await clock.pass(11_999);
  assert.equal(posted.length, 1);
  await clock.pass(1);
  assert.deepEqual(
    posted.map(({ id }) => id),
    ["id-1", "id-1"],
  );
});

test("what is given up ends at once, also while it is sent or waits", async () => {
  const queue = uploads();
  queue.choose(SESSION, [picture("a.jpg"), picture("b.jpg"), picture("c.jpg")]);
  queue.send(SESSION);
  queue.drop("id-1");
  await settled();
  assert.deepEqual(states(queue), ["id-2 sending", "id-3 waiting"]);
  posted[1].refuse("too_fast", 60);
  await settled();
  queue.drop("id-2");
  await settled();
  assert.deepEqual(states(queue), ["id-3 sending"]);
});

test("what was handed over survives the page, in order, under the same ids; what was only chosen does not", async () => {
  const before = uploads();
  before.choose(SESSION, [picture("a.jpg"), picture("b.jpg")]);
  before.caption("id-2", " second ");
  before.send(SESSION, { replyTo: "m1" });
  before.sendVoice(OTHER, { blob: new Blob(["x"]), name: "voice.webm", seconds: 3 });
  before.choose(SESSION, [picture("c.jpg")]);
  await settled();
  assert.equal(before.isHolding, false, "all of it is kept");
  assert.deepEqual([...kept.files.keys()], ["id-1", "id-2", "id-3"]);
  assert.ok(!("url" in kept.files.get("id-1")), "an address of the page that is gone");
  posted = [];
  const after = uploads(10);
  after.resume();
  await settled();
  after.resume(); // the connection was away meanwhile
  await settled();
  assert.deepEqual(states(after), ["id-1 sending", "id-2 waiting"]);
  assert.deepEqual(states(after, OTHER), ["id-3 waiting"]);
  for (const at of [0, 1, 2]) {
    posted[at].accept();
    await settled();
  }
  assert.deepEqual(
    posted.map(({ id, entry: { kind, caption, replyTo } }) => [id, kind, caption, replyTo]),
    [
      ["id-1", "file", undefined, "m1"],
      ["id-2", "file", "second", null],
      ["id-3", "voice", null, null],
    ],
  );
  assert.equal(kept.files.size, 0);
  after.resume();
  await settled();
  assert.equal(posted.length, 3, "what is there is not sent again");
});

test("after a reload it waits as long as it was told before", async () => {
  const before = uploads();
  before.choose(SESSION, [picture("a.jpg"), picture("b.jpg")]);
  before.send(SESSION);
  posted[0].refuse("too_fast", 30);
  await clock.pass(10_000);
  posted = [];
  const after = uploads();
  after.resume();
  await settled();
  assert.deepEqual(states(after), ["id-1 pausing too_fast", "id-2 waiting"]);
  await clock.pass(19_999);
  assert.equal(posted.length, 0);
  await clock.pass(1);
  assert.deepEqual(states(after), ["id-1 sending", "id-2 waiting"]);
});

test("what was cut off goes on after a reload; what nothing mends is told once", async () => {
  const before = uploads();
  before.choose(SESSION, [picture("a.jpg"), picture("b.jpg"), picture("c.jpg")]);
  before.send(SESSION);
  for (const [at, code] of ["unreachable", "file_unreadable", "session_state"].entries()) {
    posted[at].refuse(code);
    await settled();
  }
  assert.equal(before.unsent, 2);
  assert.equal(before.isHolding, false, "a damaged file keeps nobody on the page");
  const after = uploads();
  after.resume();
  await settled();
  assert.deepEqual(states(after), ["id-1 sending", "id-3 failed session_state"]);
  after.drop("id-1");
  after.drop("id-3");
  await settled();
  assert.equal(kept.files.size, 0, "given up is forgotten");
});

test("where there is no room it is sent without being kept, and that is told", async () => {
  kept.isFull = true;
  const queue = uploads();
  let told = 0;
  queue.addEventListener("unkept", () => (told += 1));
  queue.choose(SESSION, [picture()]);
  queue.send(SESSION);
  await settled();
  assert.deepEqual(states(queue), ["id-1 sending"]);
  assert.equal(queue.isHolding, true);
  assert.equal(told, 1);
  posted[0].accept();
  await settled();
  assert.deepEqual([states(queue), queue.isHolding], [[], false]);
});

test("a session that is left takes along what was kept for it", async () => {
  const queue = uploads();
  queue.choose(SESSION, [picture()]);
  queue.send(SESSION);
  queue.sendVoice(OTHER, { blob: new Blob(["x"]), name: "voice.webm", seconds: 3 });
  await settled();
  queue.forgetSession(SESSION);
  await settled();
  assert.deepEqual([...kept.files.keys()], ["id-2"]);
});

test("sessions do not mix, and one that is left takes its files along", async () => {
  const queue = uploads();
  queue.choose(SESSION, [picture()]);
  queue.sendVoice(OTHER, { blob: new Blob(["x"]), name: "voice.webm", seconds: 3, replyTo: "m2" });
  assert.deepEqual(states(queue, OTHER), ["id-2 sending"]);
  assert.deepEqual(states(queue), ["id-1 chosen"]);
  queue.forgetSession(OTHER);
  await settled();
  assert.deepEqual([...queue.entries.keys()], ["id-1"]);
});

test("a form has the file last, and only what there is", () => {
  const form = formOf({
    id: "x",
    kind: "voice",
    file: new Blob(["x"]),
    name: "voice.webm",
    caption: "",
    replyTo: null,
  });
  assert.deepEqual([...form.keys()], ["id", "voice"]);
  const full = formOf({ id: "x", kind: "file", file: picture(), name: "a.jpg", caption: "look", replyTo: "m1" });
  assert.deepEqual([...full.keys()], ["id", "caption", "reply_to", "file"]);
});

test("a sound that this browser does not play is taken as AAC where there is one", () => {
  const file = { id: "f", content_type: "audio/webm", renditions: [] };
  assert.equal(
    soundUrl(file, () => "probably"),
    "/api/chat/files/f",
  );
  assert.equal(
    soundUrl(file, () => ""),
    null,
  );
  assert.equal(
    soundUrl({ ...file, renditions: ["aac"] }, () => ""),
    "/api/chat/files/f?rendition=aac",
  );
  assert.equal(
    soundUrl({ ...file, renditions: ["aac"] }, (type) => type.includes("opus")),
    "/api/chat/files/f",
  );
});

test("pictures are drawn in their shape, within bounds", () => {
  assert.deepEqual(shownSize({ width: 4000, height: 3000 }), { width: 328, height: 246 });
  assert.deepEqual(shownSize({ width: 1000, height: 4000 }), { width: 120, height: 320 });
  assert.deepEqual(shownSize({ width: 160, height: 150 }), { width: 160, height: 150 });
  assert.deepEqual(shownSize({ width: null, height: null }), { width: 328, height: 246 });
});
