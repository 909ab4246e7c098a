import assert from "node:assert/strict";
import { test } from "node:test";
import { dayKey, useZone } from "samia/dates";

test("a day ends with the last moment before midnight, in every zone", () => {
  const zones = [
    ["UTC", "2026-11-21T23:59:59.999Z", "2026-11-22T00:00:00Z"],
    ["Asia/Riyadh", "2026-11-21T20:59:59.999Z", "2026-11-21T21:00:00Z"],
    ["Asia/Kathmandu", "2026-11-21T18:14:59.999Z", "2026-11-21T18:15:00Z"],
    ["Australia/Eucla", "2026-11-21T15:14:59.999Z", "2026-11-21T15:15:00Z"],
  ];
  for (const [zone, last, first] of zones) {
    useZone(zone);
    assert.equal(dayKey(last), "2026-11-21", zone);
    assert.equal(dayKey(first), "2026-11-22", zone);
    assert.equal(dayKey(Date.parse(last)), "2026-11-21", "asked again, as a number");
  }
});

test("a moment that is none is refused", () => assert.throws(() => dayKey("soon"), RangeError));

test("more days than are remembered", () => {
  useZone("UTC");
  const first = Date.parse("2026-01-01T00:00:00Z");
  for (let quarter = 0; quarter < 5_000; quarter += 1) dayKey(first + quarter * 900_000);
  assert.equal(dayKey(first), "2026-01-01");
});
