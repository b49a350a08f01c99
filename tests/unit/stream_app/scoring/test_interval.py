"""The rolling conformal quantile, and the factors of a region and of a segment."""

import math

import pytest

from stream_app.contract.models import CorrectorAnnounced
from stream_app.core.region import Decayed
from stream_app.scoring import interval
from stream_app.scoring.interval import (
    SCORES_KEPT,
    TYPES_MAX,
    Segments,
    decayed_add,
    quantile,
)
from tests import messages


@pytest.mark.parametrize("coverage", [0.0, 1.0, -0.1, 90.0, math.nan])
def test_a_coverage_that_is_no_share_is_refused(coverage: float) -> None:
    with pytest.raises(ValueError, match=f"coverage is {coverage}, must lie between 0 and 1"):
        quantile([0.1], coverage)


@pytest.mark.parametrize(
    ("n", "told"), [(0, False), (8, False), (9, True)], ids=["none", "one too few", "just enough"]
)
def test_nothing_is_promised_below_nine_scores(n: int, told: bool) -> None:
    assert (quantile([1.0] * n) is not None) is told


def test_the_quantile_of_nine_is_the_largest() -> None:
    assert quantile([0.5, 0.9, 0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8]) == 0.9


def test_a_higher_coverage_is_wider() -> None:
    scores = [n / 100 for n in range(100)]

    assert [quantile(scores, coverage) for coverage in (0.5, 0.8, 0.9)] == [0.5, 0.8, 0.9]


def test_an_error_weighs_half_after_a_half_life() -> None:
    mean = Decayed()
    decayed_add(mean, 1.0, interval.REGION_DECAY)

    for _ in range(interval.REGION_HALF_LIFE):
        decayed_add(mean, 0.0, interval.REGION_DECAY)

    assert mean.total == pytest.approx(0.5)


def test_a_region_without_labels_is_as_wide_as_its_market() -> None:
    assert interval.region_factor(Decayed()) == 1.0


def test_five_labels_of_its_own_count_as_much_as_the_market() -> None:
    assert interval.region_factor(Decayed(total=5 * 3.0, weight=5.0)) == pytest.approx(2.0)


def test_a_region_that_is_never_wrong_keeps_a_width() -> None:
    assert interval.region_factor(Decayed(total=0.0, weight=144.0)) > 0


def segments_after(*sales: tuple[float, str, float]) -> Segments:
    """Segments that saw these (price as served, log; property type; error / region scale)."""
    segments = Segments()
    for price_log, property_type, ratio in sales:
        interval.observe(segments, price_log, property_type, ratio)
    return segments


def test_bands_part_the_newest_prices_evenly() -> None:
    segments = segments_after(*[(12.0 + place / 100, "house", 1.0) for place in range(101)])

    interval.move_edges(segments)

    assert segments.edges_log == pytest.approx([12.2, 12.4, 12.6, 12.8])


def test_without_a_sale_there_are_no_bands() -> None:
    segments = Segments()

    interval.move_edges(segments)

    assert segments.edges_log == []


def test_old_prices_no_longer_move_the_edges() -> None:
    old, new = [(10.0, "house", 1.0)] * SCORES_KEPT, [(13.0, "house", 1.0)] * SCORES_KEPT
    segments = segments_after(*old, *new)

    interval.move_edges(segments)

    assert segments.edges_log == [13.0] * 4


def test_a_band_whose_errors_are_twice_as_large_is_twice_as_wide_at_last() -> None:
    segments = segments_after(*[(12.0 + place / 100, "house", 1.0) for place in range(101)])
    interval.move_edges(segments)

    for _ in range(5_000):
        interval.observe(segments, 12.9, "house", 2.0)

    assert interval.shrunk(segments.bands[-1]) == pytest.approx(2.0, abs=0.05)
    assert [interval.shrunk(band) for band in segments.bands[:-1]] == [1.0] * 4


def test_what_the_band_explains_is_not_put_down_to_the_type_as_well() -> None:
    segments = segments_after(*[(12.0 + place / 100, "house", 1.0) for place in range(101)])
    interval.move_edges(segments)

    for _ in range(5_000):
        interval.observe(segments, 12.9, "house", 2.0)

    assert interval.shrunk(segments.types["house"]) == pytest.approx(1.0, abs=0.05)


def test_types_made_up_without_end_are_not_kept_without_end() -> None:
    segments = segments_after(*[(12.0, f"type {n}", 3.0) for n in range(TYPES_MAX + 5)])

    assert len(segments.types) == TYPES_MAX


@pytest.mark.parametrize(
    ("version", "factor"),
    [
        (None, 1.0),
        (messages.corrector(), 1.0),
        (messages.corrector(type_factors={"house": 1.5}), 1.5),
        (messages.corrector(type_factors={"flat": 1.5}), 1.0),
        (messages.corrector(band_edges_log=(12.0,), band_factors=(0.8, 1.25)), 1.25),
        (
            messages.corrector(
                band_edges_log=(12.6,), band_factors=(0.8, 1.25), type_factors={"house": 1.5}
            ),
            1.2,
        ),
    ],
    ids=["no version", "knows none", "type", "another type", "band", "band and type"],
)
def test_a_segment_has_the_factor_of_the_version(
    version: CorrectorAnnounced | None, factor: float
) -> None:
    assert interval.segment_factor(version, 12.5, "house") == pytest.approx(factor)
