// The page's one WebSocket. It comes back by itself, finds out when the other end is dead, and tells what it hears as
// events: `frame` and one named after the frame's type, both with the frame as detail; `state`; `signed-out`; `stranger`.

const PROTOCOL = "samia.v1";
const PING_MS = 30_000;
const PATIENCE_MS = 15_000; // for a connection to be welcomed
const PROBE_MS = 5_000; // for an answer when there is a reason to doubt the connection
const STEADY_MS = 5_000; // a connection that lasted so long was not refused
const DEAD_HEARTBEATS = 2.2;
const FIRST_DELAY_MS = 500;
const LAST_DELAY_MS = 30_000;
const SIGNED_OUT = 4401;
const DEACTIVATED = 4403;
const FAULTS = { 4400: "bad_frame", 4413: "too_big" }; // of what we sent: the same again would end the same way

/** How long to wait before attempt number `attempt` (from 0): full jitter, so that a restart is no stampede. */
export function reconnectDelay(attempt, random = Math.random) {
  const ceiling = Math.min(LAST_DELAY_MS, 2 * FIRST_DELAY_MS * 2 ** attempt);
  return FIRST_DELAY_MS + random() * (ceiling - FIRST_DELAY_MS);
}

/** Why a question got no answer: `code` and `retryAfter` (seconds) as the server said them, or code "closed"; "bad_frame"
 * or "too_big" where it was one of those under way for which the server closed the connection. */
export class Refusal extends Error {
  constructor(code, detail = "", retryAfter = null) {
    super(detail || code);
    Object.assign(this, { code, retryAfter });
  }
}

export class Socket extends EventTarget {
  /**
   * `user` is the id of the person this page was made for: nothing is heard or said on a connection of somebody else's.
   * `clock` and `random` are given by tests. `state`: connecting, open (welcomed), waiting (for the next attempt), ended.
   */
  constructor({ url, user, WebSocket = globalThis.WebSocket, clock = globalThis, random = Math.random }) {
    super();
    this.state = "waiting";
    this._url = url;
    this._user = user;
    this._WebSocket = WebSocket;
    this._clock = clock;
    this._random = random;
    this._attempt = 0;
    this._questions = new Map();
    this._lastRef = 0;
    this._timers = {};
  }

  start() {
    this._connect();
  }

  /** Do not wait for the next attempt; and if the connection seems to live, make sure of it. */
  hurry() {
    if (this.state === "waiting") this._connect();
    else if (this.state === "open") this._probe();
  }

  /** End for good. */
  end() {
    this._drop("ended");
  }

  /** Send a frame. False if nobody would hear it now. */
  send(frame) {
    if (this.state !== "open") return false;
    this._socket.send(JSON.stringify(frame));
    return true;
  }

  /** Send a frame that is answered; the answer. Raises Refusal. */
  ask(frame) {
    const ref = `q${++this._lastRef}`;
    return new Promise((resolve, reject) => {
      if (!this.send({ ...frame, ref })) reject(new Refusal("closed"));
      else this._questions.set(ref, { resolve, reject });
    });
  }

  _connect() {
    this._stopTimers();
    this._become("connecting");
    const socket = new this._WebSocket(this._url, PROTOCOL);
    this._socket = socket;
    socket.onmessage = (event) => this._hear(JSON.parse(event.data));
    socket.onclose = (event) => this._closed(event.code);
    this._timers.patience = this._clock.setTimeout(() => this._lose(), PATIENCE_MS);
  }

  _hear(frame) {
    this._heardAt = this._clock.performance.now();
    this._clock.clearTimeout(this._timers.probe);
    if (frame.type === "welcome") {
      if (frame.user !== this._user) {
        // Somebody else has signed in meanwhile, in another tab: the browser sends his cookie.
        this.end();
        this.dispatchEvent(new CustomEvent("stranger"));
        return;
      }
      this._welcomed(frame);
    }
    const question = frame.ref ? this._questions.get(frame.ref) : undefined;
    if (question) {
      this._questions.delete(frame.ref);
      if (frame.type === "error") question.reject(new Refusal(frame.code, frame.detail, frame.retry_after ?? null));
      else question.resolve(frame);
    }
    this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
    this.dispatchEvent(new CustomEvent(frame.type, { detail: frame }));
  }

  _welcomed(frame) {
    this._clock.clearTimeout(this._timers.patience);
    this._deadMs = frame.heartbeat_seconds * 1000 * DEAD_HEARTBEATS;
    this._timers.steady = this._clock.setTimeout(() => (this._attempt = 0), STEADY_MS);
    this._timers.ping = this._clock.setInterval(() => this.send({ type: "ping" }), PING_MS);
    this._timers.watch = this._clock.setInterval(() => this._watch(), Math.min(5_000, this._deadMs / 2));
    this._become("open");
  }

  _watch() {
    if (this._clock.performance.now() - this._heardAt > this._deadMs) this._lose();
  }

  _probe() {
    this.send({ type: "ping" });
    this._clock.clearTimeout(this._timers.probe);
    this._timers.probe = this._clock.setTimeout(() => this._lose(), PROBE_MS);
  }

  /** The other end does not answer: begin anew without waiting for the browser to notice. */
  _lose() {
    this._drop("waiting");
    this._connect();
  }

  _closed(code) {
    if (code === SIGNED_OUT || code === DEACTIVATED) {
      this._drop("ended");
      this.dispatchEvent(new CustomEvent("signed-out", { detail: { code } }));
      return;
    }
    this._drop("waiting", FAULTS[code]);
    this._timers.reconnect = this._clock.setTimeout(
      () => this._connect(),
      reconnectDelay(this._attempt++, this._random),
    );
  }

  _drop(state, why = "closed") {
    this._stopTimers();
    if (this._socket) {
      this._socket.onmessage = this._socket.onclose = null;
      this._socket.close();
      this._socket = null;
    }
    const questions = [...this._questions.values()];
    this._questions.clear();
    this._become(state);
    for (const { reject } of questions) reject(new Refusal(why));
  }

  _stopTimers() {
    // One function ends both kinds: timeouts and intervals share their numbers.
    for (const timer of Object.values(this._timers)) this._clock.clearTimeout(timer);
    this._timers = {};
  }

  _become(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}
