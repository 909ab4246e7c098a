"""`manage.py doctor`: what is wrong with this deployment, and what to do."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from monitoring import doctor


class Command(BaseCommand):
    help = "Examine settings, database, worker, Redis, the store of files and the virus scanner. Exit code 1 with an error."
    requires_system_checks = ()  # they are part of the examination

    def handle(self, *args: Any, **options: Any) -> None:
        counts = {"ok": 0, "warning": 0, "error": 0}
        styles = {"ok": self.style.SUCCESS, "warning": self.style.WARNING, "error": self.style.ERROR}
        for about, finding in doctor.examine():
            counts[finding.level] += 1
            self.stdout.write(f"{styles[finding.level](f'{finding.level:<8}')} {about:<9} {finding.said}")
            if finding.advice:
                self.stdout.write(f"{'':<18} → {finding.advice}")
        if counts["error"]:
            raise CommandError(f"Errors: {counts['error']}, warnings: {counts['warning']}.")
        self.stdout.write(f"No errors. Warnings: {counts['warning']}.")
