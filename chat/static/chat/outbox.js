// Messages that were written here and are not acknowledged yet. They survive a reload, go out in order, one at a time in
// each session, and are sent again under the same id until the server has said what became of them: so none is lost, and
// none is there twice.

const RETRY_SECONDS = 2; // where a refusal for now names no time
const FOR_NOW = new Set(["busy", "too_fast"]);

export class Outbox extends EventTarget {
  /**
   * `post(entry)` sends an entry and resolves when the server has it; it rejects with {code, retryAfter}, code "closed"
   * meaning that the connection went away. Dispatches `change` (detail: the session's id).
   */
  constructor({ me, storage, post, newId, now = () => Date.now(), clock = globalThis }) {
    super();
    this._prefix = `samia.out.${me}.`;
    this._storage = storage;
    this._post = post;
    this._newId = newId;
    this._now = now;
    this._clock = clock;
    this._draining = new Set();
    this._isAwake = false;
    this.entries = new Map();
    for (const entry of storage.entries(this._prefix)) this.entries.set(entry.id, entry);
  }

  /** What waits in a session, or could not be sent, in order. */
  of(session) {
    return [...this.entries.values()].filter((entry) => entry.session === session).sort((a, b) => a.order - b.order);
  }

  get waiting() {
    return [...this.entries.values()].filter((entry) => entry.state === "waiting").length;
  }

  add({ session, content, replyTo }) {
    const last = Math.max(0, ...this.of(session).map((entry) => entry.order));
    const now = this._now();
    const entry = {
      id: this._newId(),
      session,
      content,
      reply_to: replyTo,
      created_at: new Date(now).toISOString(),
      order: Math.max(now, last + 1),
      state: "waiting",
      code: null,
    };
    this._keep(entry);
    this._drain(session);
    return entry;
  }

  /** The server has a message with this id. */
  confirm(id) {
    this._forget(id);
  }

  /** Give up a message that could not be sent. */
  discard(id) {
    this._forget(id);
  }

  retry(id) {
    const entry = this.entries.get(id);
    if (!entry) return;
    this._keep({ ...entry, state: "waiting", code: null });
    this._drain(entry.session);
  }

  /** The connection is there, and what was missed has been read: go on sending. */
  wake() {
    this._isAwake = true;
    for (const session of new Set([...this.entries.values()].map((entry) => entry.session))) this._drain(session);
  }

  sleep() {
    this._isAwake = false;
  }

  forgetSession(session) {
    for (const entry of this.of(session)) this._forget(entry.id);
  }

  async _drain(session) {
    if (this._draining.has(session)) return;
    this._draining.add(session);
    try {
      for (let entry = this._next(session); entry && this._isAwake; entry = this._next(session)) {
        await this._try(entry);
      }
    } finally {
      this._draining.delete(session);
    }
  }

  _next(session) {
    return this.of(session).find((entry) => entry.state === "waiting");
  }

  async _try(entry) {
    try {
      await this._post(entry);
      this._forget(entry.id);
    } catch ({ code, retryAfter }) {
      if (code === "closed") this._isAwake = false;
      else if (retryAfter != null || FOR_NOW.has(code)) await this._pause(retryAfter ?? RETRY_SECONDS);
      else if (this.entries.has(entry.id)) this._keep({ ...entry, state: "failed", code });
    }
  }

  _pause(seconds) {
    return new Promise((resolve) => this._clock.setTimeout(resolve, seconds * 1000));
  }

  _keep(entry) {
    this.entries.set(entry.id, entry);
    this._storage.set(this._prefix + entry.id, entry);
    this._changed(entry.session);
  }

  _forget(id) {
    const entry = this.entries.get(id);
    if (!entry) return;
    this.entries.delete(id);
    this._storage.remove(this._prefix + id);
    this._changed(entry.session);
  }

  _changed(session) {
    this.dispatchEvent(new CustomEvent("change", { detail: session }));
  }
}
