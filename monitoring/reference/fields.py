"""A JSON schema as a list of fields for people: names, types in words, what is below each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.html import escape, format_html_join
from django.utils.safestring import SafeString, mark_safe

from monitoring.reference.prose import inline

Schema = Mapping[str, Any]
FORMATS = {"uuid": "UUID", "date-time": "time", "email": "e-mail address", "uri": "address", "int64": "whole number"}
TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "object",
}


@dataclass(frozen=True, kw_only=True)
class Field:
    name: str
    kind: SafeString
    is_required: bool
    text: SafeString
    default: str
    below: list[Field] = field(default_factory=list)


class Shapes:
    """The schemas of one document, with its references."""

    def __init__(self, document: Schema) -> None:
        self._document = document

    def resolve(self, schema: Schema) -> Schema:
        """The schema behind references, what is said beside a reference included."""
        while "$ref" in schema:
            found: Any = self._document
            for name in schema["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            schema = {**found, **{key: value for key, value in schema.items() if key != "$ref"}}
        return schema

    def fields(self, schema: Schema) -> list[Field]:
        """The fields of an object, or of the objects in a list, in their order; those that must be there first."""
        found = self._object(schema)
        required = set(found.get("required", ()))
        properties = found.get("properties", {})
        names = sorted(properties, key=lambda name: name not in required)
        return [self.field(name, properties[name], is_required=name in required) for name in names]

    def field(self, name: str, schema: Schema, *, is_required: bool) -> Field:
        resolved = self.resolve(schema)
        default = resolved.get("default", self._one_of_one(resolved).get("default"))
        return Field(
            name=name,
            kind=self.kind(schema),
            is_required=is_required,
            text=inline(resolved.get("description", "")),
            default="" if default is None else _json(default),
            below=self.fields(schema),
        )

    def kind(self, schema: Schema) -> SafeString:
        """What a value can be, in words."""
        return format_html_join(" or ", "{}", ((words,) for words in dict.fromkeys(self._kinds(schema))))

    def _kinds(self, schema: Schema) -> Iterator[SafeString]:
        found = self.resolve(schema)
        for several in ("oneOf", "anyOf", "allOf"):
            if several in found:
                for part in found[several]:
                    yield from self._kinds(part)
                return
        if "const" in found:
            yield _code([found["const"]])
        elif "enum" in found:
            yield _code(found["enum"])
        else:
            for name in _types(found):
                yield self._of_type(name, found)

    def _of_type(self, name: str, schema: Schema) -> SafeString:
        if name == "null":
            return mark_safe("null")
        if name == "array":
            return mark_safe("list of ") + self.kind(schema.get("items", {}))
        if name == "object" and isinstance(schema.get("additionalProperties"), dict) and "properties" not in schema:
            keys = self.kind({"type": "string", **schema.get("propertyNames", {})})
            return mark_safe("object: ") + keys + mark_safe(" → ") + self.kind(schema["additionalProperties"])
        words = FORMATS.get(schema.get("format", ""), TYPES.get(name, name))
        return escape(" ".join(filter(None, [words, _bounds(schema)])))

    def _object(self, schema: Schema) -> Schema:
        """The object in a schema: itself, the one of its alternatives, or that of its items or values."""
        found = self.resolve(schema)
        inner = self._one_of_one(found)
        if inner is not found:
            return self._object(inner)
        if "properties" in found:
            return found
        for part in ("items", "additionalProperties"):
            if isinstance(found.get(part), dict) and found[part]:
                return self._object(found[part])
        return {}

    def _one_of_one(self, schema: Schema) -> Schema:
        for several in ("oneOf", "anyOf", "allOf"):
            for part in schema.get(several, ()):
                found = self.resolve(part)
                if found.get("type") != "null":
                    return found
        return schema


def _types(schema: Schema) -> list[str]:
    named = schema.get("type", "any JSON")
    return named if isinstance(named, list) else [named]


def _bounds(schema: Schema) -> str:
    said = []
    low, high = schema.get("minimum"), schema.get("maximum")
    if high is not None and high < 2**53:
        said.append(f"{low if low is not None else '…'} to {high}")
    elif low is not None:
        said.append(f"from {low}")
    shortest, longest = schema.get("minLength"), schema.get("maxLength")
    if longest == 0:
        said.append("that is empty")
    elif longest is not None:
        said.append(f"of {shortest or 0} to {longest} characters")
    if "maxProperties" in schema:
        said.append(f"of at most {schema['maxProperties']}")
    return ", ".join(said)


def _code(values: list[Any]) -> SafeString:
    return format_html_join(
        " ", "<code>{}</code>", ((_json(value) if value == "" else str(value),) for value in values)
    )


def _json(value: Any) -> str:
    return {True: "true", False: "false", "": '""'}.get(value, str(value))
