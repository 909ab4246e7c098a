// Staff see which sessions go on, look into them, lock and end them. The list is read anew when this page hears of something,
// and every half minute while somebody may be looking at it.

import "chat/live-list";
import "samia/theme";
import "samia/toasts";
import { Queue, showCount } from "chat/approval-queue";
import { leave, me } from "chat/device";
import { titleOf } from "chat/names";
import { change, doneWords } from "chat/session-acts";
import { signOut } from "chat/sign-out";
import { tellStaff } from "chat/staff-notices";
import { Store } from "chat/store";
import { useZone } from "samia/dates";
import { request } from "samia/http";
import { page } from "samia/page";
import { Socket } from "samia/socket";
import { speak } from "samia/text";
import { toast } from "samia/toasts";

speak(page.words);
useZone(page.user.timezone);

const PAGE = 50;
const FRESH_MS = 30_000;
const SOON_MS = 1_000; // what comes together is read together
const HEARD = new Set([
  "new_message",
  "participant_added",
  "participant_removed",
  "session_created",
  "session_updated",
  "voice_approval_needed",
  "voice_approved",
  "voice_rejected",
  "voice_withdrawn",
]);

class SamiaLiveSessions extends HTMLElement {
  connectedCallback() {
    this._list = this.querySelector("samia-live-list");
    this._filter = page.filter;
    this._pages = 1;
    this._asked = 0;
    this._socket = new Socket({
      url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/chat`,
      user: me,
    });
    this._show(page.sessions, page.next);
    this._wire();
    this._countApprovals();
    tellStaff(this._socket);
    this._socket.start();
  }

  _wire() {
    const { _socket: socket } = this;
    this.addEventListener("samia:filter", ({ detail }) => this._choose(detail));
    this.addEventListener("samia:more", () => this._more());
    this.addEventListener("samia:again", () => this._read());
    this.addEventListener("samia:verb", ({ detail }) => this._change(detail));
    this.addEventListener("submit", (event) => event.target.matches("[data-sign-out]") && this._signOut(event));
    socket.addEventListener("frame", ({ detail }) => HEARD.has(detail.type) && this._soon());
    socket.addEventListener("welcome", () => this._soon());
    socket.addEventListener("signed-out", () => this._leave());
    socket.addEventListener("stranger", () => location.reload()); // this page is not for whoever is signed in now
    document.addEventListener("samia:signed-out", () => this._leave());
    for (const type of ["online", "offline", "pageshow"]) window.addEventListener(type, () => socket.hurry());
    document.addEventListener("visibilitychange", () => this._seen());
    setInterval(() => this._seen(), FRESH_MS);
  }

  _countApprovals() {
    const queue = new Queue({ me });
    queue.addEventListener("change", () => showCount(this, queue.waiting.length));
    queue.follow(this._socket);
  }

  _seen() {
    if (document.visibilityState !== "visible") return;
    this._socket.hurry();
    this._read();
  }

  _signOut(event) {
    signOut(event, { last: () => this._socket.end() });
  }

  _leave() {
    this._socket.end();
    leave();
  }

  // The list ------------------------------------------------------------------------------------------------------------

  _soon() {
    clearTimeout(this._timer);
    this._timer = setTimeout(() => document.visibilityState === "visible" && this._read(), SOON_MS);
  }

  _choose(chosen) {
    this._filter = { ...this._filter, ...chosen };
    this._pages = 1;
    history.replaceState(null, "", `${location.pathname}?${new URLSearchParams(this._filter)}`);
    for (const field of document.querySelectorAll("input[name=next]")) field.value = location.pathname + location.search;
    this._list.sessions = null; // what is drawn is no answer to this
    this._read();
  }

  async _more() {
    this._pages += 1;
    await this._read();
  }

  /** As many pages as are shown. Of several answers under way the last question's counts. */
  async _read() {
    const asked = ++this._asked;
    Object.assign(this._list, { filter: this._filter, isReading: true });
    try {
      const { results, next } = await readPages(this._filter, this._pages);
      if (asked === this._asked) this._show(results, next);
    } catch (problem) {
      if (asked === this._asked) this._list.problem = problem;
    }
    if (asked === this._asked) this._list.isReading = false;
  }

  _show(shapes, next) {
    const store = new Store({ me });
    store.takeSessions(shapes);
    Object.assign(this._list, { filter: this._filter, sessions: store.list(), hasMore: next !== null, problem: null });
  }

  async _change({ verb, session }) {
    const isDone = await change({ id: session.id, name: titleOf(session, me), verb, role: page.user.role });
    if (isDone) {
      toast({ icon: "check", text: doneWords(verb) });
      await this._read();
    }
    this._list.restoreFocus();
  }
}

async function readPages({ status, type }, count) {
  const asked = Object.entries({ status, type }).filter(([, value]) => value !== "all");
  const results = [];
  let next = null;
  for (let at = 0; at < count; at += 1) {
    const cursor = next === null ? [] : [["cursor", next]];
    const answer = await request("GET", `/api/chat/sessions?${new URLSearchParams([["limit", PAGE], ...asked, ...cursor])}`);
    results.push(...answer.results);
    next = answer.next;
    if (next === null) break;
  }
  return { results, next };
}

customElements.define("samia-live-sessions", SamiaLiveSessions);
