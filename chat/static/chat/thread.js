// The open thread: what of it is drawn, and what happens in it. Each noun has a module: the pages in which it comes
// (thread-pages.js), its lines (thread-lines.js), where it is scrolled (place.js), going elsewhere (jumps.js), keys
// (thread-keys.js), what can be done with a message (message-acts.js).

import { html, nothing, repeat } from "lit";
import "chat/menu";
import { HeldFocus } from "chat/held-focus";
import { Jumps } from "chat/jumps";
import { me, outbox, receipts, store, sync, uploads } from "chat/live";
import { LongPress } from "chat/long-press";
import { copy, lastEditable, mayDo, remove, showPicture, tellPlayed } from "chat/message-acts";
import { nameOf, wordsOf } from "chat/names";
import { Place } from "chat/place";
import { SeenWatcher } from "chat/seen";
import { ThreadKeys } from "chat/thread-keys";
import { ThreadLines, messagesOf } from "chat/thread-lines";
import { ThreadPages } from "chat/thread-pages";
import { noneChosen, notLoaded, skeleton, withdrawn } from "chat/thread-states";
import { Element } from "samia/element";
import { icon } from "samia/icons";
import { number, t, tn } from "samia/text";

const WRITING_CHECK_MS = 1_000;

class SamiaThread extends Element {
  static properties = {
    session: { type: String },
    _newAfter: { state: true },
    _isAway: { state: true },
    _leftAt: { state: true },
  };

  constructor() {
    super();
    new HeldFocus(this, () => this._scroller);
    // Other lines of the same thread are to be drawn: those that stay are as they were.
    this._place = new Place({ redraw: () => this.requestUpdate(), looked: () => this._looked() });
    this._lines = new ThreadLines();
    this._jumps = new Jumps({ place: this._place, pages: () => this._pages });
    const openMenu = (id, anchor) => this._openMenu(this._found(id), anchor);
    this._keys = new ThreadKeys({ place: this._place, jumps: this._jumps, openMenu });
    this._longPress = new LongPress({
      rested: (bubble) => openMenu(bubble.closest("samia-message")?.dataset.id, bubble),
    });
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
    this._isAway = false;
    this._leftAt = null;
    this._focused = null;
    this._sounding = null;
    this._seenAtEnd = 0;
    this._pendingCount = 0;
    this._uploadCount = 0;
    this._announcement = "";
    this._lines.begin();
    this._place.begin();
    this._pages?.end();
    this._pages = new ThreadPages(this.session, () => this._refresh());
    this._seen?.end();
    this._seen = null;
  }

  willUpdate(changed) {
    if (changed.size) this._lines.change();
    if (!changed.has("session")) return;
    this._begin();
    const session = store.get(this.session);
    if (session?.mine?.unread) this._newAfter = session.mine.read_seq;
    this._pendingCount = outbox.of(this.session).length;
    if (this._newAfter !== null) this._place.seek("unread", { isTop: true });
    this._seenAtEnd = this._newAfter ?? 0;
    const isNewFurtherBack = this._newAfter !== null && session.from > this._newAfter + 1;
    if (session && (session.messages === null || isNewFurtherBack)) this._open();
  }

  async _open() {
    const where = this._pages.beginning(this._newAfter);
    const isThere = await this._pages.load(where);
    // It was not drawn before that.
    if (isThere && where.from) this._place.seek("unread", { isTop: true });
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
    if (this._pages.isLoading || this._pages.failed) return;
    if (session.hasOlder && this._place.isNearStart) this._pages.loadOlder();
    else if (session.hasNewer && this._place.isNearEnd) this._pages.loadNewer();
    else this._forgetFar(session);
  }

  _forgetFar(session) {
    const { first, end } = this._place.range;
    const seqs = this._lines.all.slice(first, end).flatMap(({ message }) => message?.seq ?? []);
    if (seqs.length && store.trim(session.id, seqs[0], seqs.at(-1))) this._refresh();
  }

  _toLatest() {
    if (this.querySelector(".jump") === document.activeElement) this._scroller.focus(); // the button goes
    this._jumps.toEnd();
  }

