"""`manage.py verify_storage`: whether every file has its object, and every object its file."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from samia_chat import actor
from samia_chat.management.progress import ProgressBar
from storage.errors import StoreAway
from storage.services import verification
from storage.services.verification import Findings


class Command(BaseCommand):
    help = (
        "Compare the files of the database with the objects of the bucket, both ways, with sizes and contents. Each finding is a "
        "line, the last line is JSON. Exit code 1 if anything was found, also if it was repaired. Nothing is written without "
        "--repair. After a backup was restored, look at the list first: files that are newer than it are objects without a row."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--repair",
            action="store_true",
            help="remove objects without a row, and mark rows without an object as lost; both are recorded",
        )
        parser.add_argument(
            "--sample", type=int, metavar="N", help="read the contents of N files taken at random, not of all"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["sample"] is not None and options["sample"] < 0:
            raise CommandError("--sample must be a number of files, 0 for none.")
        with actor.acting_as(actor.system("verify_storage")):
            try:
                with ProgressBar(sys.stderr) as progress:
                    found = verification.verify(progress=progress, sample=options["sample"])
                self._list(found)
                repaired = verification.repair(found) if options["repair"] else 0
            except StoreAway:
                raise CommandError(
                    "The store of files does not answer. `manage.py doctor` says what is wrong."
                ) from None
        self.stdout.write(self._summary(found, repaired))
        if not found.is_clean:
            lost = f" {len(found.lost)} FILES ARE LOST." if found.lost else ""
            mend = "" if options["repair"] else " --repair mends what can be mended."
            raise CommandError(f"The database and the bucket differ.{lost}{mend}")

    def _list(self, found: Findings) -> None:
        for known in found.lost:
            self.stderr.write(f"LOST     {known.id} {known.state} {known.key}: there is no such object")
        for known, fault in found.changed:
            self.stderr.write(f"CHANGED  {known.id} {known.state} {known.key}: its {fault} differ from what was stored")
        for entry in found.orphans:
            at = entry.modified.isoformat(timespec="seconds")
            self.stderr.write(f"ORPHAN   {entry.key} ({entry.size} bytes, {at}): no file has this object")

    def _summary(self, found: Findings, repaired: int) -> str:
        return json.dumps(
            {
                "files": found.files,
                "objects": found.objects,
                "bytes": found.size_bytes,
                "hashed": found.hashed,
                "young": found.young,
                "lost": len(found.lost),
                "changed": len(found.changed),
                "orphans": len(found.orphans),
                "repaired": repaired,
            }
        )
