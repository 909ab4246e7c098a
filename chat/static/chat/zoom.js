// Where a picture stands that is looked at closely: {scale, x, y}, x and y its middle from the middle of the view, in pixels.
// `view` and `picture` are sizes, {width, height}; the picture's is that at scale 1. Nothing here knows of the page.

export const WHOLE = { scale: 1, x: 0, y: 0 };
const MOST = 6;
const CLOSER = 2; // by a double tap
const SWIPE_PX = 60;
const AWAY_PX = 90;

/** Within bounds: no smaller than whole, and no edge further in than the view's. */
export function bounded({ scale, x, y }, view, picture) {
  const within = Math.min(MOST, Math.max(1, scale));
  const limit = (place, side) => {
    const most = Math.max(0, (picture[side] * within - view[side]) / 2);
    return Math.min(most, Math.max(-most, place)) || 0; // and never -0
  };
  return { scale: within, x: limit(x, "width"), y: limit(y, "height") };
}

/** `factor` times as large; what is under `point` (from the middle of the view) stays there. */
export function zoomed(state, factor, point, view, picture) {
  return between(state, [point], [point], factor, view, picture);
}

export function moved(state, x, y, view, picture) {
  return bounded({ scale: state.scale, x: state.x + x, y: state.y + y }, view, picture);
}

/** Two fingers went from `before` to `after`: what was under them is under them. */
export function pinched(state, before, after, view, picture) {
  return between(state, before, after, distance(after) / (distance(before) || 1), view, picture);
}

/** By a double tap: closer, or whole again. */
export function toggled(state, point, view, picture) {
  return state.scale > 1 ? WHOLE : zoomed(state, CLOSER, point, view, picture);
}

/** What a finger meant that went so far over a whole picture: "next", "previous", "close"; null if nothing. */
export function swipeOf(x, y, isMirrored) {
  if (Math.abs(x) > Math.abs(y)) {
    if (Math.abs(x) < SWIPE_PX) return null;
    return x < 0 !== isMirrored ? "next" : "previous";
  }
  return y > AWAY_PX ? "close" : null;
}

function between(state, before, after, factor, view, picture) {
  const scale = Math.min(MOST, Math.max(1, state.scale * factor));
  const [from, to] = [middle(before), middle(after)];
  const place = (at) => to[at] - ((from[at] - state[at]) * scale) / state.scale;
  return bounded({ scale, x: place("x"), y: place("y") }, view, picture);
}

function middle(points) {
  const mean = (at) => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  return { x: mean("x"), y: mean("y") };
}

function distance([one, other]) {
  return Math.hypot(one.x - other.x, one.y - other.y);
}
