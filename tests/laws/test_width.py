"""The interval's width goes from what fits the errors before a change to what fits them after.

Sales are told thirty days late and errors double on the way. A width that answers to what it was
itself weeks ago swings: it makes up for one change twice, falls too far, and rises again.
"""

import math
import random
import statistics
from collections.abc import Iterator, Mapping

import msgspec
import pytest

from offline.market import Market, cuts
from stream_app.contract import wire
from stream_app.contract.events import AnyEvent
from stream_app.contract.models import CorrectorAnnounced
from stream_app.stages import learner
from stream_app.stages.step import Batch, Output, Record, Serving, State, Step
from tests import builders, replay, sales
from tests.builders import DAY_MS, HOUR_MS, LISTED_MS, MARKET
from tests.fakes.champion import FakeChampion

HOMES = 1_600
APART_MS = 3 * HOUR_MS
LATE_MS = 30 * DAY_MS
DOUBLES_AT = 700  # home from which on errors are twice as large
ERROR_LOG = 0.1  # one standard deviation, before
MEAN_OF_NORMAL, NINE_IN_TEN_OF_NORMAL = 0.798, 1.645  # of |error|, in standard deviations
FITS_LOG = NINE_IN_TEN_OF_NORMAL * ERROR_LOG
TOLERANCE = 1.25  # of two hundred scores the quantile is known to 7 %, and factors move a little
HOLDOUT_SCALE = MEAN_OF_NORMAL * ERROR_LOG
CHAMPION = FakeChampion(scale=HOLDOUT_SCALE, score_quantile=NINE_IN_TEN_OF_NORMAL / MEAN_OF_NORMAL)


def events(seed: int) -> list[AnyEvent]:
    """Homes that all look alike, and what they were sold for."""
    draw = random.Random(seed)
    found: list[AnyEvent] = []
    for place in range(HOMES):
        listed_ms = LISTED_MS + place * APART_MS
        who = {"listing_id": f"kc-{place}", "region": f"kc-{place % 3}"}
        home = builders.listing(**who, event_time_ms=listed_ms, area_m2=100.0, grade=7)
        error_log = draw.gauss(0.0, ERROR_LOG * (2 if place >= DOUBLES_AT else 1))
        price = math.exp(CHAMPION.level + math.log(100.0) + 0.05 * 7 + error_log)
        found += home, builders.sale(**who, event_time_ms=listed_ms + LATE_MS, sale_price=price)
    return sorted(found, key=lambda event: event.event_time_ms)


def half_widths(seed: int) -> Iterator[float]:
    """Of what was served, log units, in the order of the listings."""
    market = Market(MARKET)
    market.champion = CHAMPION  # type: ignore[assignment]
    for cut, _ in cuts(sales.partition(events(seed)), MARKET, lambda at_ms: at_ms // DAY_MS):
        for said in replay.predictions(market.advance(cut).outputs):
            assert said.price is not None
            assert said.price_high is not None
            yield math.log(said.price_high / said.price)


def check_law() -> None:
    """Of each hundred homes: one home alone has the factors of its own place, too."""
    for seed in range(2):
        widths = list(half_widths(seed))
        medians = [statistics.median(widths[n : n + 100]) for n in range(0, HOMES, 100)]
        assert min(medians) > FITS_LOG / TOLERANCE
        assert max(medians) < 2 * FITS_LOG * TOLERANCE


def against_the_scale_of_then(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
    """Planted: a score is taken against the scale as it was served, weeks ago."""
    records = [record._replace(value=_over_its_scale(record)) for record in taken.records]
    done = _OWN(taken._replace(records=records), state, models)
    return done._replace(outputs=tuple(map(_not_over_the_scale_of_now, done.outputs)))


_OWN = learner.advance


def _over_its_scale(record: Record) -> bytes:
    outcome = wire.decode_outcome(record.value or b"")
    scale = (outcome.region_scale or HOLDOUT_SCALE) / HOLDOUT_SCALE
    return wire.encode(msgspec.structs.replace(outcome, region_factor=scale))


def _not_over_the_scale_of_now(output: Output) -> Output:
    version = wire.decode_model_message(output.value or b"")
    assert isinstance(version, CorrectorAnnounced)
    if version.scale is None or version.score_quantile is None:
        return output
    quantile = version.score_quantile * version.scale / HOLDOUT_SCALE
    return output._replace(
        value=wire.encode(msgspec.structs.replace(version, score_quantile=quantile))
    )


def test_the_width_does_not_swing() -> None:
    check_law()


def test_the_law_of_the_width_catches_scores_against_the_scale_of_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(learner, "advance", against_the_scale_of_then)

    with pytest.raises(AssertionError):
        check_law()
