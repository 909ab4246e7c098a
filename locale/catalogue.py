"""The catalogues, without gettext's tools: `python locale/catalogue.py` brings every .po up to date with the sources and
compiles it. A text that is new comes in empty; tests/kernel/test_catalogue.py fails until it is translated."""

from __future__ import annotations

import ast
import re
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PACKAGES = ("samia_chat", "accounts", "audit", "storage", "chat", "monitoring")
SINGULAR = {"_", "gettext", "gettext_lazy", "gettext_noop"}
PLURAL = {"ngettext", "ngettext_lazy", "_counted"}
IN_TEMPLATE = re.compile(r"""{%\s*translate\s+"([^"]*)"\s*%}""")

Key = tuple[str, ...]  # the text, or its singular and plural


@dataclass
class Catalogue:
    """A .po file: its header, and the translations of each text (one, or one for each plural form)."""

    header: str
    entries: dict[Key, list[str]] = field(default_factory=dict)

    @property
    def forms(self) -> int:
        """How many plural forms the language has."""
        found = re.search(r"nplurals=(\d+)", self.header)
        assert found, "the header names no plural forms"
        return int(found[1])


def sources() -> set[Key]:
    """Every text that the product asks for."""
    found: set[Key] = set()
    for path in (ROOT / "templates").rglob("*.html"):
        found |= {(text,) for text in IN_TEMPLATE.findall(path.read_text())}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            found |= set(_in_python(path.read_text()))
    return found


def _in_python(source: str) -> Iterator[Key]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            texts = tuple(_constants(node.args))
            if (node.func.id in SINGULAR and len(texts) == 1) or (node.func.id in PLURAL and len(texts) == 2):
                yield texts
        elif isinstance(node, ast.Assign) and [ast.unparse(name) for name in node.targets] == ["PLURALS"]:
            yield from ast.literal_eval(node.value)


def _constants(arguments: list[ast.expr]) -> Iterator[str]:
    for argument in arguments:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            yield argument.value


# Reading and writing ----------------------------------------------------------------------------------------------------


def read(path: Path) -> Catalogue:
    """Read a .po file as `write` writes them. Raises ValueError for anything else: a fuzzy entry, a context."""
    header, entries = "", {}
    for block in path.read_text().strip().split("\n\n"):
        fields: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            if line.startswith("# "):
                continue
            match = re.fullmatch(r'(msgid|msgid_plural|msgstr(?:\[\d\])?)?\s*"(.*)"', line)
            if match is None:
                raise ValueError(f"{path.name}: {line!r} is not understood")
            name = match[1] or name
            fields[name] = fields.get(name, "") + ast.literal_eval(f'"{match[2]}"')
        key = tuple(fields.pop(part) for part in ("msgid", "msgid_plural") if part in fields)
        if key == ("",):
            header = fields["msgstr"]
        else:
            entries[key] = list(fields.values())
    return Catalogue(header, entries)


def write(catalogue: Catalogue, path: Path) -> None:
    blocks = ['msgid ""\nmsgstr ""\n' + "\n".join(_quote(line) for line in catalogue.header.splitlines(keepends=True))]
    for key, translations in sorted(catalogue.entries.items()):
        lines = [f"msgid {_quote(key[0])}"]
        if len(key) == 1:
            lines.append(f"msgstr {_quote(translations[0])}")
        else:
            lines.append(f"msgid_plural {_quote(key[1])}")
            lines += [f"msgstr[{number}] {_quote(text)}" for number, text in enumerate(translations)]
        blocks.append("\n".join(lines))
    path.write_text("\n\n".join(blocks) + "\n")


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def compiled(catalogue: Catalogue) -> bytes:
    """The catalogue as a .mo file: two tables of lengths and offsets, sorted, then the texts."""
    texts = {b"": catalogue.header.encode()}
    for key, translations in catalogue.entries.items():
        if all(translations):
            texts["\0".join(key).encode()] = "\0".join(translations).encode()
    keys = sorted(texts)
    ids = b"".join(key + b"\0" for key in keys)
    start = 7 * 4
    ids_at = start + 16 * len(keys)
    strings_at = ids_at + len(ids)
    id_table, string_table, strings, offset = [], [], b"", 0
    for key in keys:
        id_table += [len(key), ids_at + offset]
        offset += len(key) + 1
        string_table += [len(texts[key]), strings_at + len(strings)]
        strings += texts[key] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(keys), start, start + 8 * len(keys), 0, 0)
    return head + struct.pack(f"<{4 * len(keys)}I", *id_table, *string_table) + ids + strings


def main() -> int:
    missing = 0
    for path in sorted(HERE.glob("*/LC_MESSAGES/django.po")):
        catalogue = read(path)
        wanted = sources()
        catalogue.entries = {
            key: catalogue.entries.get(key, [""] * (1 if len(key) == 1 else catalogue.forms)) for key in wanted
        }
        write(catalogue, path)
        path.with_suffix(".mo").write_bytes(compiled(catalogue))
        untranslated = [key[0] for key, texts in sorted(catalogue.entries.items()) if not all(texts)]
        missing += len(untranslated)
        for text in untranslated:
            print(f"{path.relative_to(ROOT)}: not translated: {text}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
