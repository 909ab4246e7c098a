// A picture as large as the window allows, looked at closely by fingers, wheel and keys; its neighbours in the thread by the
// arrow keys or a swipe. Loaded when somebody opens one.

import { html, nothing, render, repeat } from "lit";
import { downloadLink } from "chat/attachments";
import { fileUrl } from "chat/files";
import { WHOLE, moved, pinched, swipeOf, toggled, zoomed } from "chat/zoom";
import { icon } from "samia/icons";
import { number, percent, t } from "samia/text";

const TAP_MS = 300; // between the two of a double one
const TAP_PX = 24;
const STEP = 1.5; // of a key
const STEP_PX = 80;
const WHEEL = 0.01;

/** Show the picture of message `id`, among `messages` that are pictures. */
export function showPicture(messages, id) {
  new Viewer(messages, id).open();
}

class Viewer {
  constructor(messages, id) {
    this._messages = messages;
    this._at = messages.findIndex((one) => one.id === id);
    this._place = WHOLE;
    this._fingers = new Map(); // by pointer, where it is
    this._isMirrored = document.documentElement.dir === "rtl";
    this._dialog = document.createElement("dialog");
    this._dialog.className = "viewer";
  }

  open() {
    const isOpen = new AbortController();
    // On the document: where the button that had the focus goes, the dialog has none.
    document.addEventListener("keydown", (event) => this._keyed(event), isOpen);
    window.addEventListener("resize", () => this._move(WHOLE), isOpen);
    this._dialog.addEventListener("pointerdown", () => this._fingers.size || (this._isGesture = false), {
      capture: true,
    });
    // A click beside the picture closes, as everybody tries; the end of a gesture is none.
    this._dialog.addEventListener("click", ({ target }) => {
      if (!this._isGesture && !target.closest("img, button, a, figcaption")) this._dialog.close();
    });
    this._dialog.addEventListener("close", () => {
      isOpen.abort();
      this._dialog.remove();
    });
    this._draw();
    document.body.append(this._dialog);
    this._dialog.showModal();
  }

  _go(by) {
    if (!this._messages[this._at + by]) return;
    this._at += by;
    this._place = WHOLE;
    this._fingers.clear();
    this._draw();
  }

  // Where it stands -----------------------------------------------------------------------------------------------------------

  get _sizes() {
    const { clientWidth: width, clientHeight: height } = this._dialog.querySelector("figure");
    const { offsetWidth, offsetHeight } = this._dialog.querySelector("img");
    return [
      { width, height },
      { width: offsetWidth, height: offsetHeight },
    ];
  }

  /** From the middle of the view. */
  _point({ clientX, clientY }) {
    const { left, top, width, height } = this._dialog.querySelector("figure").getBoundingClientRect();
    return { x: clientX - left - width / 2, y: clientY - top - height / 2 };
  }

  _move(place) {
    const isOther = place.scale !== this._place.scale;
    this._place = place;
    if (isOther) this._draw();
    this._show(place);
  }

  _show({ scale, x, y }) {
    const picture = this._dialog.querySelector("img");
    picture.style.transform = scale === 1 && !x && !y ? "" : `translate(${x}px, ${y}px) scale(${scale})`;
  }

  _zoom(factor, point = { x: 0, y: 0 }) {
    this._move(zoomed(this._place, factor, point, ...this._sizes));
  }

  // Keys, wheel, fingers ------------------------------------------------------------------------------------------------------

  _keyed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return; // the browser's own zoom
    const { key } = event;
    const sides = { ArrowRight: [-1, 0], ArrowLeft: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if (key === "+" || key === "=") this._zoom(STEP);
    else if (key === "-") this._zoom(1 / STEP);
    else if (key === "0") this._move(WHOLE);
    else if (key in sides && this._place.scale > 1) {
      const [x, y] = sides[key];
      this._move(moved(this._place, x * STEP_PX, y * STEP_PX, ...this._sizes));
    } else if (key === "ArrowRight") this._go(this._isMirrored ? -1 : 1);
    else if (key === "ArrowLeft") this._go(this._isMirrored ? 1 : -1);
    else return;
    event.preventDefault();
  }

  _wheeled(event) {
    if (!event.ctrlKey) return; // so do touch pads, for two fingers
    event.preventDefault();
    this._zoom(Math.exp(-event.deltaY * WHEEL), this._point(event));
  }

  _pressed(event) {
    if (event.button !== 0 || event.target.closest("button")) return;
    if (!this._fingers.size) {
      this._start = this._point(event);
      this._hadTwo = false;
    }
    this._fingers.set(event.pointerId, this._point(event));
    if (this._fingers.size === 2) this._hadTwo = true;
  }

