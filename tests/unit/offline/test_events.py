"""How late sales become known, by where events come from; and a date that lies beyond them."""

import pytest

from offline import events
from offline.arguments import parser
from stream_app.contract.spans import DAY_MS


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


JUNE_MS = 1_433_116_800_000


def test_sales_that_end_long_before_the_date_are_told_of() -> None:
    assert events.ended_early(JUNE_MS, JUNE_MS + 40 * DAY_MS) == (
        "the newest sale is of 2015-06-01, 40 days before --train-to: is this all of the log?"
    )


def test_a_log_that_reaches_the_date_is_nothing_to_tell_of() -> None:
    assert events.ended_early(JUNE_MS, JUNE_MS + 20 * DAY_MS) is None
