"""Files for tests of the page: made on the spot, there before anybody looks, handed over, found again in the composer
and in what the browser keeps."""

from __future__ import annotations

import io
import random
import re
import time
from typing import Any
from uuid import UUID

from PIL import Image
from playwright.sync_api import FilePayload, Locator, Route

from accounts.models import User
from tests.browser.tab import Tab
from tests.rest import Api

# A PDF of one page.
PAGE = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj
trailer<</Size 4/Root 1 0 R>>
%%EOF
"""


def picture(size: tuple[int, int] = (640, 480), *, is_noise: bool = False) -> bytes:
    """A photograph as a camera makes it: of one colour, or of noise."""
    made = io.BytesIO()
    image = Image.new("RGB", size, "purple")
    if is_noise:  # what does not get small
        image = Image.frombytes("RGB", size, random.Random(1).randbytes(size[0] * size[1] * 3))
    image.save(made, "JPEG", quality=95)
    return made.getvalue()


def payload(name: str, content: bytes, kind: str = "image/jpeg") -> FilePayload:
    """A file to be chosen, dropped or pasted."""
    return {"name": name, "mimeType": kind, "buffer": content}


def put(person: User, session: UUID, content: bytes, name: str, **fields: Any) -> dict[str, Any]:
    """A file that is there before anybody looks."""
    answer = Api(person).upload(session, content, name, **fields)
    assert answer.status == 201, answer.body
    message: dict[str, Any] = answer.body
    return message


# How many files this browser keeps.
KEPT = """() => new Promise((resolve) => {
    const opening = indexedDB.open("samia.files");
    opening.onsuccess = () => {
        const asked = opening.result.transaction("files").objectStore("files").count();
        asked.onsuccess = () => (opening.result.close(), resolve(asked.result));
    };
})"""


def id_of(route: Route) -> str:
    """The id under which a file is sent."""
    found = re.search(rb'name="id"\r\n\r\n([0-9a-f-]{36})', route.request.post_data_buffer or b"")
    assert found
    return found[1].decode()


def kept(one: Tab, count: int) -> None:
    """Wait until so many files are kept."""
    deadline = time.monotonic() + 5
    while one.page.evaluate(KEPT) != count:
        assert time.monotonic() < deadline, one.page.evaluate(KEPT)
        one.page.wait_for_timeout(25)


def row(one: Tab, name: str) -> Locator:
    """A file in the composer."""
    return one.page.locator(".upload").filter(has_text=name)


def transfer(one: Tab, *files: FilePayload) -> Any:
    """What a drop or the clipboard carries."""
    given = [[file["name"], file["mimeType"], list(file["buffer"])] for file in files]
    return one.page.evaluate_handle(
        """(files) => {
            const carried = new DataTransfer();
            for (const [name, type, bytes] of files) carried.items.add(new File([new Uint8Array(bytes)], name, { type }));
            return carried;
        }""",
        given,
    )


def throttle(one: Tab, bytes_per_second: int) -> None:
    """From now on no more than this leaves the browser."""
    wire = one.context.new_cdp_session(one.page)
    wire.send("Network.enable")
    limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_second}
    wire.send("Network.emulateNetworkConditions", limits)
