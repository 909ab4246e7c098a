// The open thread: its lines, where it is scrolled, and what one can do with a message.

import { html, nothing, repeat } from "lit";
import "chat/menu";
import "chat/message";
import { confirmDeletion } from "chat/confirm";
import { gridded } from "chat/grid";
import { inPlace, linesOf } from "chat/lines";
import { isAdmin, limits, me, outbox, readPage, receipts, serverNow, store, uploads } from "chat/live";
import { heardOf } from "chat/marks";
import { isPicture, nameOf, titleOf, wordsOf } from "chat/names";
import { SeenWatcher } from "chat/seen";
import { day, dayKey } from "samia/dates";
import { Element } from "samia/element";
import { request } from "samia/http";
import { icon } from "samia/icons";
import { number, t, tn } from "samia/text";
import { toast } from "samia/toasts";

const NEAR_END_PX = 80;
const NEAR_START_PX = 600;
const SLOW_MS = 300; // a thread that loads faster shows no skeleton
const FLASH_MS = 1_600;
const MAX_PAGES_BACK = 40; // when looking for a quoted message
const LONG_PRESS_MS = 450;
const LONG_PRESS_SLIP_PX = 10;
const WRITING_CHECK_MS = 1_000;
const told = new Set(); // voice messages of which we have said that they were played

class SamiaThread extends Element {
  static properties = {
    session: { type: String },
    _newAfter: { state: true },
    _problem: { state: true },
    _isSlow: { state: true },
    _isAway: { state: true },
    _leftAt: { state: true },
    _focused: { state: true },
  };

  constructor() {
    super();
    this._resize = new ResizeObserver(() => this._keepPlace());
    this._begin();
  }

  connectedCallback() {
    super.connectedCallback();
    this.listen(store, "change", ({ detail }) => detail === this.session && this._storeChanged());
    this.listen(store, "left", ({ detail }) => detail.id === this.session && (this._leftAt = Date.now()));
    this.listen(store, "arrived", ({ detail }) => detail.session === this.session && this._arrived(detail));
    this.listen(outbox, "change", ({ detail }) => detail === this.session && this._outboxChanged());
    this.listen(uploads, "change", ({ detail }) => detail === this.session && this._uploadsChanged());
    this.listen(this, "samia:act", ({ detail }) => this._act(detail));
    this.listen(this, "samia:played", ({ target }) => this._played(target.closest("samia-message").dataset.id));
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this._resize.disconnect();
    this._seen?.end();
    clearInterval(this._writingTimer);
  }

  /** Everything that belongs to the thread which is shown, as it is for one just opened. */
  _begin() {
    this._newAfter = null;
    this._problem = null;
    this._isSlow = false;
    this._isAway = false;
    this._leftAt = null;
    this._focused = null;
    this._isAtEnd = true;
    this._seenAtEnd = 0;
    this._anchor = null;
    this._loading = null;
    this._pendingCount = 0;
    this._uploadCount = 0;
    this._announcement = "";
    this._resize.disconnect();
    this._seen?.end();
    this._seen = null;
  }

  willUpdate(changed) {
    if (!changed.has("session")) return;
    this._begin();
    const session = store.get(this.session);
    if (session?.mine?.unread) this._newAfter = session.mine.read_seq;
    this._pendingCount = outbox.of(this.session).length;
    this._mustShowMark = this._newAfter !== null;
    this._seenAtEnd = this._newAfter ?? 0;
    if (session && session.messages === null) this._load();
  }

  // Loading -----------------------------------------------------------------------------------------------------------

  /** Read a page, one at a time. */
  _load(before = null) {
    this._loading ??= this._read(this.session, before);
    return this._loading;
  }

  async _read(session, before) {
    this._problem = null;
    const slow = setTimeout(() => (this._isSlow = session === this.session), SLOW_MS);
    let problem = null;
    try {
      await readPage(session, before);
    } catch (refusal) {
      problem = refusal;
    }
    clearTimeout(slow);
    if (session !== this.session) return;
    this._loading = null;
    this._isSlow = false;
    this._problem = problem;
  }

