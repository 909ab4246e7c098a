"""The pool of parsers: it lives on whatever a file does, and its parsers have little of the machine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from storage.parsers import Judged, NoParser, ParserPool, Refused, parsers
from tests.storage import nasty
from tests.storage.parsing.judging import ROOT, refusal
from tests.storage.samples import MARK


def test_a_parser_that_hangs_is_killed_and_replaced(wav: Path, tmp_path: Path) -> None:
    pool = ParserPool(1, judge_seconds=0.5)
    try:
        pool.judge(wav, tmp_path, wanted="voice")
        (hung,) = pool.pids()
        os.kill(hung, signal.SIGSTOP)
        started = time.monotonic()
        assert refusal(pool, wav, tmp_path, "voice").code == "file_unreadable"
        assert time.monotonic() - started < 3
        assert not is_alive(hung)
        pool.judge(wav, tmp_path, wanted="voice")
        assert pool.pids() not in ([], [hung])
    finally:
        pool.close()


def test_a_parser_that_dies_over_a_file_is_replaced(wav: Path, tmp_path: Path) -> None:
    pool = ParserPool(1)
    try:
        pool.judge(wav, tmp_path, wanted="voice")
        (dying,) = pool.pids()
        os.kill(dying, signal.SIGSTOP)
        threading.Timer(0.2, os.kill, (dying, signal.SIGKILL)).start()
        assert refusal(pool, wav, tmp_path, "voice").code == "file_unreadable"
        assert pool.judge(wav, tmp_path, wanted="voice").duration_ms == 1000
    finally:
        pool.close()


def test_a_parser_that_died_between_two_files_costs_neither(wav: Path, tmp_path: Path) -> None:
    pool = ParserPool(1)
    try:
        pool.judge(wav, tmp_path, wanted="voice")
        (pid,) = pool.pids()
        os.kill(pid, signal.SIGKILL)
        wait_until_gone(pid)
        assert pool.judge(wav, tmp_path, wanted="voice").duration_ms == 1000
    finally:
        pool.close()


def test_a_file_that_takes_too_much_memory_is_refused_and_the_next_one_judged(wav: Path, tmp_path: Path) -> None:
    Image.new("RGBA", (4000, 4000), (1, 2, 3, 4)).save(tmp_path / "large.png", compress_level=1)
    pool = ParserPool(1, memory_bytes=220 * 1024 * 1024)
    try:
        assert refusal(pool, tmp_path / "large.png", tmp_path).code == "file_unreadable"
        assert pool.judge(wav, tmp_path, wanted="voice").duration_ms == 1000
    finally:
        pool.close()
    with_usual = ParserPool(1)
    try:
        assert with_usual.judge(tmp_path / "large.png", tmp_path, wanted="attachment").width == 2048
    finally:
        with_usual.close()


def test_a_file_that_takes_too_much_processor_time_ends_its_parser(wav: Path, tmp_path: Path) -> None:
    """Also where nobody is there any more to look at a clock: the kernel counts."""
    (tmp_path / "long.wav").write_bytes(nasty.wav(3 * 3600 - 1))
    pool = ParserPool(1, judge_seconds=10, task_seconds=1)
    try:
        pool.judge(wav, tmp_path, wanted="voice")
        (pid,) = pool.pids()
        with pytest.raises(Refused, match="file_unreadable"):
            pool.measure(tmp_path / "long.wav")
        assert not is_alive(pid)
        with open(f"/proc/{_pid_after(pool, wav, tmp_path)}/limits") as limits:
            (line,) = (line for line in limits if line.startswith("Max cpu time"))
        assert 10 <= int(line.split()[3]) <= 13
    finally:
        pool.close()


def test_a_parser_that_others_keep_from_the_processor_is_not_the_file_s_fault(wav: Path, tmp_path: Path) -> None:
    (tmp_path / "long.wav").write_bytes(nasty.wav(3600))
    core = min(os.sched_getaffinity(0))
    pool = ParserPool(1, judge_seconds=10, task_seconds=1)
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        for pid in (busy.pid, _pid_after(pool, wav, tmp_path)):
            os.sched_setaffinity(pid, {core})
        with pytest.raises(NoParser, match="busy"):
            pool.measure(tmp_path / "long.wav")
    finally:
        busy.kill()
        busy.wait()
        pool.close()


def _pid_after(pool: ParserPool, wav: Path, folder: Path) -> int:
    pool.judge(wav, folder, wanted="voice")
    (pid,) = pool.pids()
    return pid


def test_many_threads_share_few_parsers(wav: Path, tmp_path: Path) -> None:
    pool = ParserPool(2)
    seen: set[int] = set()

    def judge(number: int) -> Judged:
        folder = tmp_path / str(number)
        folder.mkdir()
        judged = pool.judge(wav, folder, wanted="voice")
        seen.update(pool.pids())
        assert judged.path.parent == folder
        return judged

    try:
        with ThreadPoolExecutor(8) as threads:
            all_judged = list(threads.map(judge, range(80)))
        assert len({judged.sha256 for judged in all_judged}) == 1
        assert len(seen) == 2
        # The threads that started them are gone; had a child been theirs, the kernel would have ended it.
        time.sleep(0.05)
        assert set(pool.pids()) == seen
        assert all(is_alive(pid) for pid in seen)
    finally:
        pool.close()
    assert not any(is_alive(pid) for pid in seen)


def test_who_waits_too_long_is_told_that_all_are_busy(wav: Path, tmp_path: Path) -> None:
    pool = ParserPool(1, judge_seconds=2, wait_seconds=0.2)
    try:
        pool.judge(wav, tmp_path, wanted="voice")
        os.kill(pool.pids()[0], signal.SIGSTOP)
        busy = threading.Thread(target=lambda: refusal(pool, wav, tmp_path, "voice"))
        busy.start()
        time.sleep(0.1)
        with pytest.raises(NoParser):
            pool.judge(wav, tmp_path, wanted="voice")
        busy.join()
    finally:
        pool.close()


def test_parsers_are_renewed_after_some_files(wav: Path, tmp_path: Path) -> None:
    pool = ParserPool(1, recycled_after=3)
    try:
        pids = []
        for _ in range(7):
            pool.judge(wav, tmp_path, wanted="voice")
            pids += pool.pids()
        assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [3, 3, 1]
    finally:
        pool.close()


def test_a_closed_pool_refuses_and_its_parsers_are_gone(wav: Path, tmp_path: Path) -> None:
    pool = ParserPool(1)
    pool.judge(wav, tmp_path, wanted="voice")
    (pid,) = pool.pids()
    pool.close()
    assert not is_alive(pid)
    with pytest.raises(NoParser):
        pool.judge(wav, tmp_path, wanted="voice")


def test_a_parser_that_cannot_start_is_not_the_file_s_fault(
    wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = {
        "fails": "exit 1",
        "says-nothing-more": "exec >&-; sleep 60",
        "babbles": "cat /dev/zero",
        "is-missing": None,
    }
    for name, body in programs.items():
        program = tmp_path / name
        if body is not None:
            program.write_text(f"#!/bin/sh\n{body}\n")
            program.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(program))
        pool = ParserPool(1)
        started = time.monotonic()
        with pytest.raises(NoParser):
            pool.judge(wav, tmp_path, wanted="voice")
        assert time.monotonic() - started < 5, name
        assert pool.pids() == []
        pool.close()


def test_a_full_disk_is_not_the_file_s_fault(
    pool: ParserPool, good: dict[str, tuple[Path, str]], wav: Path, tmp_path: Path
) -> None:
    full = Path("/dev/full")
    for name, written in (("photo.jpg", "file.jpg"), ("tagged.wav", "file.wav")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / written).symlink_to(full)
        with pytest.raises(NoParser, match="No space left"):
            pool.judge(good[name][0], folder, wanted="attachment")
    with pytest.raises(FileNotFoundError):
        pool.judge(tmp_path / "nothing", tmp_path, wanted="attachment")


def test_a_parser_has_no_secrets_and_little_of_the_machine(
    wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMIA_SECRET_KEY", MARK)
    monkeypatch.setenv("DATABASE_URL", f"postgres://{MARK}")
    pool = ParserPool(1)
    try:
        pool.judge(wav, tmp_path, wanted="voice")
        proc = Path(f"/proc/{pool.pids()[0]}")
        assert MARK.encode() not in (proc / "environ").read_bytes()
        limits = {line[:25].strip(): line[26:].split()[:2] for line in (proc / "limits").read_text().splitlines()}
        assert limits["Max address space"] == [str(1024**3)] * 2
        assert limits["Max core file size"] == ["0", "0"]
        assert limits["Max file size"] == [str(512 * 1024**2)] * 2
        assert limits["Max open files"] == ["32", "32"]
        assert limits["Max processes"] == ["0", "0"]
        assert int(limits["Max cpu time"][0]) <= 12
        assert "NoNewPrivs:\t1" in (proc / "status").read_text()
        assert os.sched_getscheduler(pool.pids()[0]) == os.SCHED_IDLE
        if (proc / "autogroup").exists():
            assert (proc / "autogroup").read_text().split()[-2:] == ["nice", "19"]
        assert not [name for name in (proc / "fd").iterdir() if os.readlink(name).startswith("socket")]
    finally:
        pool.close()


def test_a_parser_knows_nothing_of_django() -> None:
    code = "import sys, storage.parsing.__main__; print([name for name in sys.modules if name.startswith(('django', 'psycopg'))])"
    outcome = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert outcome.stdout == "[]\n"


def test_parsing_needs_no_thread_and_no_program(good: dict[str, tuple[Path, str]]) -> None:
    """The kernel does not hold root to the limit on processes, so where the tests are root's, nobody judges here."""
    code = """
import os, sys, threading
from pathlib import Path
from storage.parsing import limits
from storage.parsing.__main__ import carry_out
from storage.parsing.messages import Task
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
limits.confine()
try:
    threading.Thread(target=print).start()
except RuntimeError:
    print("no thread")
folder = Path(sys.argv[1])
for source in sorted(folder.iterdir()):
    answer = carry_out(Task(do="judge", source=str(source), folder=str(folder), seconds=10))
    print(source.name, answer.code, answer.cause)
"""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, (source, _) in good.items():
            shutil.copy(source, folder / file)
            os.chmod(folder / file, 0o644)
        os.chmod(folder, 0o777)
        outcome = subprocess.run([sys.executable, "-c", code, name], cwd=ROOT, capture_output=True, text=True)
    assert outcome.stdout.splitlines() == ["no thread", *(f"{file} None " for file in sorted(good))], outcome.stderr


