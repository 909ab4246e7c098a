"""The batcher's connection: one prepared statement, called in binary and read by the loop itself.

psycopg's coroutine adds and removes a reader, a timer and several generators for every call. Where each message is a call of
its own (a few hundred a second) that was a third of the application's time. Connecting and whatever is rare stay psycopg's.
"""

from __future__ import annotations

import asyncio
import struct
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
from psycopg import pq

from chat.services.message import SEND, Draft, Stored, columns

LOCK_TIMEOUT = "2s"
_NAME = b"send"
_TYPES = ("uuid[]", "text[]", "uuid[]", "uuid[]", "text[]", "uuid[]")
_BINARY = [pq.Format.BINARY] * len(_TYPES)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # PostgreSQL's
_HEAD = struct.Struct(
    "!iiIii"
)  # of an array: dimensions, whether it holds NULLs, type of elements, how many, first index
_SIZE = struct.Struct("!i")
_NULL = _SIZE.pack(-1)
_UUID, _TEXT = 2950, 25


class SendConnection:
    """Open one with `open`. `call` is for one caller at a time; cancelled, it leaves a connection that must be closed."""

    def __init__(self, connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
        self._connection = connection
        self._pgconn = connection.pgconn
        self._fd = connection.fileno()
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[pq.abc.PGresult] | None = None
        self._result: pq.abc.PGresult | None = None
        self._loop.add_reader(self._fd, self._read)

    @classmethod
    async def open(cls, conninfo: str) -> SendConnection:
        """Raises psycopg.OperationalError."""
        connection = await psycopg.AsyncConnection.connect(conninfo, autocommit=True)
        # Every statement of the function looks up by key: its plan is the same for all messages.
        await connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'; SET plan_cache_mode = force_generic_plan")
        numbered = SEND
        for number in range(1, len(_TYPES) + 1):
            numbered = numbered.replace("%b", f"${number}", 1)
        await connection.execute(f"PREPARE {_NAME.decode()} ({', '.join(_TYPES)}) AS {numbered}")
        return cls(connection)

    @property
    def closed(self) -> bool:
        return self._connection.closed

    async def close(self) -> None:
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        await self._connection.close()

    async def call(self, drafts: list[Draft], deadline: float) -> list[Stored]:
        """What the SQL function answers, for drafts of one database role.

        Raises psycopg.Error, and OSError: of the connection, or TimeoutError when the clock of the loop has passed `deadline`.
        """
        role = drafts[0].sender.database_role
        if role == "none":
            # One statement in autocommit: the identities that the function sets end with it.
            return _rows(await self._execute(drafts, deadline))
        async with asyncio.timeout_at(deadline):
            return await self._call_as(role, drafts, deadline)

    async def _call_as(self, role: str, drafts: list[Draft], deadline: float) -> list[Stored]:
        self._loop.remove_reader(self._fd)  # psycopg reads by itself
        try:
            async with self._connection.transaction():
                await self._connection.execute("SELECT set_config('role', %s, true)", [role])
                self._loop.add_reader(self._fd, self._read)
                result = await self._execute(drafts, deadline)
                self._loop.remove_reader(self._fd)
        finally:
            if not self.closed:
                self._loop.add_reader(self._fd, self._read)
        return _rows(result)

    async def _execute(self, drafts: list[Draft], deadline: float) -> pq.abc.PGresult:
        self._answer = self._loop.create_future()
        # A timer and not asyncio.timeout: that knows the task and its cancellations, for ten times the price.
        late = self._loop.call_at(deadline, self._fail, TimeoutError("the database has not answered"))
        try:
            self._pgconn.send_query_prepared(_NAME, _parameters(drafts), _BINARY, result_format=pq.Format.BINARY)
            self._flush()
            return await self._answer
        finally:
            late.cancel()
            self._answer = None

    def _flush(self) -> None:
        """Hand over what the socket's buffer takes; a large batch goes on when there is room again."""
        try:
            is_full = self._pgconn.flush()
        except psycopg.OperationalError as error:
            self._break(error)
            return
        if is_full:
            self._loop.add_writer(self._fd, self._flush)
        else:
            self._loop.remove_writer(self._fd)

    def _read(self) -> None:
        try:
            self._pgconn.consume_input()
            while not self._pgconn.is_busy():
                result = self._pgconn.get_result()
                if result is None:
                    self._finish()
                    return
                self._result = result
        except psycopg.OperationalError as error:
            self._break(error)

    def _break(self, error: psycopg.OperationalError) -> None:
        self._loop.remove_reader(self._fd)  # it would be readable for ever
        self._loop.remove_writer(self._fd)
        self._pgconn.finish()
        self._fail(error)

    def _finish(self) -> None:
        """The server is ready for the next statement. Without a question it only said something in passing."""
        result, self._result = self._result, None
        if result is None:
            return
        if result.status == pq.ExecStatus.TUPLES_OK:
            if self._answer is not None and not self._answer.done():
                self._answer.set_result(result)
        else:
            self._fail(psycopg.errors.error_from_result(result))

    def _fail(self, error: psycopg.Error | TimeoutError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


def _parameters(drafts: list[Draft]) -> list[bytes]:
    arrays = zip(_TYPES, columns(drafts), strict=True)
    return [_uuids(values) if kind == "uuid[]" else _texts(values) for kind, values in arrays]  # type: ignore[arg-type]


def _uuids(values: list[UUID | None]) -> bytes:
    return _array(_UUID, [_NULL if value is None else b"\0\0\0\x10" + value.bytes for value in values])


def _texts(values: list[str]) -> bytes:
    encoded = [value.encode() for value in values]
    return _array(_TEXT, [_SIZE.pack(len(value)) + value for value in encoded])


def _array(element_type: int, elements: list[bytes]) -> bytes:
    return _HEAD.pack(1, 1, element_type, len(elements), 1) + b"".join(elements)


def _rows(result: pq.abc.PGresult) -> list[Stored]:
    value = result.get_value
    return [
        Stored(
            code=(value(row, 0) or b"").decode(),
            seq=_integer(value(row, 1)),
            revision=_integer(value(row, 2)),
            members_revision=_integer(value(row, 3)),
            created_at=_EPOCH + timedelta(microseconds=_integer(value(row, 4))),
        )
        for row in range(result.ntuples)
    ]


def _integer(value: bytes | None) -> int:
    """Of a refusal, which has no numbers: 0."""
    return int.from_bytes(value or b"", "big", signed=True)
