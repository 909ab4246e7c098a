"""Many rows at once, as an old thread has them."""

from __future__ import annotations

from uuid import UUID

from accounts.models import User
from tests.database import Truth


def fill(truth: Truth, session: UUID, sender: User, count: int, text: str) -> None:
    """So many messages of one text in a session that has none."""
    truth.without_triggers(
        """
        INSERT INTO chat_messages
          (id, session_id, sender_id, seq, revision, type, status, content, salt, request_hash, created_at)
        SELECT gen_random_uuid(), %s, %s, n, n + s.revision, 'text', 'sent', %s, gen_random_uuid(), '\\x00', now()
          FROM generate_series(1, %s) n, chat_session_state s WHERE s.session_id = %s
        """,
        *(session, sender.pk, text, count, session),
    )
    truth.without_triggers(
        "UPDATE chat_session_state SET last_seq = %s, revision = revision + %s WHERE session_id = %s",
        *(count, count, session),
    )
