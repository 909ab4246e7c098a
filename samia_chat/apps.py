from __future__ import annotations

from django.apps import AppConfig


class KernelConfig(AppConfig):
    name = "samia_chat"

    def ready(self) -> None:
        from samia_chat import checks  # noqa: F401 (registers the system checks)
