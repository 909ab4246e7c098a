from __future__ import annotations

import pytest

from bench import growth, report


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        ({"closed": (0.5, 0.5)}, "flat: closed × 1.00"),
        ({"closed": (0.6, 0.5)}, "flat: closed × 1.20"),
        ({"closed": (0.61, 0.5), "calls": (1.0, 2.0)}, "NOT flat: closed × 1.22"),
        ({"closed": (0.3, 0.5), "calls": (1.0, 2.0)}, "flat: closed × 0.60"),
    ],
)
def test_verdict_names_the_worst(costs: dict[str, tuple[float, float]], expected: str) -> None:
    assert growth.verdict(costs) == expected


def test_a_price_is_what_is_less() -> None:
    assert [report.priced(400.4, None), report.priced(400.4, 529.0)] == ["400", "400 (-129)"]
