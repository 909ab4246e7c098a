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
from storage.names import shown_name

MEDIA = ("image/", "audio/", "video/")  # re-encoded or remuxed by us: what a browser may show in its place
NAME_LETTERS = 150  # most file systems take 255 bytes, Arabic has two to a letter, and a signed address ten
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9 ._()+,=@~-]")  # what is in a quoted string as it stands, for every program
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
    plain = _NOT_PLAIN.sub("_", name)
    kind = "inline" if file.content_type.startswith(MEDIA) else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def download_name(original: str, extension: str) -> str:
    """A name that is safe to save under. Uploads were given such names; once more, whoever wrote the row."""
    stem, _, ending = shown_name(original, extension).rpartition(".")
    return f"{stem[:NAME_LETTERS].rstrip('. ')}.{ending}"


class Stream:
    """The contents of an answer, read in threads while the event loop sends what came before.

    Django closes it with the answer, also when the client has left half-way. Raises Busy where too many are under way: each
    holds a descriptor and about 300 kB, for as long as its reader takes.
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
