// What this page holds of the sessions: pure state, no DOM, no network. Rows on the server are the truth; a session here
// stands at a `revision`, and takes the change that follows it. Anything else is a gap, and the gap is asked for (sync.js).

const CURSORS = ["delivered_seq", "seen_seq", "read_seq"];
const TYPING_MS = 8_000; // the server ends a signal after 5 s; if that word is lost, we do
const KEPT = 300; // messages held on each side of those that somebody looks at
const SPARE = 100; // and so many more, so that not every page is paid for by forgetting

/**
 * A session as held here.
 *
 * `messages` are the published ones from seq `from` to seq `to`, without a hole, by id; null while nobody has opened the
 * session: then only its last message is kept. `to` is Infinity where they go on to the newest; elsewhere what is published
 * is counted, and drawn when its page is read. `held` are unpublished ones that we may see, which have no revision; `decided` are
 * those that have come or gone since an answer with all of them was asked for. `meanwhile` are those that changed while a
 * page of messages is on its way, which may have been read before. `mine` is null for staff who look in.
 */
export class Session {
  constructor(id) {
    this.id = id;
    this.version = 0; // of what is held here: another with each change
    this.revision = -1;
    this.lastSeq = 0;
    this.participants = new Map();
    this.mine = null;
    this.last = null;
    this.messages = null;
    this.from = 1;
    this.to = Infinity;
    this.held = new Map();
    this.decided = new Map();
    this.meanwhile = null;
    this.typing = new Map();
    this.isWatched = false;
  }

  get hasOlder() {
    return this.from > 1;
  }

  get hasNewer() {
    return this.to < this.lastSeq;
  }

  get isOver() {
    return this.status === "ended" || this.status === "archived";
  }

  /** The messages held, in order. */
  ordered() {
    return this.messages ? [...this.messages.values()].sort((a, b) => a.seq - b.seq) : [];
  }

  /** How many messages others wrote after `seq`. Those that are not loaded are taken for theirs. */
  othersAfter(seq, me) {
    let loaded = 0;
    for (const message of this.messages?.values() ?? []) if (message.seq > seq && message.sender !== me) loaded += 1;
    return loaded + (this.hasNewer ? this.lastSeq - Math.max(this.to, seq) : 0);
  }

  /** The members other than `me`. */
  others(me) {
    return [...this.participants.values()].filter((person) => person.user !== me && !person.left_at);
  }
}

export class Store extends EventTarget {
  /** `me` is the user's id; `isWhole`: the sessions taken first are all of ours. Dispatches `change` (detail: the session's id), `stored` (an own message), `arrived` (one of
   * somebody else, just published), `left` (the session). */
  constructor({ me, isWhole = false, now = () => Date.now() }) {
    super();
    this.me = me;
    this.isWhole = isWhole;
    this.now = now;
    this.sessions = new Map();
    this.presence = new Map();
    // Our own sessions that are not held, because nobody scrolled so far: id → the revision from which we would miss something.
    this.unheld = new Map();
  }

  get(id) {
    return this.sessions.get(id);
  }

  /** The sessions, latest activity first. */
  list() {
    return [...this.sessions.values()].sort(
      (a, b) => Date.parse(b.activeAt) - Date.parse(a.activeAt) || (a.id < b.id ? 1 : -1),
    );
  }

  /** In how many of our sessions there is something unread. */
  get unreadSessions() {
    let count = 0;
    for (const session of this.sessions.values()) if (session.mine?.unread) count += 1;
    return count;
  }

  // From REST ---------------------------------------------------------------------------------------------------------

  /** Sessions of a list. Of one that is held with its messages only cursors are taken: its changes come in order, by sync. */
  takeSessions(shapes) {
    for (const shape of shapes) {
      const session = this._session(shape.id);
      if (session.revision < 0 || (session.messages === null && shape.revision >= session.revision)) {
        this._describe(session, shape);
        session.revision = shape.revision;
      } else {
        this._moveCursors(session, shape, shape.revision >= session.revision);
      }
      this._changed(session);
    }
  }

  /** A page of a session is asked for: from now on keep what changes, lest the page bring an older form of it. */
  expectPage(id) {
    const session = this.get(id);
    if (!session) return;
    session.meanwhile = new Map();
    session.decided = new Map();
  }

