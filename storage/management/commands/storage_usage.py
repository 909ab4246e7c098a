"""`manage.py storage_usage`: whose files take how much room."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from accounts.models import User
from samia_chat import actor
from storage.services import usage
from storage.services.usage import Usage


class Command(BaseCommand):
    help = "List the sessions and people whose files take the most room in the bucket."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--top", type=int, default=20, help="how many of each (default 20)")

    def handle(self, *args: Any, **options: Any) -> None:
        top = max(1, options["top"])
        with actor.acting_as(actor.system("storage_usage")), transaction.atomic():
            total, sessions, people = usage.total(), usage.by_session(top), usage.by_person(top)
            addresses = {person.pk: person.email for person in User.objects.filter(pk__in=[row.id for row in people])}
        self._table("session", [(str(row.id) if row.id else "(none)", row) for row in sessions])
        self._table("person", [(addresses[row.id], row) for row in people if row.id])
        self._table("", [("all", total)])

    def _table(self, what: str, rows: list[tuple[str, Usage]]) -> None:
        self.stdout.write(f"{what:<40}{'files':>8}{'MB':>12}{'deleted MB':>12}")
        for who, row in rows:
            size, evidence = row.size_bytes / 1e6, row.evidence_bytes / 1e6
            self.stdout.write(f"{who:<40}{row.files:>8,}{size:>12,.1f}{evidence:>12,.1f}")
        self.stdout.write("")
