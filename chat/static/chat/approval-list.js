// The queue of voice messages that wait, the oldest first.

import { html, nothing, repeat } from "lit";
import { agoWords, decidedWords, length, minutesSince } from "chat/approval-words";
import { avatar } from "chat/marks";
import { colourOf, initialsOf } from "chat/names";
import { SMALL, wavePath, waveWidth } from "chat/peaks";
import { Element } from "samia/element";
import { icon } from "samia/icons";
import { t } from "samia/text";

const LATE_MINUTES = 5;
const REFRESH_MS = 30_000;

class SamiaApprovalList extends Element {
  static properties = {
    items: { attribute: false },
    open: { attribute: false }, // the id of the one that is open
    isAway: { attribute: false }, // there is no connection
  };

  constructor() {
    super();
    this.items = [];
    this.open = null;
    this.isAway = false;
  }

  connectedCallback() {
    super.connectedCallback();
    this._refresh = setInterval(() => this.requestUpdate(), REFRESH_MS);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this._refresh);
  }

  render() {
    return html`<div role="status">${this.isAway ? away() : nothing}</div>
      ${this._list()}`;
  }

  _list() {
    if (!this.items.length) {
      return html`<div class="empty">
        <span class="disc">${icon("check")}</span>
        <h2>${t("Nothing waits")}</h2>
        <p>${t("Voice messages that need approval appear here by themselves.")}</p>
      </div>`;
    }
    return html`<ul class="queue">
      ${repeat(
        this.items,
        ({ message }) => message.id,
        (item) => html`<li>${this._row(item)}</li>`,
      )}
    </ul>`;
  }

  _row({ message, sender_name: name, sender_avatar: picture, session_title: title, decided }) {
    const minutes = minutesSince(message.created_at);
    return html`<a
      class="q-item ${decided ? "decided" : ""}"
      href="#${message.id}"
      aria-current=${message.id === this.open ? "true" : nothing}
    >
      ${avatar({ initials: initialsOf(name), colour: colourOf(message.sender), picture })}
      <div class="truncate">
        <div class="session-top">
          <span class="session-name truncate" dir="auto">${name}</span
          ><time class=${minutes >= LATE_MINUTES ? "late" : ""} datetime=${message.created_at}
            >${agoWords(minutes)}</time
          >
        </div>
        <div class="session-bot">
          <span class="session-last"><span dir="auto">${decided ? decidedWords(decided) : title}</span></span>
        </div>
        <div class="session-bot">
          <svg class="small-wave bars" viewBox="0 0 ${waveWidth(SMALL)} ${SMALL.height}" aria-hidden="true">
            <path d=${wavePath(message.file?.waveform, SMALL)}></path></svg
          ><span class="num">${length(message.file)}</span>
        </div>
      </div>
    </a>`;
  }
}

function away() {
  return html`<div class="banner">
    ${icon("cloud-off", "i-sm")}<span>${navigator.onLine ? t("Reconnecting…") : t("You are offline.")}</span>
  </div>`;
}

customElements.define("samia-approval-list", SamiaApprovalList);
