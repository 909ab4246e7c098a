// Staff decide about voice messages that wait. What is opened is looked at on record, so nothing opens by itself before the
// first decision.

import "chat/approval-list";
import "chat/approval-review";
import "samia/theme";
import "samia/toasts";
import { Queue, showCount } from "chat/approval-queue";
import { refused } from "chat/approval-words";
import { leave, me } from "chat/device";
import { signOut } from "chat/sign-out";
import { tellStaff } from "chat/staff-notices";
import { useZone } from "samia/dates";
import { request } from "samia/http";
import { page } from "samia/page";
import { Socket } from "samia/socket";
import { number, speak, t } from "samia/text";
import { toast } from "samia/toasts";

speak(page.words);
useZone(page.user.timezone);

const GO_MS = 3_500; // so long it is said that somebody else has decided
const CALM_MS = 3_000;
const CONTEXT = 5;
const FRAGMENT = /^#([0-9a-f-]{36})$/;

class SamiaApprovals extends HTMLElement {
  connectedCallback() {
    this._queue = new Queue({ me });
    this._socket = new Socket({
      url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/chat`,
      user: me,
    });
    this._going = new Set();
    this._open = null;
    this._list = this.querySelector("samia-approval-list");
    this._review = this.querySelector("samia-approval-review");
    this._wire();
    this._queue.take(page.approvals);
    this._goTo(addressed());
    this._queue.follow(this._socket);
    tellStaff(this._socket);
    this._socket.start();
  }

  _wire() {
    this._queue.addEventListener("change", () => this._queueChanged());
    this._socket.addEventListener("state", () => this._connectionChanged());
    this._socket.addEventListener("signed-out", () => this._leave());
    this._socket.addEventListener("stranger", () => location.reload()); // this page is not for whoever is signed in now
    this.addEventListener("samia:verdict", ({ detail }) => this._decide(detail));
    this.addEventListener("samia:step", ({ detail }) => this._step(detail));
    this.addEventListener("samia:again", () => this._read(this._item));
    this.addEventListener("samia:act", ({ detail }) => detail.act === "picture" && this._showPicture(detail.id));
    this.addEventListener("submit", (event) => event.target.matches("[data-sign-out]") && this._signOut(event));
    window.addEventListener("hashchange", () => this._goTo(addressed()));
    document.addEventListener("keydown", (event) => this._keyed(event));
    document.addEventListener("samia:signed-out", () => this._leave());
    for (const type of ["online", "offline", "pageshow"]) window.addEventListener(type, () => this._socket.hurry());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this._socket.hurry());
  }

  _connectionChanged() {
    clearTimeout(this._away);
    if (this._socket.state === "open") this._list.isAway = false;
    else this._away = setTimeout(() => (this._list.isAway = true), CALM_MS);
  }

  _signOut(event) {
    signOut(event, { last: () => this._socket.end() });
  }

  _leave() {
    this._socket.end();
    leave();
  }

  // Which one is open ---------------------------------------------------------------------------------------------------

  get _item() {
    return this._queue.items.get(this._open) ?? null;
  }

  _queueChanged() {
    const count = this._queue.waiting.length;
    document.title = `${count ? `(${number(count)}) ` : ""}${t("Voice approvals")} · ${t("SAMIA TAROT")}`;
    showCount(this, count);
    for (const { message, decided } of this._queue.list()) if (decided !== null) this._letGo(message.id);
    this._show();
  }

  _show() {
    this.dataset.view = this._item ? "review" : "list";
    Object.assign(this._list, { items: this._queue.list(), open: this._open });
    Object.assign(this._review, { item: this._item, isEmpty: this._queue.items.size === 0 });
  }

  /** Decided by somebody else: it says so, and goes. The one that is open stays until whoever looks at it moves on. */
  _letGo(id) {
    if (this._going.has(id)) return;
    this._going.add(id);
    setTimeout(() => {
      this._going.delete(id);
      if (id !== this._open) this._queue.dismiss(id);
    }, GO_MS);
  }

  _goTo(id) {
    if (id === this._open) return;
    const before = this._item;
    this._open = this._queue.items.has(id) ? id : null;
    Object.assign(this._review, { context: null, trouble: "" });
    if (before?.decided) this._queue.dismiss(before.message.id);
    this._show();
    if (this._item) this._read(this._item);
  }

  _step(by) {
    const all = this._queue.list().filter(({ decided, message }) => decided === null || message.id === this._open);
    const at = all.findIndex(({ message }) => message.id === this._open);
    const next = at < 0 ? all[0] : (all[at + by] ?? (this._item.decided ? all[at - by] : null));
    if (next) location.hash = next.message.id;
    else if (this._item?.decided) location.hash = "";
  }

  /** What was said before it. That it is read is recorded. */
  async _read({ message }) {
    const address = `/api/chat/sessions/${message.session}`;
    let context;
    this._review.context = null;
    try {
      const [session, thread] = await Promise.all([
        request("GET", address),
        request("GET", `${address}/messages?limit=${CONTEXT}`),
      ]);
      context = { session, messages: thread.results };
    } catch (problem) {
      context = { problem };
    }
    if (this._open === message.id) this._review.context = context;
  }

  async _showPicture(id) {
    const { showPicture } = await import("chat/pictures");
    const isShown = ({ type, file }) => type === "image" && file?.state === "ready";
    showPicture(this._review.context.messages.filter(isShown), id);
  }

  // The verdict ---------------------------------------------------------------------------------------------------------

  async _decide({ verdict, reason }) {
    const { message, sender_name: name } = this._item;
    const next = this._after(message.id);
    const ask = () =>
      request("POST", `/api/chat/messages/${message.id}/${verdict}`, reason === undefined ? undefined : { reason });
    Object.assign(this._review, { isDeciding: true, trouble: "" });
    try {
      await this._queue.decide(message.id, ask);
      this._decided({ isApproved: verdict === "approve", name, next });
    } catch (problem) {
      if (this._open === message.id) this._review.trouble = refused(problem);
    } finally {
      this._review.isDeciding = false;
    }
  }

  /** What comes after one in the queue, or else before it. */
  _after(id) {
    const all = this._queue.list().filter(({ decided, message }) => decided === null || message.id === id);
    const at = all.findIndex(({ message }) => message.id === id);
    return (all[at + 1] ?? all[at - 1])?.message.id ?? null;
  }

  _decided({ isApproved, name, next }) {
    const text = isApproved
      ? t("Approved. The session can hear it now.")
      : t("Rejected. {name} can read why.", { name });
    toast({ icon: isApproved ? "check" : "info", text });
    // Not another entry of the history: to what was decided nobody goes back.
    history.replaceState(null, "", next ? `#${next}` : location.pathname);
    this._goTo(next);
    this._review.updateComplete.then(() => this._review.focus());
  }

  _keyed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]") || event.target.closest("textarea, input, select")) return;
    const acts = {
      j: () => this._step(1),
      k: () => this._step(-1),
      a: () => this._review.approve(),
      r: () => this._review.reject(),
      " ": () => this._review.play(),
    };
    const act = acts[event.key.toLowerCase()];
    // On a button the space bar presses it.
    if (!act || (event.key === " " && event.target.closest("button, a, [role=slider]"))) return;
    event.preventDefault();
    act();
  }
}

/** The message that the address names. */
function addressed() {
  return FRAGMENT.exec(location.hash)?.[1] ?? null;
}

customElements.define("samia-approvals", SamiaApprovals);
