// Messages of nothing but a few emoji, which are drawn large. chat/painted_text.py finds the same ones by the same ranges, and
// not by what each browser's or Python's Unicode knows; both are held against tests/browser/emoji.json.

const MOST = 3;
// Pictures by themselves, and signs that become pictures by the selector, a skin tone or a joiner that follows.
const PICTURES =
  "\\u231A\\u231B\\u23E9-\\u23EC\\u23F0\\u23F3\\u25FD\\u25FE\\u2614\\u2615\\u2648-\\u2653\\u267F\\u2693\\u26A1\\u26AA\\u26AB\\u26BD\\u26BE\\u26C4\\u26C5" +
  "\\u26CE\\u26D4\\u26EA\\u26F2\\u26F3\\u26F5\\u26FA\\u26FD\\u2705\\u270A\\u270B\\u2728\\u274C\\u274E\\u2753-\\u2755\\u2757\\u2795-\\u2797\\u27B0\\u27BF" +
  "\\u2B1B\\u2B1C\\u2B50\\u2B55\\u{1F004}\\u{1F0CF}\\u{1F18E}\\u{1F191}-\\u{1F19A}\\u{1F201}\\u{1F21A}\\u{1F22F}\\u{1F232}-\\u{1F23A}\\u{1F250}\\u{1F251}" +
  "\\u{1F300}-\\u{1F6FF}\\u{1F7E0}-\\u{1F7F0}\\u{1F90C}-\\u{1F9FF}\\u{1FA70}-\\u{1FAFF}";
const SIGNS = "\\u00A9\\u00AE\\u203C-\\u3299\\u{1F170}-\\u{1F17F}\\u{1F202}\\u{1F237}";
const TONE = "[\\u{1F3FB}-\\u{1F3FF}]";
const TAGS = "[\\u{E0020}-\\u{E007E}]+\\u{E007F}"; // of the flags of England, Scotland, Wales
const ONE = `(?:[${PICTURES}]\\uFE0F?|[${SIGNS}](?:\\uFE0F|(?=${TONE}|\\u200D)))${TONE}?(?:${TAGS})?`;
const JOINED = `${ONE}(?:\\u200D(?:${ONE}|[${SIGNS}]))*`;
const FLAG = "[\\u{1F1E6}-\\u{1F1FF}]{2}";
const KEYCAP = "[0-9#*]\\uFE0F?\\u20E3";
const ANY = new RegExp(`${FLAG}|${KEYCAP}|${JOINED}`, "gu");
const ONLY = new RegExp(`^(?:[ \\n]*(?:${FLAG}|${KEYCAP}|${JOINED})){1,${MOST}}[ \\n]*$`, "u");

/** How many emoji a text is, if it is nothing else and not more than three; else 0. */
export function emojiIn(text) {
  return ONLY.test(text) ? text.match(ANY).length : 0;
}
