"""The examples of the OpenAPI document: one session of a client and a reader. Tests hold them against their schemas."""

from __future__ import annotations

from typing import Any

Example = dict[str, Any]

CLIENT = "01931c9a-8a70-7c55-8f4f-2b1f5f1f6a01"
READER = "01931c9a-9b02-7d10-a1c4-77c0a4d20e32"
SESSION_ID = "01931c9f-4d5e-7b3a-9c21-6f0e8d7a5b14"
LEVEL_ID = "01931c9f-5b20-7f11-8a2e-3c9d1b7e6042"
GONE_ID = "01931c9f-60aa-7e4c-b9d0-15a2c3f48e07"
BOOKING_ID = "01931c9e-1f00-7aa1-9d33-0d3f2a6b7c88"
MESSAGE_ID = "5f0c8a52-9a0f-4f0e-8a55-3f9d8e1c2b7a"
FILE_ID = "01931ca4-77aa-7b10-8e55-0a4f1c9d2e63"
PICTURE_ID = "01931ca5-0c2e-7d44-9a17-3e8b5f60c1d2"
OPENED_AT = "2026-03-14T18:00:00Z"
SENT_AT = "2026-03-14T19:02:11.482913Z"
TEXT = "Thank you, that helps."

BOOKING_INPUT: Example = {
    "client": CLIENT,
    "reader": READER,
    "service": "Celtic Cross",
    "scheduled_at": OPENED_AT,
    "status": "in_progress",
    "is_emergency": False,
}
BOOKING: Example = {"id": BOOKING_ID, **BOOKING_INPUT}
SEND: Example = {"content": TEXT, "id": MESSAGE_ID}
SEND_TO: Example = {"session": SESSION_ID, **SEND}
EDIT: Example = {"content": "Thank you, that helps a lot."}
READ: Example = {"up_to": 43, "kind": "read"}
READ_IN: Example = {"session": SESSION_ID, **READ}
MESSAGE: Example = {
    "id": MESSAGE_ID,
    "session": SESSION_ID,
    "sender": CLIENT,
    "seq": 43,
    "revision": 58,
    "type": "text",
    "status": "sent",
    "content": TEXT,
    "reply_to": None,
    "file": None,
    "reason": None,
    "played_by": [],
    "created_at": SENT_AT,
    "edited_at": None,
    "deleted_at": None,
}
FILE: Example = {
    "id": FILE_ID,
    "name": "voice.webm",
    "content_type": "audio/webm",
    "size": 14912,
    "duration_ms": 3960,
    "waveform": [round(abs((place % 20) - 10) * 25.5) for place in range(100)],
    "width": None,
    "height": None,
    "state": "ready",
    "reason": None,
    "renditions": ["aac"],
}
VOICE: Example = {**MESSAGE, "type": "audio", "content": "", "file": FILE, "played_by": [READER]}
REJECT: Example = {"reason": "It speaks of somebody's health. Please leave that out."}
APPROVAL: Example = {
    "message": {
        **VOICE,
        "seq": None,
        "revision": None,
        "status": "pending_approval",
        "sender": READER,
        "played_by": [],
    },
    "sender_name": "Samia",
    "sender_role": "reader",
    "sender_avatar": PICTURE_ID,
    "session_title": "",
    "session_status": "active",
}
SESSION_FILES: Example = {"results": [VOICE], "next": None}
APPROVALS: Example = {"results": [APPROVAL], "next": None}
MESSAGE_PAGE: Example = {"results": [MESSAGE], "unpublished": [], "revision": 58, "has_more": True}
CURSORS: Example = {"delivered": 43, "seen": 43, "read": 42, "own_ahead": 0}
MINE: Example = {"unread": 1, "delivered_seq": 43, "seen_seq": 43, "read_seq": 42, "muted_until": None}


def participant(user: str, name: str, role: str, read: int) -> Example:
    return {
        "user": user,
        "display_name": name,
        "role": role,
        "avatar": PICTURE_ID if user == READER else None,
        "role_in_session": role,
        "joined_at": OPENED_AT,
        "left_at": None,
        "delivered_seq": 43,
        "seen_seq": 43,
        "read_seq": read,
    }


OPEN: Example = {"type": "booking", "booking": BOOKING_ID}
CHANGE: Example = {"title": "Celtic Cross, second evening"}
REASON: Example = {"reason": "A report is being looked into."}
ADD: Example = {"user": READER}
MUTE: Example = {"until": "2026-03-15T08:00:00Z"}
PARTICIPANT: Example = participant(READER, "Samia", "reader", 42)
PARTICIPANTS: Example = {"results": [participant(CLIENT, "Lina", "client", 43), PARTICIPANT]}
SESSION: Example = {
    "id": SESSION_ID,
    "type": "booking",
    "status": "active",
    "title": "",
    "created_at": OPENED_AT,
    "updated_at": OPENED_AT,
    "ended_at": None,
    "revision": 58,
    "last_seq": 43,
    "active_at": SENT_AT,
    "booking": BOOKING,
    "participants": PARTICIPANTS["results"],
    "last_message": MESSAGE,
    "mine": MINE,
}
SESSION_PAGE: Example = {"results": [SESSION], "next": None}
HELD: Example = {"sessions": {SESSION_ID: 57, LEVEL_ID: 5, GONE_ID: 12}}
SYNC: Example = {
    "sessions": [
        {
            "session": SESSION,
            "revision": 58,
            "messages": [MESSAGE],
            "unpublished": [],
            "more": False,
            "reset": False,
        }
    ],
    "cursors": {LEVEL_ID: {"unread": 2, "users": {CLIENT: [5, 5, 5], READER: [5, 3, 3]}}},
    "gone": [GONE_ID],
    "more": False,
}
PRESENCES: Example = {
    "results": [
        {"user": CLIENT, "state": "online", "last_seen_at": None},
        {"user": READER, "state": "offline", "last_seen_at": "2026-03-14T18:40:05.120000Z"},
    ]
}
