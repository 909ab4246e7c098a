// Keeps the store level with the server: frames in order, and questions where something is missing. When it is level,
// what waits here goes out.

const RETRY_MS = 2_000;
const SHORT_MS = 50; // events that come together with a gap are asked for together

export class Sync extends EventTarget {
  /**
   * `readCursors({session, isReturn})` reads by REST how far people are: in the open session, and after an absence in the
   * whole list. Dispatches `state`: away, syncing, level.
   */
  constructor({ store, outbox, receipts, socket, readCursors, clock = globalThis }) {
    super();
    this.state = "away";
    this._store = store;
    this._outbox = outbox;
    this._receipts = receipts;
    this._socket = socket;
    this._readCursors = readCursors;
    this._clock = clock;
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

  async _welcome(frame) {
    const isReturn = this._welcomes++ > 0;
    const isBehind = this._store.welcome(frame);
    this._join();
    // Receipts are no revisions: those that came since the page was made, or while we were away, are not missed by number.
    await this._readCursors({ session: this._looking, isReturn }).catch(() => {}); // else the next receipt brings them
    if (isBehind) this._ask();
    else if (!this._isAsking) this._level();
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

  async _resume() {
    const asked = this._store.heldRevisions();
    const answer = await this._socket.ask({ type: "resume", sessions: asked });
    this._store.takeResumed(answer, asked);
    for (const entry of answer.sessions) this._deliver(entry.session.id);
    if (answer.more || answer.sessions.some((entry) => entry.more)) this._mustAsk = true;
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
