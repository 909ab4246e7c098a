"""Bringing a client level: what has changed since the revisions it holds. REST and the socket's `resume` are one service."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import Q

from chat.access import SESSIONS
from chat.models import ChatSession, Message, Participant
from chat.services.reading import PAGE, session_shapes, unpublished, with_state
from chat.services.session import record_looks
from chat.shapes import Shape, message_shape
from samia_chat.access import Person, is_staff

MAX_NAMED = 1000  # sessions a client may name in one request
MAX_SESSIONS = 50  # sessions in one answer
MAX_MESSAGES = 500  # messages in one answer, about: each session gets its share, and at least a page


@transaction.atomic
def sync(*, viewer: Person, held: dict[UUID, int]) -> Shape:
    """What makes a client that holds these sessions at these revisions level with the rows.

    {"sessions": [{"session", "revision", "messages", "unpublished", "more", "reset"}], "cursors", "gone": [ids], "more"}

    A session that is new to the client begins with its newest page; so does one that the client holds ahead of us (a
    restored backup), with `reset`. `more` of a session: ask again with the revision given. `more` of the answer: further
    sessions are waiting; ask again with what is held then. Of ids that he may not see nothing is said but that.

    Receipts have no revision, so the `cursors` of sessions that are level otherwise are told whole:
    {session: {"unread": number or None, "users": {user: [delivered, seen, read]}}}.
    """
    heads = _heads(viewer, held)
    due = [session for session, revision in heads.items() if held.get(session) != revision]
    gone = [session for session in held if session not in heads]
    answered = due[:MAX_SESSIONS]
    record_looks(viewer, [session for session in answered if session in held])
    level = [session for session, revision in heads.items() if held.get(session) == revision]
    return {
        "sessions": _entries(viewer, answered, held),
        "cursors": _cursors(viewer, level),
        "gone": gone,
        "more": len(due) > len(answered),
    }


def _heads(viewer: Person, held: dict[UUID, int]) -> dict[UUID, int]:
    """The revisions of all sessions that concern this client, those with the latest activity first.

    Those are his own; staff also name sessions they look into.
    """
    concerned = Q(pk__in=Participant.objects.filter(user=viewer.pk, left_at__isnull=True).values("session_id"))
    if is_staff(viewer):
        concerned |= Q(pk__in=list(held))
    rows = SESSIONS.scope(viewer).filter(concerned).order_by("-active_at", "-id")
    return dict(rows.values_list("pk", "state__revision"))


def _entries(viewer: Person, sessions: list[UUID], held: dict[UUID, int]) -> list[Shape]:
    rows = {session.pk: session for session in with_state(ChatSession.objects.filter(pk__in=sessions))}
    shapes = session_shapes([rows[session] for session in sessions if session in rows], viewer)
    share = max(PAGE, MAX_MESSAGES // max(1, len(sessions)))
    since = {s["id"]: held[s["id"]] for s in shapes if s["id"] in held and held[s["id"]] <= s["revision"]}
    changed = _changed(since, share)
    newest = _newest([shape["id"] for shape in shapes if shape["id"] not in since])
    held_back = unpublished([shape["id"] for shape in shapes])
    entries = []
    for shape in shapes:
        session = shape["id"]
        messages = changed.get(session, []) if session in since else newest.get(session, [])
        more = session in since and len(messages) > share
        messages = messages[:share] if more else messages
        entries.append(
            {
                "session": shape,
                # Where a page of changes ends, the client stands at its last change.
                "revision": messages[-1]["revision"] if more else shape["revision"],
                "messages": messages,
                "unpublished": held_back.get(session, []),
                "more": more,
                "reset": session in held and session not in since,
            }
        )
    return entries


def _cursors(viewer: Person, sessions: list[UUID]) -> Shape:
    found: Shape = {}
    rows = Participant.objects.filter(session_id__in=sessions, left_at__isnull=True).select_related("session__state")
    for row in rows:
        entry = found.setdefault(str(row.session_id), {"unread": None, "users": {}})
        entry["users"][str(row.user_id)] = [row.delivered_seq, row.seen_seq, row.read_seq]
        if row.user_id == viewer.pk:
            entry["unread"] = row.unread(row.session.state.last_seq)
    return found


def _changed(since: dict[UUID, int], limit: int) -> dict[UUID, list[Shape]]:
    """Messages changed after a revision, by revision; one more than `limit` of each session where there are more."""
    found = Message.objects.raw(
        """
        SELECT m.* FROM unnest(%s::uuid[], %s::bigint[]) AS h (session, since), LATERAL (
          SELECT * FROM chat_messages WHERE session_id = h.session AND revision > h.since ORDER BY revision LIMIT %s) m
        ORDER BY m.session_id, m.revision
        """,
        [list(since), list(since.values()), limit + 1],
    )
    return _by_session(found) if since else {}


def _newest(sessions: list[UUID]) -> dict[UUID, list[Shape]]:
    """The newest page of each session, by seq."""
    found = Message.objects.raw(
        """
        SELECT m.* FROM unnest(%s::uuid[]) AS h (session), LATERAL (
          SELECT * FROM chat_messages WHERE session_id = h.session AND seq IS NOT NULL ORDER BY seq DESC LIMIT %s) m
        ORDER BY m.session_id, m.seq
        """,
        [sessions, PAGE],
    )
    return _by_session(found) if sessions else {}


def _by_session(messages: object) -> dict[UUID, list[Shape]]:
    found: dict[UUID, list[Shape]] = {}
    for message in messages:  # type: ignore[attr-defined]
        found.setdefault(message.session_id, []).append(message_shape(message))
    return found
