// A file in the composer: chosen, on its way, or why it is not.

import { html, nothing } from "lit";
import { lengthWords, progressWords, refusalWords, sizeWords } from "chat/files";
import { limits, uploads } from "chat/live";
import { isRetryable } from "chat/uploads";
import { icon } from "samia/icons";
import { t, wellFormed } from "samia/text";

const SECOND_MS = 1_000;

/** `drop(id)` gives it up. `hasCaptions`: several are chosen, and each has its own; of one, the composer's text is it. */
export function uploadRow(entry, { hasCaptions, drop }) {
  const isBad = entry.state === "failed" || entry.state === "refused";
  const name = entry.kind === "voice" ? t("Voice message") : entry.name;
  return html`<div class="upload ${isBad ? "bad" : ""} ${entry.state === "chosen" ? "done" : ""}">
    ${picture(entry)}
    <div class="truncate">
      <div class="file-name small" dir="auto">${name}</div>
      <div class="file-sub" role=${isBad ? "status" : nothing}>${about(entry)}</div>
      ${
        entry.state === "sending"
          ? html`<progress max="1" .value=${entry.progress} aria-label=${t("Sending {name}", { name })}></progress>`
          : nothing
      }
      ${entry.state === "chosen" && (hasCaptions || entry.caption !== null) ? caption(entry) : nothing}
    </div>
    <div class="upload-acts">
      ${isRetryable(entry) ? button("retry", t("Try again"), name, () => uploads.retry(entry.id)) : nothing}${button(
        entry.state === "chosen" ? "trash" : "close",
        entry.state === "chosen" || isBad ? t("Remove") : t("Cancel"),
        name,
        () => drop(entry.id),
      )}
    </div>
  </div>`;
}

function picture({ url, kind }) {
  if (url) return html`<span class="thumb"><img src=${url} alt="" width="44" height="44" /></span>`;
  return html`<span class="file-tile">${icon(kind === "voice" ? "mic" : "file")}</span>`;
}

function caption({ id, name, caption: text }) {
  return html`<input
    class="caption"
    dir="auto"
    autocomplete="off"
    enterkeyhint="send"
    maxlength=${limits.max_chars}
    placeholder=${t("Add a caption")}
    aria-label=${t("Caption of {name}", { name })}
    .value=${text ?? ""}
    @input=${({ target }) => uploads.caption(id, wellFormed(target.value))}
  />`;
}

function about(entry) {
  const { state, kind, size, progress, resumesAt } = entry;
  const total = kind === "voice" ? `${lengthWords(entry.seconds)} · ${sizeWords(size)}` : sizeWords(size);
  if (state === "chosen") return t("{size} · ready", { size: total });
  if (state === "waiting") return t("{size} · waiting", { size: total });
  if (state === "sending")
    return progress < 1 ? progressWords(progress * size, size) : t("{size} · being checked", { size: total });
  const seconds = Math.max(1, Math.ceil((resumesAt - Date.now()) / SECOND_MS));
  return refusalWords({ ...entry, seconds }, limits);
}

function button(name, label, file, onClick) {
  return html`<button type="button" class="icon-btn" aria-label=${`${label}: ${file}`} title=${label} @click=${onClick}>
    ${icon(name)}
  </button>`;
}
