"""Request bodies and queries: what is of the documented form, and nothing else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from django.http import QueryDict
from rest_framework import serializers

# Control characters, line separators, and what reorders or hides what follows: with one of the latter a name can pass for
# another. The inside of a character class, the same in Python and in the schemas that clients read.
_NOT_IN_NAMES = r"\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"


class Input(serializers.Serializer[Any]):
    """A request body: unknown fields are refused, so that a misspelt or forged one is never taken for accepted."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = sorted(set(data) - set(self.fields))
            if unknown:
                raise serializers.ValidationError({name: ["Unknown field."] for name in unknown})
        return super().to_internal_value(data)

    @classmethod
    def of(cls, data: Any, **options: Any) -> dict[str, Any]:
        """The validated fields of a body or query. Raises ValidationError."""
        serializer = cls(data=data, **options)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


class Query(serializers.Serializer[Any]):
    """The query parameters of a list, each given once. Which there are says the view."""

    @classmethod
    def of(cls, given: QueryDict) -> dict[str, Any]:
        """The validated parameters. Raises ValidationError."""
        # As a plain dictionary: from a QueryDict, DRF takes an empty parameter for one that is not there.
        serializer = cls(data=once(given))
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


def once(given: Any) -> dict[str, Any]:
    """The fields of a query or a form as a plain dictionary; a request without a body has none.

    Raises ValidationError where one is given twice.
    """
    if not isinstance(given, QueryDict):
        return {}
    repeated = sorted(name for name in given if len(given.getlist(name)) > 1)
    if repeated:
        raise serializers.ValidationError({name: ["Give it once."] for name in repeated})
    fields: dict[str, Any] = given.dict()
    return fields


class StrictChar(serializers.CharField):
    """Text that is text: no numbers or booleans turned into it, and nothing trimmed behind the sender's back."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("trim_whitespace", False)
        super().__init__(**options)

    def pattern(self) -> str:
        """What its text matches if it is not empty, for schemas. PostgreSQL stores no U+0000, and DRF refuses it."""
        return r"^[^\u0000]+$"

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictInt(serializers.IntegerField):
    """A whole number that PostgreSQL's bigint can hold; no text, no booleans, no fractions. JSON's 7.0 is the number 7."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_value", 2**63 - 1)
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, float) and data.is_integer():
            data = int(data)
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class QueryInt(serializers.IntegerField):
    """A whole number in a query, in the digits 0 to 9. Python's int() reads other scripts' and skips white space, too."""

    def to_internal_value(self, data: Any) -> int:
        if not re.fullmatch(r"-?[0-9]{1,19}", str(data)):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class StrictUUID(serializers.UUIDField):
    """A UUID as text. DRF's field also takes any whole number for one."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or len(data) not in (32, 36):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class StrictBool(serializers.BooleanField):
    """true or false. DRF's field also takes "yes", 1 and their like."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class NameField(StrictChar):
    """A name or title on one line: composed (NFC), trimmed, without control and direction characters."""

    def pattern(self) -> str:
        any_of, solid = f"[^{_NOT_IN_NAMES}]", rf"[^\s{_NOT_IN_NAMES}]"
        return f"^{any_of}+$" if self.allow_blank else f"^{any_of}*{solid}{any_of}*$"

    def to_internal_value(self, data: Any) -> str:
        name = unicodedata.normalize("NFC", super().to_internal_value(data))
        if re.search(f"[{_NOT_IN_NAMES}]", name):
            raise serializers.ValidationError("Control and direction characters are not allowed.")
        name = name.strip()
        if not name and not self.allow_blank:
            self.fail("blank")
        return name
