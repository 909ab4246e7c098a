from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import (
            access,  # noqa: F401 (registers the matrices)
            openapi,  # noqa: F401 (registers how one signs in)
        )
