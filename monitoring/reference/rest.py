"""The operations of docs/openapi.yaml by tag: parameters, bodies, answers, refusals, an example for the shell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from monitoring.reference.fields import Field, Shapes
from monitoring.reference.prose import inline, prose
from samia_chat import errors
from samia_chat.openapi import ALWAYS, WITH_BODY

# Of them every operation has those that can come up; the page says them once.
_COMMON: tuple[type[errors.Problem], ...] = (
    *ALWAYS,
    *WITH_BODY,
    errors.SignedOut,
    errors.CSRFMissing,
    errors.TooLarge,
)
COMMON = {problem.code for problem in _COMMON}
JSON = "application/json"
PROBLEM = "application/problem+json"


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: str  # several where they answer alike
    text: SafeString
    fields: list[Field]
    headers: list[Field]
    example: str


@dataclass(frozen=True, kw_only=True)
class Refusal:
    status: str
    code: str
    text: SafeString


@dataclass(frozen=True, kw_only=True)
class Operation:
    id: str
    method: str
    path: str
    summary: SafeString
    text: SafeString
    is_public: bool
    parameters: list[tuple[str, list[Field]]]  # by place: path, query
    body: list[Field]
    answers: list[Answer]
    refusals: list[Refusal]
    curl: str


@dataclass(frozen=True, kw_only=True)
class Group:
    name: str
    text: SafeString
    operations: list[Operation]


def groups(document: dict[str, Any], origin: str) -> list[Group]:
    reader = _Reader(document, origin)
    return [
        Group(name=tag["name"], text=inline(tag["description"]), operations=list(reader.operations(tag["name"])))
        for tag in document["tags"]
    ]


class _Reader:
    def __init__(self, document: dict[str, Any], origin: str) -> None:
        self._document = document
        self._origin = origin
        self._shapes = Shapes(document)

    def operations(self, tag: str) -> Iterator[Operation]:
        for path, by_method in self._document["paths"].items():
            for method, found in by_method.items():
                if tag in found["tags"]:
                    yield self._operation(method.upper(), path, found)

    def _operation(self, method: str, path: str, found: dict[str, Any]) -> Operation:
        body = found.get("requestBody", {}).get("content", {}).get(JSON, {}).get("schema", {})
        return Operation(
            id=found["operationId"],
            method=method,
            path=path,
            summary=inline(found["summary"]),
            text=prose(found.get("description", "")),
            is_public=not found.get("security"),
            parameters=list(self._parameters(found.get("parameters", []))),
            body=self._shapes.fields(body),
            answers=list(self._answers(found["responses"])),
            refusals=[refusal for refusal in self._refusals(found["responses"]) if refusal.code not in COMMON],
            curl=self._curl(method, path, found, self._example(body)),
        )

    def _parameters(self, given: list[dict[str, Any]]) -> Iterator[tuple[str, list[Field]]]:
        for place, title in (("path", "In the path"), ("query", "In the query")):
            found = [
                self._shapes.field(
                    each["name"],
                    {**each["schema"], "description": each.get("description", "")},
                    is_required=each.get("required", False),
                )
                for each in given
                if each["in"] == place
            ]
            if found:
                yield title, found

    def _answers(self, responses: dict[str, Any]) -> Iterator[Answer]:
        alike: dict[str, tuple[list[str], dict[str, Any], list[str]]] = {}
        for status, response in responses.items():
            if status < "400":
                found = self._shapes.resolve(response)
                schema = found.get("content", {}).get(JSON, {}).get("schema", {})
                statuses, headers, said = alike.setdefault(json.dumps(schema), ([], {}, []))
                statuses.append(status)
                headers.update(found.get("headers", {}))
                said.append(found["description"])
        for text, (statuses, headers, said) in alike.items():
            schema = json.loads(text)
            yield Answer(
                status=" or ".join(statuses),
                text=inline(", ".join(said)),
                fields=self._shapes.fields(schema),
                headers=[
                    self._shapes.field(
                        name, {**header["schema"], "description": header["description"]}, is_required=False
                    )
                    for name, header in headers.items()
                ],
                example=_pretty(self._example(schema)),
            )

    def _refusals(self, responses: dict[str, Any]) -> Iterator[Refusal]:
        for status, response in responses.items():
            found = self._shapes.resolve(response)
            if PROBLEM in found.get("content", {}):
                for line in found["description"].splitlines():
                    code, _, text = line.removeprefix("- `").partition("`: ")
                    yield Refusal(status=status, code=code, text=inline(text))

    def _example(self, schema: dict[str, Any]) -> Any:
        examples = self._shapes.resolve(schema).get("examples", [])
        return examples[0] if examples else None

    def _curl(self, method: str, path: str, found: dict[str, Any], body: Any) -> str:
        """A command for the shell; what stands in braces in the path are variables there."""
        words = ["curl"] if method == "GET" else ["curl", "-X", method]
        lines = [" ".join([*words, f'"{self._origin}{path.replace("{", "$")}"'.replace("}", "")])]
        if found.get("security"):
            lines.append('-H "Authorization: Bearer $access"')
        if body is not None:
            quoted = json.dumps(body, ensure_ascii=False).replace("'", "'\\''")
            lines += ['-H "Content-Type: application/json"', f"-d '{quoted}'"]
        return " \\\n  ".join(lines)


def _pretty(example: Any) -> str:
    return "" if example is None else json.dumps(example, indent=2, ensure_ascii=False)
