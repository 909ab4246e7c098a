// Where one writes: the box, what it answers or changes, the draft. Where nothing may be written, words say why.

import { createRef, html, nothing, ref } from "lit";
import { drafts, limits, me, outbox, serverNow, socket, store } from "chat/live";
import { nameOf, titleOf, wordsOf } from "chat/names";
import { changeRefused } from "chat/thread";
import { Element } from "samia/element";
import { request } from "samia/http";
import { icon } from "samia/icons";
import { number, t, tn, wellFormed } from "samia/text";
import { toast } from "samia/toasts";

const TYPING_REPEAT_MS = 2_500; // the server forgets a signal after 5 s
const TYPING_IDLE_MS = 4_000;
const NEVER = -Infinity;
const COUNT_FROM = 0.9; // of the longest message: from there on letters are counted
const MINUTE_MS = 60_000;
const IS_TOUCH = "(pointer: coarse)";

class SamiaComposer extends Element {
  static properties = {
    session: { type: String },
    _mode: { state: true }, // null, or {kind: "reply" or "edit", message}
    _length: { state: true },
    _isSaving: { state: true },
  };

  constructor() {
    super();
    this._mode = null;
    this._length = 0;
    this._isSaving = false;
    this._box = createRef();
    this._typedAt = NEVER;
  }

  createRenderRoot() {
    // What was typed before this module was there is not lost, nor the draft that could not be shown there.
    const early = this.querySelector("textarea");
    if (early?.value && this.session) {
      drafts.set(this.session, [drafts.get(this.session), early.value].filter(Boolean).join("\n"));
    }
    this._hadFocus = early !== null && early === document.activeElement;
    return super.createRenderRoot();
  }

  connectedCallback() {
    super.connectedCallback();
    this.listen(store, "change", ({ detail }) => detail === this.session && this.requestUpdate());
  }

  willUpdate(changed) {
    if (changed.has("session")) {
      this._stopTyping(changed.get("session"));
      this._mode = null;
      this._mustFill = true;
    }
    const session = store.get(this.session);
    if (this._mode && session && !this._isOpen(session)) this._mode = null;
  }

  updated() {
    if (!this._box.value) {
      this._mustFill = true; // when it opens again
      return;
    }
    if (this._mustFill) {
      this._mustFill = false;
      this._fill(drafts.get(this.session));
    }
    if (this._hadFocus) {
      this._hadFocus = false;
      this.focus();
    }
  }

  focus() {
    this._box.value?.focus();
  }

  /** Answer a message. */
  reply(message) {
    if (this._mode?.kind === "edit") this._fill(drafts.get(this.session));
    this._mode = { kind: "reply", message };
    this.focus();
  }

  /** Change an own message. */
  edit(message) {
    this._mode = { kind: "edit", message };
    this._fill(message.content);
    this.focus();
  }

  _leaveMode() {
    if (this._mode?.kind === "edit") this._fill(drafts.get(this.session));
    this._mode = null;
    this.focus();
  }

  _fill(text) {
    const box = this._box.value;
    box.value = text;
    this._measure();
  }

  _measure() {
    const box = this._box.value;
    this._length = [...box.value].length; // as the server counts: characters, and not half ones
    if (CSS.supports("field-sizing", "content")) return;
    box.style.height = "auto";
    box.style.height = `${box.scrollHeight}px`;
  }

  // Typing ------------------------------------------------------------------------------------------------------------

  _typed() {
    this._measure();
    if (this._mode?.kind === "edit") return;
    drafts.set(this.session, this._box.value.value);
    this.dispatchEvent(new CustomEvent("samia:draft", { bubbles: true }));
    clearTimeout(this._idle);
    if (!this._length) {
      this._stopTyping(this.session);
      return;
    }
    this._idle = setTimeout(() => this._stopTyping(this.session), TYPING_IDLE_MS);
    if (performance.now() - this._typedAt < TYPING_REPEAT_MS) return;
    if (socket.send({ type: "typing_start", session: this.session })) this._typedAt = performance.now();
  }

  _stopTyping(session) {
    clearTimeout(this._idle);
    if (this._typedAt !== NEVER && store.get(session)?.mine) socket.send({ type: "typing_stop", session });
    this._typedAt = NEVER;
  }

