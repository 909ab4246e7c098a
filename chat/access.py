"""Every matrix of the app on one screen. The rules are in samia_chat/access.py; the one that only sessions need is here."""

from __future__ import annotations

from django.db.models import Q
from django.db.models.expressions import RawSQL

from samia_chat.access import (
    ADMINS,
    APP_ROLES,
    CHANGEABLE,
    OPEN,
    OPEN_MODELS,
    READABLE,
    STAFF_ROLES,
    Access,
    Open,
    Rule,
    addressed_to,
    anyone,
    cells,
    member,
    own_row,
)
from samia_chat.roles import SYSTEM_ROLE, Role

READER = (Role.READER.value,)
MONITOR = (Role.MONITOR.value,)
ADMINS_AND_SYSTEM = (*ADMINS, SYSTEM_ROLE)
REVIEWERS = (*MONITOR, *ADMINS)

published = Rule("published", "seq IS NOT NULL", lambda who: Q(seq__isnull=False))
its_reader = Rule(
    "its reader",
    "id IN (SELECT session_id FROM chat_participants"
    " WHERE user_id = (SELECT app.uid()) AND left_at IS NULL AND role_in_session = 'reader')",
    lambda who: Q(
        id__in=RawSQL(
            "SELECT session_id FROM chat_participants WHERE user_id = %s AND left_at IS NULL AND role_in_session = 'reader'",
            [who.pk],
        )
    ),
)

BOOKINGS = Access(
    "chat.Booking",
    {
        **cells(APP_ROLES, view=addressed_to("client_id", "reader_id")),
        **cells(STAFF_ROLES, view=anyone),
        **cells(ADMINS_AND_SYSTEM, add=anyone, change=anyone),
    },
    definer=("SELECT",),
)

# The application has no INSERT and no UPDATE here: app.open_session and app.change_session write for it.
SESSIONS = Access(
    "chat.ChatSession",
    {
        **cells(APP_ROLES, view=member("id")),
        **cells(READER, end=its_reader, pause=its_reader, resume=its_reader),
        **cells(STAFF_ROLES, view=anyone),
        **cells(MONITOR, lock=anyone, unlock=anyone),
        **cells(
            ADMINS_AND_SYSTEM,
            change=anyone,
            lock=anyone,
            unlock=anyone,
            end=anyone,
            pause=anyone,
            resume=anyone,
            archive=anyone,
        ),
    },
    columns={("samia_staff", "change"): ("title", "metadata", "updated_at")},
    definer=("SELECT", "INSERT", "UPDATE"),
)

# A message moves last_seq itself, by its trigger.
STATES = Access(
    "chat.SessionState",
    {
        **cells(APP_ROLES, view=member(), change=member()),
        **cells(STAFF_ROLES, view=anyone),
        **cells(MONITOR, change=member()),
        **cells(ADMINS_AND_SYSTEM, change=anyone),
    },
    columns={
        ("samia_app", "change"): ("revision",),
        ("samia_staff", "change"): ("revision",),
    },
    definer=("SELECT", "INSERT", "UPDATE"),
)

PARTICIPANTS = Access(
    "chat.Participant",
    {
        **cells(APP_ROLES, view=member(), change=own_row("user_id") & member()),
        **cells(STAFF_ROLES, view=anyone),
        **cells(MONITOR, change=own_row("user_id") & member()),
        **cells(ADMINS_AND_SYSTEM, add=anyone, change=anyone),
    },
    columns={
        ("samia_app", "change"): ("delivered_seq", "seen_seq", "read_seq", "own_ahead", "muted_until"),
        ("samia_staff", "change"): (
            "delivered_seq",
            "seen_seq",
            "read_seq",
            "own_ahead",
            "muted_until",
            "role_in_session",
            "joined_at",
            "left_at",
        ),
    },
    definer=("SELECT", "INSERT", "UPDATE"),
)

# Sending asks for membership of everybody, staff included. Editing and deleting are changes; `edit` says whose messages,
# the service says in which states, because a wrong state is no refusal of a right.
MESSAGES = Access(
    "chat.Message",
    {
        **cells(
            APP_ROLES,
            view=member(states=READABLE) & (published | own_row("sender_id")),
            add=own_row("sender_id") & member(states=OPEN),
            change=own_row("sender_id") & member(states=CHANGEABLE),
            edit=own_row("sender_id"),
        ),
        **cells(STAFF_ROLES, view=anyone),
        **cells(ADMINS, add=own_row("sender_id") & member(states=OPEN), change=anyone, edit=anyone),
        # What became of its file is a change of the message.
        **cells((SYSTEM_ROLE,), change=anyone),
        **cells(REVIEWERS, review=anyone),
    },
    columns={
        ("samia_app", "change"): ("content", "edited_at", "deleted_at", "deleted_by", "revision"),
        ("samia_staff", "change"): ("content", "edited_at", "deleted_at", "deleted_by", "revision"),
    },
    definer=("SELECT", "UPDATE"),
)

# Written by app.review_voice only. Senders learn the reason with their message.
VOICE_REVIEWS = Access("chat.VoiceReview", cells(STAFF_ROLES, view=anyone), definer=("SELECT", "INSERT"))

VERSIONS = Access("chat.MessageVersion", cells(STAFF_ROLES, view=anyone), definer=("SELECT", "INSERT", "DELETE"))

# Written by app.play_message only: that somebody has played a message is a change of the message.
PLAYS = Access(
    "chat.MessagePlay",
    {**cells(APP_ROLES, view=member(states=READABLE)), **cells(STAFF_ROLES, view=anyone)},
    definer=("SELECT", "INSERT"),
)

# Only definer functions read and write presence: who may learn of it is decided there, by shared sessions.
PRESENCE = Access("chat.Presence", {}, definer=("SELECT", "INSERT", "UPDATE", "DELETE"))
PRESENCE_ANNOUNCED = Access("chat.PresenceAnnounced", {}, definer=("SELECT", "INSERT", "UPDATE", "DELETE"))

OPEN_MODELS["chat.Person"] = Open(
    "a view whose own condition is the rule: people who share a session see one another's names and pictures, staff see all",
    {"samia_app": ("SELECT",), "samia_staff": ("SELECT",)},
)
