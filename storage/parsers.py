"""Judging and processing of files, from the side of a request or a job: a few child processes, each asked one thing at a time.

The children (`storage.parsing`) run Pillow, FFmpeg and pdfium on what strangers send, with little memory and no secrets. One that
does not answer in time is killed, one that dies is replaced; either way the file was `file_unreadable`. Safe to be used by many
threads; the calls wait.
"""

from __future__ import annotations

import atexit
import logging
import math
import os
import queue
import select
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from storage.formats import FORMATS, Kind
from storage.parsing.made import path_of
from storage.parsing.messages import MAX_ANSWER_BYTES, Answer, Made, Refused, Task, Wanted, length

__all__ = ["Judged", "NoParser", "ParserPool", "Preview", "Refused", "Rendition", "Wanted", "parsers"]

JUDGE_SECONDS = 10
TASK_SECONDS = 120
START_SECONDS = 30
WAIT_SECONDS = 15
LEAST_SHARE = 0.5  # of that time, on a core: with less, nothing is known of the file
RECYCLED_AFTER = 200  # files: whatever a library leaks goes with its process

ROOT = Path(__file__).resolve().parent.parent
# Of our environment a child gets these and nothing else: no key, no address of a database.
ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
NOT_READ = "This file could not be read: it took too long, or too much memory. Try once more, or send it smaller."

T = TypeVar("T")
logger = logging.getLogger(__name__)


class NoParser(Exception):
    """All parsers are busy, none can be started or gets the processor, or the disk is full. Nothing is wrong with the file: try
    again in a moment."""


