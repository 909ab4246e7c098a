"""/docs and its downloads: for everybody, complete, and within the content security policy."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils.html import escape

from monitoring.reference import FILES
from monitoring.reference.fields import Shapes
from monitoring.reference.prose import inline, prose
from tests import frames
from tests.kernel.test_openapi import DOCUMENT


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def values(self, attribute: str) -> list[str]:
        return [found for _, attributes in self.elements if (found := attributes.get(attribute))]


@pytest.fixture
def text() -> str:
    answer = Client().get("/docs")
    assert answer.status_code == 200
    return answer.content.decode()


def test_every_operation_and_every_frame_is_on_the_page(text: str) -> None:
    ids = set(Page(text).values("id"))
    operations = {operation["operationId"] for path in DOCUMENT["paths"].values() for operation in path.values()}
    assert {f"op-{operation}" for operation in operations} <= ids
    assert {f"{side}-{kind}" for side in ("client", "server") for kind in frames.kinds(side)} <= ids
    for path in DOCUMENT["paths"]:
        assert escape(path) in text
    for entry in frames.document()["channels"]["chat"]["x-close-codes"]:
        assert f'<code class="name">{entry["code"]}</code>' in text


def test_ids_are_used_once_and_every_anchor_leads_somewhere(text: str) -> None:
    page = Page(text)
    ids = Counter(page.values("id"))
    assert [name for name, count in ids.items() if count > 1] == []
    assert {link[1:] for link in page.values("href") if link.startswith("#")} <= set(ids)


def test_nothing_on_the_page_needs_what_the_policy_forbids(text: str) -> None:
    for tag, attributes in Page(text).elements:
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert tag != "style"
        assert tag != "script" or attributes.get("src") or attributes.get("nonce")


def test_a_right_to_left_reader_gets_the_english_page_left_to_right() -> None:
    answer = Client(headers={"Accept-Language": "ar"}).get("/docs").content.decode()
    assert '<html lang="ar" dir="rtl">' in answer
    assert '<div class="docs" lang="en" dir="ltr">' in answer


@pytest.mark.parametrize("name", FILES)
def test_a_description_can_be_downloaded_and_is_kept_by_caches(name: str) -> None:
    client = Client()
    answer = client.get(f"/docs/{name}")
    assert answer.status_code == 200
    assert answer.content == (settings.BASE_DIR / "docs" / name).read_bytes()
    assert answer["Content-Type"] == "application/yaml"
    assert answer["Cache-Control"] == "public, max-age=3600"
    again = client.get(f"/docs/{name}", headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/docs", "/docs/openapi.yaml"])
def test_it_can_only_be_read(path: str) -> None:
    assert Client().head(path).status_code == 200
    assert Client(enforce_csrf_checks=False).post(path).status_code == 405


@pytest.mark.parametrize("path", ["/docs/", "/docs/settings.md", "/docs/../manage.py", "/docs/%2e%2e/manage.py"])
def test_nothing_else_is_handed_out(path: str) -> None:
    assert Client().get(path).status_code == 404


def test_the_commands_name_this_deployment(text: str) -> None:
    assert f"curl -X POST &quot;{settings.PUBLIC_ORIGINS[0]}/api/chat/sessions/$session/messages&quot;" in text


def test_text_of_descriptions_is_text() -> None:
    assert inline("a <b> `<i>`") == "a &lt;b&gt; <code>&lt;i&gt;</code>"
    assert prose("one\nline\n\n- a\n- b\n\n## C & D", anchors="x-") == (
        '<p>one line</p>\n<ul><li>a</li><li>b</li></ul>\n<h3 id="x-c-d">C &amp; D</h3>'
    )


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string", "format": "uuid"}, "UUID"),
        ({"type": ["string", "null"], "format": "date-time"}, "time or null"),
        ({"oneOf": [{"$ref": "#/components/schemas/SessionStatus"}, {"type": "null"}]}, "<code>active</code>"),
        ({"type": "integer", "minimum": 1, "maximum": 100}, "whole number 1 to 100"),
        ({"type": "array", "items": {"type": "boolean"}}, "list of true or false"),
        (
            {"type": "object", "propertyNames": {"format": "uuid"}, "additionalProperties": {"type": "integer"}},
            "object: UUID → whole number",
        ),
        ({"type": "string", "maxLength": 5}, "text of 0 to 5 characters"),
        ({}, "any JSON"),
    ],
)
def test_a_type_in_words(schema: dict[str, Any], words: str) -> None:
    assert words in Shapes(frames.document()).kind(schema)


def test_fields_below_references_lists_and_choices_are_found() -> None:
    shapes = Shapes(frames.document())
    resumed = {field.name: field for field in shapes.fields(frames.payload("server", "resumed"))}
    session = {field.name: field for field in resumed["sessions"].below}["session"]
    below = {field.name: field for field in session.below}
    assert [field.name for field in below["booking"].below][:2] == ["id", "client"]
    assert {field.name for field in resumed["cursors"].below} == {"unread", "users"}
    assert re.search("whole number|null", below["mine"].below[0].kind)
