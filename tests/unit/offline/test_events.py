"""How late sales become known, by where events come from."""

import pytest

from offline import events
from offline.arguments import parser


@pytest.mark.parametrize(
    ("given", "days"),
    [
        ("--events topic", 0),
        ("--events archive", 0),
        ("--events archive:some-topic-id", 0),
        ("--events topic --label-delay-days 5", 5),
        ("--events file.jsonl", events.RECORDED_AFTER_DAYS),
        ("--source king-county", events.RECORDED_AFTER_DAYS),
        ("--source king-county --label-delay-days 0", 0),
    ],
)
def test_sales_of_a_log_are_as_late_as_they_came(given: str, days: int) -> None:
    options = parser().parse_args(["gate", "--market", "king-county", *given.split()])

    assert events.label_delay_days(options) == days
