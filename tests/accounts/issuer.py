"""An issuer of bearers as they are outside: its own keys, and a real HTTP server that tells the public ones."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

NAME = "https://issuer.example/auth/v1"
AUDIENCE = "authenticated"
SECRET = "a secret that the issuer shares with us"
ALGORITHMS = ("RS256", "ES256", "EdDSA")
_MAKERS: dict[str, Callable[[], Any]] = {
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


def private_key(algorithm: str, name: str = "") -> Any:
    """A key of the algorithm. `name`: another one."""
    return _private_key(algorithm, name)


@cache
def _private_key(algorithm: str, name: str) -> Any:
    return _MAKERS[algorithm]()


def jwk(algorithm: str, name: str = "", **more: object) -> dict[str, Any]:
    """The public half as a JWKS holds it. Its kid is the algorithm, and the name."""
    public = jwt.get_algorithm_by_name(algorithm).to_jwk(private_key(algorithm, name).public_key(), as_dict=True)
    return {**public, "kid": algorithm + name, "use": "sig", "alg": algorithm, **more}


def claims(sub: object, /, **changes: object) -> dict[str, Any]:
    """What a good bearer says. A change to None leaves the claim out."""
    now = int(time.time())
    good = {
        "iss": NAME,
        "aud": AUDIENCE,
        "sub": str(sub),
        "iat": now,
        "exp": now + 3600,
        "session_id": str(uuid4()),
        "role": "authenticated",
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def bearer(
    sub: object, /, *, algorithm: str = "RS256", key: Any = None, kid: str | None = None, **changes: object
) -> str:
    """A bearer; without changes a good one, signed with the key of its algorithm."""
    if key is None:
        key = SECRET if algorithm == "HS256" else private_key(algorithm)
    headers = {"kid": algorithm if kid is None else kid}
    return jwt.encode(claims(sub, **changes), key, algorithm=algorithm, headers=headers)


@dataclass
class Issuer:
    """Serves `keys` at `url`. `answer` may be replaced by anything that a server can do to a request."""

    keys: list[dict[str, Any]] = field(default_factory=lambda: [jwk(algorithm) for algorithm in ALGORITHMS])
    requests: int = 0

    def __post_init__(self) -> None:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.requests += 1
                issuer.answer(self)

            def log_message(self, *_: object) -> None:
                """Into the void."""

        self.answer: Callable[[BaseHTTPRequestHandler], None] = self.serve_keys
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/.well-known/jwks.json"

    def serve_keys(self, request: BaseHTTPRequestHandler) -> None:
        say(request, json.dumps({"keys": self.keys}).encode())

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def say(request: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
