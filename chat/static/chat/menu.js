// The menu of a message: beside it with a mouse or the keyboard, at the bottom of the screen on a phone.

import { html, nothing } from "lit";
import { Element } from "samia/element";
import { icon } from "samia/icons";
import { isPhone } from "samia/screen";
import { t } from "samia/text";

const GAP_PX = 4;
const MARGIN_PX = 8;

class SamiaMenu extends Element {
  static properties = { _may: { state: true } };

  constructor() {
    super();
    this._may = [];
  }

  /**
   * Open it for message `id` beside `anchor`, with what `may` names. It closes itself: a popover that the browser closes
   * would do so when the finger that opened it lifts.
   */
  async open({ id, may, anchor }) {
    this._close();
    this._id = id;
    this._may = may.split(" ");
    this._from = document.activeElement;
    await this.updateComplete;
    this._menu.showPopover();
    if (!isPhone()) place(this._menu, anchor.getBoundingClientRect());
    this._menu.querySelector("button").focus();
    this._whileOpen = new AbortController();
    const { signal } = this._whileOpen;
    const outside = ({ target }) => this._menu.contains(target) || this._close();
    document.addEventListener("pointerdown", outside, { signal, capture: true });
    window.addEventListener("resize", () => this._close(), { signal });
  }

  get _menu() {
    return this.querySelector("[popover]");
  }

  _close() {
    this._whileOpen?.abort();
    if (!this._menu?.matches(":popover-open")) return;
    this._menu.hidePopover();
    this._from?.focus({ preventScroll: true });
  }

  _choose(act) {
    this._close();
    this.dispatchEvent(new CustomEvent("samia:act", { bubbles: true, detail: { act, id: this._id, anchor: null } }));
  }

  _keyed(event) {
    const items = [...this.querySelectorAll("[role=menuitem]")];
    const at = items.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Tab" || event.key === "Escape") this._close();
    else if (next === undefined) return;
    else items.at(next % items.length).focus();
    event.preventDefault();
  }

  render() {
    return html`<div class="menu" popover="manual" role="menu" aria-label=${t("Message")} @keydown=${this._keyed}>
      ${this._item("reply", "reply", t("Reply"), "i-flip")}${this._item("copy", "copy", t("Copy text"))}
      ${this._item("edit", "edit", t("Edit"))}${this._item("delete", "trash", t("Delete"), "", "danger")}
    </div>`;
  }

  _item(act, name, label, iconClasses = "", classes = "") {
    if (!this._may.includes(act)) return nothing;
    return html`<button type="button" role="menuitem" class=${classes} @click=${() => this._choose(act)}>
      ${icon(name, iconClasses)}<span>${label}</span>
    </button>`;
  }
}

/** Under the anchor, or over it where there is no room; within the window. */
function place(menu, anchor) {
  const { width, height } = menu.getBoundingClientRect();
  const isRoomBelow = anchor.bottom + GAP_PX + height + MARGIN_PX <= window.innerHeight;
  const top = isRoomBelow ? anchor.bottom + GAP_PX : Math.max(MARGIN_PX, anchor.top - GAP_PX - height);
  const left = Math.min(Math.max(MARGIN_PX, anchor.right - width), window.innerWidth - width - MARGIN_PX);
  menu.style.top = `${top}px`;
  menu.style.left = `${left}px`;
}

customElements.define("samia-menu", SamiaMenu);
