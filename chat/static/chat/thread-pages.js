// The pages in which the messages of a thread come into the store, one at a time.

import { limits, readPage, store } from "chat/live";

const BEFORE_NEW = 10; // messages that were read, above the first that is new
const SLOW_MS = 300; // a thread that loads faster shows no skeleton

export class ThreadPages {
  /** Of the session with this id. `changed()` is told when a page takes long, could not be read, or is there after that. */
  constructor(session, changed) {
    this.session = session;
    this.failed = null; // which page could not be read: "newest", "older", "newer"
    this.isSlow = false;
    this.isEnded = false;
    this._changed = changed;
    this._loading = null;
  }

  /** Another thread is shown. What is on its way comes into the store all the same. */
  end() {
    this.isEnded = true;
  }

  get isLoading() {
    return this._loading !== null;
  }

  /** Where to open a thread: at its newest page, or where what is new begins, with some of what was before. */
  beginning(newAfter) {
    const { lastSeq } = store.get(this.session);
    const isFurther = newAfter !== null && lastSeq - newAfter > limits.page_messages - BEFORE_NEW;
    return isFurther ? { from: Math.max(1, newAfter + 1 - BEFORE_NEW) } : {};
  }

  /** Read the page that `where` names (store.takePage). Whether it came. */
  async load(where = {}, side = "newest") {
    while (this._loading) await this._loading;
    if (this.isEnded) return false;
    this._loading = this._read(where, side);
    return this._loading;
  }

  /** Read what is around a message. Whether the thread is still shown. Raises Problem. */
  async loadAround(id) {
    while (this._loading) await this._loading;
    await readPage(this.session, { around: id });
    return !this.isEnded;
  }

  loadOlder() {
    const session = store.get(this.session);
    if (session?.messages && session.hasOlder && !this._loading) this.load({ before: session.from }, "older");
  }

  loadNewer() {
    const session = store.get(this.session);
    if (session?.messages && session.hasNewer && !this._loading) this.load({ after: session.to }, "newer");
  }

  async _read(where, side) {
    this._note({ failed: null });
    const slow = setTimeout(() => this._note({ isSlow: true }), SLOW_MS);
    let failed = null;
    try {
      await readPage(this.session, where);
    } catch {
      failed = side;
    }
    clearTimeout(slow);
    this._loading = null;
    this._note({ failed, isSlow: false });
    return !failed && !this.isEnded;
  }

  _note({ failed = this.failed, isSlow = this.isSlow }) {
    if (this.isEnded || (failed === this.failed && isSlow === this.isSlow)) return;
    Object.assign(this, { failed, isSlow });
    this._changed();
  }
}
