// Files on their way. They are chosen first and sent later, one after the other, each as a message of its own with the same
// id however often it is tried: so none is there twice. What was chosen lives as long as the page; what was handed over to be
// sent is kept on the device until it is there, or until no other attempt can mend it.

import { mayTryAgain, refusalOf } from "chat/files";

const FOR_NOW = new Set(["busy", "too_fast"]);
const RETRY_SECONDS = 5; // where a refusal for now names no time
const SHOWN = ["image/jpeg", "image/png", "image/webp", "image/gif"]; // what is drawn beside its name

const NEW = { code: null, caption: null, replyTo: null, url: null, progress: 0, resumesAt: 0, isKept: false };

export class Uploads extends EventTarget {
  /**
   * `post(entry, {onProgress, signal})` sends an entry and resolves with its message; it rejects with {code, retryAfter}.
   * `kept` keeps entries beyond the page: `keep(entry)` and `forget(id)` reject where nothing can be, `offer(take)` gives back.
   *
   * An entry's `state`: chosen; refused (never sent: `code` says why); waiting; sending (`progress`, 0 to 1); pausing (until
   * `resumesAt`, because of `code`); failed (`code`). Dispatches `change` (detail: the session's id), `sent` (the message),
   * `unkept`: something is sent and could not be kept.
   */
  constructor({ post, kept, newId, limits, now = () => Date.now(), clock = globalThis }) {
    super();
    this._post = post;
    this._kept = kept;
    this._newId = newId;
    this._limits = limits;
    this._now = now;
    this._clock = clock;
    this._isDraining = false;
    this._ending = new Map(); // by id, what ends an attempt or the pause before the next one
    this.entries = new Map();
  }

  of(session) {
    return [...this.entries.values()].filter((entry) => entry.session === session).sort((a, b) => a.order - b.order);
  }

  /** What was chosen in a session and is ready to be sent. */
  chosen(session) {
    return this.of(session).filter((entry) => entry.state === "chosen");
  }

  /** How many files were handed over to be sent, and are not there yet. */
  get unsent() {
    return this._underway.length;
  }

  /** Whether some of them would be lost with this page. */
  get isHolding() {
    return this._underway.some(({ isKept }) => !isKept);
  }

  get _underway() {
    const isOver = ({ state, code }) =>
      state === "chosen" || state === "refused" || (state === "failed" && !mayTryAgain(code));
    return [...this.entries.values()].filter((entry) => !isOver(entry));
  }

  choose(session, files) {
    for (const file of files) {
      const code = refusalOf(file, this._limits);
      const url = code ? null : shownUrl(file);
      const state = code ? "refused" : "chosen";
      this._add({ session, kind: "file", file, name: file.name, size: file.size, url, state, code });
    }
    this._changed(session);
  }

  /** What is written under a chosen file; null while nobody wrote there. */
  caption(id, caption) {
    const entry = this.entries.get(id);
    if (entry) this._set(entry, { caption });
  }

  /** Send what was chosen in a session. `replyTo` belongs to the first of it. */
  send(session, { replyTo = null } = {}) {
    for (const [at, entry] of this.chosen(session).entries()) {
      this._handOver(entry, { caption: entry.caption?.trim(), replyTo: at === 0 ? replyTo : null });
    }
    this._drain();
  }

  /** Send a recording. */
  sendVoice(session, { blob, name, seconds, replyTo = null }) {
    const entry = this._add({ session, kind: "voice", file: blob, name, size: blob.size, seconds });
    this._handOver(entry, { replyTo });
    this._drain();
  }

  /** Go on with what an earlier page left here, and with what other tabs leave. */
  resume() {
    this._kept.offer((entry) => this._takeBack(entry)).catch(() => {}); // where nothing is kept, nothing was left
  }

  /** Try again what failed, under the same id. */
  retry(id) {
    const entry = this.entries.get(id);
    if (entry?.state !== "failed") return;
    this._handOver(entry, { code: null, progress: 0 });
    this._drain();
  }

  /** The connection is there again: what it stopped goes on. */
  wake() {
    for (const entry of this.entries.values()) if (entry.code === "unreachable") this.retry(entry.id);
  }

  /** Give up a file, wherever it is. */
  drop(id) {
    const entry = this.entries.get(id);
    if (!entry) return;
    this.entries.delete(id);
    if (entry.url) URL.revokeObjectURL(entry.url);
    this._ending.get(id)?.abort();
    this._forget(entry);
    this._changed(entry.session);
  }

