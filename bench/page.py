"""The page in a browser: what it weighs, how soon it is there on a slow phone, how it scrolls, how soon a message is painted."""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import statistics
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Locator, Page, Response, sync_playwright

from bench import report, world
from bench.adapters import lighthouse
from bench.adapters.samia import Samia
from bench.adapters.server import Unavailable
from bench.driver import milliseconds
from bench.machine import Cores
from bench.options import command_line, parser_of
from bench.report import median, progress
from samia_chat.embedded import static_files
from samia_chat.embedded.terminal import Refusal, one_sentence

NEEDS = ("postgresql", "redis")
SESSIONS = 200
SHORT = 50  # messages of each session but the first
PROBES = Path(__file__).with_name("probes.js")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    *(
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
    ),
    *("--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
]
DESKTOP: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
SLOW_NETWORK = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 750e3 / 8}
SLOW_PROCESSOR = 4
STEP_PX = 400  # scrolled in each frame
QUIET_MS = 1_000  # without a long task after it is drawn: then it is interactive
PATIENCE_MS = 300_000
SCRIPT = {
    "EvaluateScript",
    "v8.compile",
    "FunctionCall",
    "RunMicrotasks",
    "FireAnimationFrame",
    "EventDispatch",
    "TimerFire",
}

TRACED = ["devtools.timeline", "v8.execute", "disabled-by-default-devtools.timeline.frame"]

_EMPTY = """
DELETE FROM chat_messages WHERE session_id IN (SELECT session_id FROM chat_participants WHERE user_id = %(viewer)s)
"""
# Every session has two sides that take turns; the first is as old as it is long.
_FILL = """
WITH room AS (
  SELECT p.session_id, row_number() OVER (ORDER BY p.session_id <> %(long)s, p.session_id) - 1 AS n,
         (SELECT o.user_id FROM chat_participants o WHERE o.session_id = p.session_id AND o.user_id <> p.user_id) AS other,
         CASE WHEN p.session_id = %(long)s THEN %(many)s ELSE %(few)s END AS messages
    FROM chat_participants p WHERE p.user_id = %(viewer)s),
said AS (
  INSERT INTO chat_messages (id, session_id, sender_id, seq, revision, type, status, content, request_hash, salt,
                             created_at, published_at)
  SELECT gen_random_uuid(), session_id, CASE WHEN seq / 3 %% 2 = 0 THEN other ELSE %(viewer)s END, seq, seq + 2, 'text', 'sent',
         'message ' || seq || ' of session ' || n || '.' || repeat(' lorem ipsum dolor', (n + seq)::int %% 13), sha256('x'),
         gen_random_uuid(), at, at
    FROM room, generate_series(1, messages) seq,
         LATERAL (SELECT now() - make_interval(mins => (5 * (messages - seq) + n + 1)::int) AS at) t),
state AS (
  UPDATE chat_session_state s SET last_seq = messages, revision = messages + 2, last_message_at = now()
    FROM room WHERE s.session_id = room.session_id),
cursors AS (
  UPDATE chat_participants p SET delivered_seq = messages, seen_seq = messages, read_seq = messages, own_ahead = 0
    FROM room WHERE p.session_id = room.session_id)
UPDATE chat_sessions s SET active_at = now() - make_interval(mins => n::int) FROM room WHERE s.id = room.session_id
"""


@dataclass(frozen=True, kw_only=True)
class Plan:
    messages: int  # of the first session
    loads: int
    texts: int
    switches: int


@dataclass(frozen=True, kw_only=True)
class Figure:
    title: str
    value: float
    unit: str
    goal: float | None = None  # at most
    least: float | None = None
    beside: str = ""

    @property
    def is_missed(self) -> bool:
        is_high = self.goal is not None and self.value > self.goal
        return is_high or (self.least is not None and self.value < self.least)


