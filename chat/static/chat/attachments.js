// What a message carries, as it is drawn in its bubble: a recording, a picture, a video, or a file to be saved.

import { html, nothing } from "lit";
import "chat/player";
import { fileUrl, kindWords, lengthWords, shownSize, sizeWords, stateWords } from "chat/files";
import { icon } from "samia/icons";
import { t } from "samia/text";

/** The drawing; null of a message that carries nothing. `meta` stands in the line of a recording without a text. */
export function attachment(message, { isStop, meta, heard }) {
  const { type, file } = message;
  if (!file) return null;
  if (type === "audio") {
    return html`<samia-player .file=${file} .meta=${meta} .heard=${heard} .isStop=${isStop}></samia-player>`;
  }
  if (file.state === "ready" && type === "image") return picture(message, isStop);
  if (file.state === "ready" && type === "video") return video(file, isStop);
  return fileRow(file, isStop);
}

function picture({ id, content, file }, isStop) {
  const { width, height } = shownSize(file);
  const source = fileUrl(file, file.renditions.includes("thumbnail") ? "thumbnail" : "");
  return html`<button type="button" class="shot" tabindex=${stop(isStop)} @click=${open} data-message=${id}>
      <img
        src=${source}
        alt=${content || t("Picture {name}", { name: file.name })}
        width=${width}
        height=${height}
        loading="lazy"
        @error=${broken}
      />
    </button>
    <p class="trouble bad" role="status" hidden>
      ${icon("alert", "i-sm")}<span>${t("The picture could not be loaded.")}</span>
      <button type="button" class="link" tabindex=${stop(isStop)} @click=${again}>${t("Try again")}</button>
    </p>`;
}

function open({ currentTarget }) {
  const detail = { act: "picture", id: currentTarget.dataset.message, anchor: currentTarget };
  currentTarget.dispatchEvent(new CustomEvent("samia:act", { bubbles: true, detail }));
}

function broken({ target }) {
  const button = target.closest(".shot");
  button.hidden = true;
  button.nextElementSibling.hidden = false;
}

function again({ target }) {
  const trouble = target.closest(".trouble");
  const button = trouble.previousElementSibling;
  const shown = button.querySelector("img");
  trouble.hidden = true;
  button.hidden = false;
  shown.src = shown.getAttribute("src"); // asks anew
  button.focus();
}

function video(file, isStop) {
  const { width, height } = shownSize(file);
  const poster = file.renditions.includes("poster") ? fileUrl(file, "poster") : nothing;
  return html`<video
      controls
      playsinline
      preload="none"
      src=${fileUrl(file)}
      poster=${poster}
      width=${width}
      height=${height}
      tabindex=${stop(isStop)}
      aria-label=${t("Video {name}", { name: file.name })}
      @error=${unplayable}
    ></video>
    <div class="instead" hidden>${fileRow(file, isStop)}</div>`;
}

/** A video that this browser does not play can be saved. */
function unplayable({ target }) {
  target.hidden = true;
  target.nextElementSibling.hidden = false;
}

function fileRow(file, isStop) {
  const words = stateWords(file);
  const about = [
    kindWords(file.name),
    file.duration_ms ? lengthWords(file.duration_ms / 1000) : "",
    sizeWords(file.size),
  ];
  return html`<div class="file">
    ${fileTile(file)}
    <div class="truncate">
      <div class="file-name" dir="auto">${file.name}</div>
      <div class="file-sub">${words || about.filter(Boolean).join(" · ")}</div>
    </div>
    ${words ? nothing : downloadLink(file, isStop)}
  </div>`;
}

/** Its first page or image where there is one, else a sign. */
export function fileTile(file, name = "file") {
  if (file.state === "ready" && file.renditions.includes("poster")) {
    return html`<span class="file-tile"
      ><img src=${fileUrl(file, "poster")} alt="" width="44" height="44" loading="lazy" @error=${unseen}
    /></span>`;
  }
  const isBad = stateWords(file) && file.state !== "processing";
  return html`<span class="file-tile">${icon(isBad ? "alert" : name)}</span>`;
}

function unseen({ target }) {
  target.hidden = true;
}

/** Where the store is elsewhere its answer decides between saving and showing, and then not in place of the page. */
export function downloadLink(file, isStop = true) {
  return html`<a
    class="icon-btn"
    href=${fileUrl(file)}
    download=${file.name}
    target="_blank"
    rel="noopener"
    tabindex=${stop(isStop)}
    aria-label=${t("Download {name}", { name: file.name })}
    title=${t("Download")}
    >${icon("download")}</a
  >`;
}

function stop(isStop) {
  return isStop ? "0" : "-1";
}
