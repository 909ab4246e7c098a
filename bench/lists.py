"""The list of sessions and the newest page of a thread among a million messages: the price of row-level security.

The queries are those that the product sends: each request is made in this process and its SQL captured. Then the same text
runs as samia_app (or samia_staff) under its policies, and as superuser without any, in turns.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import psycopg

from bench import million, report, world
from bench.machine import Cores
from bench.million import Viewer
from bench.options import parser_of
from bench.report import progress
from samia_chat.embedded.terminal import one_sentence

NEEDS = ("postgresql",)
PLANS = report.DOCS / "performance-plans.md"
# A query is in order when row-level security at most doubles it, or adds at most so much.
TIMES, MORE_MS = 2.0, 1.0
# Not about rows of a list: who asks, and the record that staff looked. They run under their definer either way.
_ASIDE = ("app.login_user", "app.record_looks")


@dataclass(frozen=True, kw_only=True)
class Request:
    """A GET of one viewer, and what it asked the database."""

    viewer: Viewer
    name: str
    path: str
    queries: list[str]  # about rows
    aside: list[str]
    milliseconds: float  # p50 of the whole request in this process, without a network


@dataclass(frozen=True, kw_only=True)
class Timing:
    """p50 in milliseconds of each query under policies and without; `aside` of those of _ASIDE together."""

    request: Request
    secured: list[float]
    bare: list[float]
    aside: float

    def verdict(self) -> str:
        worst = [
            f"query {at}: {one:.2f} against {other:.2f} ms"
            for at, (one, other) in enumerate(zip(self.secured, self.bare, strict=True), 1)
            if one > TIMES * other and one - other > MORE_MS
        ]
        total, bare = sum(self.secured), sum(self.bare)
        if total > TIMES * bare and total - bare > MORE_MS:
            worst.append("all together")
        return "; ".join(worst) or "in order"


def main() -> None:
    options = _options()
    with one_sentence():
        cores = Cores.choose(pinned=not options.no_pin)
        cores.take_driver()
        cores.move_to_server([int(os.environ["BENCH_PG_PID"])])
        progress("making a million messages")
        viewers = million.make()
        requests = _capture(viewers, options.runs)
        timings = [_time(request, options.runs) for request in requests]
        _show(options, cores, timings)


def _options() -> argparse.Namespace:
    parser = parser_of("lists", __doc__, rounds=None)
    parser.add_argument("--runs", type=int, default=200, help="of each request and query (default 200)")
    return parser.parse_args()


# What the product asks ---------------------------------------------------------------------------------------------------


def _capture(viewers: Sequence[Viewer], runs: int) -> list[Request]:
    """Each viewer's two requests, made through the product's own views."""
    os.environ |= {
        "DATABASE_URL": world.url("DATABASE_URL", million.DATABASE),
        "DJANGO_SETTINGS_MODULE": "samia_chat.settings",
        "SAMIA_RATE_READS": "10000000",
        "SAMIA_LOG_LEVEL": "WARNING",
    }
    import django

    django.setup()
    found = []
    for viewer in viewers:
        headers = _sign_in(viewer)
        for name, path in (
            ("sessions", "/api/chat/sessions"),
            ("thread", f"/api/chat/sessions/{viewer.thread}/messages"),
        ):
            progress(f"{viewer.name}: {name}")
            found.append(_request(viewer, name, path, headers, runs))
    return found


def _sign_in(viewer: Viewer) -> dict[str, str]:
    from accounts.tokens import make_access_token

    login = uuid4()
    with world.superuser(million.DATABASE) as connection:
        connection.execute(
            "INSERT INTO accounts_login (id, user_id, kind, address, user_agent) VALUES (%s, %s, 'token', '127.0.0.1', '')",
            [login, viewer.user],
        )
    return {"Authorization": f"Bearer {make_access_token(user_id=viewer.user, login_id=login)}"}


def _request(viewer: Viewer, name: str, path: str, headers: dict[str, str], runs: int) -> Request:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(SERVER_NAME="127.0.0.1")
    answer = client.get(path, headers=headers)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answered {answer.status_code}: {answer.content[:300]!r}")
    with CaptureQueriesContext(connection) as captured:
        client.get(path, headers=headers)
    texts = [query["sql"].strip() for query in captured.captured_queries]
    selects = [text for text in texts if text.startswith("SELECT")]
    taken = [_milliseconds(lambda: client.get(path, headers=headers)) for _ in range(runs)]
    return Request(
        viewer=viewer,
        name=name,
        path=path,
        queries=[text for text in selects if not any(mark in text for mark in _ASIDE)],
        aside=[text for text in selects if any(mark in text for mark in _ASIDE)],
        milliseconds=statistics.median(taken),
    )


def _milliseconds(work: Any) -> float:
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


# What it costs -----------------------------------------------------------------------------------------------------------


@contextmanager
def _acting(connection: psycopg.Connection[Any], viewer: Viewer, *, secured: bool) -> Iterator[psycopg.Cursor[Any]]:
    """A transaction as the product begins it (samia_chat/actor.py)."""
    role = "samia_staff" if viewer.role == "admin" and secured else "none"
    with connection.transaction(), psycopg.ClientCursor(connection) as cursor:
        cursor.execute(
            "SELECT set_config('app.actor', %s, true), set_config('app.context', '{}', true), set_config('role', %s, true)",
            [str(viewer.user), role],
        )
        yield cursor


def _bare(query: str) -> str:
    """Without the view, whose condition is a rule of its own: the table behind it."""
    return query.replace('"chat_people"', '"accounts_user"')


def _time(request: Request, runs: int) -> Timing:
    """Under policies and without, in turns, so that a slow moment of the machine meets both."""
    secured: list[list[float]] = [[] for _ in request.queries]
    bare: list[list[float]] = [[] for _ in request.queries]
    aside: list[float] = []
    app = psycopg.connect(world.url("DATABASE_URL", million.DATABASE), autocommit=True)
    with app, world.superuser(million.DATABASE) as superuser:
        for turn in range(runs + 5):
            with _acting(app, request.viewer, secured=True) as cursor:
                rows = [_run(cursor, query, secured[at]) for at, query in enumerate(request.queries)]
                aside.append(sum(_milliseconds(lambda query=query: cursor.execute(query)) for query in request.aside))
            with _acting(superuser, request.viewer, secured=False) as cursor:
                others = [_run(cursor, _bare(query), bare[at]) for at, query in enumerate(request.queries)]
            # Fewer are right where the policy hides what the query does not exclude: held messages of others.
            if turn == 0 and any(one > other for one, other in zip(rows, others, strict=True)):
                raise RuntimeError(f"{request.path}: {rows} rows under policies, {others} without")
    return Timing(
        request=request,
        secured=[statistics.median(times[5:]) for times in secured],  # the first five warm caches
        bare=[statistics.median(times[5:]) for times in bare],
        aside=statistics.median(aside[5:]),
    )


def _run(cursor: psycopg.Cursor[Any], query: str, times: list[float]) -> int:
    start = time.perf_counter()
    cursor.execute(query)  # type: ignore[call-overload]  # captured text
    rows = cursor.fetchall()
    times.append(1000 * (time.perf_counter() - start))
    return len(rows)


# Results -----------------------------------------------------------------------------------------------------------------


def _show(options: argparse.Namespace, cores: Cores, timings: Sequence[Timing]) -> None:
    sizes = ", ".join(f"{count:,} {name}" for name, count in million.size().items())
    versions = {"PostgreSQL": world.server_version()}
    command = f"./samia bench lists --runs {options.runs}"
    text = markdown(timings)
    if options.write:
        note = f"p50 of {options.runs} runs in turns; {sizes}; {cores}"
        report.write("lists", f"{report.origin(command, versions, note)}\n\n{text}")
        PLANS.write_text(_plans(timings, report.origin(command, versions, sizes)))
        progress(f"written to docs/{PLANS.name}")
    if options.json:
        print(json.dumps({"size": million.size(), "requests": [_as_json(timing) for timing in timings]}))
    else:
        print(report.plain(text))
    sys.exit(1 if any(timing.verdict() != "in order" for timing in timings) else 0)


def _as_json(timing: Timing) -> dict[str, Any]:
    request = timing.request
    return {
        "viewer": request.viewer.name,
        "request": request.name,
        "request_ms": round(request.milliseconds, 2),
        "secured_ms": [round(one, 3) for one in timing.secured],
        "bare_ms": [round(one, 3) for one in timing.bare],
        "aside_ms": round(timing.aside, 3),
        "verdict": timing.verdict(),
        "queries": request.queries,
    }


def markdown(timings: Sequence[Timing]) -> str:
    head = ("", "queries", "with RLS ms", "without ms", "times", "sign-in, record ms", "whole request ms", "verdict")
    rows = []
    for timing in timings:
        secured, bare = sum(timing.secured), sum(timing.bare)
        rows.append(
            (
                f"{timing.request.viewer.name}: {timing.request.name}",
                len(timing.secured),
                f"{secured:.2f}",
                f"{bare:.2f}",
                f"{secured / bare:.1f}",
                f"{timing.aside:.2f}",
                f"{timing.request.milliseconds:.1f}",
                timing.verdict(),
            )
        )
    return report.table(head, rows)


def _plans(timings: Sequence[Timing], origin: str) -> str:
    """Every query with its plan under row-level security, as PostgreSQL ran it."""
    parts = ["# Plans of the list queries", "Written by `./samia bench lists --write`; do not edit.", origin]
    with psycopg.connect(world.url("DATABASE_URL", million.DATABASE), autocommit=True) as app:
        for timing in timings:
            request = timing.request
            parts.append(
                f"## {request.viewer.name}: GET {request.path.replace(str(request.viewer.thread), '{session}')}"
            )
            for at, query in enumerate(request.queries):
                with _acting(app, request.viewer, secured=True) as cursor:
                    cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {query}")  # type: ignore[call-overload]
                    plan = "\n".join(row[0] for row in cursor.fetchall())
                times = f"{timing.secured[at]:.2f} ms, without policies {timing.bare[at]:.2f} ms"
                parts.append(f"### Query {at + 1}: {times}\n\n```sql\n{_short(query)}\n```\n\n```\n{_short(plan)}\n```")
    return "\n\n".join(parts) + "\n"


def _short(text: str) -> str:
    """Long lists of ids and columns cut, so that a page can be read."""
    uuid = r"'?[0-9a-f]{8}-[0-9a-f-]{27}'?(::uuid)?"
    text = re.sub(rf"({uuid})((, ?|,){uuid}){{2,}}", r"\1, …", text)
    return re.sub(r"^SELECT (\S+, \S+,) .*? FROM ", r"SELECT \1 … FROM ", text, flags=re.MULTILINE)


if __name__ == "__main__":
    main()