  /**
   * A page of messages. `where` says which: {} the newest, {before: seq} or {after: seq} the ones next to what is held, which
   * they join, {around: id} those around a message, {from: seq} those from that one on.
   */
  takePage(id, { results, unpublished, has_more: hasMore }, where = {}) {
    const session = this.get(id);
    if (!session) return;
    const meanwhile = session.meanwhile || new Map();
    session.meanwhile = null;
    if (!isNext(session, where)) return;
    const isNewest = Object.keys(where).length === 0;
    if (isAnew(where)) session.messages = new Map();
    if (isNewest) this._takeHeld(session, unpublished);
    if (where.from) session.from = where.from;
    else if (where.after === undefined) session.from = hasMore ? results[0].seq : 1;
    if (isNewest) session.to = Infinity;
    else if (where.before === undefined) session.to = endOf(session, results, hasMore || where.around);
    for (const message of [...results, ...meanwhile.values()]) this._put(session, message);
    this._changed(session);
  }

  /** Forget what is far from the messages between two numbers: those that somebody looks at. Whether anything was. */
  trim(id, first, last) {
    const session = this.get(id);
    if (!session?.messages) return false;
    const [from, to] = [first - KEPT, last + KEPT];
    const isLow = from - session.from > SPARE;
    const isHigh = Math.min(session.to, session.lastSeq) - to > SPARE;
    if (isLow) session.from = from;
    if (isHigh) session.to = to;
    if (!isLow && !isHigh) return false;
    for (const [key, { seq }] of session.messages) if (!isLoaded(session, seq)) session.messages.delete(key);
    return true;
  }

  // From the socket ---------------------------------------------------------------------------------------------------

  /** The heads of our own sessions. What we do not know is further down the list; after an absence it is new. */
  welcome({ heads }, { isReturn }) {
    for (const [id, revision] of Object.entries(heads)) {
      if (!isReturn && !this.isWhole && !this.get(id)) this.unheld.set(id, revision);
    }
    for (const id of this.unheld.keys()) if (!(id in heads)) this.unheld.delete(id);
  }

  /** What the server is ahead of us, and which sessions are ours. True if we are behind. */
  heartbeat({ heads, sessions_digest: digest }) {
    for (const [id, revision] of Object.entries(heads)) {
      const session = this.get(id);
      if (!session) this.unheld.delete(id);
      if (!session || session.revision < revision) return true;
    }
    return digest !== undefined && digest !== digestOf(this._ours());
  }

  /** What to name in `resume` of what comes after an id: {session: revision}, and the last id where that is not all. */
  slice(after = null, limit = Infinity) {
    const held = [...this.sessions.values()].filter((session) => session.mine || session.isWatched);
    const named = [...held.map((session) => [session.id, session.revision]), ...this.unheld]
      .filter(([id]) => after === null || id > after)
      .sort(([one], [other]) => (one < other ? -1 : 1));
    const some = named.slice(0, limit);
    for (const [id] of some) this.get(id)?.decided.clear(); // the answer brings what is held whole
    return { sessions: Object.fromEntries(some), upTo: some.length < named.length ? some.at(-1)[0] : null };
  }

  /** The answer to a `resume` that named `asked`. */
  takeResumed({ sessions, cursors, gone }, asked) {
    for (const entry of sessions) this._takeEntry(entry, asked);
    for (const [id, told] of Object.entries(cursors)) this._takeCursors(id, told, asked[id]);
    for (const id of gone) this.remove(id);
  }

  /**
   * Apply one frame. Says "applied", "stale" (known already), "gap" (something before it is missing: ask), or "ignored".
   */
  apply(frame) {
    switch (frame.type) {
      case "new_message":
      case "message_updated":
      case "message_deleted":
        return this._inOrder(frame, (session) => this._put(session, frame.message, frame.type === "new_message"));
      case "session_updated":
        return this._inOrder(frame, (session) => Object.assign(session, described(frame.data)));
      case "participant_added":
        // We looked in and were made members: only an answer to us tells of our own place in it.
        if (frame.participant.user === this.me && this.get(frame.session)?.mine === null) return "gap";
        return this._inOrder(frame, (session) => session.participants.set(frame.participant.user, frame.participant));
      case "participant_removed":
        if (frame.user !== undefined) return this._inOrder(frame, (session) => this._partedFrom(session, frame.user));
        this.remove(frame.session);
        return "applied";
      case "session_created":
        return this._admitted(frame);
      case "messages_delivered":
      case "messages_seen":
      case "messages_read":
        return this._receipt(frame);
      case "typing_start":
      case "typing_stop":
        return this._typing(frame);
      case "voice_approval_needed":
      case "voice_approved":
      case "voice_rejected":
      case "voice_withdrawn":
        return this._voice(frame);
      case "person_changed":
        return this._person(frame);
      case "ack": // it waits in the outbox no more, and something before it may be missing yet
        this.keepMessage(frame.message);
        return "applied";
      case "presence_changed":
        this.takePresence([frame]);
        return "applied";
      default:
        return "ignored";
    }
  }

