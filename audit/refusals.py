"""Refusals on record: somebody who is signed in asked for what he may see but not do."""

from __future__ import annotations

import logging
from typing import Any

from rest_framework.response import Response

from audit.record import record_aside
from samia_chat import actor, problems

log = logging.getLogger(__name__)


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: the problem, and for a 403 its record."""
    response = problems.handle(error, context)
    if response is not None and response.status_code == 403:
        request = context["request"]
        record_refusal(code=response.data["code"], what=f"{request.method} {request.path}")
    return response


def record_refusal(*, code: str, what: str) -> None:
    """Note a refusal of the current actor on a connection of its own. One that cannot be written is logged instead."""
    if actor.current().user_id is None:
        return
    try:
        record_aside("access.refused", code=code, what=what[:200])
    except Exception:
        log.exception("a refusal could not be recorded", extra={"code": code})
