"""Pages as `./samia up` and an image serve them: static files collected, hashed and compressed, one script for each page."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Response, expect

from samia_chat import scripts
from tests.browser.files import picture, put
from tests.browser.tab import Tab
from tests.browser.voice import send_voice, slider
from tests.cast import World

MakeTab = Callable[..., Tab]


def test_each_bundle_is_made_of_the_modules_that_are_there() -> None:
    stale = [name for name, bundle in scripts.all_bundles().items() if scripts.is_stale(bundle)]
    assert stale == [], "run `npm ci && npm run bundle` in frontend/"


def test_each_module_that_a_template_names_has_a_bundle() -> None:
    templates = [path.read_text() for path in Path(settings.BASE_DIR).glob("templates/**/*.html")]
    named = {name for text in templates for name in re.findall(r'{% module "([^"]+)" %}', text)}
    assert named == set(scripts.all_bundles())


def test_a_changed_module_makes_its_bundle_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = scripts.all_bundles()["samia/door"]
    monkeypatch.setattr(settings, "BASE_DIR", tmp_path)
    place = f"samia_chat/static/bundles/{bundle['file']}"
    for source in (*bundle["sources"], place):
        (tmp_path / source).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / source).write_bytes((Path(__file__).parents[2] / source).read_bytes())
    monkeypatch.setattr(scripts, "found", lambda path: tmp_path / "samia_chat/static" / path)
    assert not scripts.is_stale(bundle)
    changed = tmp_path / bundle["sources"][0]
    changed.write_text(changed.read_text() + "\n")
    assert scripts.is_stale(bundle)
    changed.unlink()
    assert scripts.is_stale(bundle)


def test_a_talk_with_one_script_that_is_kept(world: World, tab: MakeTab) -> None:
    """Text, picture and voice, and the parts of the page that are loaded late where modules are served one by one."""
    client, reader = tab(world.client), tab(world.reader).open(world.session)
    answers: list[Response] = []
    client.page.on("response", lambda one: answers.append(one) if one.request.resource_type == "script" else None)
    client.open(world.session)
    pages = [one for one in answers if not one.url.endswith("/worker.js")]
    assert [re.sub(r".*/static/|\.[0-9a-f]{12}", "", one.url) for one in pages] == ["bundles/dashboard.js"]
    assert pages[0].headers["cache-control"] == "max-age=315360000, public, immutable"
    assert pages[0].headers["content-encoding"] == "gzip"
    client.say("hello")
    reader.sees("hello")
    put(world.client, world.session, picture(), "one.jpg")
    reader.page.locator(".shot").click()
    expect(reader.page.locator(".viewer img")).to_have_js_property("naturalWidth", 640)
    reader.page.keyboard.press("Escape")
    reader.page.locator("samia-thread-head [data-details]").click()
    expect(reader.page.locator("samia-details")).to_contain_text(world.client.display_name)


def test_staff_hear_approve_and_watch(world: World, tab: MakeTab) -> None:
    send_voice(world.reader, world.session)
    monitor = tab(world.monitor).go("/approvals")
    expect(monitor.page.locator("samia-approvals:defined")).to_be_attached()  # from then on there are keys
    monitor.page.keyboard.press("j")
    expect(slider(monitor.page.locator(".review .card"))).to_be_visible()
    monitor.page.keyboard.press("a")
    expect(monitor.page.locator(".toast")).to_contain_text("Approved.")
    monitor.go("/live")
    expect(monitor.page.locator("li.live-row button").first).to_be_visible()


def test_settings_come_to_life(world: World, tab: MakeTab) -> None:
    client = tab(world.client).go("/settings")
    expect(client.page.locator("samia-own-picture:defined")).to_be_attached()


def test_pages_are_compressed_and_their_secret_is_never_written_twice_alike(world: World, tab: MakeTab) -> None:
    client = tab(world.client).open(world.session)
    answers = [client.page.request.get(f"{client.server.address}/sessions/{world.session}") for _ in range(2)]
    tokens = [re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', one.text()) for one in answers]
    assert [one.headers["content-encoding"] for one in answers] == ["gzip", "gzip"]
    assert all(tokens)
    assert not set(tokens[0]) & set(tokens[1])
    assert "Accept-Encoding" in answers[0].headers["vary"]
