"""Files and voice: how fast they come in, what they hold meanwhile, what the worker takes, and whether messages wait for them."""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import multiprocessing
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from http import HTTPStatus
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import uvloop

from bench import machine, media, report, world
from bench.adapters.samia import Samia
from bench.driver import Load, Window, milliseconds
from bench.machine import Cores
from bench.media import BOUNDARY, Sample
from bench.options import command_line, parser_of
from bench.report import median, progress
from samia_chat.embedded import processes
from samia_chat.embedded.environment import HERE
from samia_chat.embedded.terminal import one_sentence

NEEDS = ("postgresql", "redis")
SESSIONS = 25  # of two people
AT_ONCE = 20
PATIENCE_SECONDS = 120.0
MESSAGES_RATE = 500
UPLOADS_RATE = 5.0  # beside the messages
MAX_TRIES = 5


@dataclass(frozen=True, kw_only=True)
class Plan:
    each: int  # uploads of each large file, one after the other
    many: int  # mixed uploads, AT_ONCE at a time
    ranges: int
    window: float  # seconds of messages
    rounds: int


@dataclass
class Outcome:
    """What became of uploads that were sent until they were accepted."""

    first: int = 0  # accepted at the first try
    later: int = 0
    lost: int = 0  # never accepted
    refusals: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)  # of each accepted request
    lasted: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Sender:
    """A person who uploads over a connection of his own."""

    port: int
    person: world.Person
    token: str

    def send(self, sample: Sample, message_id: str) -> tuple[int, dict[str, Any], float]:
        """Status, answer and seconds from the first byte until the answer."""
        body = sample.form(message_id)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        }
        try:
            start = time.perf_counter()
            connection.request("POST", f"/api/chat/sessions/{self.person.session}/{sample.route}", body, headers)
            answer = connection.getresponse()
            found = json.loads(answer.read())
            return answer.status, found, time.perf_counter() - start
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> tuple[int, bytes, float]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            start = time.perf_counter()
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}", **headers})
            answer = connection.getresponse()
            return answer.status, answer.read(), time.perf_counter() - start
        finally:
            connection.close()


class Server(Samia):
    """The product with its worker, and files on disk in a folder that is thrown away."""

    def __init__(self, cores: Cores, people: Sequence[world.Person], files: Path) -> None:
        rates = {"SAMIA_RATE_UPLOADS": "10000000", "SAMIA_RATE_VOICE": "10000000"}
        super().__init__(cores, people, {"SAMIA_FILES": str(files), **rates})

    @property
    def pid(self) -> int:
        assert self._process is not None  # it serves
        return self._process.pid

    def senders(self) -> list[Sender]:
        tokens = world.make_tokens(self.people)
        return [
            Sender(port=self.port, person=person, token=token)
            for person, token in zip(self.people, tokens, strict=True)
        ]

    @contextmanager
    def worker(self) -> Iterator[int]:
        """The id of the worker's process, while it runs."""
        environment = {**_plain_environment(), **self.environment()}
        with self.cores.serving():
            command = [sys.executable, str(HERE / "manage.py"), "work"]
            process = processes.start(command, environment=environment, log=self.log.with_suffix(".worker.log"))
        try:
            yield process.pid
        finally:
            processes.stop([process])


def _plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("SAMIA_", "DATABASE_", "REDIS_"))}


def main() -> None:
    options = _options()
    with one_sentence(), tempfile.TemporaryDirectory(prefix="samia-bench-files-") as folder:
        plan = _plan(options)
        cores = Cores.choose(pinned=not options.no_pin)
        cores.take_driver()
        progress("making files and people")
        media.large(), media.mixed()
        people = world.make(SESSIONS)
        server = Server(cores, people, Path(folder))
        try:
            server.start()
            cores.move_to_server(pid for pids in server.roots().values() for pid in pids)
            found = _measure(server, plan)
        finally:
            server.stop()
        _show(options, server, found)
    sys.exit(1 if found["faults"] else 0)