@dataclass(frozen=True, kw_only=True)
class Preview:
    path: Path
    content_type: str
    extension: str
    size: int
    sha256: bytes
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Rendition:
    path: Path
    content_type: str
    extension: str
    size: int
    sha256: bytes
    duration_ms: int


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What is to be stored of an upload, and what it is."""

    kind: Kind
    content_type: str
    extension: str
    path: Path  # in the caller's folder; of PDF and text, which are kept byte for byte, the source itself
    size: int
    sha256: bytes
    duration_ms: int | None  # of audio and video
    waveform: list[int] | None  # of audio up to a minute: 100 peaks, 0 to 255; a longer one is for `measure`
    width: int | None  # of pictures and video, as they are shown
    height: int | None
    preview: Preview | None  # of pictures; of video and PDF there is `poster`


class ParserPool:
    """Children are started when they are needed, and stay."""

    def __init__(
        self,
        size: int = 2,
        *,
        judge_seconds: float = JUDGE_SECONDS,
        task_seconds: float = TASK_SECONDS,
        wait_seconds: float = WAIT_SECONDS,
        recycled_after: int = RECYCLED_AFTER,
        memory_bytes: int | None = None,
    ) -> None:
        self.size = size
        self.judge_seconds = judge_seconds
        self.task_seconds = task_seconds
        self.wait_seconds = wait_seconds
        self.recycled_after = recycled_after
        self._command = [sys.executable, "-m", "storage.parsing", *([str(memory_bytes)] if memory_bytes else [])]
        self._begin()
        # A process forked from this one must not talk over our lines, nor hold them open.
        os.register_at_fork(after_in_child=_weakly(self._forget))
        atexit.register(_weakly(self.close))

    # Asking ----------------------------------------------------------------------------------------------------------

    def judge(self, source: Path, folder: Path, *, wanted: Wanted) -> Judged:
        """Whether this upload is taken, and as what. Writes what is to be stored into `folder`, which is the caller's.

        Raises Refused with a reason, or NoParser.
        """
        answer = self._ask("judge", source, folder, self.judge_seconds, wanted=wanted)
        made = _expected(answer.file)
        form = FORMATS[made.format]
        return Judged(
            kind=form.kind,
            content_type=form.content_type,
            extension=form.extension,
            path=source if answer.is_kept else path_of(folder, "file", form),
            size=made.size,
            sha256=made.sha256,
            duration_ms=made.duration_ms,
            waveform=made.waveform,
            width=made.width,
            height=made.height,
            preview=_preview(answer.preview, folder, "preview") if answer.preview else None,
        )

    def measure(self, source: Path) -> tuple[int, list[int]]:
        """Exact duration in milliseconds and waveform of any sound. Raises Refused or NoParser."""
        answer = self._ask("measure", source, None, self.task_seconds)
        return _expected(answer.duration_ms), _expected(answer.waveform)

    def render_audio(self, source: Path, folder: Path) -> Rendition:
        """The sound as AAC in M4A, which every browser plays. Raises Refused or NoParser."""
        made = _expected(self._ask("render_audio", source, folder, self.task_seconds).file)
        form = FORMATS[made.format]
        return Rendition(
            path=path_of(folder, "rendition", form),
            content_type=form.content_type,
            extension=form.extension,
            size=made.size,
            sha256=made.sha256,
            duration_ms=_expected(made.duration_ms),
        )

    def poster(self, source: Path, folder: Path, kind: Literal["video", "pdf"]) -> Preview:
        """A picture of a video or a PDF: its first. Raises Refused or NoParser."""
        answer = self._ask("poster", source, folder, self.task_seconds, kind=kind)
        return _preview(_expected(answer.file), folder, "poster")

    def _ask(
        self,
        do: Literal["judge", "render_audio", "measure", "poster"],
        source: Path,
        folder: Path | None,
        seconds: float,
        *,
        wanted: Wanted = "attachment",
        kind: str = "",
    ) -> Answer:
        source.stat()  # what is not there is our fault, and not the file's
        task = Task(
            do=do,
            source=str(source.absolute()),
            folder=str(folder.absolute()) if folder else "",
            wanted=wanted,
            kind=kind,
            seconds=math.ceil(seconds),
        )
        try:
            with self._child() as child:
                answer = child.ask(task, seconds)
        except _Lost as lost:
            logger.warning("a parser was lost over a file (%s): %s", do, lost)
            raise Refused("file_unreadable", NOT_READ) from lost
        except _Starved as starved:
            raise NoParser("the processor is busy with other things") from starved
        if answer.is_our_fault:
            raise NoParser(f"a file could not be processed: {answer.cause}")
        if answer.code is not None:
            if answer.cause:
                logger.info("a file was unreadable (%s): %s", do, answer.cause)
            raise Refused(answer.code, answer.detail)
        return answer

    # Children --------------------------------------------------------------------------------------------------------

    def pids(self) -> list[int]:
        """Of the children that run."""
        return [child.pid for child in list(self._children)]

    def close(self) -> None:
        """End all children. Whoever waits for one is refused."""
        self._is_closed = True
        for child in list(self._children):
            child.kill()
        idle = []
        with suppress(queue.Empty):
            while True:
                idle.append(self._slots.get_nowait())
        for one in idle:
            self._end(one)
            self._slots.put(None)  # for whoever waits, to learn that
        self._starter.stop()

    def _begin(self) -> None:
        self._is_closed = False
        self._children: set[_Child] = set()
        self._starter = _Starter(self._command)
        # The last one used comes first, so that a second child is started only when two files come at once.
        self._slots: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        for _ in range(self.size):
            self._slots.put(None)

    def _forget(self) -> None:
        for child in self._children:
            child.forget()
        self._begin()

    @contextmanager
    def _child(self) -> Iterator[_Child]:
        """A child of one's own for a moment. One that was left by an exception, in whatever state, is ended."""
        try:
            child = self._slots.get(timeout=self.wait_seconds)
        except queue.Empty:
            raise NoParser("all parsers are busy") from None
        back = None
        try:
            if self._is_closed:
                raise NoParser("the parsers were closed")
            if child is not None and (child.is_spent or child.is_dead() or child.asked >= self.recycled_after):
                self._end(child)
                child = None
            if child is None:
                child = self._starter.start()
                self._children.add(child)
                child.await_ready()
            yield child
            back = child
        finally:
            if self._is_closed:
                back = None
            if back is None:
                self._end(child)
            self._slots.put(back)

    def _end(self, child: _Child | None) -> None:
        if child is not None:
            self._children.discard(child)
            child.end()


class _Lost(Exception):
    """A child died over a file, or had to be killed."""


class _Late(_Lost):
    """It did not answer in time."""


class _Starved(Exception):
    """A child did not answer in time because others had the processor: it makes room for them."""


