// The microphone of the composer: hold to talk, or one click to begin; slide to cancel, slide up to let go of it; pause,
// listen, go on, send. What was recorded and not sent stays with its session as long as the page. Dispatches
// `samia:recording` when it begins and ends, `samia:microphone` (why there is none), `samia:voice` (what is to be sent).

import { html, nothing } from "lit";
import "chat/player";
import { swallowClick } from "chat/aftertouch";
import { confirmDiscard } from "chat/confirm";
import { lengthWords } from "chat/files";
import { limits, socket, store } from "chat/live";
import { livePath, waveWidth } from "chat/peaks";
import { preferences } from "chat/preferences";
import { Recording, microphones, openMicrophone, troubleOf } from "chat/recording";
import { Element } from "samia/element";
import { icon } from "samia/icons";
import { number, t, tn } from "samia/text";

const LIVE = { bars: 200, height: 28 };
const TAP_MS = 400; // a shorter press is a click
const CANCEL_PX = 110;
const LOCK_PX = 70;
const COUNTDOWN_SECONDS = 30;
const TYPING_REPEAT_MS = 2_500; // the server forgets a signal after 5 s
const SECOND_MS = 1_000;
const ASKS_FROM_SECONDS = 20; // what is longer is not thrown away by one click
const CALM = "(prefers-reduced-motion: reduce)";

const kept = new Map(); // by session: a recording that waits for its sender to come back

/** Whether something was recorded that is neither sent nor discarded. */
export function isRecordingKept() {
  return kept.size > 0;
}

store.addEventListener("left", ({ detail }) => forget(detail.id));

function forget(session) {
  kept.get(session)?.cancel();
  kept.delete(session);
}

class SamiaRecorder extends Element {
  static properties = {
    session: { type: String },
    isHidden: { attribute: false }, // there is something to send, and so no microphone beside it
    _recording: { state: true },
    _preview: { state: true },
    _isAsking: { state: true },
    _isHeld: { state: true },
    _isSending: { state: true },
    _microphones: { state: true },
  };

  constructor() {
    super();
    this._recording = null;
    this._preview = null;
    this._isAsking = false;
    this._isHeld = false;
    this._isSending = false;
    this._microphones = [];
    this._hold = null;
    this._wasActive = false;
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this._setAside();
  }

  willUpdate(changed) {
    if (!changed.has("session")) return;
    this._setAside();
    this._recording = kept.get(this.session) ?? null;
    if (this._recording) this._attend(this._recording);
    this._changed();
  }

  /** Whether it takes the composer's place. */
  get isActive() {
    return this._isAsking || this._recording !== null;
  }

  /** Begin without a finger on it. */
  start() {
    return this._begin();
  }

  // Beginning and ending --------------------------------------------------------------------------------------------------

  async _begin() {
    if (this.isActive) return;
    const session = this.session;
    this._isAsking = true;
    let stream = null;
    try {
      stream = await openMicrophone(preferences.get("microphone"));
    } catch (error) {
      this._tell("samia:microphone", troubleOf(error));
    }
    if (stream && this._isAsking && this.isConnected && session === this.session) {
      this._tell("samia:microphone", null);
      this._record(stream);
    } else {
      for (const track of stream?.getTracks() ?? []) track.stop();
    }
    this._isAsking = false;
  }

  _record(stream) {
    let recording;
    try {
      recording = new Recording(stream, { seconds: limits.voice_seconds, bytes: limits.file_bytes });
    } catch (error) {
      for (const track of stream.getTracks()) track.stop();
      this._tell("samia:microphone", troubleOf(error));
      return;
    }
    kept.set(this.session, recording);
    this._recording = recording;
    this._attend(recording);
    this._mustFocus = !this._isHeld;
    microphones().then((found) => (this._microphones = found));
  }

  /** Another microphone: what was said into the first is not carried over, so it begins anew. */
  async _changeMicrophone({ target }) {
    const { value } = target;
    if (!(await this._mayLose())) {
      target.value = this._recording?.device ?? "";
      return;
    }
    preferences.set("microphone", value);
    this._end();
    await this._begin();
  }