def _options() -> argparse.Namespace:
    parser = parser_of("uploads", __doc__, quick="a tenth of the uploads, short windows: about two minutes")
    return parser.parse_args()


def _plan(options: argparse.Namespace) -> Plan:
    if options.quick:
        return Plan(each=3, many=100, ranges=50, window=5.0, rounds=1)
    return Plan(each=7, many=1000, ranges=300, window=15.0, rounds=options.rounds)


def _measure(server: Server, plan: Plan) -> dict[str, Any]:
    senders = server.senders()
    found: dict[str, Any] = {"faults": []}
    _one_by_one(senders[0], media.large()[0], 1)  # the parsers' processes start with the first file
    progress("large ones, one after the other")
    found["large"] = {sample.title: _one_by_one(senders[0], sample, plan.each) for sample in media.large()}
    progress(f"memory with {AT_ONCE} at a time")
    found["memory"] = _memory(server, senders)
    progress(f"{plan.many} mixed, {AT_ONCE} at a time")
    found["many"], ids = _many(senders, plan.many)
    found["faults"] += _missing(server, ids)
    progress("five minutes of voice")
    found["voice"] = _voice(server, senders[0])
    progress("ranges")
    found["ranges"] = _ranges(senders[0], plan.ranges)
    progress("messages, without and with uploads")
    found["messages"] = _messages(server, senders, plan)
    if found["many"].lost:
        found["faults"].append(f"{found['many'].lost} uploads were never accepted")
    return found


# What is measured ----------------------------------------------------------------------------------------------------------


def _one_by_one(sender: Sender, sample: Sample, count: int) -> dict[str, float]:
    took = []
    for _ in range(count):
        status, answer, seconds = sender.send(sample, str(uuid4()))
        if status != 201:
            raise RuntimeError(f"{sample.title}: {status} {answer}")
        took.append(seconds)
    size = len(sample.content) / 1e6
    return {"MB": round(size, 1), "seconds": median(took), "MB_per_s": round(size / median(took), 1)}


def _memory(server: Server, senders: Sequence[Sender]) -> dict[str, float]:
    """What the web process holds more at worst while AT_ONCE large texts come in, for each of them. Not its parsers: they are
    two, whatever comes."""
    sample = media.large()[0]
    before, worst, is_over = machine.memory_of(server.pid), [0], threading.Event()

    def watch() -> None:
        while not is_over.wait(0.01):
            worst[0] = max(worst[0], machine.memory_of(server.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in range(3):
            list(pool.map(lambda sender: sender.send(sample, str(uuid4())), senders[:AT_ONCE]))
    is_over.set()
    watcher.join()
    grown = (worst[0] - before) / 2**20
    return {"before_mib": round(before / 2**20, 1), "grown_mib": round(grown, 1), "each_mib": round(grown / AT_ONCE, 2)}


def _many(senders: Sequence[Sender], count: int) -> tuple[Outcome, list[str]]:
    outcome, lock, chance = Outcome(), threading.Lock(), random.Random(7)
    jobs = [(chance.choice(senders), chance.choice(media.mixed()), str(uuid4())) for _ in range(count)]

    def carry_out(job: tuple[Sender, Sample, str]) -> None:
        sender, sample, message_id = job
        for number in range(MAX_TRIES):
            status, answer, seconds = sender.send(sample, message_id)
            with lock:
                if status in (200, 201):
                    outcome.seconds.append(seconds)
                    outcome.first += number == 0
                    outcome.later += number > 0
                    return
                outcome.refusals[f"{status} {answer.get('code')}"] += 1
            time.sleep(1)
        with lock:
            outcome.lost += 1

    start = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(carry_out, jobs))
    outcome.lasted = time.perf_counter() - start
    return outcome, [message_id for _, _, message_id in jobs]


def _missing(server: Server, ids: Sequence[str]) -> list[str]:
    with world.superuser(server.database) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM chat_messages m JOIN chat_files f ON f.id = m.file_id WHERE m.id = ANY (%s)",
            [[UUID(one) for one in ids]],
        )
        row = cursor.fetchone()
    stored = int(row[0]) if row else 0
    return [] if stored == len(ids) else [f"{len(ids) - stored} of {len(ids)} uploads are not stored"]


