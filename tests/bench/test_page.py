"""How much script a trace has in each frame."""

from __future__ import annotations

from typing import Any

import pytest

from bench.page import script_times


def frame(at: int, *, tid: int = 1) -> dict[str, Any]:
    return {"name": "BeginMainThreadFrame", "ph": "I", "ts": at, "pid": 1, "tid": tid}


def script(at: int, lasted: int, *, name: str = "FunctionCall", tid: int = 1) -> dict[str, Any]:
    return {"name": name, "ph": "X", "ts": at, "dur": lasted, "pid": 1, "tid": tid}


def test_script_counts_for_the_frame_in_which_it_begins() -> None:
    events = [frame(0), script(1_000, 2_000), script(5_000, 500), frame(16_000), script(17_000, 4_000), frame(32_000)]
    assert script_times(events) == [2.5, 4.0]


def test_what_runs_inside_of_another_counts_once() -> None:
    inner = [
        script(1_000, 5_000),
        script(2_000, 1_000, name="RunMicrotasks"),
        script(5_000, 3_000, name="EventDispatch"),
    ]
    assert script_times([frame(0), *inner, frame(16_000)]) == [7.0]


def test_other_threads_and_other_work_do_not_count() -> None:
    events = [
        frame(0),
        script(1_000, 1_000, tid=2),
        script(1_000, 1_000, name="Layout"),
        frame(16_000),
        frame(9, tid=2),
    ]
    assert script_times(events) == [0.0]


def test_a_trace_without_frames_is_none() -> None:
    with pytest.raises(RuntimeError):
        script_times([script(0, 1)])
