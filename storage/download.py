"""A file as an answer: its headers, its name, and its bytes in pieces."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote
from weakref import WeakSet

from samia_chat.errors import Busy
from storage.bucket import Part
from storage.models import ChatFile

MEDIA = ("image/", "audio/", "video/")  # re-encoded or remuxed by us: what a browser may show in its place
NAME_LETTERS = 150  # most file systems take 255 bytes, and Arabic has two to a letter
# Endings that say the same as that of the key, and are kept. Any other is exchanged for the key's, or stands before it.
_SAME = {"jpg": ("jpeg",), "ogg": ("oga", "opus"), "m4a": ("aac",), "txt": ("md", "csv", "log")}
# Control and direction characters, and what separates folders or means something to a shell.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff/\\:*?\"<>|%]")
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}$")
MAX_STREAMS = 200
_readers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="files")


# Of every answer: no browser guesses a type, nothing in a file runs, no other site takes it for its own.
GUARDS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}


def headers(file: ChatFile) -> dict[str, str]:
    """What an answer with a file has, beside its length. The type is ours, never the uploader's."""
    return {
        **GUARDS,
        "Content-Type": file.content_type,
        "Content-Disposition": disposition(file),
        # Kept, but asked for again every time: who may open it can change.
        "Cache-Control": "private, no-cache",
        "Accept-Ranges": "bytes",
        "ETag": etag(file),
    }


def etag(file: ChatFile) -> str:
    return f'"{bytes(file.sha256).hex()}"'


def disposition(file: ChatFile) -> str:
    """RFC 6266: the name in ASCII for old programs, and as it is (RFC 8187). Inline for what we have made ourselves only."""
    name = download_name(file.original_name, file.key.rpartition(".")[2])
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    kind = "inline" if file.content_type.startswith(MEDIA) else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def download_name(original: str, ending: str) -> str:
    """A name that is safe to save under: one line, no folders, nothing that turns it round, and the ending of what it is.

    The ending is that of the object's key, which goes by the contents: `page.html` that is text comes as `page.html.txt`.
    """
    name = _UNSAFE.sub("_", original).strip(" .") or "file"
    found = _ENDING.search(name)
    if found and found[0][1:].lower() in (ending, *_SAME.get(ending, ())):
        stem, ending = name[: found.start()], found[0][1:]
    elif found and ending != "txt":
        stem = name[: found.start()]
    else:
        stem = name
    return f"{stem[:NAME_LETTERS].strip(' .') or 'file'}.{ending}"


class Stream:
    """The contents of an answer, read in threads while the event loop sends what came before.

    Django closes it with the answer, also when the client has left half-way. Raises Busy where too many are under way: each
    holds a descriptor and about 200 kB, for as long as its reader takes.
    """

    def __init__(self, part: Part) -> None:
        if len(_under_way) >= MAX_STREAMS:
            part.close()
            raise Busy(retry_after=1)
        self._part = part
        _under_way.add(self)

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> bytes:
        piece = await asyncio.get_running_loop().run_in_executor(_readers, self._part.read)
        if not piece:
            # Here as well: where the object was shorter than promised the server gives up, and Django closes nothing.
            self.close()
            raise StopAsyncIteration
        return piece

    def close(self) -> None:
        _under_way.discard(self)
        self._part.close()


_under_way: WeakSet[Stream] = WeakSet()  # weak: an answer that nobody got to send is closed by the collector