def test_parsers_die_with_a_killed_parent_even_while_they_are_stopped(wav: Path, tmp_path: Path) -> None:
    with running(
        f"judge(pool); print(*pool.pids(), flush=True); os.kill(pool.pids()[0], {signal.SIGSTOP}); time.sleep(60)",
        wav,
        tmp_path,
    ) as parent:
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
        parent.wait()
    wait_until_gone(pid)


def test_an_exit_ends_the_parsers_and_a_fork_has_its_own(wav: Path, tmp_path: Path) -> None:
    code = """
judge(pool); mine = pool.pids()
forked = os.fork()
if not forked:
    assert pool.pids() == []
    judge(pool)
    assert pool.pids() and pool.pids() != mine
    print(*pool.pids(), flush=True)
    sys.exit(0)
assert os.waitpid(forked, 0)[1] == 0
judge(pool)
assert pool.pids() == mine
print(*mine, flush=True)
"""
    with running(code, wav, tmp_path) as parent:
        lines = parent.stdout.read().split()
        assert parent.wait() == 0
    assert len(set(lines)) == 2
    for pid in lines:
        wait_until_gone(int(pid))


def running(code: str, wav: Path, folder: Path) -> subprocess.Popen[str]:
    """A Python process with a pool, and the code."""
    start = f"""
import os, sys, time
from pathlib import Path
from storage.parsers import ParserPool
pool = ParserPool(1)
def judge(pool): assert pool.judge(Path({str(wav)!r}), Path({str(folder)!r}), wanted="voice").duration_ms == 1000
"""
    return subprocess.Popen([sys.executable, "-c", start + code], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def is_alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 5
    while is_alive(pid):
        assert time.monotonic() < deadline, "it lives on"
        time.sleep(0.02)


def test_there_is_one_pool_for_a_process() -> None:
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(lambda _: parsers(), range(50)))) == 1
