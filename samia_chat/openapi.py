"""The OpenAPI document: what every operation has in common, said once.

A view says what is its own: request, answers, and with `refuses` its refusals. From those the document gets, for each
status, the codes that can come, as an enumeration: a code that is sent and not documented fails the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from http import HTTPStatus
from typing import Any, Literal, TypeVar

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse, inline_serializer
from rest_framework import serializers

from samia_chat import errors
from samia_chat.api.input import StrictChar
from samia_chat.problems import CONTENT_TYPE

NO_CONTENT = OpenApiResponse(description="Done.")
PROBLEM_FIELDS: dict[str, Any] = {
    "type": serializers.CharField(help_text="urn:samia:problem:<code>"),
    "title": serializers.CharField(help_text="The status in words."),
    "status": serializers.IntegerField(),
    "code": serializers.CharField(help_text="Stable: programs decide by it."),
    "detail": serializers.CharField(help_text="A sentence for people."),
    "request_id": serializers.CharField(help_text="Names this request in our log."),
    "errors": serializers.DictField(
        required=False, help_text="With `invalid`: what is wrong with which field, in sentences; nested as the body is."
    ),
    "reason": serializers.CharField(required=False, help_text="With `file_rejected`: why, as a code."),
}
Problem = inline_serializer("Problem", PROBLEM_FIELDS)

DESCRIPTION = """\
Sessions, messages, receipts, sync and sign-in, as JSON. The socket at `/ws/chat` is described in `docs/asyncapi.yaml`.

Sign in with `POST /api/auth/token` and send `Authorization: Bearer <access token>`, or use the session cookie with a CSRF
token. A body is one JSON object; fields and query parameters that are not described here are refused. Clients must let
further fields of answers pass.

Every error, on every path, is an RFC 9457 problem with a stable `code`; `docs/errors.md` lists them. What is invisible and what
is missing look the same: 404. What is seen but not allowed: 403. A wrong state: 409. `429` and `503` say in `Retry-After`
how long to wait. A fault of ours is a 500 with the code `server_error`. Every answer carries `X-Request-Id`, which names the
request in our log; one that is sent along, of 8 to 64 letters, digits, dots, dashes and underscores, is kept.

