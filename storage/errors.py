"""Refusals of this app."""

from __future__ import annotations

from samia_chat.errors import Problem


class FileProcessing(Problem):
    """The file is still being prepared. It can be opened in a moment."""

    status = 409
    code = "file_processing"


class FileRejected(Problem):
    """The file was not accepted and cannot be opened; `reason` says why."""

    status = 409
    code = "file_rejected"


class FileGone(Problem):
    """The file was deleted, and the time for which it was kept is over."""

    status = 410
    code = "file_gone"


class FileInfected(Problem):
    """The virus scanner found something in this file, so it was not taken."""

    status = 422
    code = "file_infected"


class RangeUnsatisfiable(Problem):
    """The file ends before the part that was asked for begins. Content-Range says how long it is."""

    status = 416
    code = "range_unsatisfiable"


class StoreAway(Problem):
    """Files can neither be stored nor opened just now. Try again in a moment; nothing is lost."""

    status = 503
    code = "store_away"
