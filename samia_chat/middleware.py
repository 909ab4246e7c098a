"""Around every request: its id and address for the record, one line in the log, the content security policy."""

from __future__ import annotations

import ipaddress
import logging
import re
import secrets
import time
from collections.abc import Callable
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from samia_chat import actor
from samia_chat.actor import Actor

log = logging.getLogger("samia.access")
GetResponse = Callable[[HttpRequest], HttpResponse]
PRIVATE = "no-store, private"  # what the API answers is one person's, and stays in no cache
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def client_address(peer: str | None, forwarded: str) -> str | None:
    """The caller's address: the peer's, or what the outermost trusted proxy saw.

    Each trusted proxy appends the address it saw, so the caller stands TRUSTED_PROXIES places from the end; what stands
    before was written by the caller and is not believed. IPv4 comes as IPv4, and without the zone of a link.
    """
    candidate = peer
    if settings.TRUSTED_PROXIES:
        hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
        if len(hops) >= settings.TRUSTED_PROXIES:
            candidate = hops[-settings.TRUSTED_PROXIES]
    try:
        address = ipaddress.ip_address((candidate or "").partition("%")[0])
    except ValueError:
        return None
    return str((address.version == 6 and address.ipv4_mapped) or address)


def new_request_id(offered: str = "") -> str:
    """The id a proxy gave, when it is of a harmless form; else a new one."""
    return offered if _REQUEST_ID.fullmatch(offered) else uuid4().hex


def agent_text(offered: str) -> str:
    """The User-Agent as far as it can be kept: 512 printable characters. PostgreSQL stores no U+0000."""
    return "".join(letter for letter in offered[:512] if letter.isprintable())


def visitor_of(request: HttpRequest) -> Actor:
    """Whoever made the request, before it is known who that is."""
    return Actor(
        address=client_address(request.META.get("REMOTE_ADDR"), request.headers.get("X-Forwarded-For", "")),
        user_agent=agent_text(request.headers.get("User-Agent", "")),
        request_id=new_request_id(request.headers.get("X-Request-Id", "")),
    )


def request_context(get_response: GetResponse) -> GetResponse:
    def middleware(request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        nobody = visitor_of(request)
        with actor.acting_as(nobody):
            response = get_response(request)
            response["X-Request-Id"] = nobody.request_id
            if request.path.startswith("/api/"):
                response.headers.setdefault("Cache-Control", PRIVATE)
            log.info(
                "request",
                extra={
                    "method": request.method,
                    "path": request.path,  # without the query, which may hold what people searched for
                    "status": response.status_code,
                    "ms": round((time.perf_counter() - started) * 1000, 1),
                },
            )
            return response

    return middleware


def csp_nonce(request: HttpRequest) -> dict[str, str]:
    """Template context: the nonce of this response's script and style elements."""
    return {"csp_nonce": getattr(request, "csp_nonce", "")}


def content_security_policy(get_response: GetResponse) -> GetResponse:
    def middleware(request: HttpRequest) -> HttpResponse:
        nonce = secrets.token_urlsafe(16)
        request.csp_nonce = nonce  # type: ignore[attr-defined]
        response = get_response(request)
        if "Content-Security-Policy" in response:
            return response  # a file's own, which is stricter
        # Signed addresses of files lead there, where they lie on S3.
        bucket = f" {settings.BUCKET_ORIGIN}" if settings.BUCKET_ORIGIN else ""
        response["Content-Security-Policy"] = "; ".join(
            [
                "default-src 'none'",
                f"script-src 'self' 'nonce-{nonce}'",
                f"style-src 'self' 'nonce-{nonce}'",
                f"img-src 'self' blob: data:{bucket}",
                f"media-src 'self' blob:{bucket}",
                "font-src 'self'",
                "connect-src 'self'",
                "manifest-src 'self'",
                "worker-src 'self'",
                "form-action 'self'",
                "base-uri 'none'",
                "frame-ancestors 'none'",
            ]
        )
        return response

    return middleware
