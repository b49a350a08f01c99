"""What a speed may be."""

import pytest

from producers.pace import Pace, parse_pace


@pytest.mark.parametrize(
    ("text", "pace"),
    [
        ("1000/s", Pace(per_s=1000)),
        ("0.5/s", Pace(per_s=0.5)),
        ("500000x", Pace(times_real=500_000)),
        ("max", Pace()),
    ],
)
def test_a_speed_is_read(text: str, pace: Pace) -> None:
    assert parse_pace(text) == pace


@pytest.mark.parametrize("text", ["", "fast", "1000", "0/s", "0x", "-1/s", "1e3/s", "1000/m"])
def test_anything_else_is_told_with_what_is_wanted(text: str) -> None:
    with pytest.raises(ValueError, match=r"1000/s .* or max"):
        parse_pace(text)


def test_at_full_speed_everything_is_due_at_once() -> None:
    assert Pace().due_s(count=10**6, event_span_ms=10**12) == 0
