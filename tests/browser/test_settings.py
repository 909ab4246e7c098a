"""The page of settings: what is one's own, on the account and on this device."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.looks import SIZES, in_looks
from tests.browser.tab import Tab
from tests.browser.test_looks import axe, choose
from tests.browser.test_talk import set_language
from tests.cast import PASSWORD, World, make_login
from tests.database import Truth

MakeTab = Callable[..., Tab]


def settings_of(client: Tab) -> Tab:
    client.page.goto("/settings")
    expect(client.page.locator("samia-devices li").first).to_be_visible()
    return client


def test_name_and_time_zone_are_kept(world: World, tab: MakeTab, truth: Truth) -> None:
    client = settings_of(tab(world.client))
    client.page.get_by_label("Name").fill("Lina of Beirut")
    client.page.get_by_label("Time zone").select_option("Asia/Beirut")
    client.page.get_by_role("button", name="Save").click()
    expect(client.page.locator(".toast")).to_contain_text("Saved.")
    row = truth.rows("SELECT display_name, timezone FROM accounts_user WHERE id = %s", world.client.pk)[0]
    assert row == {"display_name": "Lina of Beirut", "timezone": "Asia/Beirut"}


def test_another_device_is_signed_out(world: World, tab: MakeTab, truth: Truth) -> None:
    other = make_login(world.client)
    client = settings_of(tab(world.client))
    expect(client.page.locator("samia-devices li")).to_have_count(2)
    expect(client.page.locator("samia-devices li", has_text="This device").get_by_role("button")).to_have_count(0)
    client.page.locator("samia-devices").get_by_role("button", name="Sign out").click()
    expect(client.page.locator("samia-devices li")).to_have_count(1)
    assert truth.one("SELECT ended_at IS NOT NULL FROM accounts_login WHERE id = %s", other.pk)


def test_the_password_is_changed_by_who_knows_it(world: World, tab: MakeTab) -> None:
    client = settings_of(tab(world.client)).expects(r"status of 40[03]")
    page = client.page
    page.get_by_label("Present password").fill("not this one at all")
    page.get_by_label("New password").fill("another long enough one")
    page.get_by_role("button", name="Change the password").click()
    expect(page.locator(".toast")).to_contain_text("The present password is wrong.")
    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_role("button", name="Change the password").click()
    expect(page.locator(".toast").last).to_contain_text("Your password is changed.")
    expect(page.get_by_label("Present password")).to_have_value("")


def test_sounds_are_a_matter_of_the_device(world: World, tab: MakeTab) -> None:
    client = settings_of(tab(world.client))
    sounds = client.page.get_by_role("switch", name="A sound for new messages")
    expect(sounds).to_be_checked()
    sounds.uncheck()
    client.page.reload()
    expect(client.page.get_by_role("switch", name="A sound for new messages")).not_to_be_checked()


def test_who_is_not_signed_in_goes_to_the_door(world: World, tab: MakeTab) -> None:
    visitor = tab()
    visitor.page.goto("/settings")
    expect(visitor.page).to_have_url(f"{visitor.server.address}/sign-in?next=%2Fsettings")


@in_looks("desktop", "phone")
def test_axe_finds_nothing(size: str, language: str, theme: str, world: World, tab: MakeTab, truth: Truth) -> None:
    set_language(truth, world.client, language=language)
    client = settings_of(choose(tab(world.client, viewport=SIZES[size]), theme=theme, language=language))
    client.shoot(f"settings-{size}-{language}-{theme}")
    assert axe(client) == []
