from __future__ import annotations

from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"

    def ready(self) -> None:
        from chat import access  # noqa: F401 (registers the matrices)
        from chat.services.file import on_file_changed
        from storage.signals import file_changed

        file_changed.connect(on_file_changed)
