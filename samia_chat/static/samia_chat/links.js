// Addresses in people's text. samia_chat/templatetags/samia.py finds the same ones for the first paint; both are held
// against tests/browser/links.json.

const URL = /https?:\/\/[^\s<>"'`]+/gi;
const TRAILING = ".,;:!?…؟،؛»”’";
const OPENING = { ")": "(", "]": "[", "}": "{" };

/** The text in parts: {text, isLink}. Punctuation that ends a sentence is not part of an address. */
export function splitLinks(text) {
  const parts = [];
  let at = 0;
  for (const match of text.matchAll(URL)) {
    const address = withoutTrailing(match[0]);
    if (address.endsWith("://")) continue;
    if (match.index > at) parts.push({ text: text.slice(at, match.index), isLink: false });
    parts.push({ text: address, isLink: true });
    at = match.index + address.length;
  }
  if (at < text.length) parts.push({ text: text.slice(at), isLink: false });
  return parts;
}

function withoutTrailing(address) {
  let found = address;
  while (found) {
    const last = found.at(-1);
    // A closing bracket belongs to the address only if it was opened there.
    const isUnopened = last in OPENING && count(found, last) > count(found, OPENING[last]);
    if (!TRAILING.includes(last) && !isUnopened) break;
    found = found.slice(0, -1);
  }
  return found;
}

function count(text, letter) {
  return text.split(letter).length - 1;
}