  /** What a button opens or closes in a message does not move it. */
  _clicked(target) {
    const message = target.closest("[aria-expanded]")?.closest("samia-message");
    if (message) this._place.pressed(message);
  }

  // What happens ------------------------------------------------------------------------------------------------------

  /** Make all lines anew, and draw those that are in the page. */
  _refresh() {
    this._lines.change();
    this.requestUpdate();
  }

  _storeChanged() {
    const session = store.get(this.session);
    if (session && this._leftAt) this._begin(); // let in again
    if (session && session.messages === null && !this._pages.failed && !this._pages.isLoading) this._open();
    this._refresh();
  }

  /** What could not be read is read once the server is there again. */
  _tryAgain() {
    if (!this._pages.failed) return;
    this._pages.failed = null;
    this._storeChanged();
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

  _played(id) {
    this._sounding = id;
    const session = store.get(this.session);
    const message = session?.messages?.get(id);
    if (message) tellPlayed(session, message);
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

  _act({ act, id, anchor }) {
    const message = this._found(id);
    if (act === "retry") outbox.retry(id);
    else if (act === "discard") outbox.discard(id);
    else if (act === "jump") this._jumps.to(message.reply_to);
    else if (act === "menu") this._openMenu(message, anchor);
    else if (act === "picture") showPicture(messagesOf(store.get(this.session)), id);
    else if (act === "copy") copy(message);
    else if (act === "delete") remove(message);
    else this.dispatchEvent(new CustomEvent(`samia:${act}`, { bubbles: true, detail: message }));
  }

  _found(id) {
    const session = store.get(this.session);
    return session?.messages?.get(id) ?? session?.held.get(id);
  }

  _openMenu(message, anchor) {
    const may = message ? mayDo(store.get(this.session), message) : "";
    if (may) this.querySelector("samia-menu").open({ id: message.id, may, anchor });
  }

  /** The last own message that can still be changed. */
  lastEditable() {
    const session = store.get(this.session);
    return session ? lastEditable(session) : null;
  }

  // Drawing -----------------------------------------------------------------------------------------------------------

  render() {
    if (!this.session) return noneChosen();
    const session = store.get(this.session);
    if (!session || this._leftAt) return withdrawn();
    if (session.messages === null) return this._waiting();
    // A thread of its own for each session: nothing of where another one was scrolled stays.
    return repeat(
      [session],
      ({ id }) => id,
      () => this._thread(session),
    );
  }

  _waiting() {
    if (this._pages.failed) return notLoaded(() => this._open());
    return this._pages.isSlow ? skeleton() : nothing;
  }

  _thread(session) {
    const lines = this._drawnLines(session);
    const thread = { session, pages: this._pages, focused: (id) => this._focusMoved(id) };
    const below = session.othersAfter(Math.max(this._seenAtEnd, session.mine?.seen_seq ?? 0), me);
    return html`<div class="thread-wrap ${this._isAway ? "is-away" : ""}">
        <div
          class="thread"
          tabindex="0"
          role="region"
          aria-label=${t("Conversation")}
          @scroll=${() => this._place.scrolled()}
          @keydown=${(event) => this._keys.keyed(event)}
          @pointerdown=${(event) => this._longPress.pressed(event)}
          @contextmenu=${(event) => this._longPress.contextMenu(event)}
        >
          <div class="thread-in" role="list">
            ${repeat(
              lines,
              (line) => line.key,
              (line) => this._lines.template(line, line.key === this._tabStop, thread),
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

  /** The Tab key stops there from now on. All other lines are as they were, so this is no property. */
  _focusMoved(id) {
    this._focused = id;
    this.requestUpdate();
  }

  /** The lines that are in the page: those in sight and around. */
  _drawnLines(session) {
    this._lines.make(session, this._newAfter);
    const { all } = this._lines;
    const { first, end } = this._place.take(all, session.hasNewer);
    const drawn = all.slice(first, end);
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
    const { all } = this._lines;
    const at = this._sounding ? all.findIndex(({ key }) => key === this._sounding) : -1;
    if (at < 0 || drawn.includes(all[at])) return drawn;
    const line = { ...all[at], isHidden: true };
    return at < first ? [line, ...drawn] : [...drawn, line];
  }
}

customElements.define("samia-thread", SamiaThread);
