from __future__ import annotations

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "monitoring"

    def ready(self) -> None:
        from monitoring import metrics
        from samia_chat import telemetry

        telemetry.register(metrics.count)