  /** Whether what was recorded may go. Of what is longer, one is asked. */
  async _mayLose() {
    const recording = this._recording;
    if (!(recording?.seconds >= ASKS_FROM_SECONDS)) return true;
    recording.pause();
    return confirmDiscard();
  }

  _attend(recording) {
    this._attending?.abort();
    this._attending = new AbortController();
    const { signal } = this._attending;
    recording.addEventListener("change", () => this._changed(), { signal });
    recording.addEventListener("bar", () => this._grown(), { signal });
    this._changed();
  }

  _changed() {
    const recording = this._recording;
    clearInterval(this._typing);
    if (recording?.state === "recording") {
      this._dropPreview();
      this._signal();
      this._typing = setInterval(() => this._signal(), TYPING_REPEAT_MS);
    } else {
      this._stopSignal();
    }
    if (recording?.state === "paused") {
      this._release();
      this._listenBack(recording);
    }
    this.requestUpdate();
  }

  _grown() {
    const interval = matchMedia(CALM).matches ? SECOND_MS : 0;
    const now = performance.now();
    if (now - (this._drawnAt ?? 0) < interval) return;
    this._drawnAt = now;
    this.querySelector(".rec-wave path")?.setAttribute("d", livePath(this._recording.peaks, LIVE));
    const second = Math.floor(this._recording.seconds);
    if (second !== this._second) this.requestUpdate();
    this._second = second;
  }

  async _listenBack(recording) {
    const blob = await recording.soFar();
    if (recording !== this._recording || recording.state !== "paused") return;
    this._dropPreview();
    this._preview = { url: URL.createObjectURL(blob), seconds: recording.seconds, peaks: recording.peaks };
    this._mustFocus = recording.isFull && this.contains(document.activeElement); // the button that had it goes
  }

  _dropPreview() {
    if (this._preview) URL.revokeObjectURL(this._preview.url);
    this._preview = null;
  }

  /** Another session is opened: what was said waits there. */
  _setAside() {
    this._release();
    this._isAsking = false;
    this._recording?.pause();
    this._attending?.abort();
    clearInterval(this._typing);
    this._dropPreview();
    this._recording = null;
  }

  async _discard() {
    if (!(await this._mayLose())) return;
    this._end();
    this._tell("samia:recording", { isOver: true });
  }

  _end() {
    this._release();
    this._isAsking = false;
    this._attending?.abort();
    clearInterval(this._typing);
    this._stopSignal();
    this._dropPreview();
    if (this._recording) forget([...kept].find(([, one]) => one === this._recording)?.[0]);
    this._recording = null;
  }

  async _send() {
    const recording = this._recording;
    if (!recording || this._isSending) return;
    this._isSending = true;
    this._release();
    const blob = await recording.finish();
    const { seconds, ending } = recording;
    this._isSending = false;
    if (recording !== this._recording) return;
    this._end();
    // On a slow device a finger may be gone before anything was recorded.
    if (blob.size) this._tell("samia:voice", { blob, seconds, name: `voice.${ending}` });
    this._tell("samia:recording", { isOver: true });
  }

  _tell(type, detail = null) {
    this.dispatchEvent(new CustomEvent(type, { bubbles: true, detail }));
  }

  // That one speaks -------------------------------------------------------------------------------------------------------

  _signal() {
    this._isSignalled = socket.send({ type: "typing_start", session: this.session, kind: "voice" });
  }

  _stopSignal() {
    if (this._isSignalled && store.get(this.session)?.mine) socket.send({ type: "typing_stop", session: this.session });
    this._isSignalled = false;
  }

  // A finger on it ----------------------------------------------------------------------------------------------------------

  _pressed(event) {
    if (event.pointerType === "mouse" || event.button !== 0 || this.isActive) return;
    const ended = new AbortController();
    this._hold = { ended, x: event.clientX, y: event.clientY, at: event.timeStamp };
    this._isHeld = true;
    for (const name of ["--slide", "--rise"]) this.style.setProperty(name, "0px");
    const { signal } = ended;
    window.addEventListener("pointermove", (move) => this._slid(move), { signal });
    window.addEventListener("pointerup", (up) => this._lifted(up), { signal });
    window.addEventListener("pointercancel", () => this._release(), { signal });
    this._begin();
  }

