"""Tags of every page: modules by their bare names, icons, the theme, data for scripts, links in people's text."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import msgspec
from django import template
from django.contrib.staticfiles.storage import staticfiles_storage
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from samia_chat import scripts

register = template.Library()

THEME_COOKIE = "samia_theme"
# Theme → media of the light style sheet. The browser decides at the first paint, so no script has to run before it.
LIGHT_MEDIA = {"dark": "not all", "light": "all", "system": "(prefers-color-scheme: light)"}
URL = re.compile(r"https?://[^\s<>\"'`]+", re.IGNORECASE)
TRAILING = ".,;:!?…؟،؛»”’"
OPENING = {")": "(", "]": "[", "}": "{"}


@register.simple_tag(takes_context=True)
def importmap(context: template.Context) -> SafeString:
    """The import map of modules that are served one by one. It stands before the first module script; names and not
    addresses in the modules mean that hashed file names need no rewriting. A bundle needs none."""
    if scripts.bundles():
        return mark_safe("")
    imports = {name: staticfiles_storage.url(path) for name, path in sorted(scripts.modules().items())}
    return format_html(
        '<script type="importmap" nonce="{}">{}</script>', context["csp_nonce"], _in_script({"imports": imports})
    )


@register.simple_tag
def modulepreload(*names: str) -> SafeString:
    """Fetch these modules at once, and not as each importer is read. A bundle has them in it."""
    urls = [] if scripts.bundles() else [(staticfiles_storage.url(scripts.modules()[name]),) for name in names]
    return format_html_join("\n", '<link rel="modulepreload" href="{}">', urls)


@register.simple_tag
def module(name: str) -> SafeString:
    """Run a page's module, with what it imports. A name that `npm run bundle` does not know has no bundle."""
    path = (scripts.bundles() or scripts.modules())[name]
    return format_html('<script type="module" src="{}"></script>', staticfiles_storage.url(path))


@register.simple_tag
def data(element_id: str, value: Any) -> SafeString:
    """A JSON block for the page's modules. Browsers do not run it, so the policy lets it be."""
    return format_html('<script type="application/json" id="{}">{}</script>', element_id, _in_script(value))


@register.simple_tag
@cache
def sprite() -> SafeString:
    """The icons, inline. Firefox counts a sprite in a file of its own under default-src, which is 'none' here."""
    return mark_safe(scripts.found("samia_chat/icons.svg").read_text())  # noqa: S308 (our own file)


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    return format_html('<svg class="i {}" aria-hidden="true"><use href="#i-{}"></use></svg>', classes, name)


@register.simple_tag
def picture(address: str) -> SafeString:
    """A person's picture over his initials: they are seen until it is there, and where it cannot be had. Nothing for none."""
    if not address:
        return mark_safe("")
    return format_html('<img src="{}" alt="" width="44" height="44" loading="lazy" decoding="async">', address)


@register.simple_tag(takes_context=True)
def theme(context: template.Context) -> str:
    """What the reader chose on this device: dark, light, or system."""
    chosen = context["request"].COOKIES.get(THEME_COOKIE, "")
    return chosen if chosen in LIGHT_MEDIA else "dark"


@register.filter
def light_media(name: str) -> str:
    return LIGHT_MEDIA[name]


@register.filter
def links(text: str) -> SafeString:
    """Text with its http(s) addresses as links. samia_chat/static/samia_chat/links.js draws the same ones."""
    parts = [
        format_html('<a href="{0}" target="_blank" rel="noopener noreferrer" dir="ltr">{0}</a>', part)
        if is_link
        else escape(part)
        for part, is_link in split_links(text)
    ]
    return mark_safe("".join(parts))  # noqa: S308 (each part is escaped)


def split_links(text: str) -> list[tuple[str, bool]]:
    """The text in parts, and whether each is an address. Punctuation that ends a sentence is not part of one."""
    parts: list[tuple[str, bool]] = []
    at = 0
    for match in URL.finditer(text):
        address = _without_trailing(match.group())
        if address.endswith("://"):
            continue
        if match.start() > at:
            parts.append((text[at : match.start()], False))
        parts.append((address, True))
        at = match.start() + len(address)
    if at < len(text):
        parts.append((text[at:], False))
    return parts


def _without_trailing(address: str) -> str:
    while address:
        last = address[-1]
        # A closing bracket belongs to the address only if it was opened there.
        is_unopened = last in OPENING and address.count(last) > address.count(OPENING[last])
        if last not in TRAILING and not is_unopened:
            break
        address = address[:-1]
    return address


def _in_script(value: Any) -> SafeString:
    """JSON that can stand in a script element: nothing in it ends the element or opens a comment."""
    text = msgspec.json.encode(value).decode().replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return mark_safe(text)  # noqa: S308 (see above)
