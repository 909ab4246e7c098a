import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Socket, reconnectDelay } from "samia/socket";
import { Clock, HER, ME } from "./made.mjs";

let clock, made, socket, states;

class FakeWebSocket {
  constructor(url, protocol) {
    Object.assign(this, { url, protocol, sent: [], isClosed: false });
    made.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.isClosed = true;
  }

  says(frame) {
    this.onmessage({ data: JSON.stringify(frame) });
  }
}

beforeEach(() => {
  clock = new Clock();
  made = [];
  socket = new Socket({ url: "ws://here/ws/chat", user: ME, WebSocket: FakeWebSocket, clock, random: () => 0.5 });
  states = [];
  socket.addEventListener("state", ({ detail }) => states.push(detail));
});

function open() {
  socket.start();
  made.at(-1).says({ type: "welcome", user: ME, heads: {}, heartbeat_seconds: 25 });
}

test("it speaks our protocol, and is open when it was welcomed", () => {
  socket.start();
  assert.equal(made[0].protocol, "samia.v1");
  assert.equal(socket.send({ type: "ping" }), false);
  made[0].says({ type: "welcome", user: ME, heads: {}, heartbeat_seconds: 25 });
  assert.deepEqual(states, ["connecting", "open"]);
  assert.equal(socket.send({ type: "ping" }), true);
});

test("frames become events, also by the name of their type", () => {
  open();
  const heard = [];
  socket.addEventListener("frame", ({ detail }) => heard.push(detail.type));
  socket.addEventListener("typing_start", ({ detail }) => heard.push(detail.user));
  made[0].says({ type: "typing_start", user: "her" });
  assert.deepEqual(heard, ["typing_start", "her"]);
});

test("a question gets its answer or its refusal", async () => {
  open();
  const answer = socket.ask({ type: "resume", sessions: {} });
  const refused = socket.ask({ type: "join_session" });
  const [first, second] = made[0].sent;
  made[0].says({ type: "error", ref: second.ref, code: "busy", detail: "Wait.", retry_after: 2 });
  made[0].says({ type: "resumed", ref: first.ref, sessions: [] });
  assert.deepEqual((await answer).sessions, []);
  await assert.rejects(refused, { code: "busy", retryAfter: 2 });
});

test("a question on a connection that goes away is refused as closed", async () => {
  open();
  const answer = socket.ask({ type: "ping" });
  made[0].onclose({ code: 1006 });
  await assert.rejects(answer, { code: "closed" });
  await assert.rejects(socket.ask({ type: "ping" }), { code: "closed" });
});

test("it comes back, at first soon and then less often, with jitter", async () => {
  assert.deepEqual([0, 1, 2, 10].map((attempt) => reconnectDelay(attempt, () => 0)), [500, 500, 500, 500]);
  assert.deepEqual([0, 1, 4, 5, 50].map((attempt) => reconnectDelay(attempt, () => 1)), [1000, 2000, 16000, 30000, 30000]);
  open();
  for (const code of [1012, 1006, 4410, 4429, 4408, 1013]) {
    const count = made.length;
    made.at(-1).onclose({ code });
    assert.equal(socket.state, "waiting");
    await clock.pass(30_000);
    assert.ok(made.length > count, `after ${code}`);
  }
});

test("a connection of somebody else's is ended before anything is said or heard on it", async () => {
  const heard = [];
  for (const type of ["frame", "welcome", "stranger"]) socket.addEventListener(type, () => heard.push(type));
  socket.start();
  made[0].says({ type: "welcome", user: HER, heads: {}, heartbeat_seconds: 25 });
  await clock.pass(120_000);
  assert.deepEqual([heard, states, made.length], [["stranger"], ["connecting", "ended"], 1]);
  assert.ok(made[0].isClosed);
});

test("what was under way when the server closed because of a frame is told so", async () => {
  for (const [code, why] of [[4400, "bad_frame"], [4413, "too_big"], [1006, "closed"]]) {
    open();
    const answer = socket.ask({ type: "send_message" });
    made.at(-1).onclose({ code });
    await assert.rejects(answer, { code: why });
    assert.equal(socket.state, "waiting");
  }
});

test("a connection that lasted begins the count anew", async () => {
  open();
  for (let time = 0; time < 8; time += 1) {
    made.at(-1).onclose({ code: 1006 });
    await clock.pass(20_000);
  }
  made.at(-1).says({ type: "welcome", user: ME, heads: {}, heartbeat_seconds: 25 });
  await clock.pass(6_000);
  const count = made.length;
  made.at(-1).onclose({ code: 1006 });
  await clock.pass(1_000);
  assert.equal(made.length, count + 1);
});

test("signed out or closed accounts do not come back", async () => {
  for (const code of [4401, 4403]) {
    made = [];
    socket = new Socket({ url: "ws://here", user: ME, WebSocket: FakeWebSocket, clock });
    const ends = [];
    socket.addEventListener("signed-out", ({ detail }) => ends.push(detail.code));
    open();
    made[0].onclose({ code });
    await clock.pass(120_000);
    assert.deepEqual([ends, made.length, socket.state], [[code], 1, "ended"]);
  }
});

test("a dead connection is noticed without anybody closing it", async () => {
  open();
  await clock.pass(50_000);
  assert.equal(made.length, 1);
  await clock.pass(15_000);
  assert.equal(made.length, 2);
  assert.ok(made[0].isClosed);
});

test("heartbeats keep it alive, and it pings", async () => {
  open();
  for (let beat = 0; beat < 10; beat += 1) {
    await clock.pass(25_000);
    made[0].says({ type: "heartbeat", heads: {} });
  }
  assert.equal(made.length, 1);
  assert.equal(made[0].sent.filter((frame) => frame.type === "ping").length, 8);
});

test("in a hurry it tries at once, or makes sure that the connection lives", async () => {
  open();
  made[0].onclose({ code: 1006 });
  socket.hurry();
  assert.equal(made.length, 2);
  made[1].says({ type: "welcome", user: ME, heads: {}, heartbeat_seconds: 25 });
  socket.hurry();
  await clock.pass(1_000);
  made[1].says({ type: "pong" });
  await clock.pass(10_000);
  assert.equal(made.length, 2, "it answered");
  socket.hurry();
  await clock.pass(5_000);
  assert.equal(made.length, 3, "it did not");
});

test("a connection that is never welcomed is given up", async () => {
  socket.start();
  await clock.pass(15_000);
  assert.equal(made.length, 2);
});

test("ended is ended", async () => {
  open();
  socket.end();
  socket.hurry();
  await clock.pass(120_000);
  assert.deepEqual([made.length, socket.state], [1, "ended"]);
});