Ids are UUIDs in lower case, times RFC 3339 in UTC. Repeating a request that was carried out changes nothing.
"""
TAGS = {
    "auth": "Signing in and out: tokens, tickets for sockets, devices.",
    "me": "One's own account.",
    "bookings": "The mirror of the platform's bookings.",
    "sessions": "Sessions, their states and members.",
    "messages": "The thread of a session, and how far its members are.",
    "files": "Pictures, recordings, documents: sending and opening them.",
    "approvals": "Voice messages that staff must approve.",
    "sync": "What has changed since.",
    "audit": "The record.",
}
Direction = Literal["request", "response"]
Refusal = type[errors.Problem]
V = TypeVar("V", bound=Callable[..., Any])
S = TypeVar("S", bound=type[serializers.Serializer[Any]])
# Of every operation, and of those whose body is read.
ALWAYS: tuple[Refusal, ...] = (
    errors.Unreadable,
    errors.Invalid,
    errors.MethodNotAllowed,
    errors.TooFast,
    errors.Busy,
)
WITH_BODY: tuple[Refusal, ...] = (errors.Malformed, errors.UnsupportedMediaType)
HEADERS: dict[int, tuple[str, str]] = {
    401: ("WWW-Authenticate", "Bearer"),
    405: ("Allow", "The methods that this address knows."),
    416: ("Content-Range", "`bytes */` and the size of the file."),
    429: ("Retry-After", "Seconds to wait."),
    503: ("Retry-After", "Seconds to wait."),
}


def refuses(*problems: Refusal) -> Callable[[V], V]:
    """Name the refusals of an action beside those that all have. They are documented, and others fail the tests."""

    def mark(action: V) -> V:
        action.refusals = problems  # type: ignore[attr-defined]  # read by Schema below
        return action

    return mark


def shown(example: dict[str, Any]) -> Callable[[S], S]:
    """Give a serializer its example. It stands with the schema, once, and not with every operation."""

    def mark(serializer: S) -> S:
        serializer.example = example  # type: ignore[attr-defined]  # read by Schema below
        return serializer

    return mark


class Schema(AutoSchema):
    """Names without the suffixes of our classes, a summary from the first sentence, and the refusals of each operation."""

    def get_serializer_name(self, serializer: Any, direction: Direction) -> str:
        name: str = super().get_serializer_name(serializer, direction)
        return name.removesuffix("Schema").removesuffix("Input")

    def _is_list_view(self, serializer: Any = None) -> bool:
        return False  # our lists are pages, and their serializers say so

    def _map_serializer(self, serializer: Any, direction: Direction, bypass_extensions: bool = False) -> Any:
        schema = super()._map_serializer(serializer, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        kind = type(serializer) if isinstance(serializer, serializers.BaseSerializer) else serializer
        if not kind.__doc__:
            schema.pop("description", None)  # of the base class
        example = vars(kind).get("example")
        return {**schema, "examples": [deepcopy(example)]} if example else schema

    def get_summary(self) -> str:
        return self._sentences()[0]

    def get_description(self) -> str:  # type: ignore[override]  # DRF and drf-spectacular differ
        return self._sentences()[1]

    def _sentences(self) -> tuple[str, str]:
        first, _, rest = " ".join(super().get_description().split()).partition(". ")
        return first.rstrip("."), rest

    def _get_response_bodies(self, direction: Direction = "response") -> Any:
        responses = super()._get_response_bodies(direction)
        for status, found in responses.items():
            found["description"] = found["description"] or HTTPStatus(int(status)).phrase
        by_status: dict[int, list[Refusal]] = {}
        for problem in self._refusals():
            by_status.setdefault(problem.status, []).append(problem)
        responses |= {str(status): self._refusal(status, problems) for status, problems in by_status.items()}
        return dict(sorted(responses.items()))

    def _refusals(self) -> Iterable[Refusal]:
        view: Any = self.view  # a ViewSet, whose action DRF sets
        action = getattr(view, view.action)
        found = [*ALWAYS, *getattr(action, "refusals", ())]
        is_signed_in, is_write = bool(self.get_auth()), self.method not in ("GET", "HEAD")
        found += [errors.SignedOut, errors.AccountUnknown] * is_signed_in
        found += [errors.CSRFMissing] * (is_signed_in and is_write)
        found += [errors.NotFound] * ("{" in self.path) + [errors.TooLarge] * is_write
        if self.method in ("POST", "PUT", "PATCH") and self.get_request_serializer() is not None:
            found += WITH_BODY
        return dict.fromkeys(found)

    def _refusal(self, status: int, problems: list[Refusal]) -> dict[str, Any]:
        body = self._get_response_for_code(Problem, str(status), [CONTENT_TYPE])  # type: ignore[no-untyped-call]
        by_code = {problem.code: sentence(problem) for problem in problems}
        schema = {
            "allOf": [
                body["content"][CONTENT_TYPE]["schema"],
                {"properties": {"code": {"enum": sorted(by_code)}, "status": {"const": status}}},
            ]
        }
        found = {
            "description": "\n".join(f"- `{code}`: {text}" for code, text in sorted(by_code.items())),
            "content": {CONTENT_TYPE: {"schema": schema}},
        }
        if status in HEADERS:
            name, description = HEADERS[status]
            found["headers"] = {name: {"schema": {"type": "string"}, "required": True, "description": description}}
        return found


def sentence(problem: Refusal) -> str:
    """What people read: the first paragraph of the docstring."""
    return " ".join((problem.__doc__ or "").strip().split("\n\n")[0].split())


class ClosedInput(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Request bodies: unknown fields are refused."""

    target_class = "samia_chat.api.input.Input"
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> Any:
        schema = auto_schema._map_serializer(self.target, direction, True)  # type: ignore[no-untyped-call]
        return {**schema, "additionalProperties": False}


class Text(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Text of requests: its pattern."""

    target_class = "samia_chat.api.input.StrictChar"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> Any:
        field: StrictChar = self.target
        schema = auto_schema._map_serializer_field(field, direction, True)  # type: ignore[no-untyped-call]
        return {**schema, "pattern": field.pattern()}


def complete(result: dict[str, Any], generator: Any, **options: Any) -> dict[str, Any]:
    """Postprocessing hook: what stands above all operations, and each set of refusals once, under components."""
    result["info"]["description"] = DESCRIPTION
    result["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    named: dict[str, Any] = {}
    for operations in result["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if CONTENT_TYPE in response.get("content", {}):
                    name = ".".join([status, *_codes(response)])
                    named[name] = response
                    operation["responses"][status] = {"$ref": f"#/components/responses/{name}"}
    result["components"]["responses"] = dict(sorted(named.items()))
    return result


def _codes(response: Mapping[str, Any]) -> list[str]:
    codes: list[str] = response["content"][CONTENT_TYPE]["schema"]["allOf"][1]["properties"]["code"]["enum"]
    return codes