class Server(Samia):
    """The product with static files as an image has them."""

    def __init__(self, cores: Cores, people: Sequence[world.Person], static: Path) -> None:
        super().__init__(cores, people, {"SAMIA_STATIC": str(static)})

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The browser, the server, who looks, and who writes to whom."""

    browser: Browser
    server: Server
    viewer: world.Person
    writer: world.Person

    @property
    def thread(self) -> str:
        return f"{self.server.address}/sessions/{self.viewer.session}"

    @property
    def cookies(self) -> dict[str, str]:
        """Of whoever looks, who is signed in."""
        from django.conf import settings

        return {settings.SESSION_COOKIE_NAME: world.session_key(self.viewer)}

    @contextmanager
    def page(self, device: dict[str, Any]) -> Iterator[Page]:
        """A page with nothing in its cache."""
        context: BrowserContext = self.browser.new_context(locale="en-GB", reduced_motion="reduce", **device)
        context.set_default_timeout(PATIENCE_MS)
        cookies = [{"name": name, "value": value, "url": self.server.address} for name, value in self.cookies.items()]
        context.add_cookies(cookies)  # type: ignore[arg-type]
        page = context.new_page()
        page.add_init_script(path=PROBES)
        yield page
        context.close()

    def open(self, page: Page) -> None:
        """The long thread, level with the server."""
        page.goto(self.thread)
        page.evaluate("probes.interactive(0)")
        page.wait_for_selector("samia-banner[data-state=level]", state="attached")


def main() -> None:
    options = _options()
    with one_sentence(), tempfile.TemporaryDirectory(prefix="samia-bench-static-") as folder:
        plan = _plan(options)
        cores = Cores.choose(pinned=not options.no_pin)
        cores.take_driver()
        progress(f"making {SESSIONS} sessions, {plan.messages:,} messages in one of them")
        viewer, writer = _people(plan.messages)
        static_files.collect({**os.environ, "SAMIA_STATIC": folder})
        server = Server(cores, [viewer, writer], Path(folder))
        try:
            server.start()
            cores.move_to_server(pid for pids in server.roots().values() for pid in pids)
            with _browser() as browser:
                version = browser.version
                figures = _measure(Scene(browser=browser, server=server, viewer=viewer, writer=writer), plan)
        finally:
            server.stop()
        _show(options, cores, {"Chromium": version, **server.versions()}, figures)
    sys.exit(1 if any(figure.is_missed for figure in figures) else 0)


def _options() -> argparse.Namespace:
    parser = parser_of("page", __doc__, rounds=5, quick="one page load and few messages sent: about a minute")
    parser.add_argument("--messages", type=int, default=10_000, help="to scroll through (default 10,000)")
    return parser.parse_args()


def _plan(options: argparse.Namespace) -> Plan:
    if options.quick:
        return Plan(messages=options.messages, loads=1, texts=10, switches=5)
    return Plan(messages=options.messages, loads=options.rounds, texts=50, switches=20)


# The world -----------------------------------------------------------------------------------------------------------------


def _people(messages: int) -> tuple[world.Person, world.Person]:
    """A client in SESSIONS sessions, and the other one in the long session."""
    people = world.make(SESSIONS)
    viewer, writer, readers = people[0], people[1], people[3::2]
    with world.superuser(world.WORLD) as connection, connection.cursor() as cursor:
        with connection.transaction():
            cursor.execute("SET LOCAL ROLE samia_staff")  # without an actor: the system
            for reader in readers:
                cursor.execute(
                    "SELECT code FROM app.open_session('general', '', NULL, %s)", [[viewer.user, reader.user]]
                )
        with connection.transaction():
            cursor.execute("SET LOCAL session_replication_role = replica")
            given = {"viewer": viewer.user, "long": viewer.session, "many": messages, "few": SHORT}
            cursor.execute(_EMPTY, given)
            cursor.execute(_FILL, given)
        connection.execute("VACUUM ANALYZE")
    world.sign_in_browsers(world.WORLD, [viewer])
    return viewer, writer


def _program() -> str:
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        raise Refusal(f"this benchmark needs one of {', '.join(BROWSERS)}.")
    return program


@contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_program(), args=ARGUMENTS)
        yield browser
        browser.close()


# What is measured ----------------------------------------------------------------------------------------------------------


def _measure(scene: Scene, plan: Plan) -> list[Figure]:
    progress("weight")
    figures = [_weight(scene)]
    progress(f"{plan.loads} loads on a slow phone")
    figures += _loads(scene, plan.loads)
    for name, device, slower in (("desktop", DESKTOP, 1), ("phone, processor 4 × slower", PHONE, SLOW_PROCESSOR)):
        progress(f"scrolling: {name}")
        figures += _scrolling(scene, name, device, slower, plan.messages)
    progress(f"{plan.texts} messages each way, {plan.switches} sessions opened")
    with scene.page(DESKTOP) as page:
        scene.open(page)
        figures += _messages(scene, page, plan.texts)
        figures.append(_switches(page, plan.switches))
    progress(f"Lighthouse, {plan.loads} times each")
    return [*figures, *_judged(scene, plan.loads)]


def _weight(scene: Scene) -> Figure:
    scripts: list[Response] = []
    with scene.page(DESKTOP) as page:
        page.on("response", lambda one: scripts.append(one) if one.request.resource_type == "script" else None)
        scene.open(page)
        page.wait_for_load_state("networkidle")
        sizes = {one.url: len(gzip.compress(one.body(), 9)) for one in scripts if "/static/" in one.url}
    kilobytes = sum(sizes.values()) / 1000
    return Figure(
        title="JavaScript of a thread's page, gzip",
        value=kilobytes,
        unit="kB",
        goal=100,
        beside=f"{len(sizes)} modules",
    )


def _loads(scene: Scene, count: int) -> list[Figure]:
    first, ready = [], []
    for _ in range(count):
        with scene.page(PHONE) as page:
            session = _session(page)
            session.send("Network.enable")
            session.send("Network.emulateNetworkConditions", SLOW_NETWORK)
            session.send("Emulation.setCPUThrottlingRate", {"rate": SLOW_PROCESSOR})
            page.goto(scene.thread)
            ready.append(page.evaluate("(quiet) => probes.interactive(quiet)", QUIET_MS) / 1000)
            paint = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
            first.append(page.evaluate(paint) / 1000)
    beside = f"median of {count}; {{:.2f}} at worst"
    return [
        Figure(
            title="first paint on a slow phone",
            value=median(first),
            unit="s",
            goal=1.5,
            beside=beside.format(max(first)),
        ),
        Figure(title="interactive there", value=median(ready), unit="s", goal=2.5, beside=beside.format(max(ready))),
    ]


def _judged(scene: Scene, count: int) -> list[Figure]:
    """What Lighthouse says; nothing where it cannot run."""
    try:
        lighthouse.PACKAGE.prepare()
        pages = {"sign-in": f"{scene.server.address}/sign-in", "thread": scene.thread}
        return [figure for name, url in pages.items() for figure in _points(scene, name, url, count)]
    except Unavailable as why:
        progress(f"  passed over: {why}")
        return []


def _points(scene: Scene, name: str, url: str, count: int) -> list[Figure]:
    cookies = {} if name == "sign-in" else scene.cookies
    found = [lighthouse.judge(url, browser=_program(), cookies=cookies) for _ in range(count)]
    return [
        Figure(
            title=f"Lighthouse, {name}: {category}",
            value=median(points[category] for points in found),
            unit="points",
            least=least,
            beside=f"median of {count}; {min(points[category] for points in found)} at worst",
        )
        for category, least in lighthouse.CATEGORIES.items()
    ]


def _session(page: Page) -> CDPSession:
    return page.context.new_cdp_session(page)


def _scrolling(scene: Scene, name: str, device: dict[str, Any], slower: int, messages: int) -> list[Figure]:
    with scene.page(device) as page:
        scene.open(page)
        session = _session(page)
        session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
        before = _heap(session)
        scene.browser.start_tracing(page=page, categories=TRACED)
        found = page.evaluate("(step) => probes.toTheFirst(step)", STEP_PX)
        trace = json.loads(scene.browser.stop_tracing())
        after = _heap(session)
    times = sorted(script_times(trace["traceEvents"]))
    return [
        Figure(
            title=f"scrolling through {messages:,} messages ({name}): script in a frame, p99",
            value=milliseconds([one / 1000 for one in times], 0.99),
            unit="ms",
            goal=50,
            beside=f"p50 {statistics.median(times):.1f}, {found['frames']:,} frames",
        ),
        Figure(title="  messages in the page, at most", value=found["nodes"], unit="", goal=300),
        Figure(title="  JavaScript's heap at the end", value=after, unit="MB", beside=f"at the beginning {before:.1f}"),
    ]


def _heap(session: CDPSession) -> float:
    session.send("HeapProfiler.collectGarbage")
    return float(session.send("Runtime.getHeapUsage")["usedSize"]) / 1e6


def script_times(events: Sequence[dict[str, Any]]) -> list[float]:
    """Milliseconds of script in each frame of the page's main thread. What runs inside of another counts once."""
    frames = [one for one in events if one["name"] == "BeginMainThreadFrame"]
    if not frames:
        raise RuntimeError("the trace has no frames")
    main = (frames[0]["pid"], frames[0]["tid"])
    spans = sorted(
        (one["ts"], one["ts"] + one["dur"])
        for one in events
        if one["name"] in SCRIPT and one.get("ph") == "X" and (one["pid"], one["tid"]) == main
    )
    starts = sorted(one["ts"] for one in frames if (one["pid"], one["tid"]) == main)
    return [busy / 1000 for busy in _busy(spans, starts)]


