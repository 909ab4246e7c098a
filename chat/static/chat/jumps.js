// Going elsewhere in a thread: to its first message, to its latest, to one that was answered.

import { store } from "chat/live";
import { messagesOf } from "chat/thread-lines";
import { t } from "samia/text";
import { toast } from "samia/toasts";

const FLASH_MS = 1_600;

export class Jumps {
  /** `place` is where the thread is scrolled; `pages()` are those of the thread that is shown. */
  constructor({ place, pages }) {
    this._place = place;
    this._pages = pages;
  }

  /** To the end. */
  async toEnd() {
    const pages = this._pages();
    this._place.toEnd();
    if (!store.get(pages.session)?.hasNewer) return;
    if (await pages.load()) this._place.toEnd();
    else if (pages.failed) tellFailed();
  }

  /** To the latest message. Its element, or null. */
  async toLast() {
    const pages = this._pages();
    await this.toEnd();
    return this._seekAt(-1, pages, { isTop: false });
  }

  /** To the first message of all. Its element, or null. */
  async toFirst() {
    const pages = this._pages();
    if (store.get(pages.session).hasOlder && !(await pages.load({ from: 1 }, "older"))) return null;
    return this._seekAt(0, pages, { isTop: true });
  }

  _seekAt(at, pages, options) {
    if (pages.isEnded) return null;
    const { id } = messagesOf(store.get(pages.session)).filter(({ type }) => type !== "system").at(at) ?? {};
    return id ? this._place.seek(id, options) : null;
  }

  /** To the message with this id. It is read if it is not held, and lights up. */
  async to(id) {
    if (!(await this._hold(id))) return;
    const element = await this._place.seek(id);
    if (!element) {
      tellGone();
      return;
    }
    element.dataset.flash = "";
    setTimeout(() => delete element.dataset.flash, FLASH_MS);
  }

  /** Read a message unless it is held. Whether it is now, in the thread that is shown. */
  async _hold(id) {
    const pages = this._pages();
    if (store.get(pages.session).messages.has(id)) return true;
    try {
      return await pages.loadAround(id);
    } catch (problem) {
      if (problem.code === "not_found") tellGone();
      else tellFailed();
      return false;
    }
  }
}

function tellGone() {
  toast({ icon: "info", text: t("That message is no longer here.") });
}

function tellFailed() {
  toast({ icon: "alert", isBad: true, text: t("That did not work. Try again in a moment.") });
}
