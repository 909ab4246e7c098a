"""/docs: the API for people, and its two descriptions to download. For everybody, signed in or not."""

from __future__ import annotations

from django.db.transaction import non_atomic_requests
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe

from monitoring.reference import FILES, file, reference

HOUR = 3600  # seconds


def _etag(request: HttpRequest, name: str) -> str:
    return file(name).etag


@non_atomic_requests
@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Every operation and every frame, with fields, examples and refusals."""
    return render(request, "monitoring/docs.html", {"reference": reference()})


@non_atomic_requests
@require_safe
@cache_control(public=True, max_age=HOUR)
@condition(etag_func=_etag)
def download(request: HttpRequest, name: str) -> HttpResponse:
    """openapi.yaml or asyncapi.yaml as it is in docs/."""
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    return HttpResponse(file(name).content, content_type="application/yaml", headers=headers)


urlpatterns = [
    path("docs", docs),
    *(path(f"docs/{name}", download, {"name": name}) for name in FILES),
]
