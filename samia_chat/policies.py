"""From the matrices to SQL: row-level policies and grants, assembled, compared with the database, and written as migrations.

Two expressions that mean the same can be spelt in many ways, so nothing is compared as text of ours: the declared policies
are created on a temporary copy of the table, and PostgreSQL's own rendering of both is compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection, transaction

from samia_chat.access import GROUPS, MATRICES, OPEN_MODELS, SQL_ACTIONS, Access, Rule

RUNTIME_ROLES = (*GROUPS, "samia_definer")


@dataclass(frozen=True, order=True)
class Policy:
    name: str
    command: str  # SELECT, INSERT, UPDATE, DELETE, ALL
    role: str
    using: str
    check: str

    def create(self, table: str) -> str:
        parts = [f"CREATE POLICY {self.name} ON {table} FOR {self.command} TO {self.role}"]
        if self.using:
            parts.append(f"USING ({self.using})")
        if self.check:
            parts.append(f"WITH CHECK ({self.check})")
        return " ".join(parts)


@dataclass(frozen=True, order=True)
class Grant:
    role: str
    privilege: str
    columns: tuple[str, ...] = ()  # none: the whole table

    def words(self) -> str:
        return f"{self.privilege} ({', '.join(self.columns)})" if self.columns else self.privilege


@dataclass(frozen=True)
class TableRules:
    """All that guards one table."""

    table: str
    secured: bool
    policies: frozenset[Policy]
    grants: frozenset[Grant]

    def statements(self) -> list[str]:
        """SQL that makes the table so, whatever it was before."""
        return [
            f"REVOKE ALL ON {self.table} FROM PUBLIC, {', '.join(RUNTIME_ROLES)}",
            *([f"ALTER TABLE {self.table} ENABLE ROW LEVEL SECURITY"] if self.secured else []),
            *(policy.create(self.table) for policy in sorted(self.policies)),
            *(f"GRANT {grant.words()} ON {self.table} TO {grant.role}" for grant in sorted(self.grants)),
        ]

    def drops(self) -> list[str]:
        return [f"DROP POLICY {policy.name} ON {self.table}" for policy in sorted(self.policies)]


def declared(access: Access) -> TableRules:
    """What the matrix asks for."""
    policies, grants = set(), set()
    for group, roles in GROUPS.items():
        for action, command in SQL_ACTIONS.items():
            rules = {role: access.cells[role, action] for role in roles if (role, action) in access.cells}
            if not rules:
                continue
            expression = _expression(rules, everyone=group == "samia_app" and len(rules) == len(roles))
            using = expression if command != "INSERT" else ""
            check = expression if command in ("INSERT", "UPDATE") else ""
            policies.add(Policy(f"{group}_{action}", command, group, using, check))
            columns = tuple(sorted(access.columns.get((group, action), ())))
            grants.add(Grant(group, command, columns if command in ("INSERT", "UPDATE") else ()))
    if access.definer:
        policies.add(Policy("samia_definer_all", "ALL", "samia_definer", "true", "true"))
        grants.update(Grant("samia_definer", command) for command in access.definer)
    return TableRules(access.table, True, frozenset(policies), frozenset(grants))


def _expression(rules: dict[str, Rule], *, everyone: bool) -> str:
    """One boolean expression for the roles of a group.

    `everyone`: all roles that enter as this database role have a cell; if it is the same one, no role is asked for. Staff
    are always asked: entering samia_staff is decided in Python, and the row in accounts_user decides again here.
    """
    by_rule: dict[tuple[str, str], list[str]] = {}
    for role, rule in rules.items():
        by_rule.setdefault((rule.name, rule.sql), []).append(role)
    if everyone and len(by_rule) == 1:
        return next(iter(by_rule))[1]
    parts = []
    for (_, sql), roles in by_rule.items():
        asked = f"(SELECT app.role()) IN ({', '.join(repr(role) for role in roles)})"
        parts.append(asked if sql == "true" else f"({asked} AND ({sql}))")
    return " OR ".join(parts)


def tables() -> dict[str, TableRules]:
    """What every table of the product should be guarded by."""
    wanted = {access.table: declared(access) for access in MATRICES.values()}
    for label, table in _open_tables():
        grants = {Grant(role, privilege) for role, all_of in OPEN_MODELS[label].grants.items() for privilege in all_of}
        wanted[table] = TableRules(table, False, frozenset(), frozenset(grants))
    return wanted


def _open_tables() -> Iterable[tuple[str, str]]:
    from django.apps import apps  # the registry is full only after start-up

    for label in OPEN_MODELS:
        yield label, apps.get_model(label)._meta.db_table


# The database ------------------------------------------------------------------------------------------------------------


def found(table: str) -> TableRules:
    """What guards the table now, as PostgreSQL spells it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relrowsecurity FROM pg_class WHERE oid = %s::regclass", [table])
        secured = bool(cursor.fetchone()[0])
        cursor.execute(_POLICIES, [table])
        policies = frozenset(Policy(*row) for row in cursor.fetchall())
        cursor.execute(_GRANTS, [table, list(RUNTIME_ROLES), table, list(RUNTIME_ROLES)])
        grants = frozenset(
            Grant(role, privilege, tuple(sorted(columns or ()))) for role, privilege, columns in cursor.fetchall()
        )
    return TableRules(table, secured, policies, grants)


def as_spelt_by_postgres(rules: TableRules) -> TableRules:
    """The same rules, their expressions rendered by PostgreSQL: created on a temporary copy that is rolled back."""
    if not rules.policies:
        return rules
    copy = "policy_copy"
    with transaction.atomic():
        mark = transaction.savepoint()
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TEMPORARY TABLE {copy} (LIKE {rules.table})")
            for policy in rules.policies:
                cursor.execute(policy.create(copy))
            cursor.execute(_POLICIES, [f"pg_temp.{copy}"])
            policies = frozenset(Policy(*row) for row in cursor.fetchall())
        transaction.savepoint_rollback(mark)
    return TableRules(rules.table, rules.secured, policies, rules.grants)


def drift() -> dict[str, tuple[TableRules, TableRules]]:
    """Tables whose guards differ from the matrix: {table: (found, wanted)}."""
    differing = {}
    for table, rules in sorted(tables().items()):
        wanted, now = as_spelt_by_postgres(rules), found(table)
        if wanted != now:
            differing[table] = (now, wanted)
    return differing


_POLICIES = """
SELECT p.polname,
       CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
       (SELECT string_agg(rolname, ', ' ORDER BY rolname) FROM pg_roles WHERE oid = ANY (p.polroles)),
       coalesce(pg_get_expr(p.polqual, p.polrelid), ''),
       coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '')
FROM pg_policy p WHERE p.polrelid = %s::regclass
"""

# Whole-table privileges, then the columns a role may write where it has no whole-table privilege.
_GRANTS = """
SELECT r.rolname, a.privilege_type, NULL::text[]
FROM pg_class c, aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
WHERE c.oid = %s::regclass AND r.rolname = ANY (%s) AND r.oid <> c.relowner
UNION ALL
SELECT r.rolname, a.privilege_type, array_agg(t.attname::text)
FROM pg_attribute t, aclexplode(t.attacl) a JOIN pg_roles r ON r.oid = a.grantee
WHERE t.attrelid = %s::regclass AND t.attnum > 0 AND NOT t.attisdropped AND r.rolname = ANY (%s)
GROUP BY 1, 2
"""
