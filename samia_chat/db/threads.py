"""Database work of coroutines: in a bounded pool of threads, each call a transaction of its own as its own actor.

asgiref's sync_to_async serialises on one thread per request, and Channels' database_sync_to_async on one per process; a
process with thousands of sockets needs neither, and must not have thousands of connections either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import connections, transaction

from samia_chat import actor
from samia_chat.actor import Actor

P = ParamSpec("P")
T = TypeVar("T")

# Two connections are left to requests.
_pool = ThreadPoolExecutor(max_workers=max(1, settings.DATABASE_POOL_SIZE - 2), thread_name_prefix="database")


async def in_transaction(who: Actor, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `function` in a thread, in a transaction, as `who`. Raises what it raises."""
    run = partial(_run, who, partial(function, *args, **kwargs))
    return await asyncio.get_running_loop().run_in_executor(_pool, copy_context().run, run)


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `function` in a thread, with no transaction and no actor but what it makes itself. Raises what it raises."""
    run = partial(_without_transaction, partial(function, *args, **kwargs))
    return await asyncio.get_running_loop().run_in_executor(_pool, copy_context().run, run)


def _without_transaction(function: Callable[[], T]) -> T:
    try:
        return function()
    finally:
        connections.close_all()


def _run(who: Actor, function: Callable[[], T]) -> T:
    try:
        with actor.acting_as(who), transaction.atomic():
            return function()
    finally:
        connections.close_all()  # back to the pool
