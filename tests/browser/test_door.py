"""The sign-in page in a browser: who comes in, in which language and theme, and where he arrives."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.tab import Tab
from tests.cast import PASSWORD, World
from tests.database import Truth

MakeTab = Callable[..., Tab]
DARK, LIGHT = "rgb(15, 23, 42)", "rgb(241, 244, 250)"


def sign_in(one: Tab, email: str, password: str = PASSWORD) -> None:
    one.page.get_by_label("Email").fill(email)
    one.page.locator("#password").fill(password)
    one.page.locator("button.btn-primary").click()


def cookie(one: Tab, name: str) -> dict[str, object]:
    return next(dict(found) for found in one.context.cookies() if found.get("name") == name)


def test_signing_in_leads_to_where_one_was_going(world: World, tab: MakeTab) -> None:
    visitor = tab().go(f"/sessions/{world.session}")
    expect(visitor.page).to_have_url(re.compile(rf"/sign-in\?next=%2Fsessions%2F{world.session}$"))
    expect(visitor.page.locator("#email")).to_be_focused()
    sign_in(visitor, "  CLIENT@example.test ".strip())
    expect(visitor.page).to_have_url(re.compile(f"/sessions/{world.session}$"))
    visitor.live()
    visitor.say("I am in")
    visitor.sees("I am in", tick="Sent")
    session, device = cookie(visitor, "samia_session"), cookie(visitor, "samia_device")
    assert (session["httpOnly"], session["sameSite"]) == (True, "Lax")
    assert (device["httpOnly"], device["sameSite"]) == (True, "Lax")
    assert str(world.client.pk) not in cookie(visitor, "samia_session")["value"]  # type: ignore[operator]
    visitor.go("/sign-in")
    expect(visitor.page).to_have_url(re.compile("/$"))


def test_keep_me_signed_in(world: World, tab: MakeTab) -> None:
    for is_kept in (True, False):
        visitor = tab().go("/sign-in")
        visitor.page.get_by_label("Keep me signed in").set_checked(is_kept)
        sign_in(visitor, "client@example.test")
        visitor.live()
        # -1: until the browser closes
        assert (cookie(visitor, "samia_session")["expires"] != -1) is is_kept


def test_a_wrong_password_is_one_sentence(world: World, tab: MakeTab) -> None:
    visitor = tab().go("/sign-in").expects("401")
    for email, password in [("client@example.test", "wrong"), ("nobody@example.test", PASSWORD)]:
        sign_in(visitor, email, password)
        alert = visitor.page.get_by_role("alert")
        expect(alert).to_have_text("The email or the password is wrong.")
        expect(visitor.page.locator("#email")).to_have_value(email)
        expect(visitor.page.locator("#password")).to_have_value("")
        expect(visitor.page.locator("#password")).to_be_focused()


def test_the_password_can_be_shown(world: World, tab: MakeTab) -> None:
    visitor = tab().go("/sign-in")
    button = visitor.page.get_by_role("button", name="Show password")
    visitor.page.locator("#password").fill("secret")
    button.click()
    expect(visitor.page.locator("#password")).to_have_attribute("type", "text")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(visitor.page.locator("#password")).to_have_attribute("type", "password")


def test_the_language_chosen_at_the_door_goes_along(world: World, tab: MakeTab, truth: Truth) -> None:
    visitor = tab().go(f"/sign-in?next=/sessions/{world.session}")
    visitor.page.get_by_role("button", name="العربية").click()
    expect(visitor.page.locator("html")).to_have_attribute("dir", "rtl")
    expect(visitor.page.get_by_role("heading")).to_have_text("أهلاً بعودتك")
    visitor.page.locator("#email").fill("client@example.test")
    visitor.page.locator("#password").fill(PASSWORD)
    visitor.page.locator("button.btn-primary").click()
    expect(visitor.page).to_have_url(re.compile(f"/sessions/{world.session}$"))
    expect(visitor.page.locator("html")).to_have_attribute("lang", "ar")
    visitor.live()
    language = "SELECT language FROM accounts_user WHERE id = %s"
    assert truth.one(language, world.client.pk) == "ar"
    visitor.page.locator("nav").get_by_role("button", name="English").click()
    expect(visitor.page.locator("html")).to_have_attribute("lang", "en")
    expect(visitor.page).to_have_url(re.compile(f"/sessions/{world.session}$"))
    assert truth.one(language, world.client.pk) == "en"
    # The next person on this device does not inherit the language of the one before.
    truth.without_triggers("UPDATE accounts_user SET language = 'ar' WHERE id = %s", world.reader.pk)
    visitor.live().page.get_by_role("button", name="Sign out").click()
    sign_in(visitor, "reader@example.test")
    expect(visitor.page.locator("html")).to_have_attribute("lang", "ar")
    visitor.live()


def test_the_theme_is_there_at_the_first_paint(world: World, tab: MakeTab) -> None:
    client = tab(world.client, color_scheme="light").go("/").live()
    background = "getComputedStyle(document.body).backgroundColor"
    switch = client.page.locator("nav [data-theme-switch]")
    expect(switch).to_have_accessible_name("Theme: dark")
    assert client.page.evaluate(background) == DARK
    for name, colour in [("light", LIGHT), ("as the device", LIGHT), ("dark", DARK), ("light", LIGHT)]:
        switch.click()
        expect(switch).to_have_accessible_name(f"Theme: {name}")
        assert client.page.evaluate(background) == colour
    # The same cookie without any script: nothing has to run before the page is painted.
    painted = tab(world.client, java_script_enabled=False, color_scheme="dark")
    for theme, colour in [("light", LIGHT), ("system", DARK), ("dark", DARK), ("nonsense", DARK)]:
        painted.context.add_cookies([{"name": "samia_theme", "value": theme, "url": painted.server.address}])
        painted.go("/")
        seen = painted.page.locator("body").evaluate("(body) => getComputedStyle(body).backgroundColor")
        assert seen == colour, theme
