import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { emojiIn } from "chat/emoji";
import { beginningOf } from "chat/fold";
import { gridded } from "chat/grid";
import { inPlace, linesOf } from "chat/lines";
import { livePath, wavePath } from "chat/peaks";
import { clock, day, dayKey, listTime, useZone } from "samia/dates";
import { newId } from "samia/ids";
import { splitLinks } from "samia/links";
import { speak, t, tn } from "samia/text";
import { HER, ME, message } from "./made.mjs";

const NOW = Date.parse("2026-11-21T21:30:00Z");
const dayOf = ({ created_at }) => created_at.slice(0, 10);

test("days and times in the reader's zone and language", () => {
  speak({ language: "en", texts: {}, plurals: {} });
  useZone("Asia/Beirut");
  assert.equal(clock("2026-11-21T21:05:00Z"), "23:05");
  assert.equal(dayKey("2026-11-21T22:30:00Z"), "2026-11-22", "it is tomorrow there already");
  assert.equal(day("2026-11-21T10:00:00Z", NOW), "Today");
  assert.equal(day("2026-11-20T10:00:00Z", NOW), "Yesterday");
  assert.equal(day("2026-11-18T10:00:00Z", NOW), "Wednesday");
  assert.equal(day("2026-11-12T10:00:00Z", NOW), "12 November");
  assert.equal(day("2025-11-12T10:00:00Z", NOW), "12 November 2025");
  assert.equal(listTime("2026-11-18T10:00:00Z", NOW), "Wed");
  speak({ language: "ar", texts: { Today: "اليوم" }, plurals: {} });
  useZone("Asia/Beirut");
  assert.equal(clock("2026-11-21T21:05:00Z"), "٢٣:٠٥");
  assert.equal(day("2026-11-21T10:00:00Z", NOW), "اليوم");
  assert.equal(day("2026-11-12T10:00:00Z", NOW), "١٢ نوفمبر");
});

test("texts, their gaps, and the forms for numbers", () => {
  const forms = { zero: "صفر", one: "واحدة", two: "اثنتان", few: "{count} قليل", many: "{count} كثير", other: "{count}" };
  speak({ language: "ar", texts: { "Say hello to {name}": "سلام {name}" }, plurals: { "{count} new": forms } });
  assert.equal(t("Say hello to {name}", { name: "{name} $1" }), "سلام {name} $1");
  assert.equal(t("Not in the list"), "Not in the list");
  const said = [0, 1, 2, 3, 11, 100].map((count) => tn("{count} new", "{count} new", count));
  assert.deepEqual(said, ["صفر", "واحدة", "اثنتان", "٣ قليل", "١١ كثير", "١٠٠"]);
  speak({ language: "en", texts: {}, plurals: {} });
  assert.equal(tn("{count} message", "{count} messages", 1), "1 message");
  assert.equal(tn("{count} message", "{count} messages", 1200), "1,200 messages");
});

test("addresses in text, the same as the server finds", () => {
  const cases = JSON.parse(readFileSync(new URL("../../tests/browser/links.json", import.meta.url), "utf8"));
  for (const [text, expected] of cases) {
    assert.deepEqual(splitLinks(text).map((part) => [part.text, part.isLink]), expected, text);
  }
});

test("messages of a few emoji, the same as the server finds", () => {
  const cases = JSON.parse(readFileSync(new URL("../../tests/browser/emoji.json", import.meta.url), "utf8"));
  for (const [text, count] of cases) assert.equal(emojiIn(text), count, JSON.stringify(text));
});

test("every emoji that is one character is found, and no other letter", () => {
  const isPicture = new RegExp("^\\p{RGI_Emoji}$", "v");
  for (let code = 0; code <= 0x10ffff; code += 1) {
    const letter = String.fromCodePoint(code);
    if (isPicture.test(letter)) assert.equal(emojiIn(letter), 1, code.toString(16));
    else if (/\p{L}|\p{N}|\p{P}|\p{Z}/u.test(letter)) assert.equal(emojiIn(letter), 0, code.toString(16));
    if (isPicture.test(`${letter}\ufe0f`)) assert.equal(emojiIn(`${letter}\ufe0f`), 1, code.toString(16));
  }
});

test("pictures that belong together get places, the same as the server gives", () => {
  const cases = JSON.parse(readFileSync(new URL("../../tests/browser/grids.json", import.meta.url), "utf8"));
  const line = (given) => {
    if (given === null) return { kind: "day" };
    const created_at = new Date(Date.UTC(2026, 10, 21, 9, 0, given.at)).toISOString();
    const file = { state: given.state ?? "ready" };
    const message = { type: "image", content: "", reply_to: null, seq: 1, file, created_at, ...given };
    return { kind: "message", message };
  };
  for (const [name, messages, places] of cases) {
    const said = gridded(messages.map(line)).map(({ cell }) => (cell ? `${cell.columns} ${cell.column} ${cell.after}` : ""));
    assert.deepEqual(said, places, name);
  }
});

