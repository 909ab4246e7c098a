// The open thread: its lines, the pages they come in, and what one can do with a message. Where it is scrolled is place.js.

import { html, nothing, repeat } from "lit";
import "chat/menu";
import "chat/message";
import { confirmDeletion } from "chat/confirm";
import { gridded } from "chat/grid";
import { HeldFocus } from "chat/held-focus";
import { inPlace, linesOf } from "chat/lines";
import { isAdmin, limits, me, outbox, readPage, receipts, serverNow, store, sync, uploads } from "chat/live";
import { heardOf } from "chat/marks";
import { isPicture, nameOf, titleOf, wordsOf } from "chat/names";
import { Place } from "chat/place";
import { SeenWatcher } from "chat/seen";
import { day, dayKey } from "samia/dates";
import { Element } from "samia/element";
import { request } from "samia/http";
import { icon } from "samia/icons";
import { number, t, tn } from "samia/text";
import { toast } from "samia/toasts";

const BEFORE_NEW = 10; // messages that were read, above the first that is new
const SLOW_MS = 300; // a thread that loads faster shows no skeleton
const FLASH_MS = 1_600;
const LONG_PRESS_MS = 450;
const LONG_PRESS_SLIP_PX = 10;
const WRITING_CHECK_MS = 1_000;
const told = new Set(); // voice messages of which we have said that they were played
const days = new WeakMap(); // by message: a calendar takes its time, and a thread is drawn often

class SamiaThread extends Element {
  static properties = {
    session: { type: String },
    _newAfter: { state: true },
    _failed: { state: true },
    _isSlow: { state: true },
    _isAway: { state: true },
    _leftAt: { state: true },
    _focused: { state: true },
  };

  constructor() {
    super();
    new HeldFocus(this, () => this._scroller);
    // Other lines of the same thread are to be drawn: those that stay are as they were.
    this._place = new Place({ redraw: () => this.requestUpdate(), looked: () => this._looked() });
    this._begin();
  }

  connectedCallback() {
    super.connectedCallback();
    this.listen(store, "change", ({ detail }) => detail === this.session && this._storeChanged());
    this.listen(store, "left", ({ detail }) => detail.id === this.session && (this._leftAt = Date.now()));
    this.listen(store, "arrived", ({ detail }) => detail.session === this.session && this._arrived(detail));
    this.listen(outbox, "change", ({ detail }) => detail === this.session && this._outboxChanged());
    this.listen(uploads, "change", ({ detail }) => detail === this.session && this._uploadsChanged());
    this.listen(sync, "state", ({ detail }) => detail === "level" && this._tryAgain());
    this.listen(this, "samia:act", ({ detail }) => this._act(detail));
    this.listen(this, "samia:played", ({ target }) => this._played(target.closest("samia-message").dataset.id));
    // Before the button itself hears of it.
    const options = { capture: true, signal: this._listening.signal };
    this.addEventListener("click", ({ target }) => this._clicked(target), options);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this._place.end();
    this._seen?.end();
    clearInterval(this._writingTimer);
  }

  /** Everything that belongs to the thread which is shown, as it is for one just opened. */
  _begin() {
    this._newAfter = null;
    this._failed = null; // which page could not be read: "newest", "older", "newer"
    this._isSlow = false;
    this._isAway = false;
    this._leftAt = null;
    this._focused = null;
    this._sounding = null;
    this._seenAtEnd = 0;
    this._loading = null;
    this._pendingCount = 0;
    this._uploadCount = 0;
    this._announcement = "";
    this._lines = [];
    this._isOld = true; // the lines: something has changed since they were made
    this._place.begin();
    this._seen?.end();
    this._seen = null;
  }

  willUpdate(changed) {
    if (changed.size) this._isOld = true;
    if (!changed.has("session")) return;
    this._begin();
    const session = store.get(this.session);
    if (session?.mine?.unread) this._newAfter = session.mine.read_seq;
    this._pendingCount = outbox.of(this.session).length;
    if (this._newAfter !== null) this._place.seek("unread", { isTop: true });
    this._seenAtEnd = this._newAfter ?? 0;
    if (session && (session.messages === null || this._isNewFurtherBack(session))) this._open();
  }

  // Loading -----------------------------------------------------------------------------------------------------------

