// One message of a thread: its bubble, and what can be done with it. It draws what it is given and tells what is asked of
// it, as `samia:act` with {act, id, anchor}.

import { html, nothing } from "lit";
import { attachment } from "chat/attachments";
import { emojiIn } from "chat/emoji";
import { beginningOf } from "chat/fold";
import { tickMark } from "chat/marks";
import { wordsOf } from "chat/names";
import { clock } from "samia/dates";
import { Element } from "samia/element";
import { icon } from "samia/icons";
import { splitLinks } from "samia/links";
import { t } from "samia/text";

const unfolded = new Set(); // long messages that were asked for whole, also while they are not drawn

class SamiaMessage extends Element {
  static properties = {
    message: { attribute: false },
    tick: { attribute: false }, // of an own message: sending, sent, delivered, seen, read; "failed" when it could not be sent
    name: { attribute: false }, // the sender's, where it is to be said
    quoteName: { attribute: false },
    quoteText: { attribute: false }, // null: it answers nothing
    status: { attribute: false }, // a word below the last own message
    may: { attribute: false }, // what can be done with it: "reply edit"
    isOwn: { attribute: false },
    heard: { attribute: false }, // of a voice message: "played", "new" or ""
    mayRecord: { attribute: false }, // whether a voice message that was not approved can be recorded again
    isStop: { attribute: false }, // whether the Tab key stops here, and then at its buttons
  };

  get _tabindex() {
    return this.isStop ? "0" : "-1";
  }

  render() {
    if (this.message.deleted_at) return this._gone();
    return html`<div class="bubble">
        ${this.name ? html`<b class="who" dir="auto">${this.name}</b>` : nothing}${this._quote()}
        ${this._content()}${this._held()}
      </div>
      ${this._actions()}${this._after()}`;
  }

  _gone() {
    return html`<div class="bubble">
      ${this.name ? html`<b class="who" dir="auto">${this.name}</b>` : nothing}
      <span class="line">${icon("trash", "i-sm")}<span>${t("This message was deleted")}</span>${this._time("meta")}</span>
    </div>`;
  }

  /** Words, or a file with words beneath. The time stands after the last of it. */
  _content() {
    const { message } = this;
    const meta = message.content ? nothing : this._meta();
    const found = attachment(message, { isStop: this.isStop, meta, heard: this.heard });
    if (!found) return this._body(wordsOf(message));
    const isTold = message.type === "audio" && !message.content; // in the player's own line
    return html`${found}${isTold ? nothing : this._body(message.content)}`;
  }

  _body(text) {
    const beginning = text ? beginningOf(text) : null;
    const isFolded = beginning !== null && !unfolded.has(this.message.id);
    const emoji = this.message.type === "text" ? emojiIn(text) : 0;
    const form = isFolded ? " folded" : emoji ? ` big big-${emoji}` : "";
    return html`<div class="body${form}" dir="auto">${
      text ? html`<p>${this._parts(isFolded ? beginning : text)} </p>` : nothing
    }${beginning === null ? nothing : this._fold(isFolded)}${this._meta()}</div>`;
  }

  _fold(isFolded) {
    return html`<button
      type="button"
      class="link more"
      tabindex=${this._tabindex}
      aria-expanded=${isFolded ? "false" : "true"}
      @click=${this._toggleFold}
    >
      ${isFolded ? t("Show more") : t("Show less")}
    </button>`;
  }

  /** It grows and shrinks downwards. Whoever folds it at its end is taken to what is left of it. */
  async _toggleFold() {
    const { id } = this.message;
    const isFolding = unfolded.delete(id);
    if (!isFolding) unfolded.add(id);
    this.requestUpdate();
    await this.updateComplete;
    if (isFolding) this.scrollIntoView({ block: "nearest" });
  }

  _parts(text) {
    return splitLinks(text).map(({ text, isLink }) =>
      isLink ? html`<a href=${text} target="_blank" rel="noopener noreferrer" dir="ltr">${text}</a>` : text,
    );
  }

  _quote() {
    if (this.quoteText === null) return nothing;
    return html`<button type="button" class="quote" tabindex=${this._tabindex} @click=${() => this._act("jump")}>
      <b dir="auto">${this.quoteName}</b><span dir="auto">${this.quoteText}</span
      ><span class="vh">${t("Show the original message")}</span>
    </button>`;
  }

  _meta() {
    return html`<span class="meta"
      >${this.message.edited_at ? html`<span>${t("edited")}</span>` : nothing}${this._time()}${this.tick &&
      this.tick !== "failed"
        ? tickMark(this.tick)
        : nothing}</span
    >`;
  }

  _time(classes = "") {
    const at = this.message.created_at;
    return html`<time class=${classes || nothing} datetime=${at}>${clock(at)}</time>`;
  }

  _held() {
    const { status, reason } = this.message;
    if (status === "pending_approval") {
      const whom = this.isOwn ? t("Only you and our team can hear it.") : t("Only the sender and our team can hear it.");
      return html`<div class="note">
        ${icon("clock", "i-sm")}
        <p><b>${t("Waiting for approval")}</b>${whom}</p>
      </div>`;
    }
    if (status !== "rejected") return nothing;
    return html`<div class="note">
      ${icon("alert", "i-sm")}
      <p><b>${t("Not approved")}</b><span dir="auto">${reason || t("Nobody else can hear it.")}</span></p>
    </div>`;
  }

  _actions() {
    if (!this.may) return nothing;
    return html`<div class="acts">
      ${this._button("reply", "reply", t("Reply"), "i-flip")}${this._button("edit", "edit", t("Edit"))}
      <button
        type="button"
        class="icon-btn"
        tabindex=${this._tabindex}
        aria-label=${t("More")}
        aria-haspopup="menu"
        @click=${(event) => this._act("menu", event.currentTarget)}
      >
        ${icon("more")}
      </button>
    </div>`;
  }

  _button(act, name, label, classes = "") {
    if (!this.may.split(" ").includes(act)) return nothing;
    return html`<button
      type="button"
      class="icon-btn"
      tabindex=${this._tabindex}
      aria-label=${label}
      title=${label}
      @click=${() => this._act(act)}
    >
      ${icon(name, classes)}
    </button>`;
  }

  _after() {
    if (this.tick === "failed") {
      return html`<div class="after bad" role="status">
        ${icon("alert", "i-sm")}<span>${this.status}</span>
        <button type="button" @click=${() => this._act("retry")}>${t("Try again")}</button>
        <button type="button" @click=${() => this._act("discard")}>${t("Delete")}</button>
      </div>`;
    }
    if (this.message.status === "rejected" && this.mayRecord) {
      return html`<div class="after">
        <button type="button" class="link" tabindex=${this._tabindex} @click=${() => this._act("record")}>
          ${t("Record again")}
        </button>
      </div>`;
    }
    return this.status ? html`<div class="after">${this.status}</div>` : nothing;
  }

  _act(act, anchor = null) {
    const detail = { act, id: this.message.id, anchor };
    this.dispatchEvent(new CustomEvent("samia:act", { bubbles: true, detail }));
  }
}

customElements.define("samia-message", SamiaMessage);
