"""The machine: processor seconds and memory of the servers from /proc, cores, files, and what to write beside a figure."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from samia_chat.embedded.terminal import Refusal

TICKS = os.sysconf("SC_CLK_TCK")  # per second: a window of 5 s is known to about 0.01 s for each process
# Of the last minute, before the measurement: what others do on the machine. Its figures are worth less the higher it is.
LOAD_BEFORE = os.getloadavg()[0]
CALM = 0.05  # processor seconds in one: what a server does beside its work


@dataclass(frozen=True)
class Cores:
    """Which core serves and which drives. None: nothing is pinned, because there is one core only, or by request."""

    server: int | None
    driver: int | None

    @classmethod
    def choose(cls, *, pinned: bool = True) -> Cores:
        """Apart, so that a driver at work takes nothing from the servers it measures."""
        allowed = sorted(os.sched_getaffinity(0))
        return cls(allowed[0], allowed[1]) if pinned and len(allowed) >= 2 else cls(None, None)

    def take_driver(self) -> None:
        if self.driver is not None:
            os.sched_setaffinity(0, {self.driver})

    @contextmanager
    def serving(self) -> Iterator[None]:
        """What is started in the block runs on the server's core: children inherit it, also threads they make later."""
        if self.server is None:
            yield
            return
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {self.server})
        try:
            yield
        finally:
            os.sched_setaffinity(0, before)

    def move_to_server(self, roots: Iterable[int]) -> None:
        """Processes that run already, with all their threads and children."""
        if self.server is None:
            return
        for pid in tree(roots):
            with suppress(FileNotFoundError, ProcessLookupError):  # ended while we looked, as autovacuum's do
                for thread in Path(f"/proc/{pid}/task").iterdir():
                    os.sched_setaffinity(int(thread.name), {self.server})

    def __str__(self) -> str:
        return "not pinned" if self.server is None else f"servers on core {self.server}, driver on core {self.driver}"


# Processes ---------------------------------------------------------------------------------------------------------------


def _stat(pid: int) -> tuple[int, float]:
    """Parent, and user + system seconds with those of children that have ended. Raises OSError for one that is gone."""
    fields = Path(f"/proc/{pid}/stat").read_bytes().rsplit(b") ", 1)[1].split()
    return int(fields[1]), sum(int(ticks) for ticks in fields[11:15]) / TICKS


def tree(roots: Iterable[int]) -> dict[int, float]:
    """The processes under `roots` with them, and the seconds of each."""
    known: dict[int, tuple[int, float]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                known[int(entry)] = _stat(int(entry))
            except (OSError, IndexError):
                continue  # ended while we looked
    found = {pid for pid in roots if pid in known}
    grew = True
    while grew:
        more = {pid for pid, (parent, _) in known.items() if parent in found and pid not in found}
        found |= more
        grew = bool(more)
    return {pid: known[pid][1] for pid in found}


def seconds(groups: Mapping[str, Iterable[int]]) -> dict[str, float]:
    """Processor seconds so far of each group of processes: {"app": 1.25, "pg": 0.8}."""
    return {name: sum(tree(roots).values()) for name, roots in groups.items()}


def memory(roots: Iterable[int]) -> int:
    """Bytes that the processes under `roots` hold: pages they share with others count in shares (PSS)."""
    return sum(memory_of(pid) for pid in tree(roots))


def memory_of(pid: int) -> int:
    """The same of one process without its children; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it has ended
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def settled(roots: Iterable[int], *, patience: float) -> None:
    """Wait until the processes have had nothing to do for two seconds, or as long as `patience`."""
    pids = list(roots)
    deadline, calm = time.monotonic() + patience, 0
    while calm < 2 and time.monotonic() < deadline:
        before = sum(tree(pids).values())
        time.sleep(1)
        calm = calm + 1 if sum(tree(pids).values()) - before <= CALM else 0


def allow_files(wanted: int) -> None:
    """So many descriptors at once, for this process and those that it starts. Raises Refusal."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise Refusal(f"{wanted:,} files must be open at once, and this machine allows {hard:,} (ulimit -Hn).")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


# What to write beside a figure -------------------------------------------------------------------------------------------


def describe() -> dict[str, str]:
    """Processor, memory, system, load before and commit. No name or path of the machine."""
    return {
        "processor": f"{os.cpu_count()} × {_processor()}",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "load": f"{LOAD_BEFORE:.1f}",
        "commit": _commit(),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _commit() -> str:
    """The commit that is measured; "+" after it where files differ from it."""
    if shutil.which("git") is None:
        return "unknown"
    where = Path(__file__).parent
    found = subprocess.run(["git", "rev-parse", "--short=10", "HEAD"], cwd=where, capture_output=True, text=True)
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD"], cwd=where).returncode != 0
    return found.stdout.strip() + ("+" if changed else "") if found.returncode == 0 else "unknown"