  async _loadOlder() {
    const session = store.get(this.session);
    if (!session?.messages || !session.hasOlder) return;
    if (!this._loading) this._anchor = this._anchorNow();
    await this._load(session.from);
  }

  // Where it is scrolled ----------------------------------------------------------------------------------------------

  get _scroller() {
    return this.querySelector(".thread");
  }

  /** The first message in sight and where it stands, so that it stays there while older ones are put before it. */
  _anchorNow() {
    const top = this._scroller.getBoundingClientRect().top;
    const element = [...this.querySelectorAll(".msg")].find((one) => one.getBoundingClientRect().bottom > top);
    return element ? { element, at: element.getBoundingClientRect().top } : null;
  }

  _keepPlace() {
    const scroller = this._scroller;
    if (!scroller) return;
    this._heights = heightsOf(scroller);
    if (this._mustShowMark) this._showMark(scroller);
    else if (this._isAtEnd) scroller.scrollTop = scroller.scrollHeight;
    else if (this._anchor?.element.isConnected) {
      scroller.scrollTop += this._anchor.element.getBoundingClientRect().top - this._anchor.at;
    }
    if (!this._loading) this._anchor = null;
  }

  /** A thread opens at its end, or where the new begins if that is further up. */
  _showMark(scroller) {
    scroller.scrollTop = scroller.scrollHeight;
    const mark = this.querySelector(".unread-mark");
    if (!mark) return;
    this._mustShowMark = false;
    const above = scroller.getBoundingClientRect().top + NEAR_END_PX - mark.getBoundingClientRect().top;
    if (above > 0) scroller.scrollTop -= above;
    this._scrolled();
  }

  _scrolled() {
    const scroller = this._scroller;
    // Told of scrolling before it is told of a change of size: then nobody has scrolled, and _keepPlace comes next.
    if (!scroller || heightsOf(scroller) !== this._heights) return;
    this._isAtEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END_PX;
    this._isAway = !this._isAtEnd;
    if (this._isAtEnd) this._seenAtEnd = store.get(this.session)?.lastSeq ?? 0;
    if (scroller.scrollTop < NEAR_START_PX) this._loadOlder();
  }

  _toEnd() {
    this._isAtEnd = true;
    this._mustShowMark = false;
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this._scroller.scrollTo({ top: this._scroller.scrollHeight, behavior: isCalm ? "auto" : "smooth" });
  }

  async _goTo(id) {
    for (let page = 0; page < MAX_PAGES_BACK && !this._element(id); page += 1) {
      const session = store.get(this.session);
      if (!session?.hasOlder || this._problem) break;
      await this._loadOlder();
      await new Promise(requestAnimationFrame);
    }
    const element = this._element(id);
    if (!element) {
      toast({ icon: "info", text: t("That message is no longer here.") });
      return;
    }
    this._isAtEnd = false;
    this._anchor = null;
    element.scrollIntoView({ block: "center" });
    element.dataset.flash = "";
    setTimeout(() => delete element.dataset.flash, FLASH_MS);
  }

  _element(id) {
    return this.querySelector(`samia-message[data-id="${CSS.escape(id)}"]`);
  }

  // What happens ------------------------------------------------------------------------------------------------------

  _storeChanged() {
    const session = store.get(this.session);
    if (session && this._leftAt) this._begin(); // let in again
    if (session && session.messages === null && !this._problem) this._load();
    this.requestUpdate();
  }

  _arrived(message) {
    const session = store.get(this.session);
    const isLookedAt = document.hasFocus() && document.visibilityState === "visible";
    if (this._newAfter === null && !isLookedAt) this._newAfter = message.seq - 1;
    this._announcement = `${nameOf(session.participants.get(message.sender))}: ${wordsOf(message)}`;
  }

  _outboxChanged() {
    const count = outbox.of(this.session).length;
    if (count > this._pendingCount) {
      this._newAfter = null; // whoever answers has read
      this._isAtEnd = true;
      this._mustShowMark = false;
    }
    this._pendingCount = count;
    this.requestUpdate();
  }

