import assert from "node:assert/strict";
import { test } from "node:test";
import { WHOLE, bounded, moved, pinched, swipeOf, toggled, zoomed } from "chat/zoom";

const VIEW = { width: 400, height: 600 };
const PICTURE = { width: 400, height: 300 }; // as wide as the view, half as high
const zoom = (state, factor, point) => zoomed(state, factor, point, VIEW, PICTURE);

test("what is under the finger stays there while it grows", () => {
  const point = { x: 100, y: 40 };
  const found = zoom(WHOLE, 3, point);
  assert.equal(found.scale, 3);
  // A place p of the picture is drawn at x + p * scale.
  assert.equal(found.x + 100 * 3, 100);
  assert.equal(found.y + 40 * 3, 40);
  assert.deepEqual(zoom(found, 1 / 3, point), WHOLE);
});

test("no smaller than whole, no larger than six times, no edge within the view", () => {
  assert.deepEqual(zoom(WHOLE, 0.2, { x: 50, y: 0 }), WHOLE);
  assert.equal(zoom(WHOLE, 100, { x: 0, y: 0 }).scale, 6);
  assert.deepEqual(bounded({ scale: 2, x: 999, y: -999 }, VIEW, PICTURE), { scale: 2, x: 200, y: 0 });
  assert.deepEqual(bounded({ scale: 4, x: -999, y: 999 }, VIEW, PICTURE), { scale: 4, x: -600, y: 300 });
  assert.deepEqual(bounded({ scale: 1, x: 30, y: 30 }, VIEW, PICTURE), WHOLE, "a whole one stays in the middle");
  assert.deepEqual(
    zoom(zoom(WHOLE, 6, { x: 200, y: 150 }), 1 / 6, { x: -200, y: -150 }),
    WHOLE,
    "also out at another place",
  );
});

test("dragged within its bounds", () => {
  const close = zoom(WHOLE, 2, { x: 0, y: 0 });
  assert.deepEqual(moved(close, 50, 50, VIEW, PICTURE), { scale: 2, x: 50, y: 0 });
  assert.deepEqual(moved(close, -5000, 0, VIEW, PICTURE), { scale: 2, x: -200, y: 0 });
});

test("two fingers apart make it larger where they are, and carry it along", () => {
  const apart = [
    { x: -100, y: 0 },
    { x: 100, y: 0 },
  ];
  const near = [
    { x: -50, y: 0 },
    { x: 50, y: 0 },
  ];
  assert.deepEqual(pinched(WHOLE, near, apart, VIEW, PICTURE), { scale: 2, x: 0, y: 0 });
  const carried = apart.map(({ x, y }) => ({ x: x + 30, y }));
  assert.deepEqual(pinched(WHOLE, near, carried, VIEW, PICTURE), { scale: 2, x: 30, y: 0 });
  const together = [near[0], near[0]];
  assert.ok(
    Number.isFinite(pinched(WHOLE, together, together, VIEW, PICTURE).scale),
    "fingers at one place are no division by 0",
  );
});

test("a double tap goes near, and back", () => {
  const near = toggled(WHOLE, { x: 100, y: 0 }, VIEW, PICTURE);
  assert.deepEqual(near, { scale: 2, x: -100, y: 0 });
  assert.deepEqual(toggled(near, { x: 0, y: 0 }, VIEW, PICTURE), WHOLE);
});

test("a swipe goes on as one reads, down it closes, and a small one is none", () => {
  const table = [
    [-100, 10, false, "next"],
    [100, 10, false, "previous"],
    [-100, 10, true, "previous"],
    [100, 10, true, "next"],
    [-40, 0, false, null],
    [10, 120, false, "close"],
    [10, 120, true, "close"],
    [10, 60, false, null],
    [10, -200, false, null],
  ];
  for (const [x, y, isMirrored, expected] of table) assert.equal(swipeOf(x, y, isMirrored), expected, `${x} ${y}`);
});
