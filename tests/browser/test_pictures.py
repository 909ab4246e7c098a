"""Pictures of people: changed in the settings, and seen wherever letters were."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import FilePayload, Locator, expect

from accounts.models import User
from tests.browser.files import throttle, transfer
from tests.browser.looks import SIZES, in_looks
from tests.browser.tab import Tab
from tests.browser.test_looks import axe, choose
from tests.browser.test_settings import settings_of
from tests.browser.test_talk import set_language
from tests.cast import World, make_session
from tests.database import Truth
from tests.files import tone
from tests.rest import Api

MakeTab = Callable[..., Tab]


def face(colour: str = "#7c3aed") -> bytes:
    """Something like a person before a wall, not square, so that it shows whether the middle is taken."""
    drawn = Image.new("RGB", (900, 600), colour)
    pen = ImageDraw.Draw(drawn)
    pen.rectangle((0, 0, 120, 600), fill="#fbbf24")
    pen.ellipse((330, 110, 570, 350), fill="#fde7d3")
    pen.ellipse((250, 370, 650, 800), fill="#1e1b4b")
    made = io.BytesIO()
    drawn.save(made, "JPEG")
    return made.getvalue()


def payload(content: bytes, name: str = "me.jpg", mime_type: str = "image/jpeg") -> FilePayload:
    return {"name": name, "mimeType": mime_type, "buffer": content}


def give(person: User, colour: str) -> None:
    assert Api(person).change_avatar(face(colour)).status == 200


def own(one: Tab) -> Locator:
    return one.page.locator("samia-own-picture")


def pick(one: Tab, file: FilePayload) -> None:
    with one.page.expect_file_chooser() as chooser:
        own(one).get_by_role("button").first.click()
    chooser.value.set_files([file])


def is_shown(image: Locator) -> None:
    expect(image).to_have_js_property("naturalWidth", 256)


def test_a_picture_is_changed_seen_by_the_other_and_removed(world: World, tab: MakeTab) -> None:
    reader = tab(world.reader).open(world.session)
    places = [reader.page.locator(f"{place} .avatar img") for place in ("a.session", ".thread-head")]
    client = settings_of(tab(world.client))
    pick(client, payload(face()))
    expect(client.page.locator(".toast")).to_contain_text("Your picture is changed.")
    is_shown(own(client).locator("img"))
    for place in places:
        is_shown(place)  # told by the socket
    reader.page.reload()
    reader.live()
    for place in places:
        is_shown(place)
    reader.button("Details").click()
    for avatar in (reader.page.locator(".details-pane .avatar-xl img"), reader.page.locator(".people .avatar img")):
        is_shown(avatar)
    settings_of(client)
    is_shown(own(client).locator("img"))
    client.button("Remove").click()
    expect(client.page.locator(".toast")).to_contain_text("Your picture is removed.")
    expect(own(client).locator("img")).to_have_count(0)
    expect(client.button("Change picture")).to_be_focused()
    expect(reader.page.locator(".avatar img")).to_have_count(0)
    expect(reader.page.locator(".thread-head .avatar")).to_contain_text("C")


def test_it_stands_in_the_rail_and_with_staff(world: World, tab: MakeTab) -> None:
    give(world.monitor, "#0e7490")
    give(world.reader, "#be185d")
    voice = Api(world.reader).upload(world.session, tone(seconds=0.5), "voice.webm", kind="voice")
    assert voice.status == 201
    make_session(world.reader)
    monitor = tab(world.monitor).go("/approvals")
    is_shown(monitor.page.locator(".rail .avatar img"))
    is_shown(monitor.page.locator(".q-item .avatar img"))
    monitor.page.locator(".q-item").click()
    is_shown(monitor.page.locator(".thread-head .avatar img"))
    monitor.go("/live")
    # Of one person it is his picture, of two people their letters.
    alone = monitor.page.locator(".live-row").filter(has_not_text="Client")
    expect(monitor.page.locator(".live-row .avatar img")).to_have_count(1)
    is_shown(alone.locator(".avatar img"))


def test_one_that_is_dropped_is_taken(world: World, tab: MakeTab) -> None:
    client = settings_of(tab(world.client))
    carried = transfer(client, payload(face()))
    card = client.page.locator(".card").first
    card.dispatch_event("dragover", {"dataTransfer": carried})
    expect(own(client).locator(".who")).to_have_class("who is-target")
    card.dispatch_event("drop", {"dataTransfer": carried})
    is_shown(own(client).locator("img"))
    expect(own(client).locator(".who")).not_to_have_class("who is-target")
    # Elsewhere on the page nothing happens, and it does not open instead of the page.
    client.button("Remove").click()
    client.page.locator(".card").last.dispatch_event("drop", {"dataTransfer": carried})
    expect(own(client).locator("img")).to_have_count(0)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (payload(b"hello", "a.txt", "text/plain"), "This is no picture that can be shown."),
        (payload(b""), "This file is empty."),
        (payload(bytes(6 * 2**20)), "6 MB is too large. A picture may have up to 5 MB."),
        # What only the server finds out.
        (payload(b"hello"), "This is no picture that can be shown."),
        (payload(face()[:3000]), "This file is damaged and cannot be read."),
    ],
    ids=["type", "empty", "large", "text", "damaged"],
)
def test_what_is_refused_says_why(file: FilePayload, words: str, world: World, tab: MakeTab) -> None:
    client = settings_of(tab(world.client)).expects("status of 422")
    pick(client, file)
    expect(own(client).get_by_role("alert")).to_contain_text(words)
    expect(own(client).locator("img")).to_have_count(0)
    pick(client, payload(face()))
    is_shown(own(client).locator("img"))
    expect(own(client).locator("[role=alert]")).to_be_empty()


def test_one_that_is_on_its_way_shows_it_and_can_be_stopped(world: World, tab: MakeTab, truth: Truth) -> None:
    client = settings_of(tab(world.client))
    throttle(client, 20_000)
    noise = Image.effect_noise((900, 900), 90)  # of which JPEG makes little less
    made = io.BytesIO()
    noise.save(made, "JPEG", quality=95)
    pick(client, payload(made.getvalue()))
    expect(own(client).get_by_role("progressbar", name="Your picture is on its way")).to_be_visible()
    client.button("Cancel").click()
    expect(own(client).get_by_role("progressbar")).to_have_count(0)
    expect(client.button("Change picture")).to_be_focused()
    assert truth.one("SELECT avatar FROM accounts_user WHERE id = %s", world.client.pk) is None


def test_where_it_cannot_be_had_there_are_letters(world: World, tab: MakeTab) -> None:
    give(world.client, "#0e7490")
    reader = tab(world.reader).expects("Failed to load resource")
    reader.page.route("**/api/chat/files/*", lambda route: route.abort())
    reader.open(world.session)
    avatar = reader.page.locator(".thread-head .avatar")
    expect(avatar).to_contain_text("C")
    expect(avatar.locator("img")).to_have_js_property("naturalWidth", 0)
    box: Any = avatar.bounding_box()
    assert (box["width"], box["height"]) == (44, 44)


@in_looks("desktop", "phone")
def test_axe_finds_nothing(size: str, language: str, theme: str, world: World, tab: MakeTab, truth: Truth) -> None:
    name = f"{size}-{language}-{theme}"
    set_language(truth, world.client, language=language)
    give(world.client, "#4f46e5")
    give(world.reader, "#be185d")
    client = choose(tab(world.client, viewport=SIZES[size]), theme=theme, language=language)
    settings_of(client)
    is_shown(own(client).locator("img"))
    client.shoot(f"picture-settings-{name}")
    found = axe(client)
    pick(client, payload(b"hello", "a.txt", "text/plain"))
    expect(own(client).get_by_role("alert")).not_to_be_empty()
    client.shoot(f"picture-refused-{name}")
    found += axe(client)
    client.open(world.session)
    client.page.locator("[data-details]").click()
    is_shown(client.page.locator(".details-pane .avatar-xl img"))
    client.shoot(f"picture-thread-{name}")
    found += axe(client)
    client.go("/").live()
    is_shown(client.page.locator("a.session .avatar img"))
    client.shoot(f"picture-list-{name}")
    found += axe(client)
    assert not found, "\n".join(found)
