"""Who acts: kept in a context variable and written into every database transaction by the backend in `samia_chat.db`.

asgiref copies context variables into the threads of sync views and `sync_to_async`, so one assignment covers a request.
Without an actor no policy gives a row: code that forgets to act as somebody sees an empty database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg
from django.db import connections
from psycopg.pq import ConnStatus, Escaping, ExecStatus, TransactionStatus

from samia_chat.roles import STAFF_AND_SYSTEM, SYSTEM_ROLE


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """A person, or the system under the name of a command or job. All fields but `user_id` are for the record only."""

    user_id: UUID | None = None
    role: str = ""
    name: str = ""  # of the command or job
    address: str | None = None
    user_agent: str = ""
    request_id: str = ""
    reason: str = ""
    # Made once per actor, when they are first asked for.
    _context: list[str] = field(default_factory=list, init=False, repr=False, compare=False)
    _statement: list[bytes] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def pk(self) -> UUID | None:
        """So that an actor can be asked of the matrix like a person."""
        return self.user_id

    @property
    def database_role(self) -> str:
        """The role entered by SET LOCAL ROLE. The database checks the person's row again (app.role())."""
        return "samia_staff" if self.role in STAFF_AND_SYSTEM else "none"

    def context(self) -> str:
        """What the audit trigger reads beside the actor's id: a JSON object without empty fields."""
        if not self._context:
            self._context.append(self._describe())
        return self._context[0]

    def statement(self, connection: psycopg.Connection[Any]) -> bytes:
        """What writes him into a transaction; from there on it has the rights of his database role."""
        if not self._statement:
            self._statement.append(self._write(Escaping(connection.pgconn).escape_literal))
        return self._statement[0]

    def _describe(self) -> str:
        fields = {
            "role": self.role,
            "name": self.name,
            "address": self.address,
            "agent": self.user_agent[:512],
            "salt": uuid4().hex if self.address or self.user_agent else "",  # of the address and agent in the audit
            "request": self.request_id,
            "reason": self.reason,
        }
        return msgspec.json.encode({key: value for key, value in fields.items() if value}).decode()

    def _write(self, quote: Callable[[bytes], bytes]) -> bytes:
        # The role comes last: it is what takes rights away.
        settings = {
            "app.actor": str(self.user_id) if self.user_id else "",
            "app.context": self.context(),
            "role": self.database_role,
        }
        calls = (b"set_config('%b', %b, true)" % (name.encode(), quote(settings[name].encode())) for name in settings)
        return b"SELECT " + b", ".join(calls)

    def because(self, reason: str) -> Actor:
        return replace(self, reason=reason)


NOBODY = Actor()
_current: ContextVar[Actor] = ContextVar("actor", default=NOBODY)


def system(name: str) -> Actor:
    """The actor of a command or job, named after it."""
    return Actor(role=SYSTEM_ROLE, name=name)


def current() -> Actor:
    return _current.get()


def become(actor: Actor) -> None:
    """Set the actor for the rest of this request or task. Open transactions change hands as well."""
    _current.set(actor)
    _write_into_open_transactions()


@contextmanager
def acting_as(actor: Actor) -> Iterator[Actor]:
    """Act as somebody else for a while. The former actor returns, also inside a transaction that stays open.

    set_config(…, true) outlives a savepoint, so leaving a nested block has to write the former actor again.
    """
    token = _current.set(actor)
    try:
        _write_into_open_transactions()
        yield actor
    finally:
        _current.reset(token)
        _write_into_open_transactions()


def begin(connection: psycopg.Connection[Any]) -> None:
    """Begin a transaction in which the current actor acts. Raises psycopg.Error."""
    _execute(connection, b"BEGIN; " + _current.get().statement(connection))


def _execute(connection: psycopg.Connection[Any], statement: bytes) -> None:
    """By libpq itself: no parameters, no rows, and begun with every transaction. A cursor takes ten times as long for it."""
    result = connection.pgconn.exec_(statement)
    if connection.pgconn.status == ConnStatus.BAD:
        raise psycopg.OperationalError(result.get_error_message())
    if result.status != ExecStatus.TUPLES_OK:
        raise psycopg.errors.error_from_result(result)


def _write_into_open_transactions() -> None:
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block or connection.connection is None:
            continue
        # In a failed transaction nothing runs until the rollback, which restores the former actor by itself.
        if connection.connection.pgconn.transaction_status != TransactionStatus.INERROR:
            with connection.wrap_database_errors:
                _execute(connection.connection, _current.get().statement(connection.connection))