def _voice(server: Server, sender: Sender) -> dict[str, float]:
    sample = Sample(title="voice", route="voice", name="v.webm", content=media.recording(300))
    with server.worker() as worker:
        _until(lambda: _pending_jobs(server) == 0)
        cpu = sum(machine.tree([worker]).values())
        status, answer, upload = sender.send(sample, str(uuid4()))
        if status != 201:
            raise RuntimeError(f"voice: {status} {answer}")
        start, file = time.perf_counter(), answer["file"]["id"]
        _until(lambda: _file(server, file)["waveform"])
        peaks = time.perf_counter() - start
        _until(lambda: _file(server, file)["renditions"])
        rendition = time.perf_counter() - start
        time.sleep(0.5)
        spent = sum(machine.tree([worker]).values()) - cpu
    return {
        "upload_s": round(upload, 2),
        "peaks_s": round(peaks, 2),
        "rendition_s": round(rendition, 2),
        "worker_cpu_s": round(spent, 2),
    }


def _file(server: Server, file: str) -> dict[str, Any]:
    with world.superuser(server.database) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT waveform IS NOT NULL, renditions <> '{}' FROM chat_files WHERE id = %s", [file])
        row = cursor.fetchone()
    assert row is not None  # it was just sent
    return {"waveform": row[0], "renditions": row[1]}


def _pending_jobs(server: Server) -> int:
    with world.superuser(server.database) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing') AND task_name LIKE 'chat.pro%'"
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _until(condition: Callable[[], object]) -> None:
    deadline = time.perf_counter() + PATIENCE_SECONDS * 5
    while not condition():
        if time.perf_counter() > deadline:
            raise RuntimeError("the worker did not do it in time")
        time.sleep(0.02)


def _ranges(sender: Sender, count: int) -> dict[str, float]:
    """The start of playing a recording of ten megabytes somewhere in its middle."""
    _, message, _ = sender.send(media.large()[1], str(uuid4()))
    size, chance, took = message["file"]["size"], random.Random(7), []
    for _ in range(count):
        start = chance.randrange(size - 65_536)
        wanted = f"bytes={start}-{start + 65_535}"
        status, body, seconds = sender.get(f"/api/chat/files/{message['file']['id']}", Range=wanted)
        if (status, len(body)) != (206, 65_536):
            raise RuntimeError(f"a range: {status}, {len(body)} bytes")
        took.append(seconds)
    took.sort()
    return {"p50_ms": round(milliseconds(took, 0.5), 1), "p99_ms": round(milliseconds(took, 0.99), 1)}


def _messages(server: Server, senders: Sequence[Sender], plan: Plan) -> dict[str, float]:
    """p99 from said to delivered, in turns without and with uploads."""
    windows: dict[str, list[Window]] = {"without": [], "with": []}
    for _ in range(plan.rounds):
        for name, found in windows.items():
            with _uploading(senders) if name == "with" else nullcontext():
                found.append(uvloop.run(_talk(server, plan)))
    return {
        f"{share}_{name}": median((getattr(window, f"{share}_ms") for window in found), 2)
        for name, found in windows.items()
        for share in ("p50", "p99")
    }


async def _talk(server: Server, plan: Plan) -> Window:
    load = Load(SESSIONS)
    load.senders = await server.connect(load)
    await asyncio.sleep(server.settle_seconds)
    window = await load.open(MESSAGES_RATE, warm=2.0, seconds=plan.window, roots=server.roots())
    await server.disconnect()
    return window