  /** Who sends files looks at the end of the thread, like one who writes. */
  _uploadsChanged() {
    const count = uploads.of(this.session).filter(({ state }) => state === "waiting" || state === "sending").length;
    if (count > this._uploadCount) {
      this._newAfter = null;
      this._isAtEnd = true;
      this._mustShowMark = false;
      this.requestUpdate();
    }
    this._uploadCount = count;
  }

  /** Somebody else's voice message is heard here: its sender may know. */
  async _played(id) {
    const session = store.get(this.session);
    const message = session?.messages?.get(id);
    if (!message || heardOf(message, me, Boolean(session.mine)) !== "new" || told.has(id)) return;
    told.add(id);
    try {
      store.keepMessage(await request("PUT", `/api/chat/messages/${id}/played`));
    } catch {
      told.delete(id); // it is told when it is played again
    }
  }

  _sawUpTo(seq) {
    const session = store.get(this.session);
    if (!session?.mine) return;
    // Whoever has the newest in sight, in a tab with the focus, has read.
    receipts.note(session.id, seq >= session.lastSeq ? "read" : "seen", seq);
    if (seq >= session.lastSeq) store.markRead(session.id, seq);
  }

  updated() {
    const scroller = this._scroller;
    if (!scroller) return;
    this._resize.observe(scroller);
    this._resize.observe(this.querySelector(".thread-in"));
    this._seen ??= new SeenWatcher(scroller, (seq) => this._sawUpTo(seq));
    for (const element of this.querySelectorAll("samia-message[data-seq]")) this._seen.observe(element);
    if (this._isAtEnd && !this._mustShowMark) this._seenAtEnd = store.get(this.session)?.lastSeq ?? 0;
    this._checkWriters();
  }

  /** A signal that somebody writes ends by itself. */
  _checkWriters() {
    clearTimeout(this._writingTimer);
    const session = store.get(this.session);
    if (session?.typing.size) this._writingTimer = setTimeout(() => this.requestUpdate(), WRITING_CHECK_MS);
  }

  // Acting on a message -----------------------------------------------------------------------------------------------

  _may(message) {
    const session = store.get(this.session);
    const isOpen = session.status === "active" || session.status === "paused";
    if (message.status === "pending_approval") return message.sender === me && session.mine && isOpen ? "delete" : "";
    if (message.deleted_at || message.seq === null || message.seq === undefined || message.type === "system") return "";
    const found = message.content ? ["copy"] : [];
    if (session.mine && session.status === "active") found.unshift("reply");
    const age = serverNow() - Date.parse(message.created_at);
    const isInTime = isAdmin || age < limits.edit_seconds * 1000;
    if (message.sender === me && session.mine && isOpen && isInTime) {
      if (message.type === "text") found.push("edit");
      found.push("delete");
    }
    return found.join(" ");
  }

  _act({ act, id, anchor }) {
    const message = this._found(id);
    if (act === "retry") outbox.retry(id);
    else if (act === "discard") outbox.discard(id);
    else if (act === "jump") this._goTo(message.reply_to);
    else if (act === "menu") this._openMenu(message, anchor);
    else if (act === "picture") this._showPicture(id);
    else if (act === "fold") this._isAtEnd = false; // it grows or shrinks where it stands
    else if (act === "copy") this._copy(message);
    else if (act === "delete") this._delete(message);
    else this.dispatchEvent(new CustomEvent(`samia:${act}`, { bubbles: true, detail: message }));
  }

  _found(id) {
    const session = store.get(this.session);
    return session?.messages?.get(id) ?? session?.held.get(id);
  }

  _openMenu(message, anchor) {
    const may = message ? this._may(message) : "";
    if (may) this.querySelector("samia-menu").open({ id: message.id, may, anchor });
  }

