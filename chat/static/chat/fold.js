// How much of a long text is shown before one asks for the rest. chat/painted_text.py cuts at the same place; both are held
// against tests/browser/folds.json.

import { splitLinks } from "samia/links";

const LONG = { letters: 900, lines: 12 }; // what is longer than either is folded,
const SHOWN = { letters: 700, lines: 9 }; // to less than that: nobody asks for one more line
const WORD = 60; // a longer one is cut

/** The beginning of a long text; null of one that is shown whole. No address in it is cut. */
export function beginningOf(text) {
  const lines = text.split("\n");
  if (text.length <= LONG.letters && lines.length <= LONG.lines) return null;
  const letters = [...text]; // as Python counts: characters, and not half ones
  if (letters.length <= LONG.letters && lines.length <= LONG.lines) return null;
  const end = Math.min(SHOWN.letters, lengthOf(lines.slice(0, SHOWN.lines).join("\n")));
  const cut = outsideLinks(text, betweenWords(letters, end));
  return cut < letters.length
    ? letters
        .slice(0, cut)
        .join("")
        .replace(/[ \n]+$/, "") || null
    : null;
}

function betweenWords(letters, end) {
  for (let at = end; at > Math.max(0, end - WORD); at -= 1) if (letters[at] === " " || letters[at] === "\n") return at;
  return end;
}

/** Before an address that would be cut; after it, where it is the beginning. */
function outsideLinks(text, cut) {
  let from = 0;
  for (const part of splitLinks(text)) {
    const to = from + lengthOf(part.text);
    if (part.isLink && from < cut && cut < to) return from || to;
    from = to;
  }
  return cut;
}

function lengthOf(text) {
  return [...text].length;
}
