// Above the thread: with whom, about what, whether they are there, and the way to the details.

import { html, nothing } from "lit";
import { me, store } from "chat/live";
import { avatar, presenceWords } from "chat/marks";
import { colourOf, initialsOf, pictureOf, subjectOf, titleOf } from "chat/names";
import { listTime } from "samia/dates";
import { Element } from "samia/element";
import { icon } from "samia/icons";
import { t, tn } from "samia/text";

class SamiaThreadHead extends Element {
  static properties = {
    session: { type: String },
    isDetailed: { attribute: false }, // the details are open
  };

  constructor() {
    super();
    this.isDetailed = false;
  }

  connectedCallback() {
    super.connectedCallback();
    this.listen(store, "change", ({ detail }) => detail === this.session && this.requestUpdate());
  }

  render() {
    if (!this.session) return nothing;
    const back = html`<a class="icon-btn only-phone" href="/" aria-label=${t("Back to chats")}>
      ${icon("chev-start", "i-flip")}
    </a>`;
    const session = store.get(this.session);
    if (!session) return html`<header class="thread-head only-phone">${back}</header>`;
    const name = titleOf(session, me);
    const others = session.others(me);
    const presence = others.length === 1 ? store.presence.get(others[0].user) : null;
    const colour = colourOf(others[0]?.user ?? session.id);
    return html`<header class="thread-head">
        ${back}${avatar({ initials: initialsOf(name), colour, picture: pictureOf(session, me), state: presence?.state })}
        <div class="thread-who">
          <h1 class="truncate" dir="auto">${name}</h1>
          <p>${this._about(session, others, presence)}</p>
        </div>
        <button
          type="button"
          class="icon-btn"
          data-details
          aria-label=${t("Details")}
          title=${t("Details")}
          aria-expanded=${this.isDetailed ? "true" : "false"}
          aria-controls=${this.isDetailed ? "details" : nothing}
          @click=${() => this.dispatchEvent(new CustomEvent("samia:details", { bubbles: true }))}
        >
          ${icon("info")}
        </button>
      </header>
      ${session.mine ? nothing : lookingIn()}`;
  }

  _about(session, others, presence) {
    const people = others.length + (session.mine ? 1 : 0);
    const parts = [
      presence && html`<span class="there">${there(presence)}</span>`,
      others.length > 1 && html`<span class="there">${tn("{count} person", "{count} people", people)}</span>`,
      subjectOf(session) && html`<span class="truncate" dir="auto">${subjectOf(session)}</span>`,
    ].filter(Boolean);
    return parts.map((part, at) => (at ? [html`<span aria-hidden="true">·</span>`, part] : part));
  }
}

/** Whether somebody is there, or when last. */
export function there({ state, last_seen_at: at }) {
  return state === "offline" && at ? t("Last seen {time}", { time: listTime(at) }) : presenceWords(state);
}

/** For staff: they see, and it is known that they saw. */
function lookingIn() {
  return html`<div class="banner" role="note">
    ${icon("eye", "i-sm")}<span>${t("You are looking in. That you read this session is recorded.")}</span>
  </div>`;
}

customElements.define("samia-thread-head", SamiaThreadHead);