  /** Who is there, of others: that we are is news to nobody here. */
  takePresence(people) {
    const news = people.filter(({ user, state, last_seen_at: seenAt }) => {
      const known = this.presence.get(user);
      return user !== this.me && (known?.state !== state || known.last_seen_at !== seenAt);
    });
    for (const { user, state, last_seen_at } of news) this.presence.set(user, { state, last_seen_at });
    for (const session of this.sessions.values()) {
      if (news.some(({ user }) => session.participants.has(user))) this._changed(session);
    }
  }

  /** Access ended, or the session is not ours: nothing of it stays. */
  remove(id) {
    this.unheld.delete(id);
    const session = this.get(id);
    if (!session) return;
    this.sessions.delete(id);
    this.dispatchEvent(new CustomEvent("left", { detail: session }));
    this._changed(session);
  }

  /** Staff look into a session without being in it: its changes are asked for as well. */
  watch(id, isWatched) {
    const session = this.get(id);
    if (session && !session.mine) session.isWatched = isWatched;
  }

  /** A message as the server answered it to a change of ours; the event that tells the same may come before or after. */
  keepMessage(message) {
    const session = this.get(message.session);
    if (!session) return;
    this._put(session, message);
    this._changed(session);
  }

  /** We have read up to `seq`; others hear of it by receipt. */
  markRead(id, seq) {
    const session = this.get(id);
    if (!session?.mine || session.mine.read_seq >= seq) return;
    this._moveMine(session, { delivered: seq, seen: seq, read: seq });
    this._changed(session);
  }

  /** We make this session mute until a time; null: no longer. */
  mute(id, until) {
    const session = this.get(id);
    if (!session?.mine) return;
    session.mine = { ...session.mine, muted_until: until };
    this._changed(session);
  }

  // Questions ---------------------------------------------------------------------------------------------------------

  /** How far an own message has come: sent, delivered, seen or read. */
  tick(session, message) {
    const others = session.others(this.me);
    // Staff who were added do not decide whether a reader has read, unless there is nobody else.
    const partners = others.filter((person) => person.role_in_session !== "staff");
    const people = partners.length ? partners : others;
    if (!people.length) return "sent";
    for (const kind of ["read", "seen", "delivered"]) {
      if (people.every((person) => person[`${kind}_seq`] >= message.seq)) return kind;
    }
    return "sent";
  }

  /** Who is writing or speaking just now: {user, kind}. */
  writers(session) {
    const now = this.now();
    return [...session.typing].filter(([, { until }]) => until > now).map(([user, { kind }]) => ({ user, kind }));
  }

  // -------------------------------------------------------------------------------------------------------------------

  _session(id) {
    if (!this.sessions.has(id)) this.sessions.set(id, new Session(id));
    this.unheld.delete(id);
    return this.sessions.get(id);
  }

  _ours() {
    const held = this.list().filter((session) => session.mine);
    return [...held.map((session) => session.id), ...this.unheld.keys()];
  }

  _describe(session, shape) {
    Object.assign(session, described(shape), {
      booking: shape.booking,
      activeAt: shape.active_at,
      lastSeq: shape.last_seq,
      last: shape.last_message,
    });
    this._moveCursors(session, shape, true);
  }

  /** Cursors only grow; who is in it is what the newer of the two says. */
  _moveCursors(session, shape, isNewer) {
    for (const person of shape.participants) {
      const known = session.participants.get(person.user);
      if (known) session.participants.set(person.user, furthest(isNewer ? person : known, known, person));
      else if (isNewer) session.participants.set(person.user, person);
    }
    if (isNewer && shape.mine) {
      const isBehind = session.mine && session.mine.read_seq > shape.mine.read_seq;
      session.mine = furthest(shape.mine, session.mine || shape.mine, shape.mine);
      if (isBehind) session.mine.unread = this._unreadAfter(session, session.mine.read_seq, shape.mine.unread);
    } else if (isNewer) {
      session.mine = null;
    } else if (shape.mine && session.mine) {
      const { delivered_seq: delivered, seen_seq: seen, read_seq: read } = shape.mine;
      this._moveMine(session, { delivered, seen, read });
    }
  }