  async _showPicture(id) {
    const { showPicture } = await import("chat/pictures");
    const isShown = ({ type, file }) => type === "image" && file?.state === "ready";
    showPicture(this._messages(store.get(this.session)).filter(isShown), id);
  }

  async _copy(message) {
    try {
      await navigator.clipboard.writeText(message.content);
      toast({ icon: "check", text: t("Copied") });
    } catch {
      toast({ icon: "alert", text: t("Your browser did not allow copying."), isBad: true });
    }
  }

  async _delete(message) {
    if (!(await confirmDeletion())) return;
    try {
      store.keepMessage(await request("DELETE", `/api/chat/messages/${message.id}`));
    } catch (problem) {
      toast({ icon: "alert", isBad: true, text: changeRefused(problem) });
    }
  }

  /** The last own message that can still be changed. */
  lastEditable() {
    const own = store.get(this.session)?.ordered().filter((message) => message.sender === me) ?? [];
    const last = own.at(-1);
    return last && this._may(last).includes("edit") ? last : null;
  }

  // Keys, fingers -----------------------------------------------------------------------------------------------------

  _keyed(event) {
    const current = event.target.closest("samia-message");
    const all = [...this.querySelectorAll("samia-message")];
    const steps = { ArrowUp: -1, ArrowDown: 1 };
    const at = all.indexOf(current);
    let next = null;
    if (event.key in steps && current) next = all[at + steps[event.key]];
    else if (event.key in steps) next = all.at(-1);
    else if (event.key === "Home" && current) next = all[0];
    else if (event.key === "End" && current) next = all.at(-1);
    else if (current === event.target && (event.key === "Enter" || event.key === " " || event.key === "ContextMenu")) {
      this._openMenu(this._found(current.dataset.id), current.querySelector(".bubble"));
      event.preventDefault();
    }
    if (!next) return;
    event.preventDefault();
    this._focused = next.dataset.id;
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }

  _pressed(event) {
    const bubble = event.target.closest(".bubble");
    if (event.pointerType !== "touch" || !bubble) return;
    const { id } = bubble.closest("samia-message")?.dataset ?? {};
    const ended = new AbortController();
    const timer = setTimeout(() => {
      ended.abort();
      window.addEventListener("pointerup", () => this.querySelector("samia-menu").swallowClick(), { once: true });
      this._openMenu(this._found(id), bubble);
    }, LONG_PRESS_MS);
    const end = () => {
      clearTimeout(timer);
      ended.abort();
    };
    const slipped = (move) =>
      Math.hypot(move.clientX - event.clientX, move.clientY - event.clientY) > LONG_PRESS_SLIP_PX && end();
    for (const type of ["pointerup", "pointercancel"]) window.addEventListener(type, end, { signal: ended.signal });
    window.addEventListener("pointermove", slipped, { signal: ended.signal });
    this._lastTouch = performance.now();
  }

  /** On a touch screen our menu comes instead of the browser's. */
  _contextMenu(event) {
    if (this._lastTouch && performance.now() - this._lastTouch < 2 * LONG_PRESS_MS) event.preventDefault();
  }

  // Drawing -----------------------------------------------------------------------------------------------------------

  render() {
    if (!this.session) {
      return empty({ name: "chat", title: t("Choose a chat"), text: t("Your messages will open here.") });
    }
    const session = store.get(this.session);
    if (!session || this._leftAt) return this._withdrawn();
    if (session.messages === null) return this._waiting();
    // A thread of its own for each session: nothing of where another one was scrolled stays.
    return repeat(
      [session],
      ({ id }) => id,
      () => this._thread(session),
    );
  }

  _withdrawn() {
    const title = t("You no longer take part in this session");
    const text = t("Our team removed your access. Contact support if this is a mistake.");
    return empty({ name: "lock", title, text, action: html`<a class="btn" href="/">${t("Back to chats")}</a>` });
  }

