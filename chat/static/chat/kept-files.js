// Files that were handed over to be sent, kept in this browser's database until they are there: a reload loses none. The tab
// that has one holds a lock by its id, and no other tab takes it while that one lives.

const NAME = "samia.files";
const STORE = "files";

export class KeptFiles {
  constructor({ me, databases = () => globalThis.indexedDB, locks = globalThis.navigator?.locks }) {
    this._me = me;
    this._databases = databases; // a browser that keeps nothing refuses even the question
    this._locks = locks;
    this._last = Promise.resolve();
    this._held = new Map(); // by id, {has: when the lock is ours, release}
    this._isWiped = false;
  }

  /** Keep an entry as it is now. Rejects where there is no room, or no database. */
  keep(entry) {
    return this._inTurn(async () => {
      if (this._isWiped) throw new DOMException("", "InvalidStateError");
      await this._hold(entry.id);
      await this._do("readwrite", (files) => files.put({ ...entry, owner: this._me }));
    });
  }

  forget(id) {
    return this._inTurn(() => this._do("readwrite", (files) => files.delete(id))).finally(() => this._release(id));
  }

  /** How many are kept, of whatever tab. */
  count() {
    return this._do("readonly", (files) => files.count());
  }

  /** Forget all of them, and keep none of those that fail because the page is left. */
  wipe() {
    this._isWiped = true;
    return this._inTurn(() => this._do("readwrite", (files) => files.clear()));
  }

  /** `take(entry)` is called for each that no tab has: now, or when the tab that has it is gone. What somebody else left goes. */
  async offer(take) {
    for (const { id, owner } of await this._do("readonly", (files) => files.getAll())) {
      if (owner !== this._me) await this.forget(id);
      else if (!this._held.has(id))
        this._hold(id).then(
          () => this._handOver(id, take),
          () => {},
        );
    }
  }

  async _handOver(id, take) {
    const entry = await this._do("readonly", (files) => files.get(id));
    if (entry) take(entry);
    else this._release(id); // it was sent by the tab that had it
  }

  /** One after the other, so that what is forgotten stays forgotten. */
  _inTurn(job) {
    const done = this._last.then(job);
    this._last = done.catch(() => {});
    return done;
  }

  _hold(id) {
    if (!this._locks) return Promise.resolve(); // then two tabs may send it, and the server takes it once
    if (!this._held.has(id)) {
      const held = {};
      const until = new Promise((release) => (held.release = release));
      held.has = new Promise((resolve, reject) => {
        this._locks.request(`${NAME}.${id}`, () => (resolve(), until)).catch(reject);
      });
      this._held.set(id, held);
    }
    return this._held.get(id).has;
  }

  _release(id) {
    this._held.get(id)?.release();
    this._held.delete(id);
  }

  async _do(mode, act) {
    this._opening ??= opened(this._databases());
    const transaction = (await this._opening).transaction(STORE, mode);
    return new Promise((resolve, reject) => {
      const asked = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(asked.result);
      transaction.onabort = () => reject(transaction.error);
    });
  }
}

function opened(databases) {
  return new Promise((resolve, reject) => {
    const opening = databases.open(NAME, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "id" });
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}
