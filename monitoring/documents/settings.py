"""docs/settings.md: what the environment decides, read from the source of settings.py.

The source and not the values: a document of this deployment would be of no use to another. Each setting's sentence is the
comment on its line, or the comment above it.
"""

from __future__ import annotations

import ast
import inspect
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

from monitoring.documents.markdown import code, table
from samia_chat import settings as source

HEAD = """\
# Settings

Written by `manage.py documents --write` from `samia_chat/settings.py`. Each is read once, when a process starts; an
unknown name that begins with `SAMIA_` is refused. Any of them may also be given as a file,
`NAME_FILE=/run/secrets/name`: its text is the value.
"""
KINDS = {
    "env_text": "text",
    "env_int": "whole number",
    "env_bool": "1 or 0",
    "env_list": "list, comma separated",
}


@dataclass(frozen=True, kw_only=True)
class Setting:
    name: str
    default: str | None  # as Python writes it; None: it must be given
    kind: str
    what: str


@dataclass(frozen=True, kw_only=True)
class Comments:
    """By line: those behind code, those on lines of their own, and headings (comments that end with a rule)."""

    behind: dict[int, str]
    above: dict[int, str]
    headings: dict[int, str]


class Undocumented(Exception):
    """A setting has no comment."""


def text() -> str:
    parts = [HEAD]
    for title, settings in sections():
        rows = [[code(s.name), _default(s), s.kind, s.what] for s in settings]
        parts.append(f"## {title}\n\n{table(['name', 'default', 'kind', 'what it is'], rows)}\n")
    return "\n".join(parts)


def _default(setting: Setting) -> str:
    if setting.default is None:
        return "none: it must be given"
    return "empty" if setting.default == "" else code(setting.default)


def sections() -> list[tuple[str, list[Setting]]]:
    """The settings under the headings of settings.py, in its order. Raises Undocumented."""
    lines = inspect.getsource(source)
    comments = _comments(lines)
    found: dict[str, list[Setting]] = {}
    for node in ast.parse(lines).body:
        before = [title for line, title in comments.headings.items() if line < node.lineno]
        title = before[-1] if before else "The launcher"
        for setting in _settings(node, comments):
            found.setdefault(title, []).append(setting)
    return list(found.items())


def _comments(lines: str) -> Comments:
    found = Comments(behind={}, above={}, headings={})
    for token in tokenize.generate_tokens(io.StringIO(lines).readline):
        if token.type != tokenize.COMMENT:
            continue
        said, line = token.string.lstrip("# "), token.start[0]
        if said.endswith("---"):
            found.headings[line] = said.rstrip("- ")
        elif token.line.lstrip().startswith("#"):
            found.above[line] = said
        else:
            found.behind[line] = said
    return found


def _settings(node: ast.stmt, comments: Comments) -> Iterator[Setting]:
    if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Set):
        # _known: names that the product itself does not read
        for name in node.value.elts:
            yield Setting(name=ast.literal_eval(name), default="", kind="text", what=_said(name, comments))
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in KINDS:
            yield from _read(call, _said(node, comments))


def _read(call: ast.Call, what: str) -> Iterator[Setting]:
    assert isinstance(call.func, ast.Name)  # asked before
    default = ast.literal_eval(call.args[1]) if len(call.args) > 1 else None
    least = next((ast.literal_eval(word.value) for word in call.keywords if word.arg == "least"), None)
    kind = KINDS[call.func.id] + (f", at least {least}" if least is not None else "")
    names = [part.value for part in ast.walk(_names(call.args[0])) if isinstance(part, ast.Constant)]
    for name in names:
        shown = None if default is None else str(int(default) if isinstance(default, bool) else default)
        yield Setting(name=str(name), default=shown, kind=kind, what=what)


def _names(argument: ast.expr) -> ast.expr:
    """Of a choice between two names both, without the condition."""
    if isinstance(argument, ast.IfExp):
        return ast.Tuple(elts=[argument.orelse, argument.body])
    return argument


def _said(node: ast.stmt | ast.expr, comments: Comments) -> str:
    """The comment behind the last line of a setting, else the one above it. Raises Undocumented."""
    if node.end_lineno in comments.behind:
        return comments.behind[node.end_lineno]
    above: list[str] = []
    while (line := node.lineno - 1 - len(above)) in comments.above:
        above.insert(0, comments.above[line])
    if not above:
        raise Undocumented(f"{ast.unparse(node)} in settings.py has no comment that says what it is.")
    return " ".join(above)
