// How far we are, told to the others: what this device has stored, what was seen on it, what was read. Cursors only grow,
// and are not acknowledged: what the server has not shown us back is told again after each reconnect.

const GATHER_MS = 300;
const KINDS = ["read", "seen", "delivered"]; // each includes those after it

export class Receipts {
  /** `send(frame)` says whether it went out. */
  constructor({ store, send, clock = globalThis }) {
    this._store = store;
    this._send = send;
    this._clock = clock;
    this._wanted = new Map();
    this._told = new Map();
    this._timer = null;
  }

  note(session, kind, seq) {
    const mine = this._store.get(session)?.mine;
    if (!mine || seq <= mine[`${kind}_seq`]) return;
    const wanted = this._wanted.get(session) || {};
    if (seq <= (wanted[kind] ?? 0)) return;
    this._wanted.set(session, { ...wanted, [kind]: seq });
    this._timer ??= this._clock.setTimeout(() => this._flush(), GATHER_MS);
  }

  /** The server has moved our cursors so far. */
  confirm(session, cursors) {
    const wanted = this._wanted.get(session);
    if (!wanted) return;
    for (const kind of KINDS) if ((wanted[kind] ?? 0) <= cursors[kind]) delete wanted[kind];
    if (!Object.keys(wanted).length) this.forget(session);
  }

  /** On a new connection: what was told on the old one may be lost. */
  tellAgain() {
    this._told.clear();
    this._flush();
  }

  forget(session) {
    this._wanted.delete(session);
    this._told.delete(session);
  }

  _flush() {
    this._clock.clearTimeout(this._timer);
    this._timer = null;
    for (const [session, wanted] of this._wanted) {
      const told = this._told.get(session) || {};
      let covered = 0;
      for (const kind of KINDS) {
        const seq = wanted[kind] ?? 0;
        if (seq > covered && seq > (told[kind] ?? 0) && this._send({ type: `messages_${kind}`, session, up_to: seq })) {
          told[kind] = seq;
        }
        covered = Math.max(covered, seq);
      }
      this._told.set(session, told);
    }
  }
}