@contextmanager
def _uploading(senders: Sequence[Sender]) -> Iterator[None]:
    """Uploads for as long as the block lasts, from a process of their own: threads of this one would hold up its clock."""
    fresh = multiprocessing.get_context("spawn")
    has_begun, is_over = fresh.Event(), fresh.Event()
    uploader = fresh.Process(target=_upload_steadily, args=(senders, has_begun, is_over))
    uploader.start()
    try:
        if not has_begun.wait(PATIENCE_SECONDS):
            raise RuntimeError("no upload began")
        yield
    finally:
        is_over.set()
        uploader.join()
    if uploader.exitcode != 0:
        raise RuntimeError("an upload beside the messages was refused; its traceback is above")


def _upload_steadily(senders: Sequence[Sender], has_begun: Event, is_over: Event) -> None:
    chance = random.Random(7)
    samples = media.mixed()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sent = []
        while not is_over.wait(1 / UPLOADS_RATE):
            sent.append(pool.submit(chance.choice(senders).send, chance.choice(samples), str(uuid4())))
            has_begun.set()
    refused = [status for status, _, _ in (upload.result() for upload in sent) if status != HTTPStatus.CREATED]
    if refused:
        raise RuntimeError(f"{len(refused)} of {len(sent)} uploads were refused: {refused[:5]}")


# Results -----------------------------------------------------------------------------------------------------------------


def _show(options: argparse.Namespace, server: Server, found: dict[str, Any]) -> None:
    versions = {"PostgreSQL": world.server_version(), **server.versions()}
    text = markdown(found)
    if options.write:
        note = f"files on disk; {AT_ONCE} uploads at a time, {SESSIONS} sessions of two; {server.cores}"
        report.write("uploads", f"{report.origin(command_line('uploads'), versions, note)}\n\n{text}")
    if options.json:
        print(json.dumps({**found, "many": vars(found["many"])}, default=str))
    else:
        print(report.plain(text))
    for fault in found["faults"]:
        progress(f"WRONG  {fault}")


def markdown(found: dict[str, Any]) -> str:
    many: Outcome = found["many"]
    voice, messages, ordered = found["voice"], found["messages"], sorted(many.seconds)
    tried = many.first + many.later + many.lost
    rows: list[tuple[object, ...]] = [
        (
            f"{title}, {one['MB']} MB, one after the other",
            f"{one['MB_per_s']} MB/s",
            "≥ 60 MB/s" if title == "text" else "",
        )
        for title, one in found["large"].items()
    ]
    rows += [
        (f"memory of the web process for each of {AT_ONCE} in flight", f"{found['memory']['each_mib']} MiB", "≤ 5 MB"),
        (f"{tried:,} mixed, accepted at the first try", f"{100 * many.first / tried:.2f} %", "≥ 99.9 %"),
        ("lost after trying again", many.lost, "0"),
        ("  how many a second", f"{tried / many.lasted:.1f}", ""),
        ("  p50 / p99", f"{milliseconds(ordered, 0.5):.0f} / {milliseconds(ordered, 0.99):.0f} ms", ""),
        ("voice of 5 minutes: peaks after", f"{voice['peaks_s']} s", "≤ 1.5 s"),
        ("  AAC rendition: CPU of the worker", f"{voice['worker_cpu_s']} s", "≤ 15 s"),
        ("  AAC rendition after", f"{voice['rendition_s']} s", ""),
        (
            "64 KiB from the middle, p50 / p99",
            f"{found['ranges']['p50_ms']} / {found['ranges']['p99_ms']} ms",
            "≤ 50 ms",
        ),
        (f"messages at {MESSAGES_RATE}/s, p50 / p99", f"{messages['p50_without']} / {messages['p99_without']} ms", ""),
        (
            f"  with {UPLOADS_RATE:.0f} uploads/s beside them",
            f"{messages['p50_with']} / {messages['p99_with']} ms",
            "± 20 %",
        ),
    ]
    return report.table(("", "measured", "goal"), rows)


if __name__ == "__main__":
    main()
