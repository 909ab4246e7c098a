"""`manage.py make_bucket`: the private bucket of a new deployment."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from storage import bucket
from storage.errors import StoreAway


class Command(BaseCommand):
    help = "Make the bucket or folder in which files lie, unless it is there. `manage.py doctor` says whether it is private."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        where = settings.S3_BUCKET or settings.FILES_FOLDER
        try:
            bucket.make()
        except StoreAway as problem:
            raise CommandError(f"{where} cannot be made: {problem.__cause__}") from None
        self.stdout.write(f"{where} is there.")
