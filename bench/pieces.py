"""What is taken away from a copied database to learn what it costs: statements, and functions with a piece less.

A function is changed in the text that the database itself gives of it. A piece that is not found there exactly once raises, so
that a benchmark cannot measure nothing in silence once the product's function has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

_DIGEST = f"'\\x{'00' * 32}'::bytea"  # where something of a digest's length must stand
_MICROSECONDS = (
    "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"  # a number that never comes twice in a session
)


@dataclass(frozen=True, kw_only=True)
class Statement:
    text: str

    def apply(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute(self.text)


@dataclass(frozen=True, kw_only=True)
class Rewrite:
    """`piece` of a function, and what takes its place. The function keeps its owner and its grants."""

    function: str
    piece: str
    instead: str = ""

    def apply(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute(self.text(connection))

    def text(self, connection: psycopg.Connection[Any]) -> str:
        """The function without the piece, as a statement. Raises LookupError where the piece is not there exactly once."""
        (definition,) = connection.execute("SELECT pg_get_functiondef(%s::regproc)", [self.function]).fetchone() or (
            "",
        )
        return replaced(definition, self)


Change = Statement | Rewrite


def replaced(definition: str, rewrite: Rewrite) -> str:
    found = definition.count(rewrite.piece)
    if found != 1:
        raise LookupError(f"{rewrite.function} holds this {found} times, and not once:\n{rewrite.piece}")
    return definition.replace(rewrite.piece, rewrite.instead)


NO_RLS: Sequence[Change] = (
    Statement(
        text="""
DO $$ DECLARE t text; BEGIN
  FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', t);
  END LOOP;
END $$"""
    ),
)

NO_RECORD: Sequence[Change] = (Statement(text="ALTER TABLE chat_messages DISABLE TRIGGER audit"),)

# The record is written as before, its number and its hash are those of nothing.
NO_CHAIN: Sequence[Change] = (
    Rewrite(
        function="app.audit_append",
        piece="""\
      UPDATE public.audit_chains c
         SET n = c.n + 1,
             hash = sha256(c.hash || convert_to(app.audit_text(
               v_chain, c.n + 1, v_id, v_at, v_actor, v_role, v_name, p_action, p_table, p_record, p_session, p_old, p_new,
               v_origin, v_request, v_reason), 'UTF8'))
       WHERE c.chain = v_chain
      RETURNING c.n, c.hash)""",
        instead=f"      SELECT {_MICROSECONDS} AS n, {_DIGEST} AS hash)",
    ),
    Rewrite(
        function="app.audit_append",
        piece="sha256(convert_to(concat_ws(' ', v_salt, v_address, v_agent), 'UTF8'))",
        instead=_DIGEST,
    ),
)

NO_IDEMPOTENCE: Sequence[Change] = (
    Rewrite(
        function="app.admit_message",
        piece=", m.id, m.sender_id, m.session_id, m.request_hash, m.salt INTO v_known",
        instead=" INTO v_known",
    ),
    Rewrite(function="app.admit_message", piece="\n    LEFT JOIN public.chat_messages m ON m.id = p_id;", instead=";"),
    Rewrite(
        function="app.admit_message",
        piece="""\
  IF v_known.id IS NOT NULL THEN
    v_admission.code := CASE WHEN v_known.sender_id = v_sender AND v_known.session_id = p_session
      AND v_known.request_hash = sha256(convert_to(v_known.salt || p_request, 'UTF8')) THEN 'replayed' ELSE 'id_taken' END;
    RETURN v_admission;
  END IF;
""",
    ),
    Rewrite(
        function="app.send_chat_messages",
        piece="v_request := concat_ws(E'\\x1f', 'text', p_replies[i], p_contents[i]);",
        instead="v_request := '';",
    ),
    Rewrite(
        function="app.send_chat_messages",
        piece="sha256(convert_to(v_salt || v_request, 'UTF8'))",
        instead=_DIGEST,
    ),
    Rewrite(function="app.send_chat_messages", piece="ON CONFLICT DO NOTHING;", instead=";"),
)

# Nothing counts then, so the numbers come from the clock.
NO_COUNTERS: Sequence[Change] = (
    Statement(text="ALTER TABLE chat_messages DISABLE TRIGGER advance_counters"),
    Rewrite(
        function="app.send_chat_messages",
        piece="p_ids[i], p_sessions[i], p_actors[i], v_admission.last_seq + 1, v_admission.revision + 1, 'text', 'sent',",
        instead=f"p_ids[i], p_sessions[i], p_actors[i], {_MICROSECONDS}, {_MICROSECONDS}, 'text', 'sent',",
    ),
)

NO_KEYS: Sequence[Change] = (
    Statement(
        text="""
DO $$ DECLARE c text; BEGIN
  FOR c IN SELECT conname FROM pg_constraint WHERE conrelid = 'chat_messages'::regclass AND contype = 'f' LOOP
    EXECUTE format('ALTER TABLE chat_messages DROP CONSTRAINT %I', c);
  END LOOP;
END $$"""
    ),
)

NO_INDEXES: Sequence[Change] = (
    Statement(
        text="""
DO $$ DECLARE c record; BEGIN
  FOR c IN SELECT conname, conrelid::regclass AS owner FROM pg_constraint
            WHERE conrelid IN ('chat_messages'::regclass, 'chat_audit_logs'::regclass) AND contype = 'u' LOOP
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.owner, c.conname);
  END LOOP;
  FOR c IN SELECT indexrelid::regclass AS name FROM pg_index
            WHERE indrelid IN ('chat_messages'::regclass, 'chat_audit_logs'::regclass) AND NOT indisprimary LOOP
    EXECUTE format('DROP INDEX %s', c.name);
  END LOOP;
END $$"""
    ),
)

NO_CHECK: Sequence[Change] = (Statement(text="ALTER TABLE chat_messages DROP CONSTRAINT message_is_sound"),)

# From here on, for the whole cluster's copy: a message that was acknowledged may be lost with the power.
NO_WAIT: Sequence[Change] = (
    Statement(
        text="""
DO $$ BEGIN
  EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database());
END $$"""
    ),
)

WHOLE = "as it is"
# What is taken away from the copy, by the name of the row.
VARIANTS: dict[str, Sequence[Change]] = {
    WHOLE: (),
    "without row-level security": NO_RLS,
    "without the audit record and its chain": NO_RECORD,
    "with the record, without its hash chain": NO_CHAIN,
    "without idempotence (replay check, request hash)": NO_IDEMPOTENCE,
    "without counters and cursors": NO_COUNTERS,
    "without foreign keys": NO_KEYS,
    "without the check of the row's form": NO_CHECK,
    "without all of these": (
        *NO_RLS,
        *NO_RECORD,
        *NO_IDEMPOTENCE,
        *NO_COUNTERS,
        *NO_KEYS,
        *NO_CHECK,
    ),
    "without indexes beyond the primary keys": NO_INDEXES,
    "commit does not wait for the disk": NO_WAIT,
}