  /** Read the page where the thread is opened: the newest, or where what is new begins, with some of what was before. */
  async _open() {
    const session = store.get(this.session);
    const isFurther = this._newAfter !== null && session.lastSeq - this._newAfter > limits.page_messages - BEFORE_NEW;
    if (!isFurther) return this._load();
    const isThere = await this._load({ from: Math.max(1, this._newAfter + 1 - BEFORE_NEW) });
    if (isThere) this._place.seek("unread", { isTop: true });
    return isThere;
  }

  _isNewFurtherBack(session) {
    return this._newAfter !== null && session.from > this._newAfter + 1;
  }

  /** Read a page, one at a time. Whether it came. */
  async _load(where = {}, side = "newest") {
    const { session } = this;
    while (this._loading) await this._loading;
    if (session !== this.session) return false;
    this._loading = this._read(session, where, side);
    return this._loading;
  }

  async _read(session, where, side) {
    this._failed = null;
    const slow = setTimeout(() => (this._isSlow = session === this.session), SLOW_MS);
    let failed = null;
    try {
      await readPage(session, where);
    } catch {
      failed = side;
    }
    clearTimeout(slow);
    if (session !== this.session) return false;
    this._loading = null;
    this._isSlow = false;
    this._failed = failed;
    return !failed;
  }

  /** What could not be read is read once the server is there again. */
  _tryAgain() {
    if (!this._failed) return;
    this._failed = null;
    this._storeChanged();
  }

  _loadOlder() {
    const session = store.get(this.session);
    if (session?.messages && session.hasOlder && !this._loading) this._load({ before: session.from }, "older");
  }

  _loadNewer() {
    const session = store.get(this.session);
    if (session?.messages && session.hasNewer && !this._loading) this._load({ after: session.to }, "newer");
  }

  // Where it is scrolled ----------------------------------------------------------------------------------------------

  get _scroller() {
    return this.querySelector(".thread");
  }

  /** Something else may be in sight. */
  _looked() {
    const session = store.get(this.session);
    if (!session?.messages) return;
    this._isAway = !this._place.isAtEnd;
    if (this._place.isAtEnd) this._seenAtEnd = session.lastSeq;
    if (this._loading || this._failed) return;
    if (session.hasOlder && this._place.isNearStart) this._loadOlder();
    else if (session.hasNewer && this._place.isNearEnd) this._loadNewer();
    else this._forgetFar(session);
  }

  _forgetFar(session) {
    const { first, end } = this._place.range;
    const seqs = this._lines.slice(first, end).flatMap(({ message }) => message?.seq ?? []);
    if (seqs.length && store.trim(session.id, seqs[0], seqs.at(-1))) this._refresh();
  }

  async _toLatest() {
    if (this.querySelector(".jump") === document.activeElement) this._scroller.focus(); // the button goes
    this._place.toEnd();
    if (!store.get(this.session)?.hasNewer) return;
    if (await this._load()) this._place.toEnd();
    else if (this._failed) this._tellUnread();
  }

  async _goTo(id) {
    const { session } = this;
    if (!store.get(session).messages.has(id)) {
      try {
        while (this._loading) await this._loading;
        await readPage(session, { around: id });
      } catch (problem) {
        if (problem.code === "not_found") this._tellGone();
        else this._tellUnread();
        return;
      }
      if (session !== this.session) return;
    }
    const element = await this._place.seek(id);
    if (!element) {
      this._tellGone();
      return;
    }
    element.dataset.flash = "";
    setTimeout(() => delete element.dataset.flash, FLASH_MS);
  }

  _tellGone() {
    toast({ icon: "info", text: t("That message is no longer here.") });
  }

  _tellUnread() {
    toast({ icon: "alert", isBad: true, text: t("That did not work. Try again in a moment.") });
  }

  // What happens ------------------------------------------------------------------------------------------------------

  /** Make all lines anew, and draw those that are in the page. */
  _refresh() {
    this._isOld = true;
    this.requestUpdate();
  }

