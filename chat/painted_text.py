"""Texts of messages as the server paints them: long ones folded, a few emoji large.

chat/static/chat/fold.js and emoji.js draw the same; both are held against tests/browser/folds.json and emoji.json.
"""

from __future__ import annotations

import re

from samia_chat.templatetags.samia import split_links

# What is longer than either is folded, to less than that: nobody asks for one more line.
LONG_LETTERS, LONG_LINES = 900, 12
SHOWN_LETTERS, SHOWN_LINES = 700, 9
WORD = 60  # a longer one is cut

MOST_EMOJI = 3
# Pictures by themselves, and signs that become pictures by the selector, a skin tone or a joiner that follows.
_PICTURES = (
    "\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1\u26aa\u26ab\u26bd\u26be"
    "\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757"
    "\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55\U0001f004\U0001f0cf\U0001f18e\U0001f191-\U0001f19a\U0001f201"
    "\U0001f21a\U0001f22f\U0001f232-\U0001f23a\U0001f250\U0001f251\U0001f300-\U0001f6ff\U0001f7e0-\U0001f7f0"
    "\U0001f90c-\U0001f9ff\U0001fa70-\U0001faff"
)
_SIGNS = "\u00a9\u00ae\u203c-\u3299\U0001f170-\U0001f17f\U0001f202\U0001f237"
_TONE = "[\U0001f3fb-\U0001f3ff]"
_TAGS = "[\U000e0020-\U000e007e]+\U000e007f"  # of the flags of England, Scotland, Wales
_ONE = f"(?:[{_PICTURES}]\ufe0f?|[{_SIGNS}](?:\ufe0f|(?={_TONE}|\u200d))){_TONE}?(?:{_TAGS})?"
_EMOJI = f"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|{_ONE}(?:\u200d(?:{_ONE}|[{_SIGNS}]))*"
_ANY = re.compile(_EMOJI)
_ONLY = re.compile(rf"(?:[ \n]*(?:{_EMOJI})){{1,{MOST_EMOJI}}}[ \n]*")


def emoji_in(text: str) -> int:
    """How many emoji a text is, if it is nothing else and not more than three; else 0."""
    return len(_ANY.findall(text)) if _ONLY.fullmatch(text) else 0


def beginning_of(text: str) -> str | None:
    """The beginning of a long text; None of one that is shown whole. No address in it is cut."""
    lines = text.split("\n")
    if len(text) <= LONG_LETTERS and len(lines) <= LONG_LINES:
        return None
    end = min(SHOWN_LETTERS, len("\n".join(lines[:SHOWN_LINES])))
    cut = _outside_links(text, _between_words(text, end))
    return text[:cut].rstrip(" \n") or None if cut < len(text) else None


def _between_words(text: str, end: int) -> int:
    return next((at for at in range(end, max(0, end - WORD), -1) if text[at] in " \n"), end)


def _outside_links(text: str, cut: int) -> int:
    """Before an address that would be cut; after it, where it is the beginning."""
    start = 0
    for part, is_link in split_links(text):
        end = start + len(part)
        if is_link and start < cut < end:
            return start or end
        start = end
    return cut