  _takeEntry({ session: shape, revision, messages, unpublished, reset }, asked) {
    const isWhole = reset || !(shape.id in asked);
    const session = this._session(shape.id);
    if (session.revision > revision && !reset) {
      this._moveCursors(session, shape, false); // events were faster than this answer
    } else {
      this._describe(session, shape);
      if (isWhole) {
        session.messages = new Map();
        session.from = messages.length ? messages[0].seq : 1;
        session.to = Infinity;
      }
      session.revision = revision;
    }
    for (const message of messages) this._put(session, message);
    this._takeHeld(session, unpublished);
    this._changed(session);
  }

  /** All unpublished ones, as they were when they were read; what we have heard since is newer. */
  _takeHeld(session, unpublished) {
    const known = session.held;
    session.held = byId(unpublished);
    for (const id of session.decided.keys()) {
      if (known.has(id)) session.held.set(id, known.get(id));
      else session.held.delete(id);
    }
  }

  /** How far people are in a session that is level otherwise; it was so at `revision`. */
  _takeCursors(id, { unread, users }, revision) {
    const session = this.get(id);
    if (!session) return;
    let isNews = false;
    for (const [user, [delivered, seen, read]] of Object.entries(users)) {
      const person = session.participants.get(user);
      const told = { delivered_seq: delivered, seen_seq: seen, read_seq: read };
      if (person && isFurther(told, person)) {
        session.participants.set(user, furthest(person, person, told));
        isNews = true;
      }
      if (user === this.me && session.mine) isNews = this._takeMine(session, { delivered, seen, read, unread, revision }) || isNews;
    }
    if (isNews) this._changed(session);
  }

  /** The same of our own; whether anything of it was news. */
  _takeMine(session, { delivered, seen, read, unread, revision }) {
    const before = session.mine;
    this._moveMine(session, { delivered, seen, read });
    if (session.revision === revision && session.mine.read_seq === read) session.mine.unread = unread;
    return isFurther(session.mine, before) || session.mine.unread !== before.unread;
  }

  _inOrder(frame, change) {
    const session = this.get(frame.session);
    if (!session) {
      this.unheld.delete(frame.session);
      return "gap";
    }
    if (frame.revision <= session.revision) return "stale";
    if (frame.revision > session.revision + 1) return "gap";
    session.revision = frame.revision;
    change(session);
    this._changed(session);
    return "applied";
  }

  /** Keep a message in its newest form. `isNew`: it was just published, so it counts and moves cursors. */
  _put(session, message, isNew = false) {
    if (message.seq === null) {
      this._hold(session, message);
      return;
    }
    if (session.held.delete(message.id)) session.decided.set(message.id, message);
    session.meanwhile?.set(message.id, message);
    if (isNew && message.seq > session.lastSeq) this._count(session, message);
    if (message.seq >= (session.last?.seq ?? 0) && isNewerForm(message, session.last)) session.last = message;
    if (session.messages && isLoaded(session, message.seq) && isNewerForm(message, session.messages.get(message.id))) {
      session.messages.set(message.id, message);
    }
    if (message.sender === this.me) this.dispatchEvent(new CustomEvent("stored", { detail: message }));
    else session.typing.delete(message.sender);
  }

  /** Keep an unpublished message. A decision is final: what was told before it may come after it. */
  _hold(session, message) {
    const known = session.held.get(message.id) ?? session.decided.get(message.id) ?? session.messages?.get(message.id);
    if (known && (known.seq !== null || (isOver(known) && !isOver(message)))) return;
    session.held.set(message.id, message);
    session.decided.set(message.id, message);
  }

  /** To its sender and staff, about a voice message. Once it is approved, a `new_message` tells everybody, and counts. */
  _voice({ session: id, message }) {
    const session = this.get(id);
    if (!session) return "ignored";
    this._put(session, message);
    this._changed(session);
    return "applied";
  }

