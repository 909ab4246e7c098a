from chat.models.booking import Booking
from chat.models.message import Message, MessagePlay, MessageVersion
from chat.models.participant import Participant, Person
from chat.models.presence import Presence, PresenceAnnounced
from chat.models.session import ChatSession, SessionState
from chat.models.voice_review import VoiceReview

__all__ = [
    "Booking",
    "ChatSession",
    "Message",
    "MessagePlay",
    "MessageVersion",
    "Participant",
    "Person",
    "Presence",
    "PresenceAnnounced",
    "SessionState",
    "VoiceReview",
]
