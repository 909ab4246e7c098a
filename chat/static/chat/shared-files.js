// What was shared in a session, the newest first: pictures, and files to be saved. What comes and goes while one looks is taken
// from the thread.

import { html, nothing, repeat } from "lit";
import { downloadLink, fileTile } from "chat/attachments";
import { fileUrl, lengthWords, sizeWords, stateWords } from "chat/files";
import { store } from "chat/live";
import { isPicture, wordsOf } from "chat/names";
import { listTime } from "samia/dates";
import { Element } from "samia/element";
import { request } from "samia/http";
import { icon } from "samia/icons";
import { t } from "samia/text";

const PAGE = 24;
const PICTURES = 4; // before all are asked for
const FILES = 3;
const ICONS = { audio: "mic", image: "image", video: "image" };

class SamiaSharedFiles extends Element {
  static properties = {
    session: { attribute: false },
    _found: { state: true }, // messages; null while the first page is on its way
    _problem: { state: true },
    _isAll: { state: true },
    _isReading: { state: true },
  };

  constructor() {
    super();
    this._forget();
  }

  connectedCallback() {
    super.connectedCallback();
    this.listen(store, "change", ({ detail }) => detail === this.session && this.requestUpdate());
  }

  willUpdate(changed) {
    if (!changed.has("session")) return;
    this._forget();
    this._read();
  }

  _forget() {
    this._found = null;
    this._next = null;
    this._problem = null;
    this._isAll = false;
    this._isReading = false;
  }

  async _read() {
    const { session, _next: next } = this;
    const cursor = next === null ? "" : `&cursor=${encodeURIComponent(next)}`;
    this._isReading = true;
    this._problem = null;
    try {
      const answer = await request("GET", `/api/chat/sessions/${session}/files?limit=${PAGE}${cursor}`);
      if (session !== this.session) return;
      this._next = answer.next;
      this._found = [...(this._found ?? []), ...answer.results];
    } catch (problem) {
      if (session === this.session) this._problem = problem;
    }
    if (session === this.session) this._isReading = false;
  }

  /** What was read, in its newest form, and what came since. */
  get _files() {
    const found = new Map(this._found.map((message) => [message.id, message]));
    const newest = this._found[0]?.seq ?? 0;
    for (const message of store.get(this.session)?.messages?.values() ?? []) {
      if (found.has(message.id) || (message.file && message.seq > newest)) found.set(message.id, message);
    }
    return [...found.values()].filter(({ file, deleted_at: gone }) => file && !gone).sort((a, b) => b.seq - a.seq);
  }

  render() {
    return html`<section class="block" aria-labelledby="details-shared" aria-busy=${this._isReading ? "true" : "false"}>
      ${this._found ? this._all(this._files) : html`${head()}${this._problem ? this._trouble() : skeleton()}`}
    </section>`;
  }

  _all(files) {
    const pictures = files.filter(isThumb);
    const others = files.filter((message) => !isThumb(message));
    const isMore = this._next !== null || pictures.length > PICTURES || others.length > FILES;
    const shown = this._isAll ? [pictures, others] : [pictures.slice(0, PICTURES), others.slice(0, FILES)];
    return html`${head(isMore ? this._toggle() : nothing)}
    ${files.length ? nothing : html`<p class="muted small">${t("Nothing was shared yet.")}</p>`}
    ${shown[0].length
      ? html`<ul class="thumbs">
          ${repeat(
            shown[0],
            ({ id }) => id,
            (message) => html`<li>${thumb(message, pictures)}</li>`,
          )}
        </ul>`
      : nothing}
    ${shown[1].length
      ? html`<ul class="mini">
          ${repeat(
            shown[1],
            ({ id }) => id,
            (message) => html`<li>${row(message)}</li>`,
          )}
        </ul>`
      : nothing}
    ${this._isAll && this._next !== null && !this._problem ? this._more() : nothing}${this._problem ? this._trouble() : nothing}`;
  }

  _toggle() {
    return html`<button
      type="button"
      class="link"
      aria-expanded=${this._isAll ? "true" : "false"}
      @click=${() => (this._isAll = !this._isAll)}
    >
      ${this._isAll ? t("Show fewer") : t("Show all")}
    </button>`;
  }

  _more() {
    return html`<button type="button" class="btn btn-block more" ?disabled=${this._isReading} @click=${this._read}>
      ${t("Show more")}
    </button>`;
  }

  _trouble() {
    if (this._problem.code === "session_state") return html`<p class="muted small">${t("Our team keeps its messages.")}</p>`;
    const words = this._problem.code === "unreachable" ? t("No connection. Try again in a moment.") : t("They could not be loaded.");
    return html`<p class="trouble bad" role="status">
      ${icon("alert", "i-sm")}<span>${words}</span>
      <button type="button" class="link" @click=${this._read}>${t("Try again")}</button>
    </p>`;
  }
}

function head(end = nothing) {
  return html`<div class="block-head"><h3 id="details-shared">${t("Shared")}</h3>${end}</div>`;
}

function skeleton() {
  return html`<div class="thumbs" role="img" aria-label=${t("Loading")}>
    ${[1, 2, 3, 4].map(() => html`<span class="sk"></span>`)}
  </div>`;
}

/** A video is a row: it has no picture of its own yet that would fit. */
function isThumb(message) {
  return message.type === "image" && isPicture(message);
}

function thumb({ id, content, file }, pictures) {
  const source = fileUrl(file, file.renditions.includes("thumbnail") ? "thumbnail" : "");
  const name = content || t("Picture {name}", { name: file.name });
  return html`<button type="button" class="thumb" aria-label=${name} title=${file.name} @click=${() => show(pictures, id)}>
    ${icon("image")}<img src=${source} alt="" loading="lazy" @load=${revealed} @error=${broken} />
  </button>`;
}

async function show(pictures, id) {
  const { showPicture } = await import("chat/pictures");
  showPicture(pictures, id);
}

/** Until a picture is there, and where it cannot be had, its place shows the sign for one. */
function revealed({ target }) {
  target.hidden = false;
}

function broken({ target }) {
  target.hidden = true;
}

function row(message) {
  const { type, file } = message;
  const trouble = stateWords(file);
  const isVoice = type === "audio";
  const length = file.duration_ms && !isVoice ? lengthWords(file.duration_ms / 1000) : "";
  const about = [listTime(message.created_at), length, sizeWords(file.size)].filter(Boolean).join(" · ");
  return html`<div class="file">
    ${fileTile(file, ICONS[type])}
    <div class="truncate">
      <div class="file-name small" dir="auto">${isVoice ? wordsOf({ ...message, content: "" }) : file.name}</div>
      <div class="file-sub">${trouble || about}</div>
    </div>
    ${trouble ? nothing : downloadLink(file)}
  </div>`;
}

customElements.define("samia-shared-files", SamiaSharedFiles);
