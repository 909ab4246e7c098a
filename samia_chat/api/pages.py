"""Lists by opaque cursor: newest first, stable while rows arrive."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from rest_framework import serializers

from samia_chat.api.input import Query, QueryInt
from samia_chat.errors import Invalid

M = TypeVar("M", bound=Model)


class PageQuery(Query):
    """`?cursor=` and `?limit=` of a list."""

    cursor = serializers.RegexField(
        r"^[A-Za-z0-9_-]+$", required=False, max_length=300, help_text="`next` of the page before."
    )
    limit = QueryInt(required=False, min_value=1, max_value=100, default=50, help_text="At most so many on a page.")


def page(
    queryset: QuerySet[M], query: Mapping[str, Any], *, keys: Mapping[str, Callable[[str], Any]]
) -> tuple[list[M], str | None]:
    """One page of `queryset`, newest first by `keys`, and the cursor of the next page (None: this is the last).

    `keys` are one or two columns that together are unique, with what reads each back from text. The cursor holds the last
    row's: rows that arrive meanwhile shift nothing. Raises Invalid for a forged cursor.
    """
    limit = query["limit"]
    if query.get("cursor"):
        queryset = queryset.filter(_after(dict(zip(keys, _read_cursor(query["cursor"], keys.values()), strict=True))))
    rows = list(queryset.order_by(*(f"-{key}" for key in keys))[: limit + 1])
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], _write_cursor(getattr(last, key) for key in keys)


def _after(last: dict[str, Any]) -> Q:
    (first, one), *rest = last.items()
    if not rest:
        return Q(**{f"{first}__lt": one})
    second, two = rest[0]
    # Said so that the index on the first column bounds the scan.
    return Q(**{f"{first}__lte": one}) & (Q(**{f"{first}__lt": one}) | Q(**{f"{second}__lt": two}))


def _write_cursor(values: Iterable[Any]) -> str:
    text = "\n".join(value.isoformat() if isinstance(value, datetime) else str(value) for value in values)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str, parsers: Iterable[Callable[[str], Any]]) -> list[Any]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        return [parse(part) for parse, part in zip(parsers, text.split("\n"), strict=True)]
    except (ValueError, binascii.Error):
        raise Invalid("The cursor is not one of ours. Begin again without it.") from None