  _waiting() {
    if (this._problem) {
      const action = html`<button type="button" class="btn" @click=${() => this._load()}>
        ${icon("retry")}${t("Try again")}
      </button>`;
      const text = t("Your drafts are kept on this device. Try again, or come back in a minute.");
      return empty({ name: "alert", isBad: true, title: t("We could not load this chat"), text, action });
    }
    if (!this._isSlow) return nothing;
    return html`<div class="sk-thread" role="status" aria-label=${t("Loading")}>
      <i class="sk w-40"></i><i class="sk tall w-55"></i><i class="sk end w-30"></i><i class="sk end tall w-40"></i>
      <i class="sk w-30"></i>
    </div>`;
  }

  _thread(session) {
    const messages = this._messages(session);
    const lines = gridded(linesOf({ messages, me, newAfter: this._newAfter, dayOf: dayKey }));
    const seen = Math.max(this._seenAtEnd, session.mine?.seen_seq ?? 0);
    const below = session.ordered().filter((one) => one.seq > seen && one.sender !== me).length;
    this._tabStop = messages.some((one) => one.id === this._focused) ? this._focused : messages.at(-1)?.id;
    this._lastOwn = messages.findLast((one) => one.sender === me)?.id;
    return html`<div class="thread-wrap ${this._isAway ? "is-away" : ""}">
        <div
          class="thread"
          tabindex="0"
          role="region"
          aria-label=${t("Conversation")}
          @scroll=${this._scrolled}
          @keydown=${this._keyed}
          @pointerdown=${this._pressed}
          @contextmenu=${this._contextMenu}
        >
          <div class="thread-in" role="list">
            ${this._beginning(session, messages)}
            ${repeat(
              lines,
              (line) => line.key,
              (line) => this._line(session, line),
            )}
            ${this._writers(session)}
          </div>
        </div>
        <button
          type="button"
          class="icon-btn jump round"
          aria-label=${below ? tn("Jump to latest, {count} new", "Jump to latest, {count} new", below) : t("Jump to latest")}
          @click=${this._toEnd}
        >
          ${icon("chev-down")}${below ? html`<span class="badge">${number(below)}</span>` : nothing}
        </button>
      </div>
      <p class="vh" role="status">${this._announcement}</p>
      <samia-menu></samia-menu>`;
  }

  _messages(session) {
    const sent = inPlace(session.ordered(), session.held.values(), session.hasOlder);
    const pending = outbox
      .of(session.id)
      .filter((entry) => !session.messages.has(entry.id))
      .map((entry) => ({ ...entry, sender: me, type: "text", status: "sent", entry }));
    return [...sent, ...pending];
  }

  _beginning(session, messages) {
    if (session.hasOlder) {
      return html`<div class="system" role="listitem">
        ${this._problem
          ? html`<button type="button" class="btn" @click=${this._loadOlder}>${t("Load older messages")}</button>`
          : t("Loading older messages…")}
      </div>`;
    }
    if (messages.length) return nothing;
    return html`<div role="listitem">${this._nothingYet(session)}</div>`;
  }

  _nothingYet(session) {
    if (session.status === "archived") {
      return empty({ name: "lock", title: t("This session is archived"), text: t("Our team keeps its messages.") });
    }
    const text = t("Nothing was written yet.");
    if (!session.mine || session.status !== "active") return empty({ name: "moon", title: text });
    return empty({ name: "moon", title: t("Say hello to {name}", { name: titleOf(session, me) }), text });
  }

  _line(session, line) {
    if (line.kind === "day") return html`<div class="day" role="listitem">${day(line.at)}</div>`;
    if (line.kind === "unread") {
      return html`<div class="unread-mark" role="listitem">
        <span>${tn("{count} new message", "{count} new messages", line.count)}</span>
      </div>`;
    }
    if (line.message.type === "system") {
      return html`<div class="system" role="listitem">
        ${icon("info", "i-sm")}<span dir="auto">${line.message.content}</span>
      </div>`;
    }
    return this._message(session, line);
  }

