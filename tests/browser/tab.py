"""A person in a browser: his own context, his own cookies, and everything the browser complains about."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    FilePayload,
    Locator,
    Page,
    Response,
    expect,
)

from accounts.middleware import SESSION_KEY
from accounts.models import Login, User
from accounts.services.sign_in import start_login
from samia_chat import actor
from samia_chat.actor import Actor
from tests.server import Server

ARTEFACTS = Path(__file__).resolve().parent.parent / "artefacts"
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
TABLET = {"width": 820, "height": 1180}
LIVE_SECONDS = 30.0  # a page that waits for its next attempt to connect does so for a while
# The console says it for every attempt while the server is away; the page says it once, and calmly.
SERVER_AWAY = r"WebSocket connection to .* failed|Failed to load resource: net::ERR_(CONNECTION_|INTERNET_|EMPTY_)"
# A violation of the policy is an event; the console's own message names no directive.
TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""


class Tab:
    def __init__(self, browser: Browser, server: Server, person: User | None = None, **options: Any) -> None:
        self.server = server
        self.person = person
        self.problems: list[str] = []
        self.policies: list[tuple[str, str]] = []
        self._expected: list[str] = []
        options.setdefault("viewport", DESKTOP)
        options.setdefault("locale", "en-GB")
        self.context = browser.new_context(base_url=server.address, reduced_motion="reduce", **options)
        self.context.set_default_timeout(10_000)
        if person is not None:
            self.login_id = self._sign_in(person)
        self.page = self.another_page()

    def another_page(self) -> Page:
        page = self.context.new_page()
        page.add_init_script(TELL_VIOLATIONS)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error} {error.stack}"))
        page.on("response", self._response)
        return page

    def _sign_in(self, person: User) -> UUID:
        """As the sign-in page does it. That page has tests of its own."""
        with actor.acting_as(Actor(address="127.0.0.1")):
            login = start_login(user=person, kind=Login.Kind.COOKIE)
            store = import_module(settings.SESSION_ENGINE).SessionStore()
            store[SESSION_KEY] = str(login.pk)
            store.create()
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": store.session_key, "url": self.server.address}
        self.context.add_cookies([cookie])  # type: ignore[list-item]
        return login.pk

    def expects(self, *patterns: str) -> Tab:
        """Complaints of the browser that belong to this test."""
        self._expected += patterns
        return self

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def _response(self, response: Response) -> None:
        if response.request.resource_type == "document":
            self.policies.append((response.url, response.headers.get("content-security-policy", "")))

    @property
    def unexpected(self) -> list[str]:
        return [one for one in self.problems if not any(re.search(pattern, one) for pattern in self._expected)]

    # Where one is ----------------------------------------------------------------------------------------------------

    def go(self, path: str = "/") -> Tab:
        self.page.goto(path)
        return self

    def open(self, session: UUID) -> Tab:
        """Go to a session's address, and wait until its thread is live."""
        self.go(f"/sessions/{session}")
        return self.live()

    def live(self) -> Tab:
        """Wait until the page is connected and level."""
        self.page.wait_for_selector("samia-banner[data-state=level]", state="attached", timeout=LIVE_SECONDS * 1000)
        return self

    # What one sees ---------------------------------------------------------------------------------------------------

    @property
    def messages(self) -> Locator:
        return self.page.locator("samia-message")

    def message(self, text: str) -> Locator:
        """The message with this text; quotes of it do not count."""
        return self.messages.filter(has=self.page.locator(".body", has_text=text))

    def texts(self) -> list[str]:
        """The texts of the thread, in order."""
        return self.page.locator("samia-message .body p").all_inner_texts()

    def sees(self, text: str, *, tick: str | None = None) -> Locator:
        """Wait for a message, and for how far it has come."""
        found = self.message(text)
        expect(found).to_have_count(1)
        if tick is not None:
            expect(found.locator(".meta [role=img]")).to_have_attribute("aria-label", tick)
        return found

    @property
    def voices(self) -> Locator:
        """The messages with a recording."""
        return self.messages.filter(has=self.page.locator("samia-player"))

    def row(self, name: str) -> Locator:
        is_named = self.page.locator(".session-name").get_by_text(name, exact=True)
        return self.page.locator("a.session").filter(has=is_named)

    # What one does ---------------------------------------------------------------------------------------------------

    @property
    def box(self) -> Locator:
        return self.page.locator("samia-composer textarea")

    def say(self, text: str) -> None:
        self.box.fill(text)
        self.box.press("Enter")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def record(self, seconds: float = 1.2) -> None:
        """Begin a voice message, and let some time pass."""
        self.button("Record a voice message").click()
        expect(self.button("Pause").first).to_be_visible()
        self.page.wait_for_timeout(seconds * 1000)

    def attach(self, *files: FilePayload) -> None:
        """Choose files, as the button does."""
        with self.page.expect_file_chooser() as chooser:
            self.button("Attach files").click()
        chooser.value.set_files(list(files))

    def act(self, text: str, name: str) -> None:
        """Choose something from a message's menu."""
        message = self.message(text)
        message.hover()
        message.get_by_role("button", name="More").click()
        self.page.get_by_role("menuitem", name=name).click()

    def shoot(self, name: str) -> Path:
        """Draw the page as it is into tests/artefacts/, without a blinking cursor."""
        ARTEFACTS.mkdir(exist_ok=True)
        path = ARTEFACTS / f"{name}.png"
        self.page.evaluate("document.fonts.ready")
        self.page.screenshot(path=path, caret="hide", animations="disabled")
        return path
