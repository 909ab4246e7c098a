// Where one writes: the box, what it answers or changes, the draft, the files that go along, the microphone. Where nothing
// may be written, words say why.

import { createRef, html, nothing, ref, repeat } from "lit";
import { ACCEPT } from "chat/files";
import { drafts, limits, me, outbox, serverNow, socket, store, uploads } from "chat/live";
import { changeRefused } from "chat/message-acts";
import { nameOf, titleOf, wordsOf } from "chat/names";
import { microphoneHelp } from "chat/recorder";
import { uploadRow } from "chat/upload-row";
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
const SECOND_MS = 1_000;
const IS_TOUCH = "(pointer: coarse)";

class SamiaComposer extends Element {
  static properties = {
    session: { type: String },
    _mode: { state: true }, // null, or {kind: "reply" or "edit", message}
    _length: { state: true },
    _isSaving: { state: true },
    _isRecording: { state: true },
    _trouble: { state: true }, // why there is no microphone
    _isDropping: { state: true }, // files are held over the thread
  };

  constructor() {
    super();
    this._mode = null;
    this._length = 0;
    this._isSaving = false;
    this._isRecording = false;
    this._trouble = null;
    this._isDropping = false;
    this._box = createRef();
    this._chooser = createRef();
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
    for (const source of [store, uploads]) {
      this.listen(source, "change", ({ detail }) => detail === this.session && this.requestUpdate());
    }
    this.listen(uploads, "unkept", () => this._unkept());
    this.listen(this, "samia:recording", ({ detail }) => this._recordingChanged(detail));
    this.listen(this, "samia:microphone", ({ detail }) => (this._trouble = detail));
    this.listen(this, "samia:voice", ({ detail }) => this._sendVoice(detail));
    this._watchDrops();
  }

  willUpdate(changed) {
    if (changed.has("session")) {
      this._stopTyping(changed.get("session"));
      this._mode = null;
      this._trouble = null;
      this._mustFill = true;
    }
    const session = store.get(this.session);
    if (this._mode && session && !this._isOpen(session)) this._mode = null;
  }

