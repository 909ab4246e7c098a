"""Hashing a password takes a while, and nobody waits for a connection of the pool meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connections
from django.test import Client

from samia_chat.limits import limiter
from tests.cast import PASSWORD, World
from tests.rest import Api

NEW = "another long password"


def held() -> list[str]:
    """Where this thread has taken a connection out of the pool."""
    return [alias for alias in connections if connections[alias].connection is not None]


@pytest.fixture
def while_hashing(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[str]]]:
    """What is held each time a password is hashed."""
    found: list[list[str]] = []

    def watched(name: str) -> Any:
        original = getattr(Argon2PasswordHasher, name)

        def hashing(self: Argon2PasswordHasher, *args: Any, **kwargs: Any) -> Any:
            found.append(held())
            return original(self, *args, **kwargs)

        return hashing

    for name in ("encode", "verify"):
        monkeypatch.setattr(Argon2PasswordHasher, name, watched(name))
    connections.close_all()  # of the thread that made the world
    yield found
    assert found
    assert not any(found), found


def test_signing_in_holds_no_connection(world: World, while_hashing: list[list[str]]) -> None:
    for password, status in ((PASSWORD, 200), ("wrong", 401)):
        assert Api().post("/auth/token", {"email": world.client.email, "password": password}).status == status


def test_signing_in_as_nobody_holds_none(while_hashing: list[list[str]]) -> None:
    assert Api().post("/auth/token", {"email": "nobody@example.test", "password": "wrong"}).status == 401


def test_signing_in_on_the_page_holds_none(world: World, while_hashing: list[list[str]]) -> None:
    page = Client()
    words = {"email": world.client.email, "password": PASSWORD}
    assert page.post("/sign-in", words).status_code == 302
    assert page.get("/").status_code == 200
    # With the cookie of a sign-in that has ended: it was looked up first.
    connections.close_all()
    Api(world.client).request("DELETE", f"/auth/devices/{page.session['login']}")
    connections.close_all()
    assert page.post("/sign-in", words).status_code == 302


def test_a_new_password_holds_none(world: World, while_hashing: list[list[str]]) -> None:
    api = Api(world.client)
    connections.close_all()
    assert api.post("/me/password", {"current": "wrong", "new": NEW}).status == 400
    limiter.reset()
    assert api.post("/me/password", {"current": PASSWORD, "new": NEW}).status == 204
    assert Api().post("/auth/token", {"email": world.client.email, "password": NEW}).status == 200
