"""Jobs: what is due at a time. Each sweep finds its rows itself; the queue only makes it prompt."""

from __future__ import annotations

import logging

from samia_chat import actor
from samia_chat.jobs import app
from storage.errors import StoreAway
from storage.services import sweep

log = logging.getLogger(__name__)


@app.periodic(cron="*/5 * * * *")
@app.task(name="storage.sweep", queueing_lock="storage.sweep")
def sweep_storage(timestamp: int) -> None:
    """Remove uploads that died half-way, and evidence whose time is over."""
    with actor.acting_as(actor.system("sweep")):
        try:
            sweep.sweep()
        except StoreAway:
            log.warning("the sweep of files waits for the store")