  _keyed(event) {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey && !matchMedia(IS_TOUCH).matches) {
      event.preventDefault();
      this._send();
    } else if (event.key === "Escape" && this._mode) {
      event.preventDefault();
      this._leaveMode();
    } else if (event.key === "ArrowUp" && !this._length && !this._mode) {
      const last = document.querySelector("samia-thread").lastEditable();
      if (!last) return;
      event.preventDefault();
      this.edit(last);
    }
  }

  // Sending -----------------------------------------------------------------------------------------------------------

  get _canSend() {
    return this._box.value?.value.trim() && this._length <= limits.max_chars && !this._isSaving;
  }

  _send() {
    if (!this._canSend) return;
    const content = wellFormed(this._box.value.value.trim());
    if (this._mode?.kind === "edit") {
      this._save(this._mode.message, content);
      return;
    }
    outbox.add({ session: this.session, content, replyTo: this._mode?.message.id ?? null });
    drafts.set(this.session, "");
    this._typedAt = NEVER; // the message itself ends the signal
    clearTimeout(this._idle);
    this._mode = null;
    this._fill("");
    this.dispatchEvent(new CustomEvent("samia:draft", { bubbles: true }));
    this.focus();
  }

  async _save(message, content) {
    this._isSaving = true;
    try {
      store.keepMessage(await request("PATCH", `/api/chat/messages/${message.id}`, { content }));
      if (this._mode?.message === message) this._leaveMode();
    } catch (problem) {
      toast({ icon: "alert", isBad: true, text: changeRefused(problem) });
    } finally {
      this._isSaving = false;
    }
  }

  // Drawing -----------------------------------------------------------------------------------------------------------

  _isOpen(session) {
    return session.status === "active" || (session.status === "paused" && this._mode?.kind === "edit");
  }

  render() {
    const session = store.get(this.session);
    if (!session?.mine) return nothing;
    return html`<footer class="dock">
      <div class="dock-in">${this._isOpen(session) ? this._writing(session) : closed(session)}</div>
    </footer>`;
  }

  _writing(session) {
    const name = titleOf(session, me);
    const isEdit = this._mode?.kind === "edit";
    return html`<form class="composer" @submit=${this._submitted}>
      <div class="composer-box">
        ${this._strip(session)}
        <div class="composer-row">
          <textarea
            ${ref(this._box)}
            rows="1"
            dir="auto"
            autocomplete="off"
            placeholder=${t("Message {name}", { name })}
            aria-label=${isEdit ? t("Edit message") : t("Message {name}", { name })}
            aria-describedby=${this._isNearLimit ? "count" : nothing}
            enterkeyhint="send"
            @input=${this._typed}
            @keydown=${this._keyed}
            @blur=${() => this._stopTyping(this.session)}
          ></textarea>
        </div>
        ${this._count()}
      </div>
      <div class="composer-side">
        <button class="icon-btn send" aria-label=${isEdit ? t("Save") : t("Send")} ?disabled=${!this._canSend}>
          ${icon(isEdit ? "check" : "send", isEdit ? "" : "i-flip")}
        </button>
      </div>
    </form>`;
  }

  _submitted(event) {
    event.preventDefault();
    this._send();
  }

  get _isNearLimit() {
    return this._length > limits.max_chars * COUNT_FROM;
  }

  _count() {
    if (!this._isNearLimit) return nothing;
    const values = { length: number(this._length), limit: number(limits.max_chars) };
    const isOver = this._length > limits.max_chars;
    return html`<div class="count ${isOver ? "over" : ""}" id="count">
      ${t("{length} of {limit} characters", values)}
    </div>`;
  }

  _strip(session) {
    if (!this._mode) return nothing;
    const { kind, message } = this._mode;
    const isEdit = kind === "edit";
    const author = message.sender === me ? t("You") : nameOf(session.participants.get(message.sender));
    return html`<div class="strip">
      ${icon(kind, isEdit ? "i-sm" : "i-sm i-flip")}
      <div class="quote">
        <b dir="auto">${isEdit ? t("Edit message") : author}</b>
        <span dir="auto">${isEdit ? timeLeft(message) : wordsOf(message)}</span>
      </div>
      <button type="button" class="icon-btn" aria-label=${t("Cancel")} @click=${this._leaveMode}>${icon("close")}</button>
    </div>`;
  }
}

function timeLeft(message) {
  const left = Date.parse(message.created_at) + limits.edit_seconds * 1000 - serverNow();
  if (left <= 0) return wordsOf(message);
  const minutes = Math.ceil(left / MINUTE_MS);
  return tn("{count} minute left to change it", "{count} minutes left to change it", minutes);
}

function closed(session) {
  const words = {
    paused: [t("This session is paused"), t("You can read everything. Writing opens again when it is resumed.")],
    locked: [t("This session is locked"), t("Our team locked it. You can still read everything.")],
    ended: [t("This session has ended"), t("You can still read everything.")],
    archived: [t("This session is archived"), t("Our team keeps its messages.")],
  };
  const [title, text] = words[session.status];
  return html`<div class="lockbar" role="status">${icon("lock")}<p><b>${title}</b>${text}</p></div>`;
}

customElements.define("samia-composer", SamiaComposer);
