// Files of messages: which are taken, how they are called, where they are opened, why one was refused.

import { number, percent, t, tn } from "samia/text";

const KB = 1024;
const MB = KB * KB;
const TYPES = new Set([
  "image/jpeg",
  "image/png",
  "image/webp",
  "image/gif",
  "audio/mpeg",
  "audio/mp3",
  "audio/wav",
  "audio/x-wav",
  "audio/wave",
  "audio/webm",
  "audio/ogg",
  "audio/opus",
  "audio/mp4",
  "audio/x-m4a",
  "audio/m4a",
  "video/mp4",
  "video/webm",
  "video/ogg", // what Linux calls any Ogg
  "application/ogg",
  "application/pdf",
  "text/plain",
  "text/csv",
  "text/markdown",
]);
const ENDINGS = [
  "jpg",
  "jpeg",
  "png",
  "webp",
  "gif",
  "mp3",
  "wav",
  "webm",
  "ogg",
  "oga",
  "opus",
  "m4a",
  "mp4",
  "pdf",
  "txt",
];
const CODECS = { "audio/webm": "opus", "audio/ogg": "opus" };
// What no second attempt mends.
const FINAL = new Set([
  "file_empty",
  "file_infected",
  "file_too_large",
  "file_too_long",
  "file_type",
  "file_unreadable",
  "image_too_large",
  "not_found",
  "not_voice",
]);

/** For a file chooser. A phone converts what it can: with types named, HEIC comes as JPEG. */
export const ACCEPT = [...TYPES, ...ENDINGS.map((ending) => `.${ending}`)].join();

/** Why a file need not be sent, because the server would refuse it: a code; null if nothing is known against it. */
export function refusalOf({ name, size, type }, { file_bytes: limit }) {
  if (size > limit) return "file_too_large";
  if (size === 0) return "file_empty";
  // A file without a type may be text. What it really is, the server finds out.
  const ending = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  if (type && !TYPES.has(type.split(";")[0]) && !ENDINGS.includes(ending)) return "file_type";
  return null;
}

/** Whether another attempt may end differently. */
export function mayTryAgain(code) {
  return !FINAL.has(code);
}

/** Why a file was not sent. */
export function refusalWords({ code, size = 0, progress = 0, seconds = 0 }, { file_bytes: limit }) {
  const words = {
    busy: () => t("Our server is busy. Try again in a moment."),
    file_empty: () => t("This file is empty."),
    file_infected: () => t("A virus was found in this file."),
    file_too_large: () =>
      t("{size} is too large. Up to {limit} can be sent.", { size: sizeWords(size), limit: sizeWords(limit) }),
    file_too_long: () => t("This recording is too long."),
    file_type: () => t("This type cannot be sent. Pictures, sound, video, PDF and plain text can."),
    file_unreadable: () => t("This file is damaged and cannot be read."),
    image_too_large: () => t("This picture has too many pixels."),
    not_found: () => t("You no longer take part in this session"),
    not_voice: () => t("This recording cannot be read."),
    reply_unknown: () => t("The message you answered is gone."),
    session_state: () => t("The session is closed for writing."),
    store_away: () => t("Files cannot be stored just now. Try again in a moment."),
    too_fast: () =>
      tn(
        "Too many at once. It goes on in {count} second.",
        "Too many at once. It goes on in {count} seconds.",
        seconds,
      ),
    unreachable: () =>
      progress
        ? t("Stopped at {percent}, no connection", { percent: percent(progress) })
        : t("No connection. Try again in a moment."),
  };
  return (words[code] ?? (() => t("That did not work. Try again in a moment.")))();
}

/** Why a file that was sent cannot be opened; "" if it can. */
export function stateWords({ state, reason }) {
  if (state === "ready") return "";
  if (state === "processing") return t("This file is being checked.");
  if (state === "deleted") return t("This file is no longer here.");
  return reason === "file_infected" ? t("A virus was found in this file.") : t("This file cannot be opened.");
}

/** 290 kB, 2.4 MB */
export function sizeWords(bytes) {
  if (bytes < MB) return t("{size} kB", { size: number(Math.max(1, Math.floor(bytes / KB + 0.5))) });
  return t("{size} MB", { size: number(Math.floor((bytes / MB) * 10 + 0.5) / 10) });
}

/** 1.9 of 3.1 MB */
export function progressWords(sent, size) {
  return t("{sent} of {size}", { sent: sizeWords(Math.min(sent, size)), size: sizeWords(size) });
}

/** 0:36, 10:05 */
export function lengthWords(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const rest = whole % 60;
  return `${number(Math.floor(whole / 60))}:${rest < 10 ? number(0) : ""}${number(rest)}`;
}

/** PDF, TXT: the end of its name, as people know it. */
export function kindWords(name) {
  return name.includes(".") ? name.slice(name.lastIndexOf(".") + 1).toUpperCase() : "";
}

export function fileUrl(file, rendition = "") {
  return `/api/chat/files/${file.id}${rendition ? `?rendition=${rendition}` : ""}`;
}

/** Where a sound that this browser plays is; null while there is none. `canPlay` answers as canPlayType does. */
export function soundUrl(file, canPlay) {
  const codec = CODECS[file.content_type];
  if (canPlay(codec ? `${file.content_type}; codecs="${codec}"` : file.content_type)) return fileUrl(file);
  return file.renditions.includes("aac") ? fileUrl(file, "aac") : null;
}

const PICTURE = { width: 328, height: 320, least: 120 }; // the most and the least that a picture takes in a thread

/** How large a picture or video is drawn in a thread: known before it is there, so that nothing moves when it comes. */
export function shownSize({ width, height }) {
  if (!width || !height) return { width: PICTURE.width, height: Math.floor((PICTURE.width * 3) / 4) };
  const scale = Math.min(1, PICTURE.width / width, PICTURE.height / height);
  const fit = (side) => Math.max(PICTURE.least, Math.floor(side * scale + 0.5));
  return { width: fit(width), height: fit(height) };
}
