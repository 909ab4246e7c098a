// Short words about something that happened elsewhere. They leave by themselves, but not while somebody looks at them.

import { html, nothing, repeat } from "lit";
import { Element } from "samia/element";
import { icon } from "samia/icons";
import { t } from "samia/text";

const STAY_MS = 7_000;

/** Say something to the user: {text, icon: its name, isBad, action: {text, act}, stays}. What stays, stays until it is answered. */
export function toast(detail) {
  document.dispatchEvent(new CustomEvent("samia:toast", { detail }));
}

class SamiaToasts extends Element {
  static properties = { _toasts: { state: true } };

  constructor() {
    super();
    this._toasts = [];
    this._lastKey = 0;
  }

  connectedCallback() {
    super.connectedCallback();
    this.listen(document, "samia:toast", ({ detail }) => this._show(detail));
  }

  _show(detail) {
    const key = ++this._lastKey;
    this._toasts = [...this._toasts, { ...detail, key }];
    if (!detail.stays) this._leaveLater(key);
  }

  _leaveLater(key) {
    setTimeout(() => {
      const shown = this.querySelector(`[data-key="${key}"]`);
      if (shown?.matches(":hover, :focus-within")) this._leaveLater(key);
      else this._dismiss(key);
    }, STAY_MS);
  }

  _dismiss(key) {
    this._toasts = this._toasts.filter((one) => one.key !== key);
  }

  _act({ key, action }) {
    this._dismiss(key);
    action.act();
  }

  render() {
    return html`<div class="toasts" role="status">
      ${repeat(
        this._toasts,
        (one) => one.key,
        (one) =>
          html`<div class="toast" data-key=${one.key}>
            <span class="disc ${one.isBad ? "bad" : ""}">${icon(one.icon)}</span>
            <p dir="auto">${one.text}</p>
            ${one.action
              ? html`<button type="button" class="btn btn-quiet" @click=${() => this._act(one)}>${one.action.text}</button>`
              : nothing}
            <button type="button" class="icon-btn" aria-label=${t("Dismiss")} @click=${() => this._dismiss(one.key)}>
              ${icon("close")}
            </button>
          </div>`,
      )}
    </div>`;
  }
}

customElements.define("samia-toasts", SamiaToasts);
