// Voice messages that wait for staff, the oldest first. Pure state, kept level by the socket's frames; where one is new,
// or the connection was away, the server is asked for all of them.

import { request } from "samia/http";
import { number } from "samia/text";

const PAGE = 100;
const MAX_PAGES = 10;
const DECIDED = { voice_approved: "approved", voice_rejected: "rejected", voice_withdrawn: "withdrawn" };
const SOON_MS = 150; // what comes together is asked for together

/** Read what waits: all of it, within reason. */
async function readAll() {
  const found = [];
  let next = null;
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const cursor = next === null ? "" : `&cursor=${encodeURIComponent(next)}`;
    const answer = await request("GET", `/api/chat/approvals?limit=${PAGE}${cursor}`);
    found.push(...answer.results);
    next = answer.next;
    if (next === null) break;
  }
  return found;
}

export class Queue extends EventTarget {
  /**
   * `items`: {message, sender_name, sender_role, session_title, session_status, decided}, by the message's id. `decided` is
   * null, or what somebody else did until it is `dismiss`ed: "approved", "rejected", "withdrawn" (its sender did), "unknown". Dispatches `change`.
   */
  constructor({ me, read = readAll, clock = globalThis }) {
    super();
    this.items = new Map();
    this._me = me;
    this._read = read;
    this._clock = clock;
    this._timer = null;
    this._deciding = null;
    this._isReading = false;
  }

  /** What is to be decided, the oldest first, and what has just been decided by somebody else, in its place. */
  list() {
    return [...this.items.values()].sort((a, b) => Date.parse(a.message.created_at) - Date.parse(b.message.created_at));
  }

  /** What is to be decided. Nobody decides about his own. */
  get waiting() {
    return this.list().filter(({ message, decided }) => decided === null && message.sender !== this._me);
  }

  /** Stay level with the server by this socket. */
  follow(socket) {
    socket.addEventListener("welcome", () => this.read());
    for (const type of ["voice_approval_needed", ...Object.keys(DECIDED)]) {
      socket.addEventListener(type, ({ detail }) => this.apply(detail));
    }
  }

  /** Everything that waits, as the server just said. What it does not name has been decided. */
  take(results) {
    const named = new Map(results.map((item) => [item.message.id, item]));
    for (const id of this.items.keys()) if (!named.has(id)) this._decidedElsewhere(id, "unknown");
    for (const [id, item] of named) this.items.set(id, { ...item, decided: this.items.get(id)?.decided ?? null });
    this._changed();
  }

  apply({ type, message }) {
    const known = this.items.get(message.id);
    if (type === "voice_approval_needed") {
      // A frame names nobody; and of one that is known it tells that its file is ready.
      if (known) this.items.set(message.id, { ...known, message });
      else this._soon();
    } else {
      this._decidedElsewhere(message.id, DECIDED[type]);
    }
    this._changed();
  }

  /** Decide about one: `decide` asks the server. What is heard of it meanwhile is our own word; if not, it was refused. */
  async decide(id, decide) {
    this._deciding = id;
    try {
      await decide();
    } catch (problem) {
      this._deciding = null;
      if (problem.code === "already_reviewed" || problem.code === "not_pending") this._decidedElsewhere(id, "unknown");
      this._changed();
      throw problem;
    }
    this._deciding = null;
    this.dismiss(id);
  }

  _decidedElsewhere(id, decided) {
    const known = this.items.get(id);
    if (known?.decided === null && id !== this._deciding) this.items.set(id, { ...known, decided });
  }

  /** It is decided, and whoever looked at it knows. */
  dismiss(id) {
    this.items.delete(id);
    this._changed();
  }

  async read() {
    if (this._isReading) {
      this._soon();
      return;
    }
    this._isReading = true;
    try {
      this.take(await this._read());
    } catch {
      // Without an answer it stays as it was; the next connection asks again.
    } finally {
      this._isReading = false;
    }
  }

  _soon() {
    this._clock.clearTimeout(this._timer);
    this._timer = this._clock.setTimeout(() => this.read(), SOON_MS);
  }

  _changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** How many wait, in the links to the page of them. */
export function showCount(place, count) {
  for (const link of place.querySelectorAll("[data-approvals]")) {
    const badge = link.querySelector(".badge");
    badge.textContent = count ? number(count) : "";
    badge.hidden = count === 0;
  }
}
