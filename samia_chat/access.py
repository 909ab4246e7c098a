"""Who may do what: one matrix per table, used three times.

An app's access.py declares `Access({(role, action): rule})`. A rule has two short forms side by side: `q(person)` filters
querysets and answers object permissions, `sql` becomes the row-level policy. `manage.py policies` assembles the SQL into
migrations; a drift test compares the database with the matrix, a parity test compares the rows the two forms give.

The actions view, add, change and purge are SELECT, INSERT, UPDATE and DELETE. Every other action is a verb of a service
(`end`, `lock`): asked of the matrix in Python, and carried out by a definer function or under an add or change cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from django.apps import apps
from django.db.models import BooleanField, Case, Model, Q, QuerySet, Value, When
from django.db.models.expressions import RawSQL

from samia_chat.errors import Forbidden, NotFound
from samia_chat.roles import STAFF, SYSTEM_ROLE, Role

SQL_ACTIONS = {"view": "SELECT", "add": "INSERT", "change": "UPDATE", "purge": "DELETE"}
APP_ROLES = (Role.CLIENT.value, Role.READER.value)
STAFF_ROLES = (Role.MONITOR.value, Role.ADMIN.value, Role.SUPER_ADMIN.value, SYSTEM_ROLE)
# Which database role serves which roles of ours.
GROUPS = {"samia_app": APP_ROLES, "samia_staff": STAFF_ROLES}
EVERYBODY = (*APP_ROLES, *STAFF_ROLES)
ADMINS = (Role.ADMIN.value, Role.SUPER_ADMIN.value)


class Person(Protocol):
    """Who asks: a User, or whatever else has an id and a role."""

    @property
    def pk(self) -> UUID | None: ...
    @property
    def role(self) -> str: ...


@dataclass(frozen=True)
class Rule:
    """A condition on a row, said twice. `name` is what docs/access.md calls it."""

    name: str
    sql: str
    conditions: Any = field(compare=False)  # Callable[[Person], Q]; Any because a dataclass field is not a method

    def q(self, person: Person) -> Q:
        found: Q = self.conditions(person)
        return found

    def __and__(self, other: Rule) -> Rule:
        return Rule(
            f"{self.name} and {other.name}", f"({self.sql}) AND ({other.sql})", lambda who: self.q(who) & other.q(who)
        )

    def __or__(self, other: Rule) -> Rule:
        return Rule(
            f"{self.name} or {other.name}", f"({self.sql}) OR ({other.sql})", lambda who: self.q(who) | other.q(who)
        )


# The rules ---------------------------------------------------------------------------------------------------------------

# Never the empty Q: Django would drop it from an annotation.
anyone = Rule("anyone", "true", lambda who: Q(pk__isnull=False))


def own_row(column: str) -> Rule:
    """The row is the person's own: `column` holds his id."""
    return Rule("own row", f"{column} = (SELECT app.uid())", lambda who: Q(**{column: who.pk}))


def addressed_to(*columns: str) -> Rule:
    """The person is named in one of the columns."""

    def conditions(who: Person) -> Q:
        found = Q()
        for column in columns:
            found |= Q(**{column: who.pk})
        return found

    return Rule("party to it", " OR ".join(f"{column} = (SELECT app.uid())" for column in columns), conditions)


# The states in which members may read a session's content, change messages, and send them.
READABLE = ("active", "paused", "locked", "ended")
CHANGEABLE = ("active", "paused")
OPEN = ("active",)


def member(column: str = "session_id", states: tuple[str, ...] = ()) -> Rule:
    """The person is a member of the session that `column` names, and it is in one of `states` (without them: in any).

    A member is a membership row with left_at null. In SQL only app.my_sessions() says so; here the table is named and not
    its model, which lies in a layer above.
    """
    query = "SELECT session_id FROM chat_participants WHERE user_id = %s AND left_at IS NULL"
    if not states:
        return Rule(
            "member",
            f"{column} = ANY (ARRAY(SELECT app.my_sessions()))",
            lambda who: Q(**{f"{column}__in": RawSQL(query, [who.pk])}),  # noqa: S611 (constant text)
        )
    query += " AND session_status = ANY (%s)"
    return Rule(
        f"member while {', '.join(states)}",
        f"{column} = ANY (ARRAY(SELECT app.my_sessions('{{{','.join(states)}}}')))",
        lambda who: Q(**{f"{column}__in": RawSQL(query, [who.pk, list(states)])}),  # noqa: S611 (constant text)
    )


