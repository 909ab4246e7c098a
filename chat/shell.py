"""What makes the page an app on a device: its manifest, the worker that keeps the shell, the page for being offline."""

from __future__ import annotations

import hashlib
from functools import cache

import msgspec
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from samia_chat import scripts

STYLES = (
    "samia_chat/tokens.css",
    "samia_chat/base.css",
    "samia_chat/light.css",
    "chat/chat.css",
    "chat/media.css",
    "chat/details.css",
)
PICTURES = ("samia_chat/icon.svg", "samia_chat/icon-192.png")
FONTS = ("vendor/inter-latin-5.3.0.woff2", "vendor/noto-sans-arabic-arabic-5.3.0.woff2")


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """What a phone needs to put the product on its home screen."""
    icons = [
        {"src": static(f"samia_chat/icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"}
        for size in (192, 512)
    ]
    content = {
        "id": "/",
        "name": _("SAMIA TAROT"),
        "short_name": _("SAMIA TAROT"),
        "lang": get_language(),
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#0f172a",
        "theme_color": "#0b1222",
        "icons": icons,
    }
    return JsonResponse(content, content_type="application/manifest+json")


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """Shown by the worker where a page cannot be had."""
    return render(request, "chat/offline.html")


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """The worker, for this version of the shell. Another version is another text, and the browser then takes it up."""
    text = f"const VERSION = {_quoted(_version())};\nconst SHELL = {_quoted(_shell())};\n{_source()}"
    response = HttpResponse(text, content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    response["Service-Worker-Allowed"] = "/"
    return response


@cache
def _files() -> tuple[str, ...]:
    return (*STYLES, *PICTURES, *FONTS, *scripts.served())


def _shell() -> list[str]:
    return [staticfiles_storage.url(path) for path in _files()]


@cache
def _version() -> str:
    """A digest of everything in the shell: addresses say nothing of contents where files are not collected."""
    digest = hashlib.sha256()
    for path in (*_files(), "worker/shell.js"):
        digest.update(path.encode() + scripts.found(path).read_bytes())
    return digest.hexdigest()[:16]


@cache
def _source() -> str:
    return scripts.found("worker/shell.js").read_text()


def _quoted(value: object) -> str:
    return msgspec.json.encode(value).decode()
