"""What the page's modules say. They ask for a text by its English words; a test holds this list against the modules."""

from __future__ import annotations

from typing import Any

from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_noop as _

TEXTS = (
    _("A private chat opens when a booking is confirmed."),
    _("All"),
    _("Away"),
    _("Back to chats"),
    _("Cancel"),
    _("Catching up…"),
    _("Chats"),
    _("Choose a chat"),
    _("Connecting…"),
    _("Conversation"),
    _("Copied"),
    _("Copy text"),
    _("Delete"),
    _("Delete this message?"),
    _("Delivered"),
    _("Dismiss"),
    _("Draft:"),
    _("Earlier message"),
    _("Edit"),
    _("Edit message"),
    _("Emergency"),
    _("Emergency call"),
    _("Ended"),
    _("File"),
    _("Filter"),
    _("It disappears for everybody in this session. Its place stays."),
    _("Jump to latest"),
    _("Keep it"),
    _("Last seen {time}"),
    _("Load older messages"),
    _("Loading"),
    _("Loading older messages…"),
    _("Locked"),
    _("Message"),
    _("Message {name}"),
    _("More"),
    _("No connection. Try again in a moment."),
    _("No session is in this selection."),
    _("Nobody else can hear it."),
    _("Not approved"),
    _("Not sent"),
    _("Not sent: the message you answered is gone"),
    _("Not sent: the session is closed for writing"),
    _("Nothing here"),
    _("Nothing was written yet."),
    _("Offline"),
    _("Online"),
    _("Open"),
    _("Only the sender and our team can hear it."),
    _("Our team keeps its messages."),
    _("Our team locked it. You can still read everything."),
    _("Our team removed your access. Contact support if this is a mistake."),
    _("Paused"),
    _("Picture"),
    _("Read"),
    _("Reconnecting…"),
    _("Reload"),
    _("Reply"),
    _("SAMIA TAROT"),
    _("Save"),
    _("Say hello to {name}"),
    _("Seen"),
    _("Send"),
    _("Sending"),
    _("Sent"),
    _("Session"),
    _("Show more"),
    _("Show the original message"),
    _("Sign out"),
    _("Sign out?"),
    _("Somebody"),
    _("Support"),
    _("That did not work. Try again in a moment."),
    _("That message is no longer here."),
    _("The session is closed for changes."),
    _("There is a new version."),
    _("The time to change this message is over."),
    _("This message was deleted"),
    _("This session has ended"),
    _("This session is archived"),
    _("This session is locked"),
    _("This session is paused"),
    _("Today"),
    _("Try again"),
    _("Try now"),
    _("Unread"),
    _("Video"),
    _("Voice message"),
    _("Waiting for approval"),
    _("We could not load this chat"),
    _("Yesterday"),
    _("You"),
    _("You are looking in. That you read this session is recorded."),
    _("You are offline."),
    _("You can read everything. Writing opens again when it is resumed."),
    _("You can still read everything."),
    _("You no longer take part in the session with {name}."),
    _("You no longer take part in this session"),
    _("Your browser did not allow copying."),
    _("Your drafts are kept on this device. Try again, or come back in a minute."),
    _("Your messages will open here."),
    _("Your sessions will appear here"),
    _("edited"),
    _("typing…"),
    _("{length} of {limit} characters"),
)

# Singular and plural. The number stands in them as {count}.
PLURALS = (
    ("Jump to latest, {count} new", "Jump to latest, {count} new"),
    ("{count} message is waiting.", "{count} messages are waiting."),
    ("{count} message was not sent and will be lost.", "{count} messages were not sent and will be lost."),
    ("{count} minute left to change it", "{count} minutes left to change it"),
    ("{count} new message", "{count} new messages"),
    ("{count} person", "{count} people"),
    ("{count} unread", "{count} unread"),
    ("{names} is typing", "{names} are typing"),
)

# A number of each of Unicode's plural categories, for languages that tell them apart.
CATEGORIES = {"zero": 0, "one": 1, "two": 2, "few": 3, "many": 11, "other": 100}


def words() -> dict[str, Any]:
    """The texts in the language of this request, as samia/text takes them. In English the keys are the texts."""
    language = get_language() or "en"
    if language == "en":
        return {"language": "en", "texts": {}, "plurals": {}}
    return {
        "language": language,
        "texts": {text: gettext(text) for text in TEXTS},
        "plurals": {
            one: {category: ngettext(one, many, count) for category, count in CATEGORIES.items()}
            for one, many in PLURALS
        },
    }
