// Where a thread is scrolled. It draws some of its lines only (window.js), and whatever comes, goes or grows, what is in sight
// stays where it is.

import { absorbed, around, firstWhere, follow, shifted, tail } from "chat/window";

const NEAR_END_PX = 80;
const LEAST_LINE_PX = 40; // a message of one line after another of the same person
const NOWHERE = { scroll: -1, client: -1 };
const PRESS_MS = 500; // what grows so soon after a press was opened by it

/** So many lines can be in sight. Of the window and not of the thread, for whose height the page would have to be laid out. */
function screenful() {
  return Math.ceil(innerHeight / LEAST_LINE_PX);
}

export class Place {
  /** `redraw()` asks for the lines of another range; `looked()` is told that something else may be in sight. */
  constructor({ redraw, looked }) {
    this._redraw = redraw;
    this._looked = looked;
    // Going somewhere may draw other lines, and not before the next frame is that allowed again.
    this._resize = new ResizeObserver(() => this._sought || this.keep());
    this.begin();
  }

  /** A thread just opened, at its end. */
  begin() {
    this.end();
    this._sought?.found(null);
    this.isAtEnd = true;
    this._isShort = false; // at the end, but for some pixels
    this.range = null;
    this.sight = { top: 0, bottom: 0 };
    this._lines = [];
    this._hasNewer = false;
    this._anchor = null; // the line that stays where it is: {key, number, element, at}, `at` in pixels from the first
    this._space = 0;
    this._dropping = 0; // pixels of the lines above that are drawn no more
    this._height = NOWHERE;
    this._sought = null;
    this._pressed = null;
  }

  end() {
    this._resize.disconnect();
    cancelAnimationFrame(this._frame);
    this._frame = null;
    this._scroller = null;
  }

  // Drawing -------------------------------------------------------------------------------------------------------------

  /** Which of these lines are to be drawn. Each draws one element. `hasNewer`: the thread goes on after them. */
  take(lines, hasNewer) {
    this._lines = lines;
    this._hasNewer = hasNewer;
    const sought = this._sought ? lines.findIndex((line) => line.key === this._sought.key) : -1;
    if (sought >= 0) this.range = this._rangeWith(sought);
    else this.range = this._rangeInSight();
    return this.range;
  }

  _rangeWith(number) {
    const range = tail(this._lines.length, screenful());
    this.sight = { top: number, bottom: number };
    return number >= range.first ? range : around(this.sight, this._lines.length, screenful());
  }

  /** What was drawn, whatever numbers it has by now, and more where that is about to end. */
  _rangeInSight() {
    const count = this._lines.length;
    const number = this._anchor ? this._lines.findIndex((line) => line.key === this._anchor.key) : -1;
    const by = number < 0 ? 0 : number - this._anchor.number;
    if (number >= 0) this._anchor.number = number;
    const last = Math.max(0, count - 1);
    const within = (at) => Math.min(last, Math.max(0, at + by));
    this.sight = { top: within(this.sight.top), bottom: within(this.sight.bottom) };
    const before = this.range && shifted(this.range, by, count);
    const range = this._next(before);
    this._dropping = before ? this._heightOf(range.first - before.first) : 0;
    return range;
  }

  /** What is to be drawn after these. */
  _next(range) {
    const count = this._lines.length;
    return this.isAtEnd ? tail(count, screenful(), range) : follow(range, this.sight, count);
  }

  /** Of so many lines, the first that are in the page. */
  _heightOf(count) {
    const elements = count > 0 ? this._elements() : [];
    if (!elements[count]) return 0;
    return elements[count].getBoundingClientRect().top - elements[0].getBoundingClientRect().top;
  }

  /** The lines are in the page; what is in them is drawn in this turn, too. */
  drawn(scroller) {
    if (scroller !== this._scroller) this._resize.observe(scroller);
    this._scroller = scroller;
    // Without that the browser would find the thread too short for where it is scrolled, and scroll it.
    this._leave(this._space + this._dropping);
    this._dropping = 0;
    // Observed anew it is told of before anything is painted, also where it is as high as before.
    this._resize.unobserve(scroller.firstElementChild);
    this._resize.observe(scroller.firstElementChild);
    this._lookSoon();
  }

  _lookSoon() {
    this._frame ??= requestAnimationFrame(() => {
      this._frame = null;
      this.keep();
      this._look();
    });
  }

  // Staying ---------------------------------------------------------------------------------------------------------------

  /** Put back what has moved. It is called before anything is painted, and does nothing where nothing has moved. */
  keep() {
    const scroller = this._scroller;
    if (!scroller?.isConnected) return;
    if (this._sought) this._find();
    else if (this._isPressedOpen()) this._holdPressed();
    else if (!this.isAtEnd || this._hasChangedAboveOnly()) this._anchor?.element.isConnected && this._hold(this._anchor);
    else if (this._grown() || this._height.client !== scroller.clientHeight) scroller.scrollTop = scroller.scrollHeight;
    this._height = { scroll: scroller.scrollHeight, client: scroller.clientHeight };
  }

  /** By how many pixels everything together is higher than when the place was last kept. */
  _grown() {
    return this._scroller.scrollHeight - this._height.scroll;
  }

  /** Whoever has come close to the end, and not quite there, is not taken there for what happens out of his sight. */
  _hasChangedAboveOnly() {
    const { element, at } = this._anchor ?? {};
    if (!this._isShort || !element?.isConnected || this._height.client !== this._scroller.clientHeight) return false;
    return Math.abs(this._offset(element) - at - this._grown()) < 1;
  }

  _hold(anchor) {
    const grown = this._offset(anchor.element) - anchor.at;
    const { space, scroll } = absorbed({ space: this._space, grown, isFirst: this.range.first === 0 });
    anchor.at += scroll;
    this._leave(space);
    if (scroll) this._scroller.scrollTop += scroll;
  }

