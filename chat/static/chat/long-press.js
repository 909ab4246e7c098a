// A finger that rests on a message opens its menu, in place of the browser's own.

import { swallowClick } from "chat/aftertouch";

const LONG_PRESS_MS = 450;
const SLIP_PX = 10;

export class LongPress {
  /** `rested(bubble)` is told while the finger is down. */
  constructor({ rested }) {
    this._rested = rested;
    this._lastTouch = -Infinity;
  }

  pressed(event) {
    const bubble = event.target.closest(".bubble");
    if (event.pointerType !== "touch" || !bubble) return;
    const ended = new AbortController();
    const { signal } = ended;
    const timer = setTimeout(() => {
      ended.abort();
      window.addEventListener("pointerup", swallowClick, { once: true });
      this._rested(bubble);
    }, LONG_PRESS_MS);
    const end = () => {
      clearTimeout(timer);
      ended.abort();
    };
    const slipped = (move) => Math.hypot(move.clientX - event.clientX, move.clientY - event.clientY) > SLIP_PX && end();
    for (const type of ["pointerup", "pointercancel"]) window.addEventListener(type, end, { signal });
    window.addEventListener("pointermove", slipped, { signal });
    this._lastTouch = performance.now();
  }

  contextMenu(event) {
    if (performance.now() - this._lastTouch < 2 * LONG_PRESS_MS) event.preventDefault();
  }
}
