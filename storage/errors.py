"""Refusals of files. The codes are also those that the parsers give (storage/parsers.py); `refusal` turns one into the other."""

from __future__ import annotations

from samia_chat.errors import Problem


class FileTooLarge(Problem):
    """The file is larger than is accepted."""

    status = 413
    code = "file_too_large"


class FileEmpty(Problem):
    """The file is empty."""

    status = 422
    code = "file_empty"


class FileTypeRefused(Problem):
    """Files of this type are not accepted."""

    status = 422
    code = "file_type"


class FileUnreadable(Problem):
    """The file is damaged or is not what it seems to be, and cannot be read."""

    status = 422
    code = "file_unreadable"


class ImageTooLarge(Problem):
    """The picture has too many pixels."""

    status = 422
    code = "image_too_large"


class FileTooLong(Problem):
    """The recording is longer than is accepted."""

    status = 422
    code = "file_too_long"


class NotVoice(Problem):
    """A voice message must be a sound."""

    status = 422
    code = "not_voice"


class NotPicture(Problem):
    """This must be a picture."""

    status = 422
    code = "not_picture"


class FileInfected(Problem):
    """The virus scanner found something in this file, so it was not taken."""

    status = 422
    code = "file_infected"


class FileProcessing(Problem):
    """The file is still being prepared. It can be opened in a moment."""

    status = 409
    code = "file_processing"


class FileRejected(Problem):
    """The file was not accepted and cannot be opened; `reason` says why."""

    status = 409
    code = "file_rejected"


class StoreAway(Problem):
    """Files can neither be stored nor opened just now. Try again in a moment; nothing is lost."""

    status = 503
    code = "store_away"


class FileGone(Problem):
    """The file was deleted, and the time for which it was kept is over."""

    status = 410
    code = "file_gone"


class RangeUnsatisfiable(Problem):
    """The file ends before the part that was asked for begins. Content-Range says how long it is."""

    status = 416
    code = "range_unsatisfiable"


OF_PARSERS: tuple[type[Problem], ...] = (
    FileEmpty,
    FileTypeRefused,
    FileUnreadable,
    ImageTooLarge,
    FileTooLong,
    NotVoice,
    NotPicture,
)
_BY_CODE = {problem.code: problem for problem in OF_PARSERS}


def refusal(code: str, detail: str) -> Problem:
    """The refusal that a parser named."""
    return _BY_CODE[code](detail)
