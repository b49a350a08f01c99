"""No believable event ends the process, however absurd: it would come again after every restart."""

import math
from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.contract import wire
from stream_app.contract.events import AnyEvent, Listing
from stream_app.contract.rules import EPOCH_1990_MS, PRICE_MIN
from stream_app.contract.topics import OUTCOMES
from stream_app.contract.wire import Decoded
from stream_app.stages import learner, scorer
from stream_app.stages.step import Batch, Record, Serving, State, Step
from tests import builders
from tests.builders import LISTED_MS, MARKET
from tests.fakes.champion import FakeChampion
from tests.laws.law import PLANTED, UNSHRUNK
from tests.laws.timelines import serving
from tests.replay import Advance, predictions, record, run, to_topic

# The ends of what the rules believe.
TIMES = st.sampled_from([LISTED_MS, LISTED_MS, LISTED_MS + 1, EPOCH_1990_MS, 2**53 - 1])
PRICES = st.sampled_from([PRICE_MIN, 1.0, 350_000.0, 999_999_999.0])
AREAS = st.sampled_from([0.0, 5e-324, 1e7, None])
IDS = ("a", "b", "c")
# So that sales find something to be joined with.
OFFERED: list[AnyEvent] = [builders.listing(listing_id=name, revision=4) for name in IDS]
COMMON: dict[str, st.SearchStrategy[object]] = {
    "event_time_ms": TIMES,
    "revision": st.integers(0, 3),
    "listing_id": st.sampled_from(IDS),
    "source": st.sampled_from([builders.SOURCE, "another"]),
}
LISTINGS = st.builds(
    builders.listing,
    **COMMON,
    area_m2=st.sampled_from([10.0, 110.0, 5_000.0]),
    bedrooms=st.sampled_from([None, 0, 1]),
    bathrooms=st.sampled_from([0.0, 60.0]),
    built_year=st.sampled_from([None, 1500, 1990]),
    lot_m2=AREAS,
    neighbour_area_m2=AREAS,
    latitude=st.sampled_from([-90.0, 90.0]),
    longitude=st.sampled_from([-180.0, 180.0]),
)
SALES = st.builds(builders.sale, **COMMON, sale_price=PRICES)
EVENTS: st.SearchStrategy[AnyEvent] = st.one_of(
    LISTINGS,
    LISTINGS,
    SALES,
    SALES,
    st.builds(builders.correction, **COMMON, sale_price=PRICES),
    st.builds(builders.withdrawal, **COMMON),
    st.builds(builders.erasure, **COMMON),
)
RECORDS = st.lists(EVENTS | st.binary(max_size=30), min_size=6, max_size=20).map(
    lambda drawn: [
        Record(offset, builders.REGION.encode(), event, LISTED_MS)
        if isinstance(event, bytes)
        else record(event, offset)
        for offset, event in enumerate([*OFFERED, *drawn])
    ]
)


def misled() -> Mapping[str, Serving]:
    """What a market serves after years of prices in the wrong unit."""
    version = serving()[MARKET].corrector
    assert version is not None
    wide = msgspec.structs.replace(version, scale=25.0, score_quantile=250.0)
    return {MARKET: Serving(FakeChampion(), wide)}


def check_law(advance: Advance, how: settings = UNSHRUNK) -> None:
    @how
    @given(RECORDS)
    def no_believable_event_ends_the_process(taken: list[Record]) -> None:
        ran = run(advance, [[each] for each in taken], misled())

        joined = [
            Record(offset, output.key, output.value, LISTED_MS)
            for offset, output in enumerate(to_topic(ran.outputs, OUTCOMES))
        ]
        run(learner.advance, [[each] for each in joined], {})
        for said in predictions(ran.outputs):
            assert said.price is not None
            assert 0 < said.price < math.inf

    no_believable_event_ends_the_process()


def logs_the_land(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
    """Planted: takes the logarithm of something that may be 0."""
    for each in taken.records:
        decoded = wire.decode_event(each.value or b"")
        if isinstance(decoded, Decoded) and isinstance(decoded.event, Listing):
            math.log(decoded.event.lot_m2 or 0.0)
    return scorer.advance(taken, state, models)


def test_no_believable_event_ends_the_process() -> None:
    check_law(scorer.advance)


def test_the_law_of_no_poison_catches_a_logarithm() -> None:
    with pytest.raises(ValueError, match="math domain error"):
        check_law(logs_the_land, PLANTED)
