// A voice message that waits: the recording, what was said before it, the verdict. It draws what it is given and tells what
// is decided, as `samia:verdict` with {verdict, reason}, and where to go, as `samia:step` with 1 or -1.

import { html, nothing } from "lit";
import "chat/message";
import "chat/player";
import { decidedWords, dayWords, length, minutesSince, roleWords, statusWords, waitWords } from "chat/approval-words";
import { me } from "chat/device";
import { sizeWords } from "chat/files";
import { linesOf } from "chat/lines";
import { avatar } from "chat/marks";
import { colourOf, initialsOf, isPicture, nameOf, wordsOf } from "chat/names";
import { clock, day, dayKey } from "samia/dates";
import { Element } from "samia/element";
import { icon } from "samia/icons";
import { t } from "samia/text";

const MAX_REASON = 500;
const REFRESH_MS = 30_000;

class SamiaApprovalReview extends Element {
  static properties = {
    item: { attribute: false }, // null: none is open
    isEmpty: { attribute: false }, // nothing waits
    context: { attribute: false }, // {session, messages}, or {problem}; null while it is on its way
    isDeciding: { attribute: false },
    trouble: { attribute: false }, // why nothing was decided
    _reason: { state: true },
    _isReasonMissing: { state: true },
  };

  constructor() {
    super();
    this.item = null;
    this.isEmpty = true;
    this.context = null;
    this.isDeciding = false;
    this.trouble = "";
    this._forget();
  }

