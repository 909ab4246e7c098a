// What is kept on this device: values by name, in the browser's local storage. Where there is none, or it is full, in
// memory: then it lasts as long as the page.

export class Keep {
  constructor(storage = localStorageOrNone()) {
    this._storage = storage;
    this._memory = new Map();
  }

  get(name) {
    const text = this._memory.get(name) ?? this._storage?.getItem(name);
    try {
      return text ? JSON.parse(text) : null;
    } catch {
      return null;
    }
  }

  set(name, value) {
    const text = JSON.stringify(value);
    try {
      this._storage.setItem(name, text);
      this._memory.delete(name);
    } catch {
      this._memory.set(name, text);
    }
  }

  remove(name) {
    this._memory.delete(name);
    this._storage?.removeItem(name);
  }

  /** The values whose names begin so. */
  entries(prefix) {
    return this._names(prefix)
      .map((name) => this.get(name))
      .filter((value) => value !== null);
  }

  /** Forget all names that begin so, but those that begin with `except`. */
  wipe(prefix, except = null) {
    for (const name of this._names(prefix)) if (except === null || !name.startsWith(except)) this.remove(name);
  }

  _names(prefix) {
    const stored = this._storage ? Array.from({ length: this._storage.length }, (_, at) => this._storage.key(at)) : [];
    return [...new Set([...stored, ...this._memory.keys()])].filter((name) => name.startsWith(prefix));
  }
}

function localStorageOrNone() {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null; // a browser that refuses even the question
  }
}
