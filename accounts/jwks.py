"""The public keys of an outside issuer (JWKS, RFC 7517): fetched when they are needed, and kept while it does not answer.

PyJWT's own client holds a lock while it waits for the network and reads answers of any size.
"""

from __future__ import annotations

import logging
import math
import socket
import threading
import time
from contextlib import suppress
from functools import cache
from http.client import HTTPConnection, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

import jwt
import msgspec

from samia_chat.errors import Busy

log = logging.getLogger(__name__)
# Verified with public keys only. HS256 is not among them: its key would be one of these, which everybody knows.
ALGORITHMS = ("RS256", "ES256", "EdDSA")
FETCH_SECONDS = 3.0
FRESH_SECONDS = 600.0  # a key that the issuer has withdrawn is believed for so long
AGAIN_SECONDS = 60.0  # between two fetches, whatever keys strangers name
FIRST_AGAIN_SECONDS = 5.0  # the same while there are none at all, and nobody can be admitted
MAX_BYTES = 256 * 1024
# (kty, crv) of a key to its algorithm
_ALGORITHM = {("RSA", None): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}


class Document(msgspec.Struct):
    keys: list[dict[str, Any]]


class KeySet:
    """The keys at one address. Threads share it; none waits for the network longer than FETCH_SECONDS and a little."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: dict[str, jwt.PyJWK] = {}  # replaced as a whole
        self._fetched_at = self._tried_at = -math.inf  # monotonic seconds: of the last success, of the last attempt
        self._running: threading.Event | None = None
        self._lock = threading.Lock()  # held for assignments only

    def key(self, kid: str) -> jwt.PyJWK | None:
        """The key of that name; None if the issuer has none. Raises Busy if it was never reached."""
        if kid not in self._keys:
            self._wait(self._fetch_unless_recent())
        elif time.monotonic() - self._fetched_at > FRESH_SECONDS:
            # Waited for once. An issuer that is down then holds nobody up: the old keys serve, and are asked for each minute.
            is_first = self._tried_at <= self._fetched_at
            fetch = self._fetch_unless_recent()
            self._wait(fetch if is_first else None)
        if not self._keys:
            raise Busy("The issuer of the token does not answer. Try again.", retry_after=FIRST_AGAIN_SECONDS)
        return self._keys.get(kid)

    def _wait(self, fetch: threading.Event | None) -> None:
        if fetch is not None:
            fetch.wait(FETCH_SECONDS + 0.5)

    def _fetch_unless_recent(self) -> threading.Event | None:
        """What tells that the fetch is over which goes on, or begins now; None if the last one was too recent."""
        with self._lock:
            if self._running is not None:
                return self._running
            now = time.monotonic()
            if now - self._tried_at < (AGAIN_SECONDS if self._keys else FIRST_AGAIN_SECONDS):
                return None
            self._tried_at = now
            done = self._running = threading.Event()
        threading.Thread(target=self._fetch, args=[done], name="jwks", daemon=True).start()
        return done

    def _fetch(self, done: threading.Event) -> None:
        try:
            self._keys = fetch(self._url)
            self._fetched_at = time.monotonic()
        except Exception as error:  # noqa: BLE001 (whatever the network gives: the keys that we have stay)
            log.warning("the outside issuer's keys were not fetched", extra={"why": repr(error)[:500]})
        finally:
            with self._lock:
                self._running = None
            done.set()


@cache
def key_set(url: str) -> KeySet:
    """The keys at an address, one set per process."""
    return KeySet(url)


def fetch(url: str) -> dict[str, jwt.PyJWK]:
    """The keys by name. Raises what the network does, and ValueError or msgspec's errors for an answer that is none."""
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=FETCH_SECONDS)
    try:
        connection.connect()
        # The connection's timeout begins anew with every byte; whoever sends one each second is cut off by this one.
        watch = threading.Timer(FETCH_SECONDS, _cut, [connection.sock])
        watch.daemon = True
        watch.start()
        try:
            path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
            connection.request("GET", path, headers={"Accept": "application/json"})
            response = connection.getresponse()
            if response.status != 200:  # redirects too: the address in the settings is the one that is trusted
                raise ValueError(f"the answer was {response.status}")
            text = response.read(MAX_BYTES + 1)
        finally:
            watch.cancel()
    finally:
        connection.close()
    if len(text) > MAX_BYTES:
        raise ValueError(f"the answer has more than {MAX_BYTES} bytes")
    return read_keys(text)


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):  # closed meanwhile
        connection.shutdown(socket.SHUT_RDWR)


def read_keys(text: bytes) -> dict[str, jwt.PyJWK]:
    """The keys of a JWKS that we verify with. Others (secret, for encryption, of another algorithm) are left out.

    Raises ValueError if none is left.
    """
    found: dict[str, jwt.PyJWK] = {}
    for jwk in msgspec.json.decode(text, type=Document).keys:
        kid, kty, crv = jwk.get("kid"), jwk.get("kty"), jwk.get("crv")
        algorithm = _ALGORITHM.get((kty, crv)) if isinstance(kty, str) and isinstance(crv, str | None) else None
        is_public = "d" not in jwk and jwk.get("use", "sig") == "sig" and jwk.get("alg", algorithm) == algorithm
        if isinstance(kid, str) and algorithm is not None and is_public:
            with suppress(jwt.PyJWTError):  # its numbers make no key
                found[kid] = jwt.PyJWK(jwk, algorithm)
    if not found:
        raise ValueError("there is no key in the answer that we could verify with")
    return found