class _Child:
    def __init__(self, command: list[str]) -> None:
        environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,  # Ctrl-C is for us; we end them
        )
        assert self._process.stdin is not None  # both were asked for
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        self._poll = select.poll()
        self._poll.register(self._out, select.POLLIN)
        self.pid = self._process.pid
        self.asked = 0
        self.is_spent = False

    def await_ready(self) -> None:
        try:
            answer = self._answer(START_SECONDS)
        except _Lost as lost:
            raise NoParser(f"a parser could not be started: {lost}") from lost
        if not answer.is_ready:
            raise NoParser("a parser could not be started: it speaks another language")

    def ask(self, task: Task, seconds: float) -> Answer:
        self.asked += 1
        payload = msgspec.msgpack.encode(task)
        _, before = self._use()
        try:
            self._in.write(length.pack(len(payload)) + payload)
        except OSError as error:
            raise NoParser("a parser died before it was asked") from error
        try:
            answer = self._answer(seconds)
        except _Late as late:
            state, after = self._use()
            if state == "R" and after - before < seconds * LEAST_SHARE:
                raise _Starved from late
            raise
        self.is_spent = answer.is_last
        return answer

    def _answer(self, seconds: float) -> Answer:
        deadline = time.monotonic() + seconds
        (size,) = length.unpack(self._take(length.size, deadline))
        if size > MAX_ANSWER_BYTES:
            raise _Lost("its answer was too long")
        try:
            return msgspec.msgpack.decode(self._take(size, deadline), type=Answer)
        except msgspec.MsgspecError as error:
            raise _Lost("its answer was garbled") from error

    def _take(self, count: int, deadline: float) -> bytes:
        taken = b""
        while len(taken) < count:
            left = deadline - time.monotonic()
            if left <= 0 or not self._poll.poll(left * 1000):
                raise _Late("it did not answer in time")
            chunk = os.read(self._out.fileno(), count - len(taken))
            if not chunk:
                raise _Lost(f"it ended (return code {self._process.poll()})")
            taken += chunk
        return taken

    def _use(self) -> tuple[str, float]:
        """Its state, R when it runs or would if it could, and its seconds on a processor so far: proc_pid_stat(5). Where the
        kernel tells neither, nothing of both."""
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        except OSError:
            return "", 0.0
        return stat[0], (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    def is_dead(self) -> bool:
        return self._process.poll() is not None

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._close()

    def forget(self) -> None:
        """In a process forked from ours: it is not our child here."""
        self._process.returncode = 0
        self._close()

    def _close(self) -> None:
        for line in (self._in, self._out):
            with suppress(OSError):
                line.close()


class _Starter:
    """Starts children from a thread that stays: the kernel ends a child with the thread it comes from, not the process."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._wishes: queue.SimpleQueue[Future[_Child] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> _Child:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="parsers", daemon=True)
                self._thread.start()
        wish: Future[_Child] = Future()
        self._wishes.put(wish)
        try:
            return wish.result()
        except OSError as error:
            raise NoParser("a parser could not be started") from error

    def stop(self) -> None:
        self._wishes.put(None)

    def _run(self) -> None:
        while (wish := self._wishes.get()) is not None:
            try:
                wish.set_result(_Child(self._command))
            except BaseException as error:  # noqa: BLE001 (it belongs to whoever waits)
                wish.set_exception(error)


def _weakly(method: Callable[[], None]) -> Callable[[], None]:
    """The method as long as its object lives; whoever remembers it does not keep it alive."""
    weak = weakref.WeakMethod(method)

    def call() -> None:
        alive = weak()
        if alive is not None:
            alive()

    return call


def _preview(made: Made, folder: Path, stem: str) -> Preview:
    form = FORMATS[made.format]
    return Preview(
        path=path_of(folder, stem, form),
        content_type=form.content_type,
        extension=form.extension,
        size=made.size,
        sha256=made.sha256,
        width=_expected(made.width),
        height=_expected(made.height),
    )


def _expected(value: T | None) -> T:
    assert value is not None  # the child says it with every answer of this kind
    return value


_lock = threading.Lock()
_pool: ParserPool | None = None


def parsers() -> ParserPool:
    """The pool of this process, made when it is first asked for."""
    global _pool
    with _lock:
        if _pool is None:
            _pool = ParserPool()
        return _pool
