// Which lines of a thread are in the page: those in sight and some on both sides, however many are loaded. Pure arithmetic.
//
// A `range` is {first, end}: the numbers of the first line that is drawn and of the first that is not any more. A `sight` is
// {top, bottom}: the first and the last line that can be seen.

export const MARGIN = 50; // lines drawn beyond those in sight, on each side
export const NEAR = 30; // with fewer left on a side, more are drawn there and as many dropped on the other
export const STEP = 8; // drawn anew on a side in one frame: a slow phone takes three milliseconds for each
export const TAIL = 64; // drawn of a thread at its end, some frames after it was opened: about what a first page has, with its days
export const MOST = 240; // whatever the size of the screen

/**
 * The last lines: `screen` of them, as many as can be in sight; of a range before some more, and as long as they are not too many
 * all that were drawn.
 */
export function tail(count, screen, range = null) {
  if (!range) return { first: Math.max(0, count - screen), end: count };
  const wanted = Math.max(0, count - TAIL);
  const first = range.first > wanted ? Math.max(wanted, range.first - STEP) : Math.max(range.first, count - MOST);
  return { first, end: count };
}

/** Those in sight and as many on both sides. */
export function around({ top, bottom }, count, most = MARGIN) {
  const margin = Math.max(0, Math.min(most, (MOST - (bottom - top + 1)) >> 1));
  return { first: Math.max(0, top - margin), end: Math.min(count, bottom + 1 + margin) };
}

/** The range for what is in sight now: the same as long as enough is left of it on both sides, else a step further. */
export function follow(range, sight, count) {
  const isHigh = range.first === 0 || sight.top - range.first >= NEAR;
  const isLow = range.end === count || range.end - 1 - sight.bottom >= NEAR;
  const isSmall = range.end <= count && range.end - range.first <= MOST;
  if (isHigh && isLow && isSmall) return range;
  const wanted = around(sight, count);
  const isElsewhere = sight.bottom < range.first || sight.top >= range.end;
  const drawn = isElsewhere ? { first: sight.top, end: sight.bottom + 1 } : range;
  return {
    first: Math.max(wanted.first, Math.min(drawn.first, sight.top) - STEP),
    end: Math.min(wanted.end, Math.max(drawn.end, sight.bottom + 1) + STEP),
  };
}

/** The same lines when their numbers have become greater by so many. */
export function shifted(range, by, count) {
  const within = (number) => Math.min(count, Math.max(0, number + by));
  return { first: within(range.first), end: within(range.end) };
}

/**
 * What keeps everything where it is when what is above it has grown by so many pixels (less than 0: shrunk): the `space`
 * above the first line that is drawn, and by how much to scroll. The space stands for lines that are dropped there. It gives
 * and takes first, because whoever is scrolling just now is not disturbed by that. Above the first line of all is none.
 *
 * Lines end between pixels, and browsers scroll by whole ones: what is missing to one is left as space, also there. Otherwise
 * a line would move by a part of a pixel with each page that comes, and by several parts in a frame with several.
 */
export function absorbed({ space, grown, isFirst }) {
  const left = isFirst ? 0 : Math.max(0, space - grown);
  const scroll = Math.ceil(grown - (space - left));
  return { space: space - grown + scroll, scroll };
}

/** The first of `count` numbers for which `isSo` holds, where it holds for all that follow; `count` if for none. */
export function firstWhere(count, isSo) {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isSo(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