  /** The finger counts no more; what is recorded goes on without it. */
  _release() {
    this._hold?.ended.abort();
    this._hold = null;
    this._isHeld = false;
  }

  _slid({ clientX, clientY }) {
    const isMirrored = document.documentElement.dir === "rtl";
    const back = (this._hold.x - clientX) * (isMirrored ? -1 : 1);
    const up = this._hold.y - clientY;
    this.style.setProperty("--slide", `${Math.max(0, Math.min(CANCEL_PX, back)) * (isMirrored ? 1 : -1)}px`);
    this.style.setProperty("--rise", `${Math.max(0, Math.min(LOCK_PX, up)) * -1}px`);
    if (up > LOCK_PX && up > back) this._release();
    else if (back > CANCEL_PX) {
      this._end();
      this._tell("samia:recording", { isOver: true });
    }
  }

  _lifted({ timeStamp }) {
    // By the finger's time and not by ours: a page that is busy starting a microphone hears of it late.
    const isTap = timeStamp - this._hold.at < TAP_MS;
    this._release();
    swallowClick(); // where the finger was is the button that sends, as soon as the microphone is open
    // While the browser still asks for the microphone there is nothing to be sent.
    if (!isTap && this._recording) this._send();
  }


  // Drawing -----------------------------------------------------------------------------------------------------------------

  updated() {
    if (this.isActive !== this._wasActive) {
      this._wasActive = this.isActive;
      this._tell("samia:recording");
    }
    if (!this._mustFocus || this._isHeld) return;
    this._mustFocus = false;
    (this.querySelector(".rec-main") ?? this.querySelector(".send"))?.focus();
  }

  render() {
    const isShown = this.isActive && !this._isHeld;
    return html`${this._countdown()}${isShown && this._recording ? this._choice() : nothing}
      <div
        class=${this.isActive ? "rec" : "rec-off"}
        role=${this.isActive ? "group" : nothing}
        aria-label=${this.isActive ? t("Voice message") : nothing}
      >
        ${this.isActive ? (this._isHeld ? this._held() : this._free()) : nothing}
        <button
          type="button"
          class=${this._isHeld ? "mic-live" : "icon-btn round"}
          aria-label=${this._isHeld ? t("Recording") : t("Record a voice message")}
          title=${this._isHeld ? nothing : t("Record a voice message")}
          ?hidden=${isShown || (this.isHidden && !this._isHeld)}
          @pointerdown=${this._pressed}
          @click=${this._begin}
          @contextmenu=${(event) => event.preventDefault()}
        >
          ${icon("mic", this._isHeld ? "i-lg" : "")}
        </button>
      </div>
      <p class="vh" role="status">${this._announcement()}</p>`;
  }

  /** Which microphone, where there are several. */
  _choice() {
    if (!this._microphones.length) return nothing;
    const { device } = this._recording;
    return html`<label class="mic-choice">
      ${icon("mic", "i-sm")}<span class="vh">${t("Microphone")}</span>
      <select @change=${this._changeMicrophone}>
        ${this._microphones.map(
          ({ id, name }, at) =>
            html`<option value=${id} ?selected=${id === device}>
              ${name || t("Microphone {number}", { number: number(at + 1) })}
            </option>`,
        )}
      </select>
    </label>`;
  }

  _announcement() {
    if (this._recording?.state === "recording") return t("Recording");
    return this._preview ? t("Paused. You can listen before you send.") : "";
  }

  _countdown() {
    const recording = this._recording;
    if (recording?.isFull) {
      return html`<p class="hint gold">
        ${icon("clock", "i-sm")}<span>${t("It stopped here. What you said is kept.")}</span>
      </p>`;
    }
    if (recording?.state !== "recording" || recording.left > COUNTDOWN_SECONDS) return nothing;
    const left = Math.ceil(recording.left);
    const words = tn(
      "{count} second left. It stops and keeps what you said.",
      "{count} seconds left. It stops and keeps what you said.",
      left,
    );
    return html`<p class="hint gold">${icon("clock", "i-sm")}<span>${words}</span></p>`;
  }

