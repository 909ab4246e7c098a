import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Queue } from "chat/approval-queue";
import { loudest, recordedType, troubleOf } from "chat/recording";
import { Clock, HER, ME, SESSION, settled } from "./made.mjs";

let clock, answers, asked;

beforeEach(() => {
  clock = new Clock();
  answers = [];
  asked = 0;
});

function queue() {
  const read = async () => {
    asked += 1;
    return answers.shift() ?? [];
  };
  return new Queue({ me: ME, read, clock });
}

const waiting = (id, minute, sender = HER) => ({
  message: { id, sender, session: SESSION, created_at: `2026-11-21T09:${minute}:00Z`, status: "pending_approval" },
  sender_name: "Noor",
});
const frame = (type, id) => ({ type, session: SESSION, message: { ...waiting(id, "00").message, id } });
const said = (held) => held.list().map(({ message, decided }) => [message.id, decided].filter(Boolean).join(" "));

test("the longest-waiting comes first, and one's own does not count", () => {
  const held = queue();
  held.take([waiting("late", "30"), waiting("early", "10"), waiting("mine", "20", ME)]);
  assert.deepEqual(said(held), ["early", "mine", "late"]);
  assert.deepEqual(
    held.waiting.map(({ message }) => message.id),
    ["early", "late"],
  );
});

test("what is new is asked for, and what comes together is asked for together", async () => {
  const held = queue();
  answers = [[waiting("a", "10"), waiting("b", "11")]];
  held.apply(frame("voice_approval_needed", "a"));
  held.apply(frame("voice_approval_needed", "b"));
  await clock.pass(1000);
  assert.equal(asked, 1);
  assert.deepEqual(said(held), ["a", "b"]);
  held.apply(frame("voice_approval_needed", "a"));
  await clock.pass(1000);
  assert.equal(asked, 1, "of one that is known the frame says enough");
});

test("what somebody else decided says so until it is let go", () => {
  const held = queue();
  held.take([waiting("a", "10"), waiting("b", "11"), waiting("c", "12")]);
  held.apply(frame("voice_approved", "a"));
  held.apply(frame("voice_rejected", "b"));
  held.take([]);
  assert.deepEqual(said(held), ["a approved", "b rejected", "c unknown"]);
  assert.equal(held.waiting.length, 0);
  held.dismiss("a");
  assert.deepEqual(said(held), ["b rejected", "c unknown"]);
});

test("what its sender took back goes from the queue", () => {
  const held = queue();
  held.take([waiting("a", "10"), waiting("b", "11")]);
  held.apply(frame("voice_withdrawn", "a"));
  assert.deepEqual(said(held), ["a withdrawn", "b"]);
  assert.deepEqual(
    held.waiting.map(({ message }) => message.id),
    ["b"],
  );
});

test("our own decision goes at once, though the event is faster than the answer", async () => {
  const held = queue();
  held.take([waiting("a", "10")]);
  let answer;
  const deciding = held.decide("a", () => new Promise((resolve) => (answer = resolve)));
  held.apply(frame("voice_approved", "a"));
  assert.deepEqual(said(held), ["a"]);
  answer();
  await deciding;
  assert.deepEqual(said(held), []);
});

test("who comes second is told, and whatever else is refused changes nothing", async () => {
  const held = queue();
  held.take([waiting("a", "10")]);
  const refuse = (code) => () => Promise.reject(Object.assign(new Error(code), { code }));
  await assert.rejects(held.decide("a", refuse("session_state")));
  assert.deepEqual(said(held), ["a"]);
  await assert.rejects(held.decide("a", refuse("already_reviewed")));
  assert.deepEqual(said(held), ["a unknown"]);
});

test("without an answer it stays as it was", async () => {
  const held = new Queue({ me: ME, read: () => Promise.reject(new Error("unreachable")), clock });
  held.take([waiting("a", "10")]);
  await held.read();
  await settled();
  assert.deepEqual(said(held), ["a"]);
});

// The microphone ---------------------------------------------------------------------------------------------------------

test("the first form that a browser records and the server takes", () => {
  const recorder = (...types) => ({ isTypeSupported: (type) => types.includes(type) });
  assert.equal(recordedType(recorder("audio/mp4", "audio/webm;codecs=opus")), "audio/webm;codecs=opus");
  assert.equal(recordedType(recorder("audio/mp4")), "audio/mp4");
  assert.equal(recordedType(recorder("audio/ogg")), undefined);
  assert.equal(recordedType(undefined), undefined);
});

test("why there is no microphone, whatever browsers call it", () => {
  const names = ["NotAllowedError", "NotFoundError", "NotReadableError", "NotSupportedError"];
  assert.deepEqual(
    names.map((name) => troubleOf(new DOMException("", name))),
    ["blocked", "missing", "taken", "unable"],
  );
  assert.equal(troubleOf(new TypeError("no such function")), "unable");
});

test("how loud samples are, around the middle of a byte", () => {
  assert.equal(loudest([128, 128]), 0);
  assert.equal(loudest([128, 64, 140]), 128);
  assert.equal(loudest([0]), 255);
});
