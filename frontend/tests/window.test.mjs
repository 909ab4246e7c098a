import assert from "node:assert/strict";
import { test } from "node:test";
import { MARGIN, MOST, NEAR, STEP, TAIL, absorbed, around, firstWhere, follow, shifted, tail } from "chat/window";

const SCREEN = 22;

/** The ranges that follow one another in as many frames, until nothing changes. */
function settled(next, range) {
  const ranges = [range];
  for (let then = next(range); then.first !== range.first || then.end !== range.end; then = next(range)) {
    ranges.push((range = then));
  }
  return ranges;
}

test("of a short thread all is drawn, of a long one a screen, and the tail in steps", () => {
  assert.deepEqual(tail(0, SCREEN), { first: 0, end: 0 });
  assert.deepEqual(tail(SCREEN, SCREEN), { first: 0, end: SCREEN });
  assert.deepEqual(tail(1_000, SCREEN), { first: 1_000 - SCREEN, end: 1_000 });
  const ranges = settled((range) => tail(1_000, SCREEN, range), tail(1_000, SCREEN));
  assert.deepEqual(ranges.at(-1), { first: 1_000 - TAIL, end: 1_000 });
  ranges.slice(1).forEach(({ first }, at) => assert.ok(ranges[at].first - first <= STEP));
});

test("at the end what was drawn stays, as long as it is not too much", () => {
  assert.deepEqual(tail(1_000, SCREEN, { first: 800, end: 950 }), { first: 800, end: 1_000 });
  assert.deepEqual(tail(1_000, SCREEN, { first: 950, end: 1_000 }), { first: 950 - STEP, end: 1_000 });
  assert.deepEqual(tail(1_000, SCREEN, { first: 100, end: 1_000 }), { first: 1_000 - MOST, end: 1_000 });
  assert.deepEqual(tail(60, SCREEN, { first: 0, end: 59 }), { first: 0, end: 60 });
});

test("around what is in sight is a margin, within the thread", () => {
  assert.deepEqual(around({ top: 500, bottom: 519 }, 1_000), { first: 500 - MARGIN, end: 520 + MARGIN });
  assert.deepEqual(around({ top: 3, bottom: 20 }, 1_000), { first: 0, end: 21 + MARGIN });
  assert.deepEqual(around({ top: 990, bottom: 999 }, 1_000), { first: 990 - MARGIN, end: 1_000 });
});

test("on a huge screen the margin is less, and never so many are drawn that they are too many", () => {
  assert.deepEqual(around({ top: 1_000, bottom: 1_199 }, 5_000), { first: 980, end: 1_220 });
  const { first, end } = around({ top: 1_000, bottom: 1_999 }, 5_000);
  assert.deepEqual([first, end], [1_000, 2_000], "what is in sight is drawn in any case");
});

test("the range stays while enough of it is left on both sides", () => {
  const range = { first: 100, end: 220 };
  for (const top of [100 + NEAR, 150, 220 - NEAR - 20]) assert.equal(follow(range, { top, bottom: top + 19 }, 1_000), range);
  assert.deepEqual(follow(range, { top: 129, bottom: 148 }, 1_000), { first: 100 - STEP, end: 199 });
  assert.deepEqual(follow(range, { top: 171, bottom: 190 }, 1_000), { first: 121, end: 220 + STEP });
});

test("what is in sight is drawn at once, and what is around it in steps", () => {
  const ranges = settled((range) => follow(range, { top: 500, bottom: 519 }, 1_000), { first: 100, end: 220 });
  assert.deepEqual(ranges[1], { first: 500 - STEP, end: 520 + STEP });
  ranges.slice(2).forEach(({ first, end }, at) => assert.ok(ranges[at + 1].first - first + end - ranges[at + 1].end <= 2 * STEP));
  const { first, end } = ranges.at(-1);
  assert.ok(500 - first >= NEAR && end - 520 >= NEAR);
});

test("at the ends of the thread there is nothing more to draw", () => {
  const start = { first: 0, end: 120 };
  assert.equal(follow(start, { top: 0, bottom: 19 }, 1_000), start);
  const end = { first: 900, end: 1_000 };
  assert.equal(follow(end, { top: 980, bottom: 999 }, 1_000), end);
  assert.deepEqual(follow(end, { top: 980, bottom: 998 }, 1_001), { first: 930, end: 1_001 }, "something came");
});

