"""docs/metrics.md: what /metrics shows, from the registry."""

from __future__ import annotations

from importlib import import_module

from django.conf import settings
from prometheus_client.metrics import MetricWrapperBase

from monitoring.documents.markdown import code, table
from monitoring.metrics import registry

HEAD = """\
# Metrics

Written by `manage.py documents --write` from `monitoring/metrics.py` and `monitoring/gauges.py`. `/metrics` is Prometheus
text, of the one process that answers: several are asked each at its own address. Who may ask, `SAMIA_METRICS_TOKEN` in
[`settings.md`](settings.md) says. No label names a person or a session.

A gauge is read when it is asked for. When everybody has left, all of them go back to 0 but three: the process's own tasks
remain, so do idle connections (one of each pool, others for ten minutes), and a rate is forgotten once it is full again,
which is looked for every minute.
"""


def text() -> str:
    import_module(settings.ROOT_URLCONF)  # and with the views everything that counts
    rows = [
        [code(_name(metric)), str(metric._type), ", ".join(map(code, metric._labelnames)), metric._documentation]
        for metric in registry._collector_to_names
        if isinstance(metric, MetricWrapperBase)
    ]
    return f"{HEAD}\n{table(['name', 'kind', 'labels', 'what it is'], sorted(rows))}\n"


def _name(metric: MetricWrapperBase) -> str:
    """As the page has it."""
    return f"{metric._name}_total" if metric._type == "counter" else metric._name