  connectedCallback() {
    super.connectedCallback();
    this._refresh = setInterval(() => this.requestUpdate(), REFRESH_MS);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this._refresh);
  }

  willUpdate(changed) {
    if (changed.has("item") && changed.get("item")?.message.id !== this.item?.message.id) this._forget();
  }

  updated(changed) {
    if (changed.has("item") && changed.get("item")?.message.id !== this.item?.message.id) {
      this.querySelector(".review-body")?.scrollTo(0, 0);
    }
  }

  _forget() {
    this._reason = "";
    this._isReasonMissing = false;
  }

  // The verdict ---------------------------------------------------------------------------------------------------------

  get _mayDecide() {
    return this.item && !this.item.decided && !this.isDeciding && this.item.message.sender !== me;
  }

  approve() {
    if (this._mayDecide) this._tell("samia:verdict", { verdict: "approve" });
  }

  /** Needs a reason: without one it is asked for. */
  reject() {
    if (!this._mayDecide) return;
    const reason = this._reason.trim();
    this._isReasonMissing = !reason;
    if (reason) this._tell("samia:verdict", { verdict: "reject", reason });
    else this.updateComplete.then(() => this._askWhy());
  }

  _askWhy() {
    const box = this.querySelector(".reasons textarea");
    box?.focus({ preventScroll: true });
    box?.scrollIntoView({ block: "center" });
  }

  play() {
    this.querySelector(".card samia-player")?.toggle();
  }

  focus() {
    this.querySelector(".review-body")?.focus({ preventScroll: true });
  }

  _tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { bubbles: true, detail }));
  }

  _choose(text) {
    this._reason = text;
    this._isReasonMissing = false;
  }

  _reasonKeyed(event) {
    if (event.key === "Escape") event.target.blur();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.reject();
    else return;
    event.preventDefault();
  }

  // Drawing -------------------------------------------------------------------------------------------------------------

  render() {
    return this.item ? this._review(this.item) : this._nothing();
  }

  _nothing() {
    const [title, text] = !this.isEmpty
      ? [t("Choose a voice message"), t("You hear it with what was said before. That you look is recorded.")]
      : [t("Nothing waits"), t("Voice messages that need approval appear here by themselves.")];
    return html`<div class="empty">
      <span class="disc">${icon("shield")}</span>
      <h2>${title}</h2>
      <p>${text}</p>
    </div>`;
  }

  _review(item) {
    return html`${this._head(item)}
      <div class="banner" role="note">
        ${icon("eye", "i-sm")}<span>${t("You are looking in. That you read this session is recorded.")}</span>
      </div>
      <div class="review-body" tabindex="0" role="region" aria-label=${t("Voice message")}>
        <div class="review-in">
          ${item.decided ? decidedNotice(item.decided) : nothing}
          <section class="card">
            <samia-player .form=${"large"} .file=${item.message.file}></samia-player>
            ${item.message.content ? html`<p class="card-text" dir="auto">${item.message.content}</p>` : nothing}
            ${this._facts(item)}
          </section>
          <section>
            <h2 class="kicker">${t("The last messages of the session")}</h2>
            ${this._contextLines(item)}
          </section>
          ${this._reasons(item)}
        </div>
      </div>
      ${this._verdict(item)}`;
  }

  _head({ message, sender_name: name, sender_avatar: picture, session_title: title }) {
    const others =
      this.context?.session?.participants.filter(({ user, left_at: left }) => user !== message.sender && !left) ?? [];
    const whom = others.map(nameOf).join(" · ");
    const subject = this.context?.session?.booking?.service || title;
    const sent = t("sent {time}", { time: `${dayWords(message.created_at)}${clock(message.created_at)}` });
    return html`<header class="thread-head">
      <a class="icon-btn only-phone" href="#" aria-label=${t("Back to the queue")}>${icon("chev-start", "i-flip")}</a>
      ${avatar({ initials: initialsOf(name), colour: colourOf(message.sender), picture })}
      <div class="thread-who">
        <h1 class="truncate" dir="auto">${whom ? t("{name} to {others}", { name, others: whom }) : name}</h1>
        <p>
          ${subject ? html`<span class="truncate" dir="auto">${subject}</span><span aria-hidden="true">·</span>` : nothing}<span
            >${sent}</span
          >
        </p>
      </div>
      <div class="head-actions">
        <button
          type="button"
          class="icon-btn hide-phone"
          aria-label=${t("Previous")}
          title=${t("Previous")}
          @click=${() => this._tell("samia:step", -1)}
        >
          ${icon("chev-up")}
        </button>
        <button
          type="button"
          class="icon-btn"
          aria-label=${t("Next")}
          title=${t("Next")}
          @click=${() => this._tell("samia:step", 1)}
        >
          ${icon("chev-down")}
        </button>
      </div>
    </header>`;
  }

  _facts({ message, sender_role: role, session_status: status }) {
    const facts = [
      [t("Sender"), roleWords(role)],
      [t("Session"), statusWords(this.context?.session?.status ?? status)],
      [t("Size"), message.file ? `${length(message.file)} · ${sizeWords(message.file.size)}` : "–"],
      [t("Waiting"), waitWords(minutesSince(message.created_at))],
    ];
    return html`<dl class="facts">
      ${facts.map(
        ([name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>`;
  }

  _contextLines({ message: asked }) {
    const { session, messages, problem } = this.context ?? {};
    if (problem) {
      return html`<p class="trouble bad" role="status">
        ${icon("alert", "i-sm")}<span>${t("They could not be loaded.")}</span>
        <button type="button" class="link" @click=${() => this._tell("samia:again")}>${t("Try again")}</button>
      </p>`;
    }
    if (!messages) return html`<p class="muted" role="status">${t("Loading")}</p>`;
    const lines = linesOf({ messages, me: asked.sender, dayOf: ({ created_at }) => dayKey(created_at) });
    if (!lines.length) return html`<p class="muted">${t("Nothing was written yet.")}</p>`;
    const people = new Map(session.participants.map((person) => [person.user, person]));
    return html`<div class="context" role="list">
      ${lines.map((line) => {
        if (line.kind === "day") return html`<div class="day" role="listitem">${day(line.at)}</div>`;
        if (line.message.type === "system")
          return html`<div class="system" role="listitem">${line.message.content}</div>`;
        return contextMessage(line, people, messages);
      })}
    </div>`;
  }

  _reasons({ decided }) {
    if (decided) return nothing;
    const canned = [
      t("There is too much noise in the background. Please record it again in a quieter place."),
      t("It cannot be understood. Please speak closer to the microphone."),
      t("It shares contact details. Please leave them out."),
      t("It asks for payment outside of the platform."),
      t("It is not about the booking."),
    ];
    const short = [
      t("Background noise"),
      t("Hard to hear"),
      t("Contact details"),
      t("Payment outside"),
      t("Not about the booking"),
    ];
    return html`<section class="reasons">
      <h2 class="kicker" id="reason-label">${t("If you reject, tell the sender why")}</h2>
      <div class="chips" role="group" aria-labelledby="reason-label">
        ${canned.map(
          (text, at) =>
            html`<button
              type="button"
              class="chip"
              aria-pressed=${this._reason === text ? "true" : "false"}
              @click=${() => this._choose(this._reason === text ? "" : text)}
            >
              ${short[at]}
            </button>`,
        )}
      </div>
      <textarea
        dir="auto"
        rows="2"
        maxlength=${MAX_REASON}
        placeholder=${t("The sender sees this. Say what to change, and where.")}
        aria-label=${t("Reason for rejecting")}
        aria-invalid=${this._isReasonMissing ? "true" : nothing}
        .value=${this._reason}
        @input=${(event) => this._choose(event.target.value)}
        @keydown=${this._reasonKeyed}
      ></textarea>
    </section>`;
  }

  _verdict({ decided, message }) {
    if (decided) {
      return html`<footer class="verdict">
        <div class="verdict-in">
          <button type="button" class="btn" @click=${() => this._tell("samia:step", 1)}>
            ${t("Next")}<kbd>J</kbd>
          </button>
        </div>
      </footer>`;
    }
    const isOwn = message.sender === me;
    const trouble = this._isReasonMissing ? t("Say why: the sender reads it.") : this.trouble;
    return html`<footer class="verdict">
      ${trouble ? html`<p class="trouble bad" role="alert">${icon("alert", "i-sm")}<span>${trouble}</span></p>` : nothing}
      <div class="verdict-in">
        <div class="keys" aria-hidden="true">
          <span><kbd>J</kbd><kbd>K</kbd>${t("next, previous")}</span><span><kbd>${t("Space")}</kbd>${t("play")}</span>
        </div>
        <button type="button" class="btn btn-danger" ?disabled=${this.isDeciding || isOwn} @click=${this.reject}>
          ${t("Reject")}<kbd aria-hidden="true">R</kbd>
        </button>
        <button type="button" class="btn btn-primary" ?disabled=${this.isDeciding || isOwn} @click=${this.approve}>
          ${icon("check")}${t("Approve")}<kbd aria-hidden="true">A</kbd>
        </button>
      </div>
    </footer>`;
  }
}

function contextMessage({ message, isOwn, isFirst, isLast }, people, messages) {
  const quoted = message.reply_to ? messages.find(({ id }) => id === message.reply_to) : null;
  const classes = [
    "msg",
    isOwn && "own",
    isFirst && "first",
    isLast && "last",
    message.deleted_at && "gone",
    isPicture(message) && "pics",
  ];
  return html`<samia-message
    class=${classes.filter(Boolean).join(" ")}
    role="listitem"
    data-id=${message.id}
    .message=${message}
    .tick=${null}
    .name=${isFirst ? nameOf(people.get(message.sender)) : ""}
    .quoteName=${quoted ? nameOf(people.get(quoted.sender)) : t("Earlier message")}
    .quoteText=${message.reply_to ? (quoted ? wordsOf(quoted) : t("Show the original message")) : null}
    .status=${""}
    .may=${""}
    .isOwn=${isOwn}
    .isStop=${true}
  ></samia-message>`;
}

function decidedNotice(decided) {
  return html`<p class="decided-notice" role="status">${icon("info")}<span>${decidedWords(decided)}</span></p>`;
}

customElements.define("samia-approval-review", SamiaApprovalReview);