  _storeChanged() {
    const session = store.get(this.session);
    if (session && this._leftAt) this._begin(); // let in again
    if (session && session.messages === null && !this._failed && !this._loading) this._open();
    this._refresh();
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
      this._toLatest();
    }
    this._pendingCount = count;
    this._refresh();
  }

  /** Who sends files looks at the end of the thread, like one who writes. */
  _uploadsChanged() {
    const count = uploads.of(this.session).filter(({ state }) => state === "waiting" || state === "sending").length;
    if (count > this._uploadCount) {
      this._newAfter = null;
      this._toLatest();
    }
    this._uploadCount = count;
  }

  /** Somebody else's voice message is heard here: its sender may know. */
  async _played(id) {
    this._sounding = id;
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
    this._place.drawn(scroller);
    this._seen ??= new SeenWatcher(scroller, (seq) => this._sawUpTo(seq));
    this._seen.watch(this.querySelectorAll("samia-message[data-seq]"));
    if (this._place.isAtEnd && !this._place.isSeeking) this._seenAtEnd = store.get(this.session)?.lastSeq ?? 0;
    this._checkWriters();
  }

  /** A signal that somebody writes ends by itself. */
  _checkWriters() {
    clearTimeout(this._writingTimer);
    const session = store.get(this.session);
    if (session?.typing.size) this._writingTimer = setTimeout(() => this._refresh(), WRITING_CHECK_MS);
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
    if (event.defaultPrevented) return;
    const current = event.target.closest("samia-message");
    const isOnMessage = current === event.target;
    if (event.key === "ArrowUp" || event.key === "ArrowDown") this._step(event, current);
    else if (event.key === "Home" || event.key === "End") this._leap(event, current);
    else if (isOnMessage && (event.key === "Enter" || event.key === " " || event.key === "ContextMenu")) {
      this._openMenu(this._found(current.dataset.id), current.querySelector(".bubble"));
      event.preventDefault();
    }
  }

  /** To the message before or after; from outside of them to the last in sight. */
  _step(event, current) {
    const all = [...this.querySelectorAll("samia-message:not([hidden])")];
    const step = event.key === "ArrowUp" ? -1 : 1;
    const next = current ? all[all.indexOf(current) + step] : this._place.lastInSight;
    if (!next) return;
    event.preventDefault();
    this._focusOn(next);
  }

  /** To the first message of all, or to the latest; the focus goes along if it was on a message. */
  async _leap(event, current) {
    event.preventDefault();
    const { session } = this;
    const isStart = event.key === "Home";
    if (!isStart) await this._toLatest();
    else if (store.get(session).hasOlder && !(await this._load({ from: 1 }, "older"))) return;
    if (session !== this.session || !(isStart || current)) return;
    const all = this._messages(store.get(session)).filter(({ type }) => type !== "system");
    const element = all.length && (await this._place.seek(all.at(isStart ? 0 : -1).id, { isTop: isStart }));
    if (element && current) this._focusOn(element);
  }

  _focusOn(message) {
    this._focused = message.dataset.id;
    message.focus({ preventScroll: true });
    message.scrollIntoView({ block: "nearest" });
  }

  /** What a button opens or closes in a message does not move it. */
  _clicked(target) {
    const message = target.closest("[aria-expanded]")?.closest("samia-message");
    if (message) this._place.pressed(message);
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
    if (this._failed) {
      const action = html`<button type="button" class="btn" @click=${() => this._open()}>
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
    const lines = this._drawnLines(session);
    const below = session.othersAfter(Math.max(this._seenAtEnd, session.mine?.seen_seq ?? 0), me);
    return html`<div class="thread-wrap ${this._isAway ? "is-away" : ""}">
        <div
          class="thread"
          tabindex="0"
          role="region"
          aria-label=${t("Conversation")}
          @scroll=${() => this._place.scrolled()}
          @keydown=${this._keyed}
          @pointerdown=${this._pressed}
          @contextmenu=${this._contextMenu}
        >
          <div class="thread-in" role="list">
            ${repeat(
              lines,
              (line) => line.key,
              (line) => this._known(session, line),
            )}
          </div>
        </div>
        <button
          type="button"
          class="icon-btn jump round"
          aria-label=${below ? tn("Jump to latest, {count} new", "Jump to latest, {count} new", below) : t("Jump to latest")}
          @click=${this._toLatest}
        >
          ${icon("chev-down")}${below ? html`<span class="badge">${number(below)}</span>` : nothing}
        </button>
      </div>
      <p class="vh" role="status">${this._announcement}</p>
      <samia-menu></samia-menu>`;
  }

  /** The lines that are in the page: those in sight and around. */
  _drawnLines(session) {
    if (this._isOld) {
      this._lines = this._linesOf(session);
      this._templates = new WeakMap();
      this._isOld = false;
    }
    const { first, end } = this._place.take(this._lines, session.hasNewer);
    const drawn = this._lines.slice(first, end);
    this._tabStop = drawn.some(({ key }) => key === this._focused) ? this._focused : this._lastSeen(drawn, first);
    return this._withSounding(drawn, first);
  }

  /** The last message in sight. */
  _lastSeen(drawn, first) {
    const { isAtEnd, sight } = this._place;
    const some = isAtEnd ? drawn : drawn.slice(0, sight.bottom - first + 1);
    return some.findLast(({ kind, message }) => kind === "message" && message.type !== "system")?.key;
  }

  /** What is heard goes on when it is out of sight: that line stays in the page, and is hidden. */
  _withSounding(drawn, first) {
    const at = this._sounding ? this._lines.findIndex(({ key }) => key === this._sounding) : -1;
    if (at < 0 || drawn.includes(this._lines[at])) return drawn;
    const line = { ...this._lines[at], isHidden: true };
    return at < first ? [line, ...drawn] : [...drawn, line];
  }

  _linesOf(session) {
    const sent = inPlace(session.ordered(), session.held.values(), session);
    const pending = this._pending(session);
    const newCount = () => session.othersAfter(this._newAfter, me);
    const between = (messages) => linesOf({ messages, me, newAfter: this._newAfter, newCount, dayOf });
    this._lastOwn = session.hasNewer ? null : [...sent, ...pending].findLast((one) => one.sender === me)?.id;
    const lines = session.hasNewer
      ? [...between(sent), { kind: "newer", key: "newer" }, ...between(pending)]
      : between([...sent, ...pending]);
    if (session.hasOlder) lines.unshift({ kind: "older", key: "older" });
    else if (!lines.length) lines.push({ kind: "nothing", key: "nothing" });
    if (!session.hasNewer && store.writers(session).length) lines.push({ kind: "writers", key: "writers" });
    return gridded(lines);
  }

  _messages(session) {
    return [...inPlace(session.ordered(), session.held.values(), session), ...this._pending(session)];
  }

  _pending(session) {
    return outbox
      .of(session.id)
      .filter((entry) => !session.messages.has(entry.id))
      .map((entry) => ({ ...entry, sender: me, type: "text", status: "sent", entry }));
  }

  /** Where what is loaded ends, and the thread does not. */
  _edge(side, loading, again, load) {
    return html`<div class="system" role="listitem">
      ${this._failed === side ? html`<button type="button" class="btn" @click=${load}>${again}</button>` : loading}
    </div>`;
  }

  _nothingYet(session) {
    if (session.status === "archived") {
      return empty({ name: "lock", title: t("This session is archived"), text: t("Our team keeps its messages.") });
    }
    const text = t("Nothing was written yet.");
    if (!session.mine || session.status !== "active") return empty({ name: "moon", title: text });
    return empty({ name: "moon", title: t("Say hello to {name}", { name: titleOf(session, me) }), text });
  }

  /** A line that has not changed is not worked out again while somebody scrolls. */
  _known(session, line) {
    const isStop = line.key === this._tabStop;
    const known = this._templates.get(line);
    if (known?.isStop === isStop) return known.template;
    const template = this._line(session, line);
    this._templates.set(line, { template, isStop });
    return template;
  }

  _line(session, line) {
    if (line.kind === "older") {
      return this._edge("older", t("Loading older messages…"), t("Load older messages"), this._loadOlder);
    }
    if (line.kind === "newer") {
      return this._edge("newer", t("Loading newer messages…"), t("Load newer messages"), this._loadNewer);
    }
    if (line.kind === "nothing") return html`<div role="listitem">${this._nothingYet(session)}</div>`;
    if (line.kind === "writers") return this._writers(session);
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

  _message(session, { message, isOwn, isFirst, isLast, isHidden, cell }) {
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
      ?hidden=${isHidden}
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

function dayOf(message) {
  if (!days.has(message)) days.set(message, dayKey(message.created_at));
  return days.get(message);
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
