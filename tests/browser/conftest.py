"""Real browsers against a real server process on the test's database."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from accounts.models import User
from samia_chat.embedded import static_files
from tests.browser.tab import Tab
from tests.server import Server

# The first is Chromium without what draws windows; it takes less of the processor.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
    # A microphone that beeps, and nobody who has to allow it.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    # It reaches nothing but this machine, whatever a page asks for.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for this folder.

    Playwright's loop runs in this thread for as long as it lives, which Django takes for a view that blocks one; and
    `async def` tests need a thread without a loop. So both end with the folder, and no test here is `async def`.
    """
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert program, f"the browser tests need one of {', '.join(BROWSERS)}"
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def collected(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of static files as `./samia up` and an image serve them."""
    folder = str(tmp_path_factory.mktemp("static"))
    static_files.collect({**os.environ, "SAMIA_STATIC": folder})
    return folder


@pytest.fixture(scope="package")
def servers(collected: str) -> Iterator[Callable[[str], Server]]:
    """Servers of this folder by where their static files lie, each started when it is first asked for.

    Heartbeats come often, so that what is lost is missed soon; many people sign in from one address.
    """
    with ExitStack() as stack:

        @cache
        def serving(static: str) -> Server:
            server = Server(SAMIA_HEARTBEAT_SECONDS="3", SAMIA_RATE_SIGN_IN="1000", SAMIA_STATIC=static)
            stack.callback(server.stop)
            return server.start()

        yield serving


@pytest.fixture
def server(request: pytest.FixtureRequest, servers: Callable[[str], Server], collected: str) -> Iterator[Server]:
    """A running server. A test that stops or kills it leaves a running one to the next.

    Pages run their bundles. A file of tests that reaches into the page's modules says HAS_MODULES = True: then they are served
    as they lie.
    """
    server = servers("" if getattr(request.module, "HAS_MODULES", False) else collected)
    yield server
    if server._process is None:
        server.start()


@pytest.fixture
def tab(browser: Browser, server: Server, clean: None) -> Iterator[Callable[..., Tab]]:
    """Make tabs: tab(person, **options of the context). At the end no browser may have complained, and every page must
    have carried the strict policy."""
    made: list[Tab] = []

    def make(person: User | None = None, **options: Any) -> Tab:
        made.append(Tab(browser, server, person, **options))
        return made[-1]

    yield make
    complaints = [f"{one.person}: {problem}" for one in made for problem in one.unexpected]
    policies = [policy for one in made for policy in one.policies]
    for one in made:
        one.context.close()
    log = made[0].server.log.read_text()[-4000:] if complaints else ""
    assert not complaints, "\n".join([*complaints, log])
    for url, policy in policies:
        assert_strict(url, policy)


def assert_strict(url: str, policy: str) -> None:
    directives = {words[0]: words[1:] for words in (part.split() for part in policy.split(";")) if words}
    assert directives.get("default-src") == ["'none'"], url
    for name in ("script-src", "style-src"):
        own, nonce = directives[name]
        assert (own, nonce.startswith("'nonce-"), len(nonce) > 20) == ("'self'", True, True), url
    assert directives["connect-src"] == directives["form-action"] == ["'self'"], url
    assert directives["base-uri"] == directives["frame-ancestors"] == ["'none'"], url
    assert "unsafe" not in policy, url
    assert "http" not in policy, url
