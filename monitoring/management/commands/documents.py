"""`manage.py documents`: the documents in docs/ that are written from the code."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from monitoring.documents import DOCUMENTS, MEND


class Command(BaseCommand):
    help = "Compare the documents in docs/ with the code (--check), or write them anew (--write). Asks no database."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        group = parser.add_mutually_exclusive_group(required=True)
        group.add_argument("--check", action="store_true", help="exit 1 and name the documents that are out of date")
        group.add_argument("--write", action="store_true", help="write those that are out of date")

    def handle(self, *args: Any, **options: Any) -> None:
        stale = self.stale()
        if options["check"]:
            if stale:
                raise CommandError(f"Out of date: {', '.join(stale)}. Mend it with: {MEND}")
            self.stdout.write(f"The documents agree with the code ({len(DOCUMENTS)}).")
            return
        for name, text in stale.items():
            path = settings.BASE_DIR / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            self.stdout.write(f"Wrote {name}.")
        if not stale:
            self.stdout.write("Nothing to write: they agree with the code.")

    def stale(self) -> dict[str, str]:
        """The documents that differ from what the code says, with what they should be."""
        found = {}
        for name, make in DOCUMENTS.items():
            path, wanted = settings.BASE_DIR / name, make()
            if not path.exists() or path.read_text() != wanted:
                found[name] = wanted
        return found