  updated() {
    clearTimeout(this._tick);
    // Seconds are counted down while something waits for its turn.
    if (uploads.of(this.session).some(({ state }) => state === "pausing")) {
      this._tick = setTimeout(() => this.requestUpdate(), SECOND_MS);
    }
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

  /** Where there is a keyboard already; a phone's comes when it is asked for. */
  _focusOnDesk() {
    if (!matchMedia(IS_TOUCH).matches) this.focus();
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

  // Files -------------------------------------------------------------------------------------------------------------

  /** Files may be dropped anywhere on the thread, and nowhere else open instead of the page. */
  _watchDrops() {
    const place = this.closest(".thread-pane");
    for (const type of ["dragover", "drop"]) {
      this.listen(window, type, (event) => {
        if (!hasFiles(event.dataTransfer)) return;
        event.preventDefault();
        this._isDropping = type === "dragover" && place.contains(event.target) && this._takesFiles;
        event.dataTransfer.dropEffect = this._isDropping ? "copy" : "none";
        if (type === "drop" && place.contains(event.target)) this._choose(event.dataTransfer.files);
      });
    }
    this.listen(window, "dragleave", (event) => event.relatedTarget === null && (this._isDropping = false));
    this.listen(document, "paste", (event) => this._pasted(event));
  }

  get _takesFiles() {
    const session = store.get(this.session);
    return Boolean(session?.mine) && session.status === "active" && this._mode?.kind !== "edit" && !this._isRecording;
  }

  _pasted(event) {
    const isElsewhere = event.target.closest?.("input, textarea, dialog") && !this.contains(event.target);
    if (isElsewhere || !hasFiles(event.clipboardData)) return;
    // What is copied from a document is text with a picture of it: the text was meant.
    if (event.clipboardData.types.includes("text/plain")) return;
    event.preventDefault();
    this._choose(event.clipboardData.files);
  }

  _choose(files) {
    if (!this._takesFiles || !files.length) return;
    uploads.choose(this.session, files);
    this._focusOnDesk();
  }

  _chosen(event) {
    this._choose(event.target.files);
    event.target.value = ""; // the same file may be chosen again
  }

  /** Said once: what is sent now is sent, and lives as long as the page. */
  _unkept() {
    if (this._isUnkeptTold) return;
    this._isUnkeptTold = true;
    toast({
      icon: "info",
      text: t("This device has no room to keep files. Leave this page open until they are sent."),
    });
  }

  _drop(id) {
    uploads.drop(id);
    this._focusOnDesk(); // the button that had it goes
  }

  // Voice -------------------------------------------------------------------------------------------------------------

  /** Record a voice message: what was not approved, once more. */
  record(message) {
    if (message.reply_to && store.get(this.session)?.messages?.has(message.reply_to)) {
      this._mode = { kind: "reply", message: store.get(this.session).messages.get(message.reply_to) };
    }
    this.querySelector("samia-recorder")?.start();
  }

  _recordingChanged(detail) {
    this._isRecording = this.querySelector("samia-recorder")?.isActive ?? false;
    if (detail?.isOver) this.updateComplete.then(() => this._focusOnDesk());
  }

  _sendVoice(voice) {
    uploads.sendVoice(this.session, { ...voice, replyTo: this._mode?.message.id ?? null });
    this._mode = null;
  }

  // Sending -----------------------------------------------------------------------------------------------------------

  get _hasText() {
    return Boolean(this._box.value?.value.trim());
  }

  get _canSend() {
    const hasFiles = uploads.chosen(this.session).length > 0 && this._mode?.kind !== "edit";
    return (this._hasText || hasFiles) && this._length <= limits.max_chars && !this._isSaving;
  }

  _send() {
    if (!this._canSend) return;
    const content = wellFormed(this._box.value.value.trim());
    if (this._mode?.kind === "edit") {
      this._save(this._mode.message, content);
      return;
    }
    this._sendAll(content, this._mode?.message.id ?? null);
    drafts.set(this.session, "");
    this._typedAt = NEVER; // the message itself ends the signal
    clearTimeout(this._idle);
    this._mode = null;
    this._fill("");
    this.dispatchEvent(new CustomEvent("samia:draft", { bubbles: true }));
    this.focus();
  }

  /** A text that goes with one file is its caption. Several have fields of their own, and the text goes ahead of them. */
  _sendAll(content, replyTo) {
    const [first, second] = uploads.chosen(this.session);
    const isCaption = first && !second && !first.caption?.trim();
    if (isCaption) uploads.caption(first.id, content);
    else if (content) outbox.add({ session: this.session, content, replyTo });
    if (first) uploads.send(this.session, { replyTo: content && !isCaption ? null : replyTo });
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
      <div class="dock-in">${this._isOpen(session) ? this._writing(session) : [this._files(), closed(session)]}</div>
    </footer>`;
  }

  _writing(session) {
    const isEdit = this._mode?.kind === "edit";
    const isRecordingOffered = !isEdit && !this._hasText && !uploads.chosen(this.session).length;
    return html`${this._help()}
      <form class="composer ${this._isRecording ? "is-recording" : ""}" @submit=${this._submitted}>
        <div class="composer-box">
          ${this._strip(session)}${this._files()}
          <div class="composer-row">${isEdit ? nothing : this._attach()}${this._textarea(session, isEdit)}</div>
          ${this._count()}
        </div>
        <div class="composer-side">
          ${isRecordingOffered || this._isRecording ? nothing : this._sendButton(isEdit)}
          <samia-recorder .session=${this.session} .isHidden=${!isRecordingOffered}></samia-recorder>
        </div>
      </form>
      ${this._isDropping ? dropHint() : nothing}`;
  }

  _textarea(session, isEdit) {
    const name = titleOf(session, me);
    return html`<textarea
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
    ></textarea>`;
  }

  _attach() {
    return html`<button
        type="button"
        class="icon-btn"
        aria-label=${t("Attach files")}
        title=${t("Attach files")}
        @click=${() => this._chooser.value.click()}
      >
        ${icon("attach")}</button
      ><input ${ref(this._chooser)} type="file" multiple hidden accept=${ACCEPT} @change=${this._chosen} />`;
  }

  _sendButton(isEdit) {
    return html`<button class="icon-btn send" aria-label=${isEdit ? t("Save") : t("Send")} ?disabled=${!this._canSend}>
      ${icon(isEdit ? "check" : "send", isEdit ? "" : "i-flip")}
    </button>`;
  }

  _files() {
    const entries = uploads.of(this.session);
    if (!entries.length) return nothing;
    const hasCaptions = uploads.chosen(this.session).length > 1;
    return html`<ul class="uploads" aria-label=${t("Files")}>
      ${repeat(
        entries,
        ({ id }) => id,
        (entry) => html`<li>${uploadRow(entry, { hasCaptions, drop: (id) => this._drop(id) })}</li>`,
      )}
    </ul>`;
  }

  _help() {
    if (!this._trouble) return nothing;
    return microphoneHelp(this._trouble, {
      again: () => this.querySelector("samia-recorder").start(),
      close: () => {
        this._trouble = null;
        this._focusOnDesk();
      },
    });
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
      <button type="button" class="icon-btn" aria-label=${t("Cancel")} @click=${this._leaveMode}>
        ${icon("close")}
      </button>
    </div>`;
  }
}

function hasFiles(transfer) {
  return transfer?.types.includes("Files");
}

function dropHint() {
  return html`<div class="drop" aria-hidden="true">
    <div>${icon("attach", "i-lg")}<b>${t("Drop files to attach them")}</b></div>
  </div>`;
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
  return html`<div class="lockbar" role="status">
    ${icon("lock")}
    <p><b>${title}</b>${text}</p>
  </div>`;
}

customElements.define("samia-composer", SamiaComposer);
