"""`manage.py policies`: the row-level policies and grants that the matrices ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.migrations.loader import MigrationLoader

from samia_chat import policies
from samia_chat.policies import TableRules

HEADER = '"""Row-level policies and grants, written by `manage.py policies --write {app}` from the matrices."""'


class Command(BaseCommand):
    help = "Print the policies of the matrices; --check compares the database with them; --write APP makes a migration."

    def add_arguments(self, parser: CommandParser) -> None:
        group = parser.add_mutually_exclusive_group()
        group.add_argument("--check", action="store_true", help="exit 1 and name the tables that differ")
        group.add_argument("--write", metavar="APP", help="write a migration with what differs in this app's tables")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["write"]:
            self.write(options["write"])
        elif options["check"]:
            self.check_drift()
        else:
            for rules in policies.tables().values():
                self.stdout.write(";\n".join(rules.statements()) + ";\n")

    def check_drift(self) -> None:
        differing = policies.drift()
        for table, (now, wanted) in differing.items():
            self.stderr.write(f"{table}:")
            self._explain("in the matrix only", wanted, now)
            self._explain("in the database only", now, wanted)
        if differing:
            raise CommandError(
                "The database and the matrices differ. Write a migration: manage.py policies --write APP"
            )
        self.stdout.write(f"The database agrees with the matrices ({len(policies.tables())} tables).")

    def _explain(self, label: str, one: TableRules, other: TableRules) -> None:
        for item in [*sorted(one.policies - other.policies), *sorted(one.grants - other.grants)]:
            self.stderr.write(f"  {label}: {item}")
        if one.secured and not other.secured:
            self.stderr.write(f"  {label}: row-level security")

    def write(self, app: str) -> None:
        mine = {model._meta.db_table for model in apps.get_app_config(app).get_models()}
        if app == "samia_chat":  # the kernel also grants what third-party tables need
            mine |= {table for _, table in policies._open_tables()}
        differing = {table: pair for table, pair in policies.drift().items() if table in mine}
        if not differing:
            self.stdout.write("Nothing differs.")
            return
        forward, backward = [], []
        for now, wanted in differing.values():
            source = policies.tables()[wanted.table]  # our spelling: shorter to read than PostgreSQL's
            forward += [*now.drops(), *source.statements()]
            backward += [*wanted.drops(), *now.statements()]
        leaf = MigrationLoader(None).graph.leaf_nodes(app)
        path = self._path(app, leaf[0][1] if leaf else None)
        path.write_text(_migration(app, leaf[0][1] if leaf else None, forward, backward))
        self.stdout.write(f"Wrote {path.name}.")

    def _path(self, app: str, previous: str | None) -> Path:
        number = int(previous.split("_")[0]) + 1 if previous else 1
        return Path(apps.get_app_config(app).path) / "migrations" / f"{number:04}_policies.py"


def _migration(app: str, previous: str | None, forward: list[str], backward: list[str]) -> str:
    def listing(statements: list[str]) -> str:
        return "\n".join(f"                {statement!r}," for statement in statements)

    dependencies = f'[("{app}", "{previous}")]' if previous else "[]"
    return f"""{HEADER.format(app=app)}

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = {dependencies}
    operations = [
        migrations.RunSQL(
            sql=[
{listing(forward)}
            ],
            reverse_sql=[
{listing(backward)}
            ],
        )
    ]
"""