  _message(session, { message, isOwn, isFirst, isLast, cell }) {
    const tick = isOwn ? this._tick(session, message) : null;
    const isCrowd = !session.mine || session.others(me).length > 1;
    const quoted = message.reply_to ? session.messages.get(message.reply_to) : null;
    const isHeld = message.status === "pending_approval" || message.status === "rejected";
    const classes = [
      "msg",
      isOwn && "own",
      isFirst && "first",
      isLast && "last",
      message.deleted_at && "gone",
      tick === "failed" && "failed",
      isPicture(message) && "pics",
      isHeld && "held",
      message.status === "rejected" && "refused",
      cell && `cell of-${cell.columns} col-${cell.column} end-${cell.after}`,
    ];
    return html`<samia-message
      class=${classes.filter(Boolean).join(" ")}
      role="listitem"
      tabindex=${message.id === this._tabStop ? "0" : "-1"}
      data-id=${message.id}
      data-seq=${message.seq ?? nothing}
      .message=${message.entry ?? message}
      .tick=${tick}
      .name=${isFirst && !isOwn && isCrowd ? nameOf(session.participants.get(message.sender)) : ""}
      .quoteName=${quoted ? quoteName(session, quoted) : t("Earlier message")}
      .quoteText=${message.reply_to ? (quoted ? wordsOf(quoted) : t("Show the original message")) : null}
      .status=${this._status(session, message, tick)}
      .isOwn=${isOwn}
      .heard=${heardOf(message, me, Boolean(session.mine))}
      .mayRecord=${isOwn && Boolean(session.mine) && session.status === "active"}
      .may=${this._may(message)}
      .isStop=${message.id === this._tabStop}
      @focus=${() => (this._focused = message.id)}
    ></samia-message>`;
  }

  _tick(session, message) {
    if (message.entry) return message.entry.state === "failed" ? "failed" : "sending";
    if (message.deleted_at || message.seq === null) return null;
    return store.tick(session, message);
  }

  _status(session, message, tick) {
    if (tick === "failed") return sendRefused(message.entry.code);
    if (message.id !== this._lastOwn || message.deleted_at) return "";
    return { seen: t("Seen"), read: t("Read") }[tick] ?? "";
  }

  _writers(session) {
    const writers = store.writers(session);
    if (!writers.length) return nothing;
    const isVoice = writers.every(({ kind }) => kind === "voice");
    const names = writers.map(({ user }) => nameOf(session.participants.get(user))).join(" · ");
    const label = isVoice
      ? tn("{names} is recording", "{names} are recording", writers.length, { names })
      : tn("{names} is typing", "{names} are typing", writers.length, { names });
    return html`<div class="msg first last" role="listitem">
      <div class="bubble typing" role="img" aria-label=${label}>
        ${isVoice ? icon("mic", "i-sm") : nothing}<i></i><i></i><i></i>
      </div>
    </div>`;
  }
}

function heightsOf({ scrollHeight, clientHeight }) {
  return `${scrollHeight} ${clientHeight}`;
}

function empty({ name, title, text = "", action = nothing, isBad = false }) {
  return html`<div class="empty">
    <span class="disc ${isBad ? "bad" : ""}">${icon(name)}</span>
    <h1>${title}</h1>
    <p>${text}</p>
    ${action}
  </div>`;
}

function quoteName(session, quoted) {
  return quoted.sender === me ? t("You") : nameOf(session.participants.get(quoted.sender));
}

/** Why a message was not sent. */
function sendRefused(code) {
  const words = {
    session_state: t("Not sent: the session is closed for writing"),
    reply_unknown: t("Not sent: the message you answered is gone"),
  };
  return words[code] ?? t("Not sent");
}

/** Why a message could not be changed. */
export function changeRefused({ code }) {
  const words = {
    already_reviewed: t("Our team has decided about it."),
    edit_window_over: t("The time to change this message is over."),
    message_deleted: t("This message was deleted"),
    session_state: t("The session is closed for changes."),
    unreachable: t("No connection. Try again in a moment."),
  };
  return words[code] ?? t("That did not work. Try again in a moment.");
}

customElements.define("samia-thread", SamiaThread);
