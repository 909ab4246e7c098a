"""/healthz, /readyz and /metrics: for load balancers and Prometheus, outside of the API."""

from __future__ import annotations

import ipaddress
import secrets

import msgspec
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST
from psycopg_pool import PoolTimeout

from chat.live import runtime
from monitoring import gauges  # noqa: F401 (they are on the page of /metrics)
from monitoring import metrics as counted
from samia_chat import problems
from samia_chat.middleware import client_address


@transaction.non_atomic_requests
def healthz(request: HttpRequest) -> HttpResponse:
    """The process lives. Asks nothing else, so that a slow database does not get it restarted."""
    return _answer(200, {"status": "ok"})


@transaction.non_atomic_requests
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when it serves. "degraded": it serves, but alone, because Redis does not answer."""
    checks = {"database": _database(), "redis": _redis()}
    is_ready = checks["database"] == "ok"
    status = "ok" if set(checks.values()) <= {"ok", "unused"} else "degraded" if is_ready else "unavailable"
    return _answer(200 if is_ready else 503, {"status": status, "checks": checks})


@transaction.non_atomic_requests
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text, for a bearer of SAMIA_METRICS_TOKEN; without that setting for loopback addresses only."""
    if not _may_scrape(request):
        return problems.not_found(request, Exception())
    return HttpResponse(counted.page(), content_type=CONTENT_TYPE_LATEST)


def _may_scrape(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return secrets.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())
    address = client_address(request.META.get("REMOTE_ADDR"), request.headers.get("X-Forwarded-For", ""))
    return address is not None and ipaddress.ip_address(address).is_loopback


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, PoolTimeout):
        return "down"
    return "ok"


def _redis() -> str:
    if not settings.REDIS_URL:
        return "unused"
    running = runtime.current()
    return "ok" if running is not None and running.layer_is_up else "down"


def _answer(status: int, body: dict[str, object]) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(body), status=status, content_type="application/json")
