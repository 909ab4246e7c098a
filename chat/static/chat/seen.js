// Which messages somebody has really looked at: half of the bubble in sight for half a second, in a tab that has the focus.

const LOOK_MS = 500;
const STEPS = [0, 0.25, 0.5, 0.75, 1];

export class SeenWatcher {
  /** `onSeen(seq)` is told the highest number seen so far, each time it grows. */
  constructor(root, onSeen) {
    this._root = root;
    this._onSeen = onSeen;
    this._watched = new Set();
    this._since = new Map();
    this._highest = 0;
    this._timer = null;
    this._observer = new IntersectionObserver((entries) => this._note(entries), { root, threshold: STEPS });
    this._restart = () => this._startOver();
    for (const type of ["focus", "blur"]) window.addEventListener(type, this._restart);
    document.addEventListener("visibilitychange", this._restart);
  }

  /** The messages that are in the page now. */
  watch(elements) {
    const now = new Set(elements);
    for (const element of this._watched) if (!now.has(element)) this._leave(element);
    for (const element of now) if (!this._watched.has(element)) this._observer.observe(element);
    this._watched = now;
  }

  _leave(element) {
    this._observer.unobserve(element);
    this._since.delete(element);
  }

  end() {
    this._observer.disconnect();
    clearTimeout(this._timer);
    for (const type of ["focus", "blur"]) window.removeEventListener(type, this._restart);
    document.removeEventListener("visibilitychange", this._restart);
  }

  _note(entries) {
    for (const { target, intersectionRect, boundingClientRect } of entries) {
      // Of a bubble taller than the window, half the window is enough.
      const enough = Math.min(boundingClientRect.height, this._root.clientHeight) / 2;
      const isInSight = intersectionRect.height > 0 && intersectionRect.height >= enough - 1;
      if (!isInSight) this._since.delete(target);
      else if (!this._since.has(target)) this._since.set(target, performance.now());
    }
    this._later();
  }

  _startOver() {
    for (const target of this._since.keys()) this._since.set(target, performance.now());
    this._later();
  }

  _later() {
    clearTimeout(this._timer);
    if (this._since.size) this._timer = setTimeout(() => this._settle(), LOOK_MS);
  }

  _settle() {
    if (!document.hasFocus() || document.visibilityState !== "visible") return;
    const now = performance.now();
    let isEarly = false;
    for (const [target, since] of this._since) {
      const seq = Number(target.dataset.seq);
      if (!target.isConnected) this._since.delete(target);
      else if (now - since < LOOK_MS - 20) isEarly = true;
      else if (seq > this._highest) this._highest = seq;
    }
    if (this._highest) this._onSeen(this._highest);
    if (isEarly) this._later();
  }
}
