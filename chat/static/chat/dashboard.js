// The page's frame: which session is open, what the address says, and when to leave for the door.

import "chat/banner";
import "chat/composer";
import "chat/session-list";
import "chat/thread";
import "chat/thread-head";
import "samia/theme";
import "samia/toasts";
import { install } from "chat/app";
import { leave } from "chat/device";
import { isStaff, me, socket, store, sync, uploads } from "chat/live";
import { titleOf } from "chat/names";
import { Notifier } from "chat/notifier";
import { Pane } from "chat/pane";
import { isRecordingKept } from "chat/recorder";
import { signOut } from "chat/sign-out";
import { number, t } from "samia/text";
import { toast } from "samia/toasts";

const SESSION = /^\/sessions\/([0-9a-f-]{36})$/;
const AWAY_MS = 60_000; // a tab in the background for so long is away
const PRESENCE_ROWS = 30; // of so many sessions we ask who is there
const PRESENCE_AT_ONCE = 4; // rows drawn anew in one go, which is what a slow phone can do within 50 ms

class SamiaDashboard extends HTMLElement {
  connectedCallback() {
    this._open = SESSION.exec(location.pathname)?.[1] ?? null;
    this._pane = new Pane(() => this._showDetails());
    this._wire();
    this._show({ mustFocus: false });
    this._notifier = new Notifier({ isOpen: (id) => id === this._open, open: (id) => this._visit(id) });
    socket.start();
    this._installWhenLevel();
  }

  /** The worker fetches the whole shell, which is large on a slow network: the conversation comes first. */
  _installWhenLevel() {
    const look = () => {
      if (sync.state !== "level") return;
      sync.removeEventListener("state", look);
      install();
    };
    sync.addEventListener("state", look);
    look();
  }

  _wire() {
    this.addEventListener("click", (event) => this._clicked(event));
    this.addEventListener("samia:reply", ({ detail }) => this.querySelector("samia-composer").reply(detail));
    this.addEventListener("samia:record", ({ detail }) => this.querySelector("samia-composer").record(detail));
    this.addEventListener("samia:edit", ({ detail }) => this.querySelector("samia-composer").edit(detail));
    this.addEventListener("samia:details", () => (this._isDetailed ? this._pane.close() : this._pane.open()));
    this.addEventListener("keydown", (event) => this._keyed(event));
    window.addEventListener("popstate", () => this._moved());
    window.addEventListener("online", () => {
      socket.hurry();
      uploads.wake();
    });
    window.addEventListener("offline", () => socket.hurry());
    window.addEventListener("pageshow", (event) => event.persisted && socket.hurry());
    document.addEventListener("visibilitychange", () => this._visibilityChanged());
    document.addEventListener("samia:signed-out", () => this._leave());
    this.addEventListener("submit", (event) => event.target.matches("[data-sign-out]") && this._signOut(event));
    socket.addEventListener("signed-out", () => this._leave());
    socket.addEventListener("stranger", () => location.reload()); // this page is not for whoever is signed in now
    socket.addEventListener("welcome", () => this._welcomed());
    store.addEventListener("change", () => this._title());
    store.addEventListener("left", ({ detail }) => this._left(detail));
    // What only this page holds would be lost with it.
    window.addEventListener("beforeunload", (event) => this._isHolding && event.preventDefault());
    if (isStaff) this._serveStaff();
  }

  get _isHolding() {
    return !this._isLeaving && (uploads.isHolding || isRecordingKept());
  }

  async _serveStaff() {
    const [{ Queue, showCount }, { tellStaff }] = await Promise.all([
      import("chat/approval-queue"),
      import("chat/staff-notices"),
    ]);
    tellStaff(socket);
    const queue = new Queue({ me });
    queue.addEventListener("change", () => showCount(this, queue.waiting.length));
    queue.follow(socket);
    queue.read(); // the welcome may have come before
  }

  // Which session is open ----------------------------------------------------------------------------------------------

  _clicked(event) {
    const link = event.target.closest("a[href]");
    if (!link || event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.target === "_blank") return;
    const path = link.getAttribute("href");
    const id = SESSION.exec(path)?.[1] ?? null;
    if (path !== "/" && !store.get(id)) return;
    event.preventDefault();
    if (path === "/" && history.state?.isFromList) {
      history.back(); // and not one step further from where one came
      return;
    }
    if (id) this._visit(id);
    else {
      history.pushState({ isFromList: false }, "", path);
      this._go(id);
    }
  }

