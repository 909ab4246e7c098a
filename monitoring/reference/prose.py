"""The little Markdown that our descriptions use: headings, lists, paragraphs and `code`. Everything else is text."""

from __future__ import annotations

import re

from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify

_CODE = re.compile(r"`([^`]+)`")


def inline(text: str) -> SafeString:
    """One line of text, with its code marked."""
    parts = _CODE.split(" ".join(text.split()))
    return mark_safe(  # noqa: S308 (each part is escaped)
        "".join(f"<code>{escape(part)}</code>" if at % 2 else escape(part) for at, part in enumerate(parts))
    )


def prose(text: str, *, anchors: str = "") -> SafeString:
    """Blocks of text. With `anchors`, headings get ids that begin with it."""
    blocks = [block for block in re.split(r"\n\s*\n", text.strip()) if block.strip()]
    return format_html_join("\n", "{}", ((_block(block.strip(), anchors),) for block in blocks))


def headings(text: str, *, anchors: str) -> list[tuple[str, str]]:
    """Id and words of each heading."""
    return [(f"{anchors}{slugify(title)}", title) for title in re.findall(r"^## (.+)$", text, re.MULTILINE)]


def _block(block: str, anchors: str) -> SafeString:
    if block.startswith("## "):
        title = block.removeprefix("## ")
        return format_html('<h3 id="{}">{}</h3>', f"{anchors}{slugify(title)}", title)
    if block.startswith("- "):
        items = re.split(r"\n- ", block.removeprefix("- "))
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((inline(item),) for item in items)))
    return format_html("<p>{}</p>", inline(block))
