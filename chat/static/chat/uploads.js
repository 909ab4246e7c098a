// Files on their way. They are chosen first and sent later, one after the other, each as a message of its own with the same
// id however often it is tried: so none is there twice. They live as long as the page.

import { mayTryAgain, refusalOf } from "chat/files";

const FOR_NOW = new Set(["busy", "too_fast"]);
const RETRY_SECONDS = 5; // where a refusal for now names no time
const SHOWN = ["image/jpeg", "image/png", "image/webp", "image/gif"]; // what is drawn beside its name

export class Uploads extends EventTarget {
  /**
   * `post(entry, {onProgress, signal})` sends an entry and resolves with its message; it rejects with {code, retryAfter}.
   *
   * An entry's `state`: chosen; refused (never sent: `code` says why); waiting; sending (`progress`, 0 to 1); pausing (until
   * `resumesAt`, because of `code`); failed (`code`). Dispatches `change` (detail: the session's id), `sent` (the message).
   */
  constructor({ post, newId, limits, now = () => Date.now(), clock = globalThis }) {
    super();
    this._post = post;
    this._newId = newId;
    this._limits = limits;
    this._now = now;
    this._clock = clock;
    this._isDraining = false;
    this._ending = new Map(); // by id, what ends an attempt or the pause before the next one
    this.entries = new Map();
  }

  of(session) {
    return [...this.entries.values()].filter((entry) => entry.session === session);
  }

  /** What was chosen in a session and is ready to be sent. */
  chosen(session) {
    return this.of(session).filter((entry) => entry.state === "chosen");
  }

  /** How many files were handed over to be sent, and are not there yet. */
  get unsent() {
    return [...this.entries.values()].filter(({ state }) => state !== "chosen" && state !== "refused").length;
  }

  choose(session, files) {
    for (const file of files) {
      const code = refusalOf(file, this._limits);
      const url = !code && SHOWN.includes(file.type) ? URL.createObjectURL(file) : null;
      this._add({
        session,
        kind: "file",
        file,
        name: file.name,
        size: file.size,
        url,
        state: code ? "refused" : "chosen",
        code,
      });
    }
    this._changed(session);
  }

  /** Send what was chosen in a session. A caption belongs to one file; `replyTo` to the first. */
  send(session, { caption = "", replyTo = null } = {}) {
    for (const [at, entry] of this.chosen(session).entries()) {
      Object.assign(entry, { state: "waiting", caption, replyTo: at === 0 ? replyTo : null });
    }
    this._changed(session);
    this._drain();
  }

  /** Send a recording. */
  sendVoice(session, { blob, name, seconds, replyTo = null }) {
    this._add({
      session,
      kind: "voice",
      file: blob,
      name,
      size: blob.size,
      seconds,
      url: null,
      state: "waiting",
      replyTo,
    });
    this._changed(session);
    this._drain();
  }

  /** Try again what failed, under the same id. */
  retry(id) {
    const entry = this.entries.get(id);
    if (entry?.state !== "failed") return;
    this._set(entry, { state: "waiting", code: null, progress: 0 });
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
    this._changed(entry.session);
  }

  forgetSession(session) {
    for (const entry of this.of(session)) this.drop(entry.id);
  }

  _add(entry) {
    const id = this._newId();
    this.entries.set(id, { id, code: null, caption: "", replyTo: null, progress: 0, resumesAt: 0, ...entry });
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

  _next() {
    return [...this.entries.values()].find(({ state }) => state === "waiting");
  }

  async _try(entry) {
    const ending = new AbortController();
    this._ending.set(entry.id, ending);
    this._set(entry, { state: "sending", progress: 0 });
    try {
      const onProgress = (progress) => this._set(entry, { progress });
      const message = await this._post(entry, { onProgress, signal: ending.signal });
      this.drop(entry.id);
      this.dispatchEvent(new CustomEvent("sent", { detail: message }));
    } catch ({ code, retryAfter }) {
      await this._refused(entry, code, retryAfter, ending.signal);
    } finally {
      this._ending.delete(entry.id);
    }
  }

  async _refused(entry, code, retryAfter, signal) {
    if (!this.entries.has(entry.id)) return; // given up meanwhile
    if (!FOR_NOW.has(code)) {
      this._set(entry, { state: "failed", code });
      return;
    }
    const seconds = retryAfter ?? RETRY_SECONDS;
    this._set(entry, { state: "pausing", code, resumesAt: this._now() + seconds * 1000 });
    await this._pause(seconds, signal);
    this._set(entry, { state: "waiting", code: null });
  }

  _pause(seconds, signal) {
    return new Promise((resolve) => {
      const timer = this._clock.setTimeout(resolve, seconds * 1000);
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
