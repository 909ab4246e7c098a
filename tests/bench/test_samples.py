from __future__ import annotations

import json
import re
import sys
from dis import opmap
from importlib.util import find_spec
from pathlib import Path

import pytest

from bench import samples, served
from bench.samples import Frame, Sample

HERE = Path(served.__file__).parent.parent
LOOP: Frame = ("asyncio/runners.py", "Runner.run")
CONSUMER: Frame = ("chat/live/consumer.py", "ChatConsumer._listen")


@pytest.mark.parametrize(
    ("part", "stack"),
    [
        (samples.LIMITER, [("samia_chat/limits.py", "Limiter.take"), CONSUMER, LOOP]),
        (samples.OURS, [("uuid.py", "UUID.__str__"), CONSUMER, LOOP]),
        (samples.JSON, [("samia_chat/realtime/events.py", "encode"), CONSUMER, LOOP]),
        (samples.REDIS, [("samia_chat/realtime/events.py", "packets.<locals>.<genexpr>"), LOOP]),
        (samples.OURS, [("samia_chat/realtime/events.py", "Event"), LOOP]),
        (samples.SERVER, [("websockets/frames.py", "Frame.parse"), ("uvicorn/x.py", "data_received"), LOOP]),
        (
            samples.BATCHER,
            [("asyncio/timeouts.py", "Timeout.reschedule"), ("chat/live/batcher.py", "Batcher._run"), LOOP],
        ),
        (samples.EVENT_LOOP, [LOOP, ("uvicorn/server.py", "Server.run")]),
        (samples.OTHER, [("asyncio/locks.py", "Event.wait"), LOOP]),
        (samples.OTHER, [("uvicorn/config.py", "Config.load")]),
        (samples.OTHER, []),
    ],
)
def test_the_innermost_frame_that_is_known_decides(part: str, stack: list[Frame]) -> None:
    assert samples.part_of(stack) == part


@pytest.mark.parametrize(("place", "function"), [rule[:2] for rule in samples.RULES])
def test_rules_speak_of_what_is_there(place: str, function: str) -> None:
    path = HERE / place
    if not path.exists():
        assert find_spec(place.rstrip("/")) is not None, f"{place} is neither ours nor installed"
    elif function:
        assert re.search(rf"def {function.rsplit('.', 1)[-1]}\(", path.read_text())


def test_shares_of_parts_and_functions(tmp_path: Path) -> None:
    lines = [[1.0, [CONSUMER, LOOP]], [2.0, [CONSUMER, LOOP]], [3.0, [LOOP]], [9.0, [CONSUMER, LOOP]]]
    path = tmp_path / "samples"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    taken = samples.between(samples.read(path), began=2.0, seconds=2.0)
    assert taken == [Sample(2.0, (CONSUMER, LOOP)), Sample(3.0, (LOOP,))]
    assert {part: share for part, share in samples.shares(taken).items() if share} == {
        samples.OURS: 0.5,
        samples.EVENT_LOOP: 0.5,
    }
    assert samples.functions(taken) == {"chat/live/consumer.py: ChatConsumer._listen": 0.5}


def test_without_samples_nothing_has_a_share() -> None:
    assert set(samples.shares([]).values()) == {0.0}
    assert samples.functions([]) == {}


def test_the_first_instruction_of_a_function_is_its_callers_time() -> None:
    frame = sys._getframe()
    inside, caller = (frame.f_code, frame.f_lasti), (frame.f_code, 0)
    assert served._without_entry([inside, caller]) == [inside, caller]
    entry = frame.f_code.co_code.index(opmap["RESUME"])
    assert served._without_entry([(frame.f_code, entry), inside]) == [inside]
    assert served._without_entry([(frame.f_code, entry)]) == [(frame.f_code, entry)]


def test_paths_are_short() -> None:
    assert served.short(served.__file__) == "bench/served.py"
    assert served.short(json.__file__) == "json/__init__.py"
    assert served.short(pytest.__file__) == "pytest/__init__.py"
    assert served.short("<string>") == "<string>"


def test_what_is_not_there_cannot_be_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(served._PARTS, "gone", (samples, "gone", print))
    with pytest.raises(LookupError, match="has no gone"):
        served.take_away("gone")
