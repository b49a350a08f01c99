"""Errors that grow are told; errors that shrink, or a price level alone, are not this watch's."""

import random

from monitoring.detectors.error import ErrorWatch
from monitoring.detectors.finding import Cause, Finding, Labelled


def found(spread_after: float) -> list[Finding]:
    draw = random.Random(5)
    watch = ErrorWatch()
    told = []
    for n in range(3_000):
        error = draw.gauss(0.0, 0.15 if n < 1_500 else spread_after)
        told += watch.update(Labelled("hdb", "hdb-bedok", n, error))
    return told


def test_errors_half_as_large_again_are_told() -> None:
    first = found(0.225)[0]

    assert first.cause is Cause.ERROR
    assert first.value > first.baseline
    assert 1_100 < first.since_ms < 2_000  # ADWIN cuts between blocks of its own size


def test_errors_that_stay_or_shrink_are_no_finding() -> None:
    assert found(0.15) == found(0.08) == []
