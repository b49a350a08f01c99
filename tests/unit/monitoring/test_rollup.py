"""Daily figures: counts and sums by the market's own day; parts make the whole."""

import itertools
import math
from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring import rollup
from monitoring.rollup import Days
from monitoring.tables import Taken, message_table, raw_table
from stream_app.contract import topics
from stream_app.contract.predictions import Components, Outcome, Prediction, QualityReason
from tests import builders, flow, messages
from tests.unit.monitoring import archives

LISTED_DAY = builders.LISTED_MS // builders.DAY_MS
SOLD_DAY = builders.SOLD_MS // builders.DAY_MS
PAIRS = list(flow.pairs(20))


def predictions_table(said: list[Prediction], latency_ms: bytes = b"12") -> pa.Table:
    headers = (("latency_ms", latency_ms),)
    places = [Taken(0, n, 1_000, b"key", b"", headers) for n in range(len(said))]
    return message_table(archives.layout(topics.PREDICTIONS), places, said)


def outcomes_table(said: list[Outcome]) -> pa.Table:
    places = [Taken(0, n, each.sold_ms, b"key", b"") for n, each in enumerate(said)]
    return message_table(archives.layout(topics.OUTCOMES), places, said)


def fold_outcomes(*said: Outcome) -> Days:
    return rollup.fold(topics.OUTCOMES, outcomes_table(list(said)))


def test_a_prediction_counts_on_the_day_of_its_listing() -> None:
    days = rollup.fold(topics.PREDICTIONS, predictions_table([messages.prediction()]))

    assert list(days) == [LISTED_DAY]
    counts = days[LISTED_DAY].counts
    assert counts["answer"] == counts["step.champion"] == counts["version.v1"] == 1
    assert counts["doubt.late"] == counts["listed.n"] == 1
    assert counts[f"price.{rollup.bin_of('price', 240_000.0)}"] == 1
    assert counts[f"latency.{rollup.bin_of('latency', 12.0)}"] == 1
    assert days[LISTED_DAY].appended_ms == 1_000


def test_what_was_not_answered_is_in_no_histogram() -> None:
    said = messages.prediction(price=None, price_low=None, price_high=None)
    counts = rollup.fold(topics.PREDICTIONS, predictions_table([said], b""))[LISTED_DAY].counts

    assert counts["answer"] == 1
    assert not any(rollup.named(counts, group) for group in ("price", "width", "latency", "listed"))


def test_a_file_of_before_the_latency_was_kept_has_none() -> None:
    table = predictions_table([messages.prediction()]).drop_columns("latency_ms")
    counts = rollup.fold(topics.PREDICTIONS, table)[LISTED_DAY].counts

    assert rollup.named(counts, "latency") == {}
    assert counts["answer"] == 1


def test_each_doubt_counts() -> None:
    reasons = (QualityReason.LATE, QualityReason.NO_CHAMPION)
    said = [messages.prediction(quality_reasons=reasons), messages.prediction(quality_reasons=())]
    counts = rollup.fold(topics.PREDICTIONS, predictions_table(said))[LISTED_DAY].counts

    assert rollup.named(counts, "doubt") == {"late": 1, "no_champion": 1}


def test_an_outcome_counts_on_the_day_of_its_sale_by_the_age_of_its_label() -> None:
    sale = messages.outcome(sale_price=200_000.0, price=210_000.0)
    days = fold_outcomes(sale)

    error = round(math.log(1.05) * rollup.MILLIONTHS)
    counts = days[SOLD_DAY].counts
    assert rollup.named(counts, "served.30d") == {
        "n": 1,
        "abs": error,
        "signed": error,
        "square": round(math.log(1.05) ** 2 * rollup.MILLIONTHS),
    }
    assert counts["interval.n"] == counts["interval.in"] == counts["near.in"] == 1
    assert days[LISTED_DAY].counts["labelled.n"] == 1


@pytest.mark.parametrize("unknown", ["champion_log", "naive_log"])
def test_all_three_are_judged_on_the_same_sales(unknown: str) -> None:
    known = {"naive_log": 12.5, "champion_log": 12.4, unknown: None}
    components = Components(**known, market_correction=0.0, region_correction=0.0, guard_weight=1.0)
    counts = fold_outcomes(messages.outcome(components=components))[SOLD_DAY].counts

    assert counts["served.30d.n"] == 1
    assert not any(rollup.named(counts, kind) for kind in ("answer", "champion", "naive"))


def test_a_sale_that_is_told_again_moves_no_error() -> None:
    first, again = messages.outcome(), messages.outcome(sale_price=1.0, corrects=True)

    days = fold_outcomes(first, again)

    assert days[SOLD_DAY].counts.pop("corrected") == 1
    assert days == fold_outcomes(first)


@pytest.mark.parametrize(
    ("value", "day", "name"),
    [
        (builders.raw(builders.listing()), LISTED_DAY, "event.listing"),
        (builders.raw(builders.sale()), SOLD_DAY, "event.sale"),
        (b'{"kind": "\\u0000<b>"}', 0, "event.other"),
        (b"?", 0, "event.unreadable"),
        (None, 0, "event.unreadable"),
    ],
    ids=["listing", "sale", "no kind of ours", "no JSON", "tombstone"],
)
def test_an_event_counts_by_its_kind_and_own_time(value: bytes, day: int, name: str) -> None:
    days = rollup.fold(topics.EVENTS, raw_table([Taken(0, 0, 1_000, b"key", value)]))

    assert days[day].counts == {name: 1}


def test_a_reject_counts_by_its_code() -> None:
    headers = (("code", b"area"), ("detail", b"too small"))
    record = Taken(0, 0, 1_000, b"key", builders.raw(builders.listing()), headers)
    days = rollup.fold(topics.REJECTS, raw_table([record, record._replace(value=b"?")]))

    assert days[LISTED_DAY].counts == days[0].counts == {"reject.area": 1}


def check_parts_make_the_whole(add: Callable[[Days, Days], None]) -> None:
    said = [pair.outcome for pair in PAIRS]

    @settings(derandomize=True, database=None, max_examples=5, deadline=None)
    @given(st.sets(st.integers(1, len(said) - 1), max_size=3), st.randoms(use_true_random=False))
    def parts_make_the_whole(cuts: set[int], draw: object) -> None:
        edges = [0, *sorted(cuts), len(said)]
        parts = [said[a:b] for a, b in itertools.pairwise(edges)]
        draw.shuffle(parts)  # type: ignore[attr-defined]
        sums: Days = {}
        for part in parts:
            add(sums, fold_outcomes(*part))
        assert sums == fold_outcomes(*said)

    parts_make_the_whole()


def overwriting(into: Days, days: Days) -> None:
    """Planted: a day that was there already is lost."""
    into |= days


def test_parts_in_any_order_make_the_whole() -> None:
    check_parts_make_the_whole(rollup.add)


def test_the_law_catches_a_day_that_is_overwritten() -> None:
    with pytest.raises(AssertionError):
        check_parts_make_the_whole(overwriting)


def test_a_quantile_is_true_to_half_a_bin() -> None:
    waits = [float(ms) for ms in range(1, 1001)]
    bins: dict[str, int] = {}
    for wait in waits:
        number = str(rollup.bin_of("latency", wait))
        bins[number] = bins.get(number, 0) + 1

    for share in (0.5, 0.95, 0.99):
        found = rollup.quantile(bins, "latency", share)
        assert found == pytest.approx(share * 1000, rel=rollup.BIN_LOG["latency"])
    assert rollup.quantile({}, "latency", 0.5) is None
