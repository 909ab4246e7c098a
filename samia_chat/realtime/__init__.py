"""Telling open sockets what was committed. Rows are the truth, an event is a hint: any of them may be lost.

`publish` is called inside the transaction of a write and sends after its commit; a write that is rolled back announces
nothing, and a dead Redis never fails one that was saved. The process's Hub hands events to its own sockets at once and
passes them on to the other processes by the Bus.
"""

from __future__ import annotations

from samia_chat.realtime.events import Event
from samia_chat.realtime.publishing import publish

__all__ = ["Event", "publish"]
