// A recording from the microphone: the browser's recorder, how long it is, how loud. No drawing here.

const TYPES = ["audio/webm;codecs=opus", "audio/mp4"];
const ENDINGS = { "audio/webm": "webm", "audio/mp4": "m4a" };
const BITS_PER_SECOND = 32_000; // speech; ten minutes are 2.4 MB
const SLICE_MS = 1_000;
const BAR_MS = 100;
const SAMPLES = 8192; // no less than there are in that time, so that no sound falls between two looks
const HALF = 128; // silence, in an analyser's bytes
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const DEFAULT = "default"; // no microphone, but whichever the system prefers

/** The first form that this browser records and the server takes; undefined where it cannot record. */
export function recordedType(Recorder = globalThis.MediaRecorder) {
  return TYPES.find((type) => Recorder?.isTypeSupported(type));
}

/** Why there is no recording: "blocked", "missing", "taken" (by another program) or "unable" (this browser). */
export function troubleOf(error) {
  const names = {
    NotAllowedError: "blocked",
    SecurityError: "blocked",
    NotFoundError: "missing",
    OverconstrainedError: "missing",
    NotReadableError: "taken",
    AbortError: "taken",
  };
  return names[error?.name] ?? "unable";
}

/** The microphone: `device`, or what the browser takes where that is away. Raises what troubleOf understands. */
export function openMicrophone(device = null) {
  if (!navigator.mediaDevices || !recordedType()) throw new DOMException("", "NotSupportedError");
  return navigator.mediaDevices.getUserMedia({ audio: device ? { ...SOUND, deviceId: device } : SOUND });
}

/** The microphones to choose from, {id, name}; none where there is one. Browsers tell their names once one may be used. */
export async function microphones() {
  const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  const found = devices.filter(
    ({ kind, deviceId }) => kind === "audioinput" && deviceId && deviceId !== "communications",
  );
  if (found.filter(({ deviceId }) => deviceId !== DEFAULT).length < 2) return [];
  return found.map(({ deviceId, label }) => ({ id: deviceId, name: label }));
}

export class Recording extends EventTarget {
  /**
   * Begins at once. `state`: recording, paused, ended. Ends by itself at `seconds`, at `bytes`, and where the microphone
   * goes: then `isFull` and what was said is kept. Dispatches `change` (the state), `bar` (ten times a second).
   */
  constructor(stream, { seconds, bytes, clock = globalThis }) {
    super();
    this.state = "recording";
    this.isFull = false;
    this.peaks = []; // one for each tenth of a second, 0 to 255
    this._stream = stream;
    this._limit = { ms: seconds * 1000, bytes };
    this._clock = clock;
    this._chunks = [];
    this._bytes = 0;
    this._before = 0; // ms that were recorded before the last pause
    this._since = clock.performance.now();
    this._listen();
    this._recorder = new MediaRecorder(stream, { mimeType: recordedType(), audioBitsPerSecond: BITS_PER_SECOND });
    this._recorder.addEventListener("dataavailable", ({ data }) => this._take(data));
    this._recorder.start(SLICE_MS);
    for (const track of stream.getTracks()) track.addEventListener("ended", () => this.fill());
    this._timer = clock.setInterval(() => this._bar(), BAR_MS);
  }

  /** The microphone's id. */
  get device() {
    return this._stream.getAudioTracks()[0]?.getSettings().deviceId ?? "";
  }

  get milliseconds() {
    return this._before + (this.state === "recording" ? this._clock.performance.now() - this._since : 0);
  }

  get seconds() {
    return this.milliseconds / 1000;
  }

  /** Seconds that are left. */
  get left() {
    return Math.max(0, this._limit.ms - this.milliseconds) / 1000;
  }

  get type() {
    return this._recorder.mimeType.split(";")[0];
  }

  get ending() {
    return ENDINGS[this.type];
  }

  pause() {
    if (this.state !== "recording") return;
    this._before = this.milliseconds;
    if (this._recorder.state === "recording") this._recorder.pause(); // without a microphone it has ended
    this._become("paused");
  }

  resume() {
    if (this.state !== "paused" || this.isFull) return;
    this._since = this._clock.performance.now();
    this._recorder.resume();
    this._become("recording");
  }

  /** No more fits in: what is there is kept. */
  fill() {
    if (this.state === "ended" || this.isFull) return;
    this.isFull = true;
    if (this.state === "recording") this.pause();
    else this._become(this.state);
  }

  /** What was recorded so far. */
  async soFar() {
    if (this._recorder.state !== "inactive") {
      const told = once(this._recorder, "dataavailable");
      this._recorder.requestData();
      await told;
    }
    return new Blob(this._chunks, { type: this.type });
  }

  /** End it; the whole. */
  async finish() {
    if (this.state === "recording") this.pause();
    this._before = this.milliseconds;
    if (this._recorder.state !== "inactive") {
      const stopped = once(this._recorder, "stop");
      this._recorder.stop();
      await stopped;
    }
    this._close();
    return new Blob(this._chunks, { type: this.type });
  }

  /** End it and forget it. */
  cancel() {
    if (this._recorder.state !== "inactive") this._recorder.stop();
    this._chunks = [];
    this._close();
  }

  _listen() {
    this._context = new AudioContext();
    this._analyser = this._context.createAnalyser();
    this._analyser.fftSize = SAMPLES;
    this._context.createMediaStreamSource(this._stream).connect(this._analyser);
    this._samples = new Uint8Array(SAMPLES);
    this._context.resume().catch(() => {}); // some begin asleep; without it the wave is flat, and the sound is there
  }

  _bar() {
    if (this.state !== "recording") return;
    this._analyser.getByteTimeDomainData(this._samples);
    this.peaks.push(loudest(this._samples));
    this.dispatchEvent(new Event("bar"));
    if (this.left <= 0) this.fill();
  }

  _take(data) {
    this._chunks.push(data);
    this._bytes += data.size;
    if (this._bytes > this._limit.bytes * 0.95) this.fill();
  }

  _close() {
    this._clock.clearInterval(this._timer);
    for (const track of this._stream.getTracks()) track.stop();
    if (this._context.state !== "closed") this._context.close();
    this._become("ended");
  }

  _become(state) {
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }
}

/** The loudest of an analyser's samples, 0 to 255. */
export function loudest(samples) {
  let found = 0;
  for (const sample of samples) found = Math.max(found, Math.abs(sample - HALF));
  return Math.min(255, found * 2);
}

function once(target, type) {
  return new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));
}
