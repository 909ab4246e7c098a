// One's own picture, on the page of settings: chosen or dropped, sent at once, shown, removed.

import { createRef, html, nothing, ref } from "lit";
import { refusalWords, sizeWords } from "chat/files";
import { avatar } from "chat/marks";
import { colourOf, initialsOf } from "chat/names";
import { Element } from "samia/element";
import { request, upload } from "samia/http";
import { icon } from "samia/icons";
import { page } from "samia/page";
import { t } from "samia/text";
import { toast } from "samia/toasts";

const ADDRESS = "/api/me/avatar";
const TYPES = ["image/jpeg", "image/png", "image/webp", "image/gif"]; // with types named, a phone's HEIC comes as JPEG
const { avatar_bytes: LIMIT } = page.limits;

class SamiaOwnPicture extends Element {
  static properties = {
    name: {},
    email: {},
    picture: {}, // the file's id; "" for none
    _progress: { state: true }, // of one that is on its way, 0 to 1; null: none is
    _trouble: { state: true }, // why the last one was not taken
    _isDropping: { state: true },
  };

  constructor() {
    super();
    this._progress = null;
    this._trouble = "";
    this._isDropping = false;
    this._chooser = createRef();
    this._button = createRef();
  }

  connectedCallback() {
    super.connectedCallback();
    this._watchDrops();
  }

  /** A file may be dropped anywhere on the card, and nowhere on the page opens instead of it. */
  _watchDrops() {
    const card = this.closest(".card");
    for (const type of ["dragover", "drop"]) {
      this.listen(window, type, (event) => {
        if (!event.dataTransfer.types.includes("Files")) return;
        event.preventDefault();
        const isHere = card.contains(event.target) && this._progress === null;
        this._isDropping = type === "dragover" && isHere;
        event.dataTransfer.dropEffect = this._isDropping ? "copy" : "none";
        if (type === "drop" && isHere) this._take(event.dataTransfer.files[0]);
      });
    }
    this.listen(window, "dragleave", (event) => event.relatedTarget === null && (this._isDropping = false));
  }

  _chosen(event) {
    this._take(event.target.files[0]);
    event.target.value = ""; // the same file may be chosen again
  }

  async _take(file) {
    if (!file) return;
    const known = refusalOf(file);
    this._trouble = known ? words(known, file) : "";
    if (known) return;
    this._ending = new AbortController();
    this._progress = 0;
    try {
      const me = await this._send(file);
      this.picture = me.avatar;
      toast({ icon: "check", text: t("Your picture is changed.") });
    } catch (problem) {
      this._trouble = problem.code === "aborted" ? "" : words(problem.code, file);
    } finally {
      this._progress = null;
    }
  }

  _send(file) {
    const form = new FormData();
    form.append("avatar", file, "picture"); // what it is called here is nobody's business
    const onProgress = (share) => (this._progress = share);
    return upload(ADDRESS, form, { method: "PUT", onProgress, signal: this._ending.signal });
  }

  async _remove() {
    this._trouble = "";
    try {
      await request("DELETE", ADDRESS);
    } catch (problem) {
      this._trouble = words(problem.code);
      return;
    }
    this.picture = "";
    this._button.value.focus(); // the one that was pressed goes
    toast({ icon: "check", text: t("Your picture is removed.") });
  }

  _press() {
    if (this._progress === null) this._chooser.value.click();
    else this._ending.abort();
  }

  render() {
    const { name, email, picture, _progress: progress } = this;
    const isSending = progress !== null;
    return html`<div class="who ${this._isDropping ? "is-target" : ""}">
        ${avatar({
          initials: initialsOf(name),
          colour: colourOf(page.user.id),
          picture: picture || null,
          size: "avatar-xl",
        })}
        <div>
          <p><bdi>${name}</bdi></p>
          <p class="muted"><bdi>${email}</bdi></p>
          <div class="row">
            <button type="button" class="btn" ${ref(this._button)} @click=${this._press}>
              ${icon(isSending ? "close" : "image")}<span>${isSending ? t("Cancel") : t("Change picture")}</span></button
            >${picture && !isSending
              ? html`<button type="button" class="btn btn-quiet" @click=${this._remove}>${t("Remove")}</button>`
              : nothing}
          </div>
          <input ${ref(this._chooser)} type="file" hidden accept=${TYPES.join()} @change=${this._chosen} />
        </div>
      </div>
      ${isSending ? html`<progress max="1" .value=${progress} aria-label=${t("Your picture is on its way")}></progress>` : nothing}
      <p class="trouble" role="alert">${this._trouble ? html`${icon("alert", "i-sm")}<span>${this._trouble}</span>` : nothing}</p>`;
  }
}

/** Why a file need not be sent, because the server would refuse it: a code; null if nothing is known against it. */
function refusalOf({ size, type }) {
  if (size > LIMIT) return "file_too_large";
  if (size === 0) return "file_empty";
  return type && !TYPES.includes(type) ? "file_type" : null; // what it really is, the server finds out
}

/** Why a picture was not taken. */
function words(code, { size = 0 } = {}) {
  const tooLarge = () =>
    t("{size} is too large. A picture may have up to {limit}.", { size: sizeWords(size), limit: sizeWords(LIMIT) });
  const noPicture = () => t("This is no picture that can be shown. JPEG, PNG, WebP and GIF can.");
  const own = {
    file_too_large: tooLarge,
    too_large: tooLarge,
    file_type: noPicture,
    not_picture: noPicture,
    too_fast: () => t("Too many attempts. Try again in a moment."),
  };
  return own[code]?.() ?? refusalWords({ code }, { file_bytes: LIMIT });
}

customElements.define("samia-own-picture", SamiaOwnPicture);