  _count(session, message) {
    session.lastSeq = message.seq;
    // What was approved is older than its place.
    if (!(Date.parse(session.activeAt) > Date.parse(message.created_at))) session.activeAt = message.created_at;
    if (message.sender !== this.me) this.dispatchEvent(new CustomEvent("arrived", { detail: message }));
    if (!session.mine) return;
    if (message.sender !== this.me) session.mine.unread += 1;
    else if (session.mine.read_seq === message.seq - 1) {
      this._moveMine(session, { delivered: message.seq, seen: message.seq, read: message.seq });
    }
  }

  _receipt({ session: id, user, delivered, seen, read }) {
    const session = this.get(id);
    const person = session?.participants.get(user);
    if (!person) return "ignored";
    const told = { delivered_seq: delivered, seen_seq: seen, read_seq: read };
    session.participants.set(user, furthest(person, person, told));
    if (user === this.me && session.mine) this._moveMine(session, { delivered, seen, read });
    this._changed(session);
    return "applied";
  }

  _moveMine(session, { delivered, seen, read }) {
    const isRead = read > session.mine.read_seq;
    const told = { delivered_seq: delivered, seen_seq: seen, read_seq: read };
    session.mine = furthest(session.mine, session.mine, told);
    if (isRead) session.mine.unread = this._unreadAfter(session, read, session.mine.unread);
  }

  /** Messages of others after `seq`, where the messages are held; else no more than there are after it. */
  _unreadAfter(session, seq, known) {
    if (session.messages && session.from <= seq + 1 && !session.hasNewer) {
      return session.ordered().filter((message) => message.seq > seq && message.sender !== this.me).length;
    }
    return Math.max(0, Math.min(known, session.lastSeq - seq));
  }

  _admitted({ session: id, revision }) {
    this.unheld.delete(id);
    const session = this.get(id);
    return session?.mine && session.revision >= revision ? "stale" : "gap";
  }

  _typing({ type, session: id, user, kind = "text" }) {
    const session = this.get(id);
    if (!session) return "ignored";
    if (type === "typing_start") session.typing.set(user, { kind, until: this.now() + TYPING_MS });
    else session.typing.delete(user);
    this._changed(session);
    return "applied";
  }

  /** Somebody has another picture: the same one in all sessions. */
  _person({ user, avatar }) {
    for (const session of this.sessions.values()) {
      const person = session.participants.get(user);
      if (!person) continue;
      session.participants.set(user, { ...person, avatar });
      this._changed(session);
    }
    return "applied";
  }

  _partedFrom(session, user) {
    const person = session.participants.get(user);
    if (person) session.participants.set(user, { ...person, left_at: new Date(this.now()).toISOString() });
    session.typing.delete(user);
  }

  _changed(session) {
    session.version += 1;
    this.dispatchEvent(new CustomEvent("change", { detail: session.id }));
  }
}

/** The exclusive or of the ids, in hex, as the server makes it. */
export function digestOf(ids) {
  const found = ids.reduce((sum, id) => sum ^ BigInt(`0x${id.replaceAll("-", "")}`), 0n);
  return found.toString(16).padStart(32, "0");
}

function described({ type, status, title, created_at: createdAt, ended_at: endedAt }) {
  return { type, status, title, createdAt, endedAt };
}

/** `base` with the further of two sets of cursors. */
function furthest(base, one, other) {
  const found = { ...base };
  for (const name of CURSORS) found[name] = Math.max(one[name], other[name]);
  return found;
}

/** Whether a set of cursors is ahead of another in one of them. */
function isFurther(one, other) {
  return CURSORS.some((name) => one[name] > other[name]);
}

function isLoaded({ from, to }, seq) {
  return from <= seq && seq <= to;
}

/** The seq at which a page ends before the newest message does; Infinity where it does not. */
function endOf(session, results, mayGoOn) {
  const last = results.at(-1)?.seq ?? Infinity;
  return mayGoOn && last < session.lastSeq ? last : Infinity;
}

/** Whether a page takes the place of what is held. */
function isAnew({ before, after }) {
  return before === undefined && after === undefined;
}

/** Whether a page can be taken: it joins what is held, or takes its place. */
function isNext(session, where) {
  return isAnew(where) || where.before === session.from || where.after === session.to;
}

function isNewerForm(message, known) {
  return !known || known.id !== message.id || message.revision > known.revision;
}

/** Of an unpublished message: it was rejected, or its sender took it back. */
function isOver({ status }) {
  return status !== "pending_approval";
}

function byId(messages) {
  return new Map(messages.map((message) => [message.id, message]));
}
