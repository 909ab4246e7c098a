// Keeps the store level with the server: frames in order, and questions where something is missing. When it is level,
// what waits here goes out.

const RETRY_MS = 2_000;
const SHORT_MS = 50; // events that come together with a gap are asked for together
const MAX_NAMED = 1_000; // sessions in one question

export class Sync extends EventTarget {
  /** Dispatches `state`: away, syncing, level. */
  constructor({ store, outbox, receipts, socket, clock = globalThis, maxNamed = MAX_NAMED }) {
    super();
    this.state = "away";
    this._store = store;
    this._outbox = outbox;
    this._receipts = receipts;
    this._socket = socket;
    this._clock = clock;
    this._maxNamed = maxNamed;
    this._isAsking = false;
    this._mustAsk = false;
    this._looking = null;
    this._welcomes = 0;
    socket.addEventListener("frame", ({ detail }) => this._take(detail));
    socket.addEventListener("state", ({ detail }) => detail !== "open" && this._away());
    store.addEventListener("stored", ({ detail }) => outbox.confirm(detail.id));
    store.addEventListener("left", ({ detail }) => this._left(detail.id));
  }

  /** The session that is open in front of the user; null for none. */
  look(session) {
    if (this._looking === session) return;
    if (this._looking) {
      this._socket.send({ type: "leave_session", session: this._looking });
      this._store.watch(this._looking, false);
    }
    this._looking = session;
    this._join();
  }

  _take(frame) {
    if (frame.type === "welcome") this._welcome(frame);
    else if (frame.type === "heartbeat") this._store.heartbeat(frame) && this._soon();
    else this._apply(frame);
  }

  _apply(frame) {
    if (this._store.apply(frame) === "gap") this._soon();
    else if (frame.type === "new_message") this._deliver(frame.session);
    else if (frame.type.startsWith("messages_") && frame.user === this._store.me) {
      this._receipts.confirm(frame.session, frame);
    }
  }

  _welcome(frame) {
    this._store.welcome(frame, { isReturn: this._welcomes++ > 0 });
    this._join();
    // Also where the heads are ours: receipts are no revisions, and those we missed are in the answer.
    this._ask();
  }

  _join() {
    const session = this._looking;
    if (!session || this._socket.state !== "open") return;
    this._store.watch(session, true);
    this._socket.ask({ type: "join_session", session }).then(
      ({ revision }) => revision !== this._store.get(session)?.revision && this._soon(),
      () => {},
    );
  }

  _soon() {
    this._clock.setTimeout(() => this._ask(), SHORT_MS);
  }

  /** Ask until nothing is missing. */
  async _ask() {
    this._mustAsk = true;
    if (this._isAsking || this._socket.state !== "open") return;
    this._isAsking = true;
    this._become("syncing");
    try {
      while (this._mustAsk) {
        this._mustAsk = false;
        await this._resume();
      }
      this._level();
    } catch (refusal) {
      if (refusal.code !== "closed") {
        this._clock.setTimeout(() => this._ask(), refusal.retryAfter ? refusal.retryAfter * 1000 : RETRY_MS);
      }
    } finally {
      this._isAsking = false;
    }
  }

  /** Ask for all that is held, in slices of their ids, each until it is level. */
  async _resume() {
    for (let after = null, isLast = false; !isLast; ) {
      const { sessions, upTo } = this._store.slice(after, this._maxNamed);
      const answer = await this._socket.ask({ type: "resume", sessions, after, up_to: upTo });
      this._store.takeResumed(answer, sessions);
      for (const entry of answer.sessions) this._deliver(entry.session.id);
      if (this._isMore(answer, sessions, after)) continue;
      after = upTo;
      isLast = upTo === null;
    }
  }

  /** Whether to ask for a slice again. The same question would get the same answer: then it waits for a heartbeat. */
  _isMore({ sessions, more }, asked, after) {
    if (!more && !sessions.some((entry) => entry.more)) return false;
    return JSON.stringify(this._store.slice(after, this._maxNamed).sessions) !== JSON.stringify(asked);
  }

  _level() {
    if (this._socket.state !== "open") return;
    this._become("level");
    for (const id of this._store.sessions.keys()) this._deliver(id);
    this._receipts.tellAgain();
    this._outbox.wake();
  }

  _away() {
    this._outbox.sleep();
    this._become("away");
  }

  _left(session) {
    this._outbox.forgetSession(session);
    this._receipts.forget(session);
    if (this._looking === session) this._looking = null;
  }

  _deliver(id) {
    const session = this._store.get(id);
    if (session?.mine) this._receipts.note(id, "delivered", session.lastSeq);
  }

  _become(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}
