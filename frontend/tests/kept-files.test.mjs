import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { KeptFiles } from "chat/kept-files";
import { HER, ME, settled } from "./made.mjs";

/** A browser's database with one store, as far as it is asked here. Writes take effect when the transaction ends. */
class Disk {
  constructor() {
    this.rows = new Map();
    this.isFull = false;
  }

  open() {
    const opening = { result: { createObjectStore: () => {}, transaction: () => this._transaction() } };
    queueMicrotask(() => opening.onsuccess());
    return opening;
  }

  _transaction() {
    const transaction = { error: null };
    const ask = (act) => {
      const asked = {};
      queueMicrotask(() => {
        try {
          asked.result = act();
          transaction.oncomplete();
        } catch (error) {
          transaction.error = error;
          transaction.onabort();
        }
      });
      return asked;
    };
    const put = (row) => {
      if (this.isFull) throw new Error("QuotaExceededError");
      this.rows.set(row.id, row);
    };
    transaction.objectStore = () => ({
      put: (row) => ask(() => put(row)),
      get: (id) => ask(() => this.rows.get(id)),
      getAll: () => ask(() => [...this.rows.values()]),
      count: () => ask(() => this.rows.size),
      delete: (id) => ask(() => this.rows.delete(id)),
      clear: () => ask(() => this.rows.clear()),
    });
    return transaction;
  }
}

/** The locks of a browser: one holder of a name, the others in line. */
class Locks {
  constructor() {
    this._lines = new Map();
  }

  async request(name, job) {
    const before = this._lines.get(name) ?? Promise.resolve();
    const mine = before.then(job);
    this._lines.set(
      name,
      mine.catch(() => {}),
    );
    return mine;
  }
}

let disk, locks;

beforeEach(() => {
  disk = new Disk();
  locks = new Locks();
});

const tab = (me = ME) => new KeptFiles({ me, databases: () => disk, locks });

async function offered(files) {
  const found = [];
  files.offer(({ id }) => found.push(id));
  for (let turn = 0; turn < 10; turn += 1) await settled();
  return found;
}

test("what one tab keeps no other takes, until it is forgotten", async () => {
  const one = tab();
  await one.keep({ id: "a" });
  const taken = await offered(tab());
  assert.deepEqual(taken, []);
  await one.forget("a");
  for (let turn = 0; turn < 10; turn += 1) await settled();
  assert.deepEqual(taken, [], "it was sent");
  assert.equal(disk.rows.size, 0);
});

test("what a tab leaves behind the next one takes, and its own again and again only once", async () => {
  await tab().keep({ id: "a" });
  await tab().keep({ id: "b" });
  locks = new Locks(); // those tabs are gone
  const next = tab();
  assert.deepEqual(await offered(next), ["a", "b"]);
  assert.deepEqual(await offered(next), []);
});

test("what somebody else left is not taken, and goes", async () => {
  await tab(HER).keep({ id: "hers" });
  locks = new Locks();
  assert.deepEqual(await offered(tab()), []);
  assert.equal(disk.rows.size, 0);
});

test("who signs out leaves nothing, also of what fails because of it", async () => {
  const one = tab();
  await one.keep({ id: "a" });
  assert.equal(await one.count(), 1);
  const failing = one.wipe();
  await assert.rejects(one.keep({ id: "a" }));
  await failing;
  assert.equal(disk.rows.size, 0);
});

test("without room, or without a database, keeping is refused and nothing else", async () => {
  const one = tab();
  disk.isFull = true;
  await assert.rejects(one.keep({ id: "a" }));
  await one.forget("a");
  disk.isFull = false;
  await one.keep({ id: "b" });
  const refusing = () => {
    throw new DOMException("", "SecurityError");
  };
  const none = new KeptFiles({ me: ME, databases: refusing, locks });
  await assert.rejects(none.keep({ id: "c" }));
  await assert.rejects(none.count());
});

test("a browser without locks keeps all the same", async () => {
  const one = new KeptFiles({ me: ME, databases: () => disk, locks: undefined });
  await one.keep({ id: "a" });
  assert.deepEqual(await offered(new KeptFiles({ me: ME, databases: () => disk, locks: undefined })), ["a"]);
});
