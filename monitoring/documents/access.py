"""docs/access.md: the matrices of every access.py, as tables."""

from __future__ import annotations

from inspect import cleandoc

from django.db.models import Model

from monitoring.documents.markdown import code, table
from samia_chat.access import APP_ROLES, GROUPS, MATRICES, OPEN_MODELS, SQL_ACTIONS, STAFF_ROLES, Access
from samia_chat.roles import SYSTEM_ROLE

ROLES = (*APP_ROLES, *STAFF_ROLES)
HEAD = f"""\
# Who may do what

Written by `manage.py documents --write` from the `access.py` of each app. A row-level policy in PostgreSQL says the same;
`manage.py policies --check` compares the two.

An empty cell is a refusal. The actions view, add, change and purge are SELECT, INSERT, UPDATE and DELETE; every other action
is a verb of a service, carried out by a function of the database or under one of the four. The rules are explained
[below](#rules). {" and ".join(f"`{role}`" for role in APP_ROLES)} enter the database as `samia_app`, the others as
`samia_staff`; `{SYSTEM_ROLE}` is a command or job, and nobody's role.
"""


def text() -> str:
    parts = [HEAD, *(_matrix(MATRICES[label]) for label in sorted(MATRICES)), _open_tables(), _rules()]
    return "\n".join(parts)


def _matrix(access: Access) -> str:
    parts = [f"## {access.model} ({code(access.table)})\n", _first_paragraph(access.model_class) + "\n"]
    if access.cells:
        rows = [[action, *(_cell(access, role, action) for role in ROLES)] for action in access.actions]
        parts.append(table(["", *ROLES], rows) + "\n")
    else:
        parts.append("Nobody: only functions of the database reach it.\n")
    columns = [
        [code(group), action, ", ".join(code(column) for column in sorted(access.columns[group, action]))]
        for group in GROUPS
        for action in SQL_ACTIONS
        if (group, action) in access.columns
    ]
    if columns:
        parts.append(table(["database role", "action", "columns it may write"], columns) + "\n")
    if access.definer:
        parts.append(f"Functions owned by `samia_definer` run {', '.join(access.definer)} on it.\n")
    return "\n".join(parts)


def _first_paragraph(model: type[Model]) -> str:
    return " ".join(cleandoc(model.__doc__ or "").split("\n\n")[0].split())


def _cell(access: Access, role: str, action: str) -> str:
    rule = access.cells.get((role, action))
    return rule.name if rule else ""


def _open_tables() -> str:
    rows = [
        [label, entry.reason, "; ".join(f"{code(role)}: {', '.join(all_of)}" for role, all_of in entry.grants.items())]
        for label, entry in sorted(OPEN_MODELS.items())
    ]
    return "## Tables outside of row-level security\n\n" + table(["model", "why", "what may be done"], rows) + "\n"


def _rules() -> str:
    found: dict[tuple[str, str], set[str]] = {}
    for access in MATRICES.values():
        for rule in access.cells.values():
            found.setdefault((rule.name, rule.sql), set()).add(access.model)
    rows = [[name, code(sql), ", ".join(sorted(models))] for (name, sql), models in sorted(found.items())]
    return "## Rules\n\n" + table(["rule", "the row is theirs where", "used by"], rows) + "\n"
