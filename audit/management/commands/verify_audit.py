"""`manage.py verify_audit`: whether the record was tampered with."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from samia_chat import actor


class Command(BaseCommand):
    help = "Check every chain of the audit log; name each changed, missing or cut record. Exit code 1 if there is one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--chain", type=UUID, help="only this chain: a session's id, or an actor's")

    def handle(self, *args: Any, **options: Any) -> None:
        with actor.acting_as(actor.system("verify_audit")), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT chain, n, fault FROM app.audit_faults(%s)", [options["chain"]])
            faults = cursor.fetchall()
        for chain, n, fault in faults:
            self.stderr.write(f"chain {chain} at {n}: {fault}")
        if faults:
            raise CommandError(f"{len(faults)} faults. The first is at number {faults[0][1]} of chain {faults[0][0]}.")
        self.stdout.write("Every chain is whole.")
