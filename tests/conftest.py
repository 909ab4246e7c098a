from __future__ import annotations

import asyncio
import inspect
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests import database, frames

database.use_own_database()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "samia_chat.settings")

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connections  # noqa: E402
from django.test.utils import override_settings, setup_test_environment  # noqa: E402

from chat.live import runtime  # noqa: E402
from samia_chat.db.pools import connections_by_state  # noqa: E402
from samia_chat.limits import limiter  # noqa: E402
from tests.cast import World, make_world  # noqa: E402
from tests.database import Truth  # noqa: E402
from tests.server import close_wires  # noqa: E402

setup_test_environment()


@pytest.fixture(scope="session")
def truth() -> Iterator[Truth]:
    """The superuser's connection."""
    truth = Truth()
    yield truth
    truth.connection.close()
    for alias in connections:
        connections[alias].close_pool()


@pytest.fixture(autouse=True)
def clean(truth: Truth) -> Iterator[None]:
    """Every test begins with an empty database, no files and unspent rates, and leaves no connection in use."""
    truth.empty()
    shutil.rmtree(settings.FILES_FOLDER, ignore_errors=True)
    limiter.reset()
    yield
    connections.close_all()
    deadline = time.monotonic() + 5
    while in_use := sum(connections_by_state(alias)["used"] for alias in connections):
        assert time.monotonic() < deadline, f"{in_use} connections were not given back to their pool"
        time.sleep(0.01)
    assert os.sched_getscheduler(0) == os.SCHED_OTHER, (
        "what is started from here would keep all others from the processor"
    )


@pytest.fixture(autouse=True)
def frames_as_documented() -> Iterator[None]:
    """Every frame that a device got in this test was as docs/asyncapi.yaml says."""
    frames.wrong.clear()
    yield
    if frames.wrong:
        raise frames.wrong[0]


@pytest.fixture
def world(clean: None) -> World:
    return make_world()


@pytest.fixture
def settings_of_limits() -> Iterator[Callable[..., None]]:
    """Change rates for a test: settings_of_limits(RATE_MESSAGES=5)."""
    with ExitStack() as stack:

        def change(**values: int) -> None:
            stack.enter_context(override_settings(**values))
            limiter.reset()

        yield change
    limiter.reset()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run `async def` tests on an event loop of their own, with the runtime stopped at the end."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    asyncio.run(_with_runtime(pyfuncitem.obj(**arguments)))
    return True


async def _with_runtime(test: Any) -> None:
    try:
        await test
    finally:
        await close_wires()
        await runtime.stop()
