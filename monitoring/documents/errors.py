"""docs/errors.md: every refusal, from its class."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from itertools import groupby, pairwise

from django.conf import settings

from monitoring.documents.markdown import code, table
from samia_chat.errors import Problem
from samia_chat.openapi import sentence

HEAD = """\
# Errors

Written by `manage.py documents --write` from the classes of refusals. Over REST each is an RFC 9457 problem
(`application/problem+json`) with these members:

| member | what it is |
| --- | --- |
| `type` | `urn:samia:problem:` and the code |
| `title`, `status` | the status, in words and as a number |
| `code` | stable: programs decide by it |
| `detail` | a sentence for people: the one below, or one that says more |
| `request_id` | names the request in the log; also the header `X-Request-Id` |
| `errors` | with `invalid`: what is wrong with which field |

`429` and `503` say in `Retry-After` how many seconds to wait. Over the socket a refusal is the frame `error` with `code`,
`detail` and, where there is something to wait for, `retry_after`.
"""


def text() -> str:
    parts = [HEAD]
    for status, problems in groupby(refusals(), key=lambda problem: problem.status):
        rows = [[code(problem.code), sentence(problem)] for problem in problems]
        parts.append(f"## Status {status}\n\n{table(['code', 'sentence'], rows)}\n")
    return "\n".join(parts)


def refusals() -> list[type[Problem]]:
    """Every class of refusal of the product, by status and code. Raises TypeError where two share a code."""
    import_module(settings.ROOT_URLCONF)  # and with the views everything that can refuse
    found = sorted(_ours(Problem), key=lambda problem: (problem.status, problem.code))
    for one, other in pairwise(found):
        if one.code == other.code:
            raise TypeError(f"{one.__name__} and {other.__name__} have one code: {one.code}")
    return found


def _ours(problem: type[Problem]) -> Iterator[type[Problem]]:
    for below in problem.__subclasses__():
        if below.__module__.split(".")[0] in settings.INSTALLED_APPS:  # a test may have its own
            yield below
        yield from _ours(below)
