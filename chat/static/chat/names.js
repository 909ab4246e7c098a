// How people and sessions are called. chat/first_paint.py says the same for the first paint.

import { lengthWords } from "chat/files";
import { t } from "samia/text";

const COLOURS = 6;

export function nameOf(person) {
  return person?.display_name || t("Somebody");
}

/** A session is called after the people in it, but for the reader. */
export function titleOf(session, me) {
  const others = session.others(me);
  return others.length ? others.map(nameOf).join(" · ") : session.title || t("Session");
}

/** The picture of the one other person in it; where there are more, it has letters. */
export function pictureOf(session, me) {
  const others = session.others(me);
  return others.length === 1 ? others[0].avatar : null;
}

/** What it is about: the service that was booked, or its title. */
export function subjectOf(session) {
  return session.booking?.service || session.title;
}

/** The first letters of two words; of names in Arabic script one letter, because two would join. */
export function initialsOf(name) {
  const letters = name
    .split(/\s+/)
    .filter((word) => word && word !== "·") // which stands between names
    .map((word) => [...word][0]);
  return /^[\u0600-\u06ff]/.test(name) ? (letters[0] ?? "") : letters.slice(0, 2).join("").toUpperCase();
}

/** Finds what somebody types in names: without regard to case, accents, vowel signs, and the ways to write alef, ya and ta. */
export function finder(query) {
  const words = plain(query).split(/\s+/).filter(Boolean);
  return (texts) => {
    const all = plain(texts.join(" "));
    return words.every((word) => all.includes(word));
  };
}

function plain(text) {
  return text.normalize("NFKD").replace(/[\p{M}\u0640]/gu, "").replace(/\u0649/g, "\u064a").replace(/\u0629/g, "\u0647").toLowerCase();
}

/** 1 to 6, the same for a person everywhere. */
export function colourOf(id) {
  return (parseInt(id.slice(-4), 16) % COLOURS) + 1;
}

/** The text, or the words for a message without one. */
export function wordsOf(message) {
  if (message.deleted_at) return t("This message was deleted");
  if (message.content) return message.content;
  if (message.type === "audio") return voiceWords(message.file);
  if (message.type === "file") return message.file?.name || t("File");
  return { image: t("Picture"), video: t("Video") }[message.type] || t("Emergency call");
}

function voiceWords(file) {
  const words = t("Voice message");
  return file?.duration_ms ? `${words} · ${lengthWords(file.duration_ms / 1000)}` : words;
}

/** Whether a message is drawn as a picture: it shows itself, and its text stands beneath. */
export function isPicture({ type, file }) {
  return (type === "image" || type === "video") && file?.state === "ready";
}