  _held() {
    return html`<div class="rec-box">
        <span class="rec-dot"></span><span class="rec-time">${lengthWords(this._recording?.seconds ?? 0)}</span>
        <span class="rec-slide">${icon("chev-start", "i-flip i-sm")}<span>${t("Slide to cancel")}</span></span>
      </div>
      <span class="rec-lock" role="img" aria-label=${t("Slide up to lock")}
        >${icon("lock", "i-sm")}${icon("chev-up", "i-sm")}</span
      >`;
  }

  _free() {
    const isOn = this._recording?.state === "recording";
    return html`<button
        type="button"
        class="icon-btn icon-btn-danger"
        aria-label=${t("Discard")}
        title=${t("Discard")}
        @click=${this._discard}
      >
        ${icon("trash")}
      </button>
      <div class="rec-box">${isOn ? this._live() : this._paused()}</div>
      ${this._goOn(isOn)}
      <button
        type="button"
        class="icon-btn send"
        aria-label=${t("Send")}
        ?disabled=${!this._recording || this._isSending}
        @click=${this._send}
      >
        ${icon("send", "i-flip")}
      </button>`;
  }

  _live() {
    return html`<span class="rec-dot"></span><span class="rec-time">${lengthWords(this._recording.seconds)}</span
      ><span class="rec-wave"
        ><svg
          class="bars on"
          viewBox="0 0 ${waveWidth(LIVE)} ${LIVE.height}"
          width=${waveWidth(LIVE)}
          height=${LIVE.height}
          aria-hidden="true"
        >
          <path d=${livePath(this._recording.peaks, LIVE)}></path></svg
      ></span>`;
  }

  _paused() {
    if (!this._recording) return html`<span class="rec-slide">${t("Waiting for the microphone…")}</span>`;
    if (!this._preview) return html`<span class="rec-time">${lengthWords(this._recording.seconds)}</span>`;
    return html`<samia-player
      .form=${"preview"}
      .label=${t("Play what you recorded")}
      .recording=${this._preview}
    ></samia-player>`;
  }

  _goOn(isOn) {
    if (!this._recording || this._recording.isFull) return nothing;
    const label = isOn ? t("Pause") : t("Go on recording");
    return html`<button
      type="button"
      class="icon-btn rec-main"
      aria-label=${label}
      title=${label}
      @click=${() => (isOn ? this._recording.pause() : this._recording.resume())}
    >
      ${icon(isOn ? "pause" : "mic")}
    </button>`;
  }
}

/** What to do where there is no microphone. */
export function microphoneHelp(trouble, { again, close }) {
  const [title, text, steps] = TROUBLES[trouble]();
  return html`<div class="help" role="group" aria-label=${title}>
    <span class="disc">${icon("mic-off")}</span>
    <div>
      <h2>${title}</h2>
      <p>${text}</p>
      ${
        steps.length
          ? html`<ol>
              ${steps.map((step) => html`<li>${step}</li>`)}
            </ol>`
          : nothing
      }
      <div class="row">
        ${
          trouble === "unable"
            ? nothing
            : html`<button type="button" class="btn" @click=${again}>${icon("retry")}${t("Check again")}</button>`
        }
        <button type="button" class="btn btn-quiet" @click=${close}>${t("Not now")}</button>
      </div>
    </div>
  </div>`;
}

const TROUBLES = {
  blocked: () => [
    t("This browser is blocking the microphone"),
    t("Allow it once and you can send voice messages here."),
    [
      t("Select the icon beside the address."),
      t("Turn Microphone on for this site."),
      t("Come back and check again. No reload needed."),
    ],
  ],
  missing: () => [t("No microphone was found"), t("Connect one, then check again."), []],
  taken: () => [t("The microphone is in use"), t("Another program holds it. Close that one, then check again."), []],
  unable: () => [
    t("This browser cannot record"),
    t("Use a newer browser for voice messages. Writing and files work here."),
    [],
  ],
};

customElements.define("samia-recorder", SamiaRecorder);
