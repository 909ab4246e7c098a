// Sessions, messages and frames as the server makes them, and a clock that is moved by hand.

export const ME = "00000000-0000-4000-8000-00000000000a";
export const HER = "00000000-0000-4000-8000-00000000000b";
export const STAFF = "00000000-0000-4000-8000-00000000000c";
export const SESSION = "00000000-0000-4000-8000-000000000001";
export const OTHER = "00000000-0000-4000-8000-000000000002";

export function person(user, cursor = 0, extra = {}) {
  return {
    user,
    display_name: user.slice(-1),
    avatar: null,
    role: "client",
    role_in_session: "client",
    joined_at: "2026-11-21T08:00:00Z",
    left_at: null,
    delivered_seq: cursor,
    seen_seq: cursor,
    read_seq: cursor,
    ...extra,
  };
}

export function session({ id = SESSION, revision = 2, lastSeq = 0, read = 0, unread = 0, mine = true, ...extra } = {}) {
  const cursors = { delivered_seq: read, seen_seq: read, read_seq: read };
  return {
    id,
    type: "general",
    status: "active",
    title: "",
    created_at: "2026-11-21T08:00:00Z",
    updated_at: "2026-11-21T08:00:00Z",
    ended_at: null,
    revision,
    last_seq: lastSeq,
    active_at: "2026-11-21T08:00:00Z",
    booking: null,
    participants: [person(ME, read), person(HER, lastSeq)],
    last_message: null,
    mine: mine ? { unread, muted_until: null, ...cursors } : null,
    ...extra,
  };
}

export function message(seq, { id = `m${seq}`, revision = seq + 2, sender = HER, sessionId = SESSION, ...extra } = {}) {
  return {
    id,
    session: sessionId,
    sender,
    seq,
    revision,
    type: "text",
    status: "sent",
    content: `text ${seq}`,
    reply_to: null,
    played_by: [],
    created_at: new Date(Date.UTC(2026, 10, 21, 9, 0, seq ?? 0)).toISOString(),
    edited_at: null,
    deleted_at: null,
    ...extra,
  };
}

export function newMessage(seq, options) {
  const made = message(seq, options);
  return { type: "new_message", session: made.session, revision: made.revision, message: made };
}

export function entry(shape, messages, extra = {}) {
  return { session: shape, revision: shape.revision, messages, unpublished: [], more: false, reset: false, ...extra };
}

export function page(messages, extra = {}) {
  return { results: messages, unpublished: [], has_more: false, ...extra };
}

/** Time for modules that take a `clock`: nothing happens until `pass(ms)`. */
export class Clock {
  constructor() {
    this.at = 0;
    this.performance = { now: () => this.at };
    this._timers = new Map();
    this._last = 0;
  }

  setTimeout = (call, ms) => this._plan(call, ms, null);
  setInterval = (call, ms) => this._plan(call, ms, ms);
  clearTimeout = (number) => this._timers.delete(number);
  clearInterval = this.clearTimeout;

  _plan(call, ms, every) {
    this._timers.set(++this._last, { call, due: this.at + ms, every });
    return this._last;
  }

  /** Let time pass; what promises wait for is done in between. */
  async pass(ms) {
    const end = this.at + ms;
    await settled();
    for (;;) {
      const due = [...this._timers].filter(([, one]) => one.due <= end).sort((a, b) => a[1].due - b[1].due)[0];
      if (!due) break;
      const [number, timer] = due;
      this.at = timer.due;
      if (timer.every === null) this._timers.delete(number);
      else timer.due += timer.every;
      timer.call();
      await settled();
    }
    this.at = end;
    await settled();
  }
}

export async function settled() {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}