def _busy(spans: Sequence[tuple[float, float]], starts: Sequence[float]) -> list[float]:
    """How much of the time from each start to the next the spans cover."""
    found = [0.0] * (len(starts) - 1)
    at, covered = 0, starts[0]
    for begin, end in spans:
        begin = max(begin, covered)
        covered = max(covered, end)
        while at < len(found) and starts[at + 1] <= begin:
            at += 1
        if at < len(found) and end > begin:
            found[at] += end - begin
    return found


def _messages(scene: Scene, page: Page, count: int) -> list[Figure]:
    own, theirs = [], []
    box = page.locator("samia-composer textarea")
    for number in range(count):
        text = f"from here, number {number}."
        box.fill(text)
        page.evaluate("(text) => probes.fromEvent('keydown', text)", text)
        page.keyboard.press("Enter")
        own.append(page.evaluate("probes.result") / 1000)
        text = f"from there, number {number}."
        page.evaluate("(text) => probes.fromFrame(text)", text)
        _post(scene, text)
        theirs.append(page.evaluate("probes.result") / 1000)
    return [
        *_pair("from the key to the own message painted", own),
        *_pair("from the frame `new_message` to it painted", theirs),
    ]


def _pair(title: str, seconds: list[float]) -> list[Figure]:
    ordered = sorted(seconds)
    return [
        Figure(title=f"{title}, median of {len(ordered)}", value=milliseconds(ordered, 0.5), unit="ms", goal=50),
        Figure(title="  p99", value=milliseconds(ordered, 0.99), unit="ms"),
    ]