  forgetSession(session) {
    for (const entry of this.of(session)) this.drop(entry.id);
  }

  _add(given) {
    const last = Math.max(0, ...[...this.entries.values()].map(({ order }) => order));
    const entry = { ...NEW, id: this._newId(), order: Math.max(this._now(), last + 1), ...given };
    this.entries.set(entry.id, entry);
    return entry;
  }

  _handOver(entry, values) {
    this._set(entry, { ...values, state: "waiting" });
    this._keep(entry);
  }

  async _keep(entry) {
    const { url, isKept, progress, ...rest } = entry;
    try {
      await this._kept.keep(rest);
      entry.isKept = true;
    } catch {
      this.dispatchEvent(new Event("unkept"));
    }
  }

  _forget(entry) {
    entry.isKept = false;
    this._kept.forget(entry.id).catch(() => {}); // what could not be kept is not there
  }

  _takeBack(kept) {
    if (this.entries.has(kept.id)) return;
    const entry = { ...NEW, ...kept, url: shownUrl(kept.file), isKept: true };
    // What the page before it could not reach, this one may.
    if (entry.code === "unreachable") Object.assign(entry, { state: "waiting", code: null });
    this.entries.set(entry.id, entry);
    this._changed(entry.session);
    this._drain();
  }

  async _drain() {
    if (this._isDraining) return;
    this._isDraining = true;
    try {
      for (let entry = this._next(); entry; entry = this._next()) await this._try(entry);
    } finally {
      this._isDraining = false;
    }
  }

  /** In the order in which they were handed over; but what waits because we were too fast holds up the others. */
  _next() {
    const inOrder = [...this.entries.values()].sort((a, b) => a.order - b.order);
    return inOrder.find(({ state }) => state === "pausing") ?? inOrder.find(({ state }) => state === "waiting");
  }

  async _try(entry) {
    const ending = new AbortController();
    this._ending.set(entry.id, ending);
    if (entry.state === "pausing") await this._pause(entry, ending.signal);
    this._set(entry, { state: "sending", code: null, progress: 0 });
    try {
      const onProgress = (progress) => this._set(entry, { progress });
      if (!this.entries.has(entry.id)) return; // given up while it waited
      const message = await this._post(entry, { onProgress, signal: ending.signal });
      this.drop(entry.id);
      this.dispatchEvent(new CustomEvent("sent", { detail: message }));
    } catch ({ code, retryAfter }) {
      this._refused(entry, code, retryAfter);
    } finally {
      this._ending.delete(entry.id);
    }
  }

  _refused(entry, code, retryAfter) {
    if (!this.entries.has(entry.id)) return; // given up meanwhile
    const resumesAt = this._now() + (retryAfter ?? RETRY_SECONDS) * 1000;
    this._set(entry, FOR_NOW.has(code) ? { state: "pausing", code, resumesAt } : { state: "failed", code });
    // What no other attempt mends is told once, and is not there again after a reload.
    if (mayTryAgain(code)) this._keep(entry);
    else this._forget(entry);
  }

  _pause({ resumesAt }, signal) {
    return new Promise((resolve) => {
      const timer = this._clock.setTimeout(resolve, Math.max(0, resumesAt - this._now()));
      signal.addEventListener("abort", () => {
        this._clock.clearTimeout(timer);
        resolve();
      });
    });
  }

  _set(entry, values) {
    if (!this.entries.has(entry.id)) return;
    Object.assign(entry, values);
    this._changed(entry.session);
  }

  _changed(session) {
    this.dispatchEvent(new CustomEvent("change", { detail: session }));
  }
}

/** Where a picture can be seen before it is sent; null of other files. */
function shownUrl(file) {
  return SHOWN.includes(file.type) ? URL.createObjectURL(file) : null;
}

/** Whether there is something to be tried again with an entry. */
export function isRetryable({ state, code }) {
  return state === "failed" && mayTryAgain(code);
}

/** An entry as the API takes it. */
export function formOf({ id, kind, file, name, caption, replyTo }) {
  const form = new FormData();
  form.append("id", id);
  if (caption) form.append("caption", caption);
  if (replyTo) form.append("reply_to", replyTo);
  form.append(kind, file, name); // last: what it belongs to is known before it comes
  return form;
}
