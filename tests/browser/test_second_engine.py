"""Talk, files and a lost connection in WebKit, which Safari is made of: by Debian's webkit2gtk-driver, with --full only.

What it cannot do here is said in the README: it has no microphone, and its codecs are GStreamer's and not Apple's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service

from tests.browser.files import picture
from tests.browser.looks import IS_FULL
from tests.browser.tab import ARTEFACTS
from tests.browser.test_talk import send
from tests.cast import PASSWORD, World
from tests.rest import Api
from tests.server import Server

pytestmark = [
    pytest.mark.skipif(not IS_FULL, reason="only with --full"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:selenium"),  # its own way of calling itself
]
DRIVER, BROWSERS = "WebKitWebDriver", "webkit2gtk-4*/MiniBrowser"
PATIENCE_SECONDS = 15
TELL_ERRORS = "window.errors = []; addEventListener('error', (event) => errors.push(event.message));"


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """A screen that nobody looks at."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1440x900x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as screen:
        os.close(writing)
        with os.fdopen(reading) as number:
            yield f":{number.readline().strip()}"
        screen.terminate()


@pytest.fixture
def webkit(display: str) -> Iterator[webdriver.WebKitGTK]:
    options = Options()
    options.binary_location = str(next(Path("/usr/lib").glob(f"*/{BROWSERS}")))
    options.add_argument("--automation")
    # Its own sandbox needs namespaces that containers do not give.
    own = {"DISPLAY": display, "LIBGL_ALWAYS_SOFTWARE": "1", "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"}
    service = Service(shutil.which(DRIVER), env={**os.environ, **own})
    driver = webdriver.WebKitGTK(options=options, service=service)
    driver.set_window_size(1440, 900)
    yield driver
    driver.quit()


class Page:
    """What one sees and does."""

    def __init__(self, driver: webdriver.WebKitGTK, address: str) -> None:
        self.driver = driver
        self.address = address

    def sees(self, selector: str, words: str = "") -> WebElement:
        """Wait for an element with these words."""

        def found(_: object) -> WebElement | None:
            every = self.driver.find_elements(By.CSS_SELECTOR, selector)
            return next((one for one in every if words in (one.get_attribute("textContent") or "")), None)

        element = WebDriverWait(self.driver, PATIENCE_SECONDS).until(found, f"{selector}: {words}")
        assert isinstance(element, WebElement)
        return element

    def until(self, script: str) -> Any:
        """Wait until a script gives something."""
        ask: Callable[[object], Any] = lambda _: self.driver.execute_script(f"return {script}")  # noqa: E731
        return WebDriverWait(self.driver, PATIENCE_SECONDS).until(ask, script)

    def sign_in(self, email: str, then: str) -> None:
        self.driver.get(f"{self.address}/sign-in?next={then}")
        self.sees("#email").send_keys(email)
        self.sees("#password").send_keys(PASSWORD)
        self.sees("form.signin-fields .btn-primary").click()
        self.sees("samia-composer textarea")
        self.driver.execute_script(TELL_ERRORS)

    def say(self, text: str) -> None:
        self.sees("samia-composer textarea").send_keys(text, Keys.ENTER)


def test_talk_in_webkit(world: World, server: Server, webkit: webdriver.WebKitGTK, tmp_path: Path) -> None:
    page = Page(webkit, server.address)
    send(world.reader, world.session, "Good evening. What brings you here?")
    page.sign_in("client@example.test", f"/sessions/{world.session}")
    page.sees("samia-message .body", "Good evening.")
    page.say("A dream of water")
    page.sees("samia-message.own .meta [aria-label=Sent]")
    send(world.reader, world.session, "Clear or dark?")
    page.sees("samia-message .body", "Clear or dark?")

    path = tmp_path / "water.jpg"
    path.write_bytes(picture((800, 600)))
    page.sees("samia-composer input[type=file]").send_keys(str(path))
    page.sees(".upload", "water.jpg")
    page.sees("samia-composer textarea").send_keys(Keys.ENTER)
    page.until("document.querySelector('.shot img')?.naturalWidth > 0")

    # Away and back: what was written meanwhile is there, once and in order.
    server.stop()
    page.say("Are you there?")
    server.start()
    page.sees("samia-message.own .body", "Are you there?")
    page.until("!document.querySelector('samia-message.own [aria-label=Sending]')")
    found = Api(world.reader).get(f"/chat/sessions/{world.session}/messages").body["results"]
    texts = [message["content"] for message in sorted(found, key=lambda message: message["seq"])]
    said = ["Good evening. What brings you here?", "A dream of water", "Clear or dark?", "", "Are you there?"]
    assert [text or "" for text in texts] == said
    webkit.save_screenshot(str(ARTEFACTS / "webkit-thread.png"))
    assert webkit.execute_script("return window.errors") == []