def companion(column: str) -> Rule:
    """The person is a member of a session in which `column` names a member or former member: he sees that one's name, too.

    In SQL only app.my_people() says so.
    """
    query = (
        "SELECT user_id FROM chat_participants WHERE session_id IN"
        " (SELECT session_id FROM chat_participants WHERE user_id = %s AND left_at IS NULL)"
    )
    return Rule(
        "companion",
        f"{column} = ANY (ARRAY(SELECT app.my_people()))",
        lambda who: Q(**{f"{column}__in": RawSQL(query, [who.pk])}),  # noqa: S611 (constant text)
    )


# The matrix --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Access:
    """The matrix of one table. A missing cell is a refusal.

    `columns` narrows what a database role may write: {("samia_app", "change"): ("content", …)}; without an entry, all
    columns. `definer` names the SQL commands that definer functions run on the table.
    """

    model: str
    cells: Mapping[tuple[str, str], Rule]
    columns: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    definer: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        MATRICES[self.model] = self

    @property
    def model_class(self) -> type[Model]:
        return apps.get_model(self.model)

    @property
    def table(self) -> str:
        return self.model_class._meta.db_table

    @property
    def actions(self) -> list[str]:
        """Every action of the matrix, the SQL ones first."""
        named = dict.fromkeys(action for _, action in self.cells)
        return [*(a for a in SQL_ACTIONS if a in named), *sorted(a for a in named if a not in SQL_ACTIONS)]

    def rule(self, person: Person, action: str) -> Rule | None:
        return self.cells.get((person.role, action))

    def scope(self, person: Person, action: str = "view") -> QuerySet[Any]:
        """The rows on which the person may do `action`."""
        rows: QuerySet[Any] = self.model_class._default_manager.all()
        rule = self.rule(person, action)
        return rows.filter(rule.q(person)) if rule else rows.none()

    def get(self, person: Person, action: str, **lookup: Any) -> Any:
        """One row, in one query. Raises NotFound if he may not see it, Forbidden if he sees it but may not do that."""
        rule = self.rule(person, action)
        allowed = Case(When(rule.q(person), then=Value(True)), default=Value(False)) if rule else Value(False)
        row = self.scope(person).annotate(may=_boolean(allowed)).filter(**lookup).first()
        if row is None:
            raise NotFound
        if not row.may:
            raise Forbidden
        return row


def _boolean(expression: Any) -> Any:
    expression.output_field = BooleanField()
    return expression


MATRICES: dict[str, Access] = {}


@dataclass(frozen=True)
class Open:
    """A table outside row-level security: the reason, and what the runtime roles may do with it."""

    reason: str
    grants: Mapping[str, tuple[str, ...]]


_DML = ("SELECT", "INSERT", "UPDATE", "DELETE")
_JOBS = Open(
    "the queue: arguments are ids only, and whoever enqueues cannot read what others enqueue through any view of ours",
    {"samia_app": _DML, "samia_staff": _DML},
)
OPEN_MODELS: dict[str, Open] = {
    "sessions.Session": Open(
        "read before there is an actor; holds the id of a login and nothing else", {"samia_app": _DML}
    ),
    "procrastinate.ProcrastinateJob": _JOBS,
    "procrastinate.ProcrastinateEvent": _JOBS,
    "procrastinate.ProcrastinatePeriodicDefer": _JOBS,
    "procrastinate.ProcrastinateWorker": _JOBS,
}


def cells(roles: Iterable[str], **actions: Rule) -> dict[tuple[str, str], Rule]:
    """The same rules for several roles: cells(APP_ROLES, view=member(), add=…)."""
    return {(role, action): rule for role in roles for action, rule in actions.items()}


def is_staff(person: Person) -> bool:
    return person.role in STAFF
