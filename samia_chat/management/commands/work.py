"""`manage.py work`: the worker that carries out jobs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from samia_chat.checks import refuse_unsafe_database
from samia_chat.jobs import app


class Command(BaseCommand):
    help = "Carry out jobs until stopped. Jobs that were under way when a worker died are found and begun again."

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_unsafe_database()
        connector = app.connector.get_worker_connector()  # type: ignore[attr-defined]  # Django's has it
        with app.replace_connector(connector) as working:
            working.run_worker(fetch_job_polling_interval=1.0, delete_jobs="successful")