  _visit(id) {
    if (id !== this._open) history.pushState({ isFromList: this._open === null }, "", `/sessions/${id}`);
    this._go(id);
  }

  _go(id) {
    const before = this._open;
    this._open = id;
    this._show({ mustFocus: true, before });
  }

  _moved() {
    const id = SESSION.exec(location.pathname)?.[1] ?? null;
    if (id === this._open) this._showDetails(); // only these came or went
    else this._go(id);
  }

  _show({ mustFocus, before = null }) {
    this.dataset.view = this._open ? "thread" : "list";
    for (const name of ["samia-session-list", "samia-thread-head", "samia-thread", "samia-composer"]) {
      this.querySelector(name).session = this._open;
    }
    this._showDetails();
    sync.look(this._open);
    for (const field of document.querySelectorAll("input[name=next]")) field.value = location.pathname;
    this._title();
    if (mustFocus) this._focus(before);
  }

  // The details --------------------------------------------------------------------------------------------------------

  async _showDetails() {
    const was = this._isDetailed;
    const { isOpen, isSheet } = this._pane;
    const details = this.querySelector("samia-details");
    const head = this.querySelector("samia-thread-head");
    const isLeft = details.contains(document.activeElement);
    this._isDetailed = isOpen && Boolean(store.get(this._open));
    this.toggleAttribute("data-details", this._isDetailed);
    for (const name of [".list-pane", ".thread-pane"]) this.querySelector(name).inert = this._isDetailed && isSheet;
    head.isDetailed = this._isDetailed;
    Object.assign(details, { session: this._isDetailed ? this._open : null, isSheet });
    if (this._isDetailed) {
      await import("chat/details"); // not before somebody wants it
      if (!was && isSheet) await details.begin();
    } else if (was && (isLeft || document.activeElement === document.body)) {
      head.querySelector("[data-details]")?.focus();
    }
  }

  _keyed(event) {
    if (event.key !== "Escape" || event.defaultPrevented || !this._isDetailed) return;
    if (!this._pane.isSheet && !event.target.closest("samia-details")) return;
    event.preventDefault();
    this._pane.close();
  }

  async _focus(before) {
    const composer = this.querySelector("samia-composer");
    await composer.updateComplete;
    // A phone's keyboard comes when it is asked for.
    if (this._open && !matchMedia("(pointer: coarse)").matches) composer.focus();
    else if (!this._open && before) this.querySelector(`a[href="/sessions/${before}"]`)?.focus();
  }

  _title() {
    const unread = store.unreadSessions;
    const session = store.get(this._open);
    const name = session ? titleOf(session, me) : t("Chats");
    document.title = `${unread ? `(${number(unread)}) ` : ""}${name} · ${t("SAMIA TAROT")}`;
  }

  _left(session) {
    if (session.id === this._open) {
      this._pane.forget();
      this._showDetails();
      return; // the thread says it
    }
    const name = titleOf(session, me);
    toast({ icon: "lock", text: t("You no longer take part in the session with {name}.", { name }) });
  }

  // Being there --------------------------------------------------------------------------------------------------------

  _visibilityChanged() {
    clearTimeout(this._away);
    if (document.visibilityState === "hidden") {
      this._away = setTimeout(() => socket.send({ type: "set_presence", state: "away" }), AWAY_MS);
      return;
    }
    socket.hurry();
    socket.send({ type: "set_presence", state: "online" });
  }

  _welcomed() {
    // A new connection counts as somebody who is there.
    if (document.visibilityState === "hidden") socket.send({ type: "set_presence", state: "away" });
    this._askWhoIsThere();
  }

  async _askWhoIsThere() {
    const asked = store.list().filter((session) => session.mine || session.id === this._open);
    const sessions = asked.slice(0, PRESENCE_ROWS);
    for (let first = 0; first < sessions.length; first += PRESENCE_AT_ONCE) {
      const some = sessions.slice(first, first + PRESENCE_AT_ONCE);
      const answers = await Promise.allSettled(some.map(({ id }) => socket.ask({ type: "get_online_users", session: id })));
      store.takePresence(answers.flatMap(({ value }) => value?.users ?? []));
      if (answers.some(({ reason }) => reason?.code === "closed")) return;
    }
  }

  _signOut(event) {
    signOut(event, { last: () => this._end(), here: uploads.unsent });
  }

  _end() {
    this._isLeaving = true;
    socket.end();
  }

  _leave() {
    if (this._isLeaving) return;
    this._end();
    leave();
  }
}

customElements.define("samia-dashboard", SamiaDashboard);
