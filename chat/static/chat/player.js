// A recording that can be played: its wave, where it is, how fast. Nothing is loaded before somebody plays it, and only one
// sounds at a time. It tells the first sound as `samia:played`.

import { html, nothing } from "lit";
import { lengthWords, soundUrl, stateWords } from "chat/files";
import { heardMark } from "chat/marks";
import { BUBBLE, LARGE, PREVIEW, wavePath, waveWidth } from "chat/peaks";
import { Element } from "samia/element";
import { icon } from "samia/icons";
import { isPhone } from "samia/screen";
import { number, t } from "samia/text";

const SPEEDS = [1, 1.5, 2];
const STEP_SECONDS = 5;
const LEAP_SECONDS = 15;
const CALM = "(prefers-reduced-motion: reduce)";
const FAR_SECONDS = 1e9; // a place behind every end: asked for it, a browser finds out where the end is

/** What all players of the page share: which one sounds, and how fast. */
const tape = Object.assign(new EventTarget(), { player: null, speed: 1 });

const probe = document.createElement("audio");

class SamiaPlayer extends Element {
  static properties = {
    file: { attribute: false }, // as in a message; or, of what is not sent yet:
    recording: { attribute: false }, // {url, seconds, peaks}
    form: { attribute: false }, // "bubble", "large" or "preview"
    meta: { attribute: false }, // what stands at the end of its line
    heard: { attribute: false }, // "played", "new" or ""
    label: { attribute: false },
    isStop: { attribute: false }, // whether the Tab key stops at its parts
    _isOn: { state: true },
    _at: { state: true }, // seconds
    _trouble: { state: true },
  };

  constructor() {
    super();
    this.form = "bubble";
    this.meta = nothing;
    this.heard = "";
    this.isStop = true;
    this._audio = null;
    this._rewind();
  }

  connectedCallback() {
    super.connectedCallback();
    this.listen(tape, "change", () => this._tapeChanged());
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    // Only moved, where it is back at once.
    queueMicrotask(() => this.isConnected || this._unload());
  }

  willUpdate(changed) {
    const before = changed.get("file");
    if (before && this.file?.id !== before.id) this._unload();
    if (changed.get("recording") && this.recording?.url !== changed.get("recording").url) this._unload();
  }

  get seconds() {
    const known = this.recording ? this.recording.seconds : (this.file?.duration_ms ?? NaN) / 1000;
    if (known > 0) return known;
    return Number.isFinite(this._audio?.duration) ? this._audio.duration : 0;
  }

  /** Play, or pause. */
  toggle() {
    if (this._isOn) this.pause();
    else this.play();
  }

  play() {
    const url = this.recording ? this.recording.url : soundUrl(this.file, (type) => probe.canPlayType(type));
    if (!url) {
      this._trouble = t("Your browser cannot play this yet. Try again in a moment.");
      return;
    }
    this._trouble = "";
    this._isOn = true;
    tape.player = this;
    tape.dispatchEvent(new Event("change"));
    this._audio ??= this._load(url);
    this._audio.playbackRate = tape.speed;
    // What goes wrong comes as an event as well; a pause before it began is none of it.
    this._audio.play().catch(() => {});
  }

  pause() {
    this._isOn = false;
    this._audio?.pause();
  }

  // The sound -----------------------------------------------------------------------------------------------------------

  _load(url) {
    const audio = new Audio();
    const on = (type, handler) => audio.addEventListener(type, () => audio === this._audio && handler());
    audio.preload = "none";
    on("loadedmetadata", () => this._loaded(audio));
    on("durationchange", () => this._measured(audio));
    on("playing", () => this._sounds());
    on("timeupdate", () => this._moved());
    on("play", () => (this._isOn = true)); // also by a key of the keyboard or a headset
    on("pause", () => (this._isOn = this._isMeasuring && this._isOn));
    on("ended", () => this._isMeasuring || this._rewind());
    on("error", () => this._failed(audio));
    audio.src = url;
    return audio;
  }