test("long texts begin where the server cuts them", () => {
  const cases = JSON.parse(readFileSync(new URL("../../tests/browser/folds.json", import.meta.url), "utf8"));
  for (const [pieces, length] of cases) {
    const text = pieces.map(([piece, times]) => piece.repeat(times)).join("");
    const beginning = beginningOf(text);
    assert.equal(beginning === null ? null : [...beginning].length, length, text.slice(0, 40));
    assert.ok(text.startsWith(beginning ?? ""));
  }
});

test("ids are UUIDs that begin with the time, also where the page is not secure", () => {
  const form = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  const insecure = { getRandomValues: (bytes) => globalThis.crypto.getRandomValues(bytes) };
  assert.match(newId(), form);
  assert.match(newId(insecure), form);
  assert.notEqual(newId(insecure), newId(insecure));
  assert.equal(newId(insecure, 0x0123456789ab).slice(0, 13), "01234567-89ab");
});

test("groups break at another sender, another day, a pause, and where the new begins", () => {
  const at = (seq, sender, time) => message(seq, { sender, created_at: `2026-11-${time}:00Z` });
  const messages = [
    at(1, HER, "20T09:00"),
    at(2, HER, "20T09:05"),
    at(3, HER, "20T09:30"),
    at(4, ME, "20T09:31"),
    at(5, HER, "21T09:31"),
    at(6, HER, "21T09:32"),
    { ...at(undefined, ME, "21T09:33"), id: "waiting" },
  ];
  const lines = linesOf({ messages, me: ME, newAfter: 5, newCount: () => 7, dayOf });
  const said = lines.map((one) =>
    one.kind === "message" ? `${one.message.id}${one.isOwn ? " own" : ""}${one.isFirst ? " first" : ""}${one.isLast ? " last" : ""}` : one.kind,
  );
  assert.deepEqual(said, [
    "day",
    "m1 first",
    "m2 last",
    "m3 first last",
    "m4 own first last",
    "day",
    "m5 first last",
    "unread",
    "m6 first last",
    "waiting own first last",
  ]);
  assert.equal(lines.find((one) => one.kind === "unread").count, 7, "more may be new than is loaded");
  assert.equal(new Set(lines.map((one) => one.key)).size, lines.length);
});

test("what is held stands at its time, and comes with its page", () => {
  const at = (id, minute, seq = null) => ({ id, seq, created_at: `2026-11-21T09:${minute}:00Z` });
  const published = [at("a", "10", 7), at("b", "20", 8), at("late", "05", 9), at("c", "30", 10)];
  const ids = (held, hasOlder, hasNewer = false) =>
    inPlace(published, held, { hasOlder, hasNewer }).map(({ id }) => id).join(" ");
  assert.equal(ids([at("y", "25"), at("x", "15")], true), "a x b late y c");
  assert.equal(ids([at("first", "01")], true), "a b late c", "it is further up");
  assert.equal(ids([at("first", "01")], false), "first a b late c");
  assert.equal(ids([at("last", "59")], true), "a b late c last");
  assert.equal(ids([at("last", "59"), at("x", "15")], true, true), "a x b late c", "it is further down");
});

test("what was approved later begins no earlier day", () => {
  const at = (seq, time) => message(seq, { sender: HER, created_at: `2026-11-${time}:00Z` });
  const lines = linesOf({ messages: [at(1, "20T09:00"), at(2, "21T09:00"), at(3, "20T23:00"), at(4, "21T09:05")], me: ME, dayOf });
  assert.deepEqual(lines.map((one) => one.message?.id ?? one.kind), ["day", "m1", "day", "m2", "m3", "m4"]);
  assert.deepEqual(lines.filter((one) => one.isFirst).map((one) => one.key), ["m1", "m2", "m3", "m4"]);
});

test("waves, the same as the server paints", () => {
  const cases = JSON.parse(readFileSync(new URL("../../tests/browser/waves.json", import.meta.url), "utf8"));
  for (const { peaks, bars, height, path } of cases) assert.equal(wavePath(peaks, { bars, height }), path);
});

test("what is being recorded grows from the end", () => {
  assert.equal(livePath([255], { bars: 2, height: 28 }), "M5.3 1.3v25.5");
  assert.equal(livePath([0, 0, 255], { bars: 1, height: 28 }), "M1.3 1.3v25.5");
});
