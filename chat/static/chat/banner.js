// One calm line about the connection, when there is something to say. Short interruptions are none of anybody's business.

import { html, nothing } from "lit";
import { outbox, socket, sync } from "chat/live";
import { Element } from "samia/element";
import { icon } from "samia/icons";
import { t, tn } from "samia/text";

const CALM_MS = 1_200;
const FIRST_CALM_MS = 3_000; // after the page was opened

class SamiaBanner extends Element {
  static properties = { _isShown: { state: true } };

  constructor() {
    super();
    this._isShown = false;
    this._wasLevel = false;
  }

  connectedCallback() {
    super.connectedCallback();
    this.listen(sync, "state", () => this._moved());
    this.listen(socket, "state", () => this.requestUpdate());
    this.listen(outbox, "change", () => this.requestUpdate());
    for (const type of ["online", "offline"]) this.listen(window, type, () => this.requestUpdate());
    this._moved();
  }

  _moved() {
    this.dataset.state = sync.state; // for whoever watches the page from outside
    if (sync.state === "level") {
      this._wasLevel = true;
      this._isShown = false;
      clearTimeout(this._timer);
      this._timer = null;
    } else {
      this._timer ??= setTimeout(() => (this._isShown = true), this._wasLevel ? CALM_MS : FIRST_CALM_MS);
    }
    this.requestUpdate();
  }

  render() {
    return html`<div role="status">${this._isShown ? this._line() : nothing}</div>`;
  }

  _line() {
    const { waiting } = outbox;
    const more = waiting ? tn("{count} message is waiting.", "{count} messages are waiting.", waiting) : "";
    if (sync.state === "syncing") {
      return html`<div class="banner">${icon("retry", "i-sm")}<span>${t("Catching up…")} ${more}</span></div>`;
    }
    const what = navigator.onLine ? (this._wasLevel ? t("Reconnecting…") : t("Connecting…")) : t("You are offline.");
    return html`<div class="banner">
      ${icon("cloud-off", "i-sm")}<span>${what} ${more}</span>
      <button type="button" class="link" @click=${() => socket.hurry()}>${t("Try now")}</button>
    </div>`;
  }
}

customElements.define("samia-banner", SamiaBanner);