  _slid(event) {
    const before = [...this._fingers.values()];
    if (!this._fingers.has(event.pointerId) || before.length > 2) return;
    const from = this._fingers.get(event.pointerId);
    const to = this._point(event);
    this._fingers.set(event.pointerId, to);
    if (Math.hypot(to.x - this._start.x, to.y - this._start.y) > TAP_PX / 2) this._isGesture = true;
    if (before.length === 2) this._move(pinched(this._place, before, [...this._fingers.values()], ...this._sizes));
    else if (this._place.scale > 1) this._move(moved(this._place, to.x - from.x, to.y - from.y, ...this._sizes));
    else if (event.pointerType !== "mouse" && !this._hadTwo) {
      this._show({ scale: 1, x: to.x - this._start.x, y: Math.max(0, to.y - this._start.y) }); // it follows the finger
    }
  }

  _lifted(event) {
    const isLast = this._fingers.delete(event.pointerId) && !this._fingers.size;
    this._show(this._place);
    if (!isLast || event.type !== "pointerup") return;
    const to = this._point(event);
    if (!this._isGesture) this._tapped(event, to);
    else if (this._place.scale === 1 && event.pointerType !== "mouse" && !this._hadTwo) {
      this._swiped(swipeOf(to.x - this._start.x, to.y - this._start.y, this._isMirrored));
    }
  }

  _swiped(what) {
    if (what === "close") this._dialog.close();
    else if (what) this._go(what === "next" ? 1 : -1);
  }

  _tapped({ timeStamp, target }, point) {
    const last = this._tap;
    const isDouble =
      last && timeStamp - last.at < TAP_MS && Math.hypot(point.x - last.point.x, point.y - last.point.y) < TAP_PX;
    this._tap = isDouble || !target.closest("img") ? null : { at: timeStamp, point };
    if (isDouble) this._move(toggled(this._place, point, ...this._sizes));
  }

  // Drawing -------------------------------------------------------------------------------------------------------------------

  _draw() {
    render(this._picture(this._messages[this._at]), this._dialog);
  }

  _picture(message) {
    const { file, content } = message;
    const isLast = this._at === this._messages.length - 1;
    return html`<header>
        <div class="truncate">
          <h2 class="truncate" dir="auto">${file.name}</h2>
          <p class="num" role="status">${this._about()}</p>
        </div>
        ${downloadLink(file)}
        <button
          type="button"
          class="icon-btn"
          aria-label=${t("Close")}
          title=${t("Close")}
          autofocus
          @click=${() => this._dialog.close()}
        >
          ${icon("close")}
        </button>
      </header>
      <figure
        @pointerdown=${(event) => this._pressed(event)}
        @pointermove=${(event) => this._slid(event)}
        @pointerup=${(event) => this._lifted(event)}
        @pointercancel=${(event) => this._lifted(event)}
        @pointerleave=${(event) => this._lifted(event)}
        @wheel=${(event) => this._wheeled(event)}
      >
        ${step(this._at > 0, "chev-start", t("Previous picture"), () => this._go(-1))}
        ${repeat([message], ({ id }) => id, large)} ${step(!isLast, "chev-end", t("Next picture"), () => this._go(1))}
      </figure>
      ${content ? html`<p class="caption" dir="auto">${content}</p>` : nothing}`;
  }

  /** Its place among the others, and how close one is. */
  _about() {
    const { length } = this._messages;
    const place = length > 1 ? t("{at} of {length}", { at: number(this._at + 1), length: number(length) }) : "";
    const { scale } = this._place;
    return [place, scale > 1 ? percent(scale) : ""].filter(Boolean).join(" · ");
  }
}

/** An element of its own for each: the one before is not seen while the next one comes. */
function large({ file, content }) {
  return html`<img
      src=${fileUrl(file)}
      alt=${content || file.name}
      width=${file.width ?? nothing}
      height=${file.height ?? nothing}
      draggable="false"
      @error=${broken}
    />
    <p class="trouble bad" role="status" hidden>
      ${icon("alert", "i-sm")}<span>${t("The picture could not be loaded.")}</span>
    </p>`;
}

function broken({ target }) {
  target.hidden = true;
  target.nextElementSibling.hidden = false;
}

function step(isThere, name, label, onClick) {
  return html`<button
    type="button"
    class="icon-btn round step"
    aria-label=${label}
    ?hidden=${!isThere}
    @click=${onClick}
  >
    ${icon(name, "i-flip")}
  </button>`;
}