test("a range that has become too great is made anew", () => {
  const { first, end } = follow({ first: 0, end: MOST + 1 }, { top: 100, bottom: 120 }, 1_000);
  assert.deepEqual([first, end], [50, 171], "what is too much is dropped at once");
});

test("scrolled line by line, what is in sight is always drawn, and no more than a screen with two margins", () => {
  for (const step of [1, 7, 19, 40]) {
    let range = tail(3_000, SCREEN);
    let moves = 0;
    for (let top = 2_980; top >= 0; top -= step) {
      const sight = { top, bottom: top + 19 };
      const next = follow(range, sight, 3_000);
      if (next !== range) moves += 1;
      range = next;
      assert.ok(range.first <= sight.top && sight.bottom < range.end, `${step} ${top}`);
      assert.ok(range.end - range.first <= 20 + 2 * MARGIN);
    }
    const top = 2_980 % step;
    assert.equal(settled((before) => follow(before, { top, bottom: top + 19 }, 3_000), range).at(-1).first, 0);
    assert.ok(moves <= 3_000 / Math.min(STEP, step), "not for every line");
  }
});

test("lines that come before move the range along", () => {
  assert.deepEqual(shifted({ first: 0, end: 60 }, 50, 110), { first: 50, end: 110 });
  assert.deepEqual(shifted({ first: 100, end: 200 }, -60, 140), { first: 40, end: 140 });
  assert.deepEqual(shifted({ first: 10, end: 60 }, -30, 40), { first: 0, end: 30 });
});

test("what is dropped above becomes space, and comes out of it again: nothing is scrolled", () => {
  const dropped = absorbed({ space: 0, grown: -800, isFirst: false });
  assert.deepEqual(dropped, { space: 800, scroll: 0 });
  assert.deepEqual(absorbed({ space: 800, grown: 300, isFirst: false }), { space: 500, scroll: 0 });
  assert.deepEqual(absorbed({ space: 500, grown: 500, isFirst: true }), { space: 0, scroll: 0 });
});

test("what the space does not have is scrolled", () => {
  assert.deepEqual(absorbed({ space: 100, grown: 900, isFirst: false }), { space: 0, scroll: 800 });
  assert.deepEqual(absorbed({ space: 0, grown: 900, isFirst: true }), { space: 0, scroll: 900 });
});

test("above the first line of all no space is left", () => {
  assert.deepEqual(absorbed({ space: 700, grown: 400, isFirst: true }), { space: 0, scroll: -300 });
  assert.deepEqual(absorbed({ space: 0, grown: -40, isFirst: true }), { space: 0, scroll: -40 });
});

test("whatever grows and shrinks, the line stays where it was", () => {
  let [space, offset, scrollTop] = [0, 5_000, 4_900];
  for (const grown of [900, -1_200, 40, -3_000, 2_800, 600, -1, 397.5, -0.25, 400.75, 0]) {
    const found = absorbed({ space, grown, isFirst: false });
    offset += grown + (found.space - space);
    scrollTop += found.scroll;
    space = found.space;
    assert.equal(offset - scrollTop, 100);
    assert.ok(space >= 0);
  }
});

test("a browser scrolls by whole pixels: the part of one that is missing is space, and used first", () => {
  assert.deepEqual(absorbed({ space: 0, grown: 397.5, isFirst: false }), { space: 0.5, scroll: 398 });
  assert.deepEqual(absorbed({ space: 0.5, grown: 417.25, isFirst: false }), { space: 0.25, scroll: 417 });
  const found = absorbed({ space: 0.75, grown: 400.5, isFirst: true });
  assert.deepEqual(found, { space: 0.25, scroll: 400 });
  // From there on nothing is scrolled for it.
  assert.ok(!absorbed({ space: found.space, grown: 0, isFirst: true }).scroll);
  assert.equal(absorbed({ space: found.space, grown: 0, isFirst: true }).space, 0.25);
});

test("found by halves", () => {
  for (const wanted of [0, 1, 5, 9, 10]) assert.equal(firstWhere(10, (number) => number >= wanted), wanted);
  assert.equal(firstWhere(0, () => true), 0);
});