  _holdPressed() {
    const { element } = this._pressed;
    this._hold(this._pressed);
    this._pressed.height = this._scroller.scrollHeight;
    this.isAtEnd = this._isEndInSight();
    this._anchorOn(element, this.range.first + this._elements().indexOf(element));
    this._lookSoon();
  }

  /** Leave so much space above the first line. */
  _leave(space) {
    if (space === this._space) return;
    this._space = space;
    this._scroller.firstElementChild.style.paddingBlockStart = space ? `${space}px` : "";
  }

  /** From the beginning of what can be scrolled: scrolling does not change it. */
  _offset(element) {
    const scroller = this._scroller;
    return element.getBoundingClientRect().top - scroller.getBoundingClientRect().top + scroller.scrollTop;
  }

  /** Somebody pressed a button that opens or closes something: the message with it stays, even at the end of the thread. */
  pressed(element) {
    const until = performance.now() + PRESS_MS;
    this._pressed = { element, at: this._offset(element), height: this._scroller.scrollHeight, until };
  }

  _isPressedOpen() {
    if (this._pressed && performance.now() > this._pressed.until) this._pressed = null;
    return this._pressed?.element.isConnected && this._pressed.height !== this._scroller.scrollHeight;
  }

  // Going -----------------------------------------------------------------------------------------------------------------

  toEnd() {
    this._sought?.found(null);
    this._sought = null;
    this.isAtEnd = true;
    this._isShort = false;
    if (this.range?.end !== this._lines.length) this.range = null; // what is drawn of the end stays
    this._anchor = null;
    this._height = NOWHERE; // so that it is gone to, also where nothing has changed
    this._redraw();
  }

  /**
   * Go to the line with this key, as soon as it is drawn: to the middle of the sight, or with `isTop` to its beginning. If no
   * such line is drawn next, nothing is gone to. Resolves to its element, or null.
   */
  seek(key, { isTop = false } = {}) {
    this._sought?.found(null);
    return new Promise((found) => {
      this._sought = { key, isTop, found };
      this._redraw();
    });
  }

  _find() {
    const { key, isTop, found } = this._sought;
    this._sought = null;
    const element = this._elementOf(key);
    if (element) {
      const room = isTop ? NEAR_END_PX : (this._scroller.clientHeight - element.offsetHeight) / 2;
      this._leave(0);
      this.isAtEnd = false;
      this._scroller.scrollTop = this._offset(element) - room;
      this._see();
    } else if (this.isAtEnd) {
      this._scroller.scrollTop = this._scroller.scrollHeight;
    }
    found(element);
  }

  /** Whether it is on its way to a line. */
  get isSeeking() {
    return this._sought !== null;
  }

  // Looking ---------------------------------------------------------------------------------------------------------------

  /** Somebody has scrolled, or we have. */
  scrolled() {
    if (!this._scroller) return;
    this.keep();
    this._see();
  }

  _see() {
    this.isAtEnd = this._isEndInSight();
    this._isShort = this._below() >= 1;
    this._look();
  }

  _isEndInSight() {
    return this.range.end === this._lines.length && !this._hasNewer && this._below() < NEAR_END_PX;
  }

  /** How many pixels there are below the sight. */
  _below() {
    const { scrollHeight, scrollTop, clientHeight } = this._scroller;
    return scrollHeight - scrollTop - clientHeight;
  }

  /** Whether the beginning of what is loaded is less than a screen away; its end. */
  get isNearStart() {
    return this.range.first === 0 && this._scroller.scrollTop < this._scroller.clientHeight;
  }

  get isNearEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this._scroller;
    return this.range.end === this._lines.length && scrollHeight - scrollTop < 2 * clientHeight;
  }

  /** Find what is in sight, and draw other lines where those that are drawn come to an end. */
  _look() {
    const elements = this._elements();
    if (!this._scroller?.isConnected || !elements.length) return;
    const box = this._scroller.getBoundingClientRect();
    const rect = (at) => elements[at].getBoundingClientRect();
    const count = elements.length;
    const top = Math.min(count - 1, firstWhere(count, (at) => rect(at).bottom > box.top));
    const bottom = Math.max(top, firstWhere(count, (at) => rect(at).top >= box.bottom) - 1);
    this.sight = { top: this.range.first + top, bottom: this.range.first + bottom };
    this._anchorAt(elements, top, bottom);
    const next = this._next(this.range);
    if (next.first !== this.range.first || next.end !== this.range.end) this._redraw();
    this._looked();
  }

  /** A message, if one is in sight: days and marks come and go. */
  _anchorAt(elements, top, bottom) {
    let at = top;
    while (at < bottom && this._lines[this.range.first + at].kind !== "message") at += 1;
    if (this._lines[this.range.first + at].kind !== "message") at = top;
    this._anchorOn(elements[at], this.range.first + at);
  }

  _anchorOn(element, number) {
    this._anchor = { key: this._lines[number].key, number, element, at: this._offset(element) };
  }

  /** The elements of the lines of the range. Beside them there may be hidden ones. */
  _elements() {
    return [...(this._scroller?.firstElementChild.children ?? [])].filter((element) => !element.hidden);
  }

  _elementOf(key) {
    const at = this._lines.findIndex((line) => line.key === key) - this.range.first;
    return at < 0 ? null : (this._elements()[at] ?? null);
  }

  /** The element of a message in sight, the last one. */
  get lastInSight() {
    const some = this._elements().slice(0, this.sight.bottom - this.range.first + 1);
    return some.findLast((element) => element.matches("samia-message")) ?? null;
  }
}