def _post(scene: Scene, text: str) -> None:
    """The other one writes, from a program of his own."""
    (token,) = world.make_tokens([scene.writer])
    request = urllib.request.Request(
        f"{scene.server.address}/api/chat/sessions/{scene.viewer.session}/messages",
        json.dumps({"content": text}).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        answer.read()


def _switches(page: Page, count: int) -> Figure:
    """Sessions that were not open before, chosen in a list of all."""
    more = page.locator("samia-session-list .more button")
    rows = page.locator("a.session")
    while more.count():
        before = rows.count()
        more.click()
        page.wait_for_function("(before) => document.querySelectorAll('a.session').length > before", arg=before)
    listed = rows.count()
    if listed != SESSIONS:
        raise RuntimeError(f"the list has {listed} sessions")
    took = []
    paths = [row.get_attribute("href") or "" for row in rows.all()[1:]]
    for path in paths[:: max(1, len(paths) // count)][:count]:
        row = page.locator(f"a.session[href='{path}']")
        row.scroll_into_view_if_needed()
        page.evaluate("(text) => probes.fromEvent('click', text)", f"message {SHORT} of session {_number(row)}.")
        row.click()
        took.append(page.evaluate("probes.result"))
    title = f"from the click to another session's thread painted, of {SESSIONS}"
    return Figure(
        title=title, value=median(took), unit="ms", goal=100, beside=f"median of {len(took)}, {max(took):.0f} at worst"
    )


def _number(row: Locator) -> str:
    """Which session it is, as its last message says."""
    return row.inner_text().split(" of session ")[1].split(".")[0]


# Results -----------------------------------------------------------------------------------------------------------------


def _show(options: argparse.Namespace, cores: Cores, versions: dict[str, str], figures: Sequence[Figure]) -> None:
    text = markdown(figures)
    if options.write:
        note = (
            f"slow phone: 390 × 844, 1.6 Mbit/s, 150 ms, processor {SLOW_PROCESSOR} × slower, nothing cached; {cores}"
        )
        report.write("page", f"{report.origin(command_line('page'), versions, note)}\n\n{text}")
    if options.json:
        print(json.dumps([{**vars(figure), "is_missed": figure.is_missed} for figure in figures]))
    else:
        print(report.plain(text))


def markdown(figures: Sequence[Figure]) -> str:
    head = ("", "found", "goal", "beside")
    return report.table(head, [(one.title, _said(one.value, one.unit), _goal(one), one.beside) for one in figures])


def _said(value: float, unit: str) -> str:
    digits = 2 if unit == "s" else 1 if unit else 0
    return f"{value:.{digits}f} {unit}".strip()


def _goal(figure: Figure) -> str:
    if figure.goal is None and figure.least is None:
        return ""
    bound = f"≥ {figure.least:g}" if figure.goal is None else f"≤ {figure.goal:g}"
    return f"{bound} {figure.unit}".strip() + (" missed" if figure.is_missed else "")


if __name__ == "__main__":
    main()
