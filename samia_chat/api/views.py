"""The base of REST views, and the rates they count against."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request
from rest_framework.viewsets import ViewSet as DRFViewSet

from samia_chat import actor
from samia_chat.errors import Invalid, TooFast
from samia_chat.limits import limiter


class ViewSet(DRFViewSet):
    """Counts the request against its user's rate, refuses unknown query parameters, then runs the action."""

    http_method_names = ["get", "post", "put", "patch", "delete", "head"]
    # The query parameters of each action; others are refused, so that a misspelt filter never returns everything.
    query_parameters: Mapping[str, frozenset[str]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        kind = "read" if request.method in ("GET", "HEAD") else "write"
        key = str(request.user.pk) if request.user else f"address:{actor.current().address}"
        throttle(kind, key)
        if request.method not in self.allowed_methods:
            return  # 405 follows, whatever else is wrong with it
        unknown = set(request.query_params) - self.query_parameters.get(self.action or "", frozenset())
        if unknown:
            raise Invalid("Unknown query parameter.", errors={name: ["Unknown."] for name in sorted(unknown)})


def throttle(kind: str, key: str) -> None:
    """Take one token of a rate. Raises TooFast with the time to wait."""
    wait = limiter.take(kind, key)
    if wait > 0:
        raise TooFast(retry_after=wait)
