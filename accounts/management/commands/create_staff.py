"""`manage.py create_staff`: the first administrators of a deployment, and later ones."""

from __future__ import annotations

import getpass
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.models import User
from accounts.services import user as users
from samia_chat import actor
from samia_chat.errors import Problem
from samia_chat.roles import STAFF, Role


class Command(BaseCommand):
    help = "Make a monitor, admin or super_admin, or give that role to an account that is there. Safe to run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--role", choices=sorted(STAFF), default=Role.ADMIN.value)
        parser.add_argument("--name", default="", help="shown to others; default: the part before @")
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done")

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"].strip().casefold()
        if "@" not in email:
            raise CommandError(f"{email!r} is not an e-mail address.")
        role = Role(options["role"])
        try:
            with actor.acting_as(actor.system("create_staff")):
                self.stdout.write(self._run(email, role, options))
        except Problem as problem:
            raise CommandError(problem.detail) from None

    def _run(self, email: str, role: Role, options: dict[str, Any]) -> str:
        with transaction.atomic():
            user = User.objects.filter(email=email).first()
            if user is not None and user.role == role:
                return f"{email} is {role} already."
            if options["dry_run"]:
                return f"Would {'give' if user else 'make'} {email} as {role}."
            if user is not None:
                users.change_role(by=actor.current(), user_id=user.pk, role=role)
                return f"{email} is {role} now."
            name = options["name"] or email.partition("@")[0]
            users.create_user(email=email, display_name=name, password=self._password(options), role=role)
            return f"Made {email}, {role}."

    def _password(self, options: dict[str, Any]) -> str:
        if options["password_stdin"]:
            return sys.stdin.readline().rstrip("\n")
        if not sys.stdin.isatty():
            raise CommandError("Give the password: --password-stdin, or run this in a terminal.")
        first, second = getpass.getpass("Password: "), getpass.getpass("Again: ")
        if first != second:
            raise CommandError("The two passwords differ.")
        return first