  _loaded(audio) {
    // A recording that is not finished names no end, and cannot be sought in.
    this._isMeasuring = !Number.isFinite(audio.duration);
    if (this._isMeasuring) audio.currentTime = FAR_SECONDS;
    else if (this._at) audio.currentTime = this._at;
  }

  _measured(audio) {
    if (!this._isMeasuring || !Number.isFinite(audio.duration)) return;
    this._isMeasuring = false;
    audio.currentTime = this._at;
    if (this._isOn) audio.play().catch(() => {});
  }

  _sounds() {
    this._hasSounded = true;
    if (!this._isTold) this.dispatchEvent(new CustomEvent("samia:played", { bubbles: true }));
    this._isTold = true;
    this._follow();
  }

  _moved() {
    if (this._isDragging || this._isMeasuring || !this._hasSounded) return;
    this._at = Math.min(this._audio.currentTime, this.seconds || Infinity);
  }

  /** Between the browser's own words about it, so that the head glides. */
  _follow() {
    if (matchMedia(CALM).matches) return;
    const step = () => {
      if (!this._isOn || !this._audio || !this.isConnected) return;
      if (!this._isDragging && !this._isMeasuring) this._show(this._audio.currentTime);
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  _failed(audio) {
    const mayBeOld = this._hasSounded; // the address it was redirected to lives for a minute only
    this._audio = null;
    audio.removeAttribute("src");
    this._hasSounded = false;
    if (mayBeOld && this._isOn) {
      this.play();
      return;
    }
    this._isOn = false;
    this._trouble = navigator.onLine ? t("This could not be played.") : t("No connection. Try again in a moment.");
  }

  _unload() {
    const audio = this._audio;
    this._audio = null;
    audio?.pause();
    audio?.removeAttribute("src");
    this._rewind();
  }

  _rewind() {
    this._isOn = false;
    this._at = 0;
    this._trouble = "";
    this._hasSounded = false;
    this._isMeasuring = false;
    this._isDragging = false;
    if (this._audio) this._audio.currentTime = 0;
  }

  _tapeChanged() {
    if (tape.player !== this && this._isOn) this.pause();
    if (this._audio) this._audio.playbackRate = tape.speed;
    this.requestUpdate();
  }

  // Where it is ---------------------------------------------------------------------------------------------------------

  /** Go to a place, in seconds. */
  seek(seconds) {
    if (!this.seconds) return;
    this._at = Math.min(Math.max(0, seconds), this.seconds);
    if (this._audio && this._audio.readyState > 0) this._audio.currentTime = this._at;
  }

  _pressed(event) {
    event.stopPropagation(); // a long press on it is no long press on the message
    if (event.button !== 0 || !this.seconds) return;
    const wave = event.currentTarget;
    const { left, width } = wave.getBoundingClientRect();
    const move = ({ clientX }) => {
      this._at = Math.min(1, Math.max(0, (clientX - left) / width)) * this.seconds;
    };
    const ended = new AbortController();
    const end = () => {
      ended.abort();
      this._isDragging = false;
      this.seek(this._at);
    };
    wave.setPointerCapture(event.pointerId);
    this._isDragging = true;
    move(event);
    wave.addEventListener("pointermove", move, { signal: ended.signal });
    for (const type of ["pointerup", "pointercancel"]) wave.addEventListener(type, end, { signal: ended.signal });
  }

  _keyed(event) {
    const places = {
      ArrowRight: this._at + STEP_SECONDS,
      ArrowUp: this._at + STEP_SECONDS,
      ArrowLeft: this._at - STEP_SECONDS,
      ArrowDown: this._at - STEP_SECONDS,
      PageUp: this._at + LEAP_SECONDS,
      PageDown: this._at - LEAP_SECONDS,
      Home: 0,
      End: this.seconds,
    };
    if (event.key in places) this.seek(places[event.key]);
    else if (event.key === " " || event.key === "Enter") this.toggle();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  _faster() {
    tape.speed = SPEEDS[(SPEEDS.indexOf(tape.speed) + 1) % SPEEDS.length];
    tape.dispatchEvent(new Event("change"));
  }

  _show(seconds) {
    const share = this.seconds ? Math.min(1, seconds / this.seconds) : 0;
    this.querySelector(".wave")?.style.setProperty("--at", String(share));
  }

  updated() {
    this._show(this._at);
  }

  // Drawing -------------------------------------------------------------------------------------------------------------

  get _tabindex() {
    return this.isStop ? "0" : "-1";
  }

  render() {
    if (this.form === "preview") {
      return html`${this._playButton("icon-btn lead")}<span class="rec-wave preview">${this._wave()}</span
        ><span class="rec-time muted">${this._time()}</span>`;
    }
    return html`<div class=${this.form === "large" ? "big-player" : "voice"}>
        ${this._playButton("play")}
        <div>
          ${this._wave()}
          <div class="voice-row">
            ${heardMark(this.heard)}<span class="num">${this._time()}</span>${this._speed()}${this.meta}
          </div>
        </div>
      </div>
      ${this._notice()}`;
  }

  _playButton(classes) {
    const length = lengthWords(this.seconds);
    const label = this._isOn ? t("Pause") : (this.label ?? t("Play voice message, {length}", { length }));
    const size = this.form === "large" ? "i-lg" : "";
    return html`<button
      type="button"
      class=${classes}
      tabindex=${this._tabindex}
      aria-label=${label}
      ?disabled=${this._isClosed}
      @click=${this.toggle}
    >
      ${this._isOn ? icon("pause", `i-lg`) : icon("play", this.form === "preview" ? "" : `i-fill ${size}`)}
    </button>`;
  }

  /** Of a file that is being checked, or was refused. */
  get _isClosed() {
    return Boolean(this.file) && this.file.state !== "ready";
  }

  _wave() {
    const form = formOf(this.form);
    const path = wavePath(this.recording ? this.recording.peaks : this.file?.waveform, form);
    const bars = (classes) =>
      html`<svg
        class=${classes}
        viewBox="0 0 ${waveWidth(form)} ${form.height}"
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        <path d=${path}></path>
      </svg>`;
    const values = { at: lengthWords(this._at), length: lengthWords(this.seconds) };
    return html`<div
      class="wave ${this._at > 0 || this._isOn ? "is-begun" : ""}"
      role="slider"
      tabindex=${this._tabindex}
      aria-label=${t("Position")}
      aria-valuemin="0"
      aria-valuemax=${Math.max(1, Math.floor(this.seconds))}
      aria-valuenow=${Math.floor(this._at)}
      aria-valuetext=${t("{at} of {length}", values)}
      aria-disabled=${this.seconds ? nothing : "true"}
      @pointerdown=${this._pressed}
      @keydown=${this._keyed}
    >
      ${bars("bars")}${bars("bars on")}<span class="head"></span>
    </div>`;
  }

  _time() {
    const length = this.seconds ? lengthWords(this.seconds) : "–:––";
    const isBegun = this._at > 0 || this._isOn;
    if (this.form === "preview") return isBegun ? lengthWords(this._at) : length;
    return isBegun ? `${lengthWords(this._at)} / ${length}` : length;
  }

  _speed() {
    const speed = `${number(tape.speed)}×`;
    return html`<button
      type="button"
      class="speed"
      tabindex=${this._tabindex}
      aria-label=${t("Speed {speed}", { speed })}
      ?disabled=${this._isClosed}
      @click=${this._faster}
    >
      ${speed}
    </button>`;
  }

  _notice() {
    const words = this.file ? stateWords(this.file) : "";
    if (words) return html`<p class="trouble">${icon("info", "i-sm")}<span>${words}</span></p>`;
    if (!this._trouble) return nothing;
    return html`<p class="trouble bad" role="status">
      ${icon("alert", "i-sm")}<span>${this._trouble}</span>
      <button type="button" class="link" tabindex=${this._tabindex} @click=${this.play}>${t("Try again")}</button>
    </p>`;
  }
}

/** Of those that are as wide as there is room, a phone draws fewer bars, lest they touch. */
function formOf(name) {
  if (name === "bubble") return BUBBLE;
  const form = name === "large" ? LARGE : PREVIEW;
  return isPhone() ? { ...form, bars: Math.floor(form.bars / 2) } : form;
}

customElements.define("samia-player", SamiaPlayer);
