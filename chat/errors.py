"""Refusals of this app. The codes are those that the SQL functions return; `raise_for` turns one into the other."""

from __future__ import annotations

from samia_chat.errors import Forbidden, NotFound, Problem
from storage.errors import FileProcessing, FileRejected


class WrongSessionState(Problem):
    """The session's state does not allow that now."""

    status = 409
    code = "session_state"


class IdTaken(Problem):
    """There is a different message with this id. Make a new id for a new message."""

    status = 409
    code = "id_taken"


class ReplyUnknown(Problem):
    """The message replied to is not in this session."""

    status = 400
    code = "reply_unknown"


class EmptyMessage(Problem):
    """A message needs some text."""

    status = 400
    code = "empty_message"


class EditWindowOver(Problem):
    """A message can be changed only shortly after it was sent, and that time is over."""

    status = 409
    code = "edit_window_over"


class MessageDeleted(Problem):
    """The message was deleted."""

    status = 409
    code = "message_deleted"


class BeyondLast(Problem):
    """There is no message with so high a number in this session."""

    status = 400
    code = "beyond_last"


class NotAudio(Problem):
    """Only a voice message can be played."""

    status = 409
    code = "not_audio"


class NotPending(Problem):
    """This message does not wait for approval."""

    status = 409
    code = "not_pending"


class AlreadyReviewed(Problem):
    """A decision about this message has been made, and it is final."""

    status = 409
    code = "already_reviewed"


class NoReader(Problem):
    """The booking has no reader yet, so there is nobody to talk with."""

    status = 409
    code = "no_reader"


class BookingCancelled(Problem):
    """The booking was cancelled."""

    status = 409
    code = "booking_cancelled"


class NoStaff(Problem):
    """Nobody of the staff is there to take this."""

    status = 409
    code = "no_staff"


class UnknownPerson(Problem):
    """One of the people named is not there or has no open account."""

    status = 400
    code = "unknown_person"


class LastMember(Problem):
    """A session that goes on needs a member. End it, or add somebody first."""

    status = 409
    code = "last_member"


class ReasonNeeded(Problem):
    """Say why: this is recorded."""

    status = 400
    code = "reason_needed"


_BY_CODE: dict[str, type[Problem]] = {
    problem.code: problem
    for problem in (
        NotFound,
        Forbidden,
        WrongSessionState,
        IdTaken,
        ReplyUnknown,
        BeyondLast,
        MessageDeleted,
        NotAudio,
        NotPending,
        AlreadyReviewed,
        FileProcessing,
        FileRejected,
        NoReader,
        BookingCancelled,
        NoStaff,
        UnknownPerson,
    )
}


def refusal_of(code: str) -> Problem | None:
    """The refusal that an SQL function named; None for a code of success."""
    problem = _BY_CODE.get(code)
    return problem() if problem else None


def raise_for(code: str) -> None:
    """Raise the refusal that an SQL function named. Codes of success raise nothing."""
    refusal = refusal_of(code)
    if refusal is not None:
        raise refusal
