"""docs/openapi.yaml, by drf-spectacular. What it would only warn of is an error here."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import translation
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.validation import validate_schema

HEADER = "# Written by `manage.py documents --write` from the views and serializers.\n"


class Unclean(Exception):
    """drf-spectacular found something that it cannot describe."""


def schema() -> dict[str, Any]:
    """The document as data. Raises Unclean, and ValidationError of drf-spectacular's schema of OpenAPI."""
    # The names of roles and states are translated; the document is in English whoever asks.
    with translation.override(settings.LANGUAGE_CODE), GENERATOR_STATS.silence():
        generator = SchemaGenerator()  # type: ignore[no-untyped-call]
        found: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    said = [*GENERATOR_STATS._warn_cache, *GENERATOR_STATS._error_cache]
    if said:
        raise Unclean("\n".join(map(str, said)))
    validate_schema(found)  # type: ignore[no-untyped-call]
    return found


def text() -> str:
    rendered: bytes = OpenApiYamlRenderer().render(schema(), renderer_context={})  # type: ignore[no-untyped-call]
    return HEADER + rendered.decode()
