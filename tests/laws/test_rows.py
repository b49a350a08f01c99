"""A training row is the row that was served, and knows nothing of its own sale."""

import math
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.contract import wire
from stream_app.contract.events import AnyEvent, Correction, Listing, Sale
from stream_app.contract.predictions import Prediction
from stream_app.contract.wire import Decoded
from stream_app.core import features, region
from stream_app.core.region import Region
from stream_app.stages import scorer
from stream_app.stages.step import Record
from tests.laws.law import PLANTED, UNSHRUNK
from tests.laws.timelines import Home, homes, log_of, serving
from tests.replay import batch, commit, outcomes, predictions, records, run

Row = tuple[float | None, ...]
Rows = dict[str, Row]  # by prediction id
TrainingRows = Callable[[list[Record]], Rows]


def training_rows(taken: list[Record]) -> Rows:
    """The rows of a data set: the scorer over the log, without a champion."""
    ran = run(scorer.advance, [taken], {})
    return {outcome.prediction_id: outcome.features for outcome in outcomes(ran.outputs)}


def check_training_rows_are_served_rows(rows_of: TrainingRows, how: settings = UNSHRUNK) -> None:
    @how
    @given(homes())
    def training_rows_are_served_rows(drawn: list[Home]) -> None:
        taken = records(log_of(drawn))
        ran = run(scorer.advance, [[record] for record in taken], serving())
        served = {said.prediction_id: said.features for said in predictions(ran.outputs)}

        rows = rows_of(taken)

        assert set(rows) == {joined.prediction_id for joined in outcomes(ran.outputs)}
        assert rows == {name: served[name] for name in rows}

    training_rows_are_served_rows()


def check_own_sale_is_not_known(rows_of: TrainingRows, how: settings = UNSHRUNK) -> None:
    @how
    @given(homes(), st.integers(0, 6), st.floats(1.5, 3.0))
    def own_sale_is_not_known(drawn: list[Home], place: int, times: float) -> None:
        number = place % len(drawn)
        log = log_of(drawn)
        own = next(event.listing_id for event in log if event.listing_id.endswith(f"/{number}"))
        dearer = [_dearer(event, times) if event.listing_id == own else event for event in log]
        of_own = {each.prediction_id for each in _predictions_of(own, log)}

        before, after = rows_of(records(log)), rows_of(records(dearer))

        assert set(before) == set(after)
        for name in of_own & set(before):
            assert before[name] == after[name]

    own_sale_is_not_known()


def _predictions_of(listing_id: str, log: list[AnyEvent]) -> list[Prediction]:
    ran = run(scorer.advance, [records(log)], {})
    return [said for said in predictions(ran.outputs) if said.listing_id == listing_id]


def _dearer(event: AnyEvent, times: float) -> AnyEvent:
    if isinstance(event, Sale | Correction):
        return msgspec.structs.replace(event, sale_price=event.sale_price * times)
    return event


def rows_looked_up_at_the_sale(taken: list[Record]) -> Rows:
    """Planted: a second feature code, which joins homes with their region as of the sale."""
    state: dict[str, bytes] = {}
    listings: dict[str, Listing] = {}
    rows: Rows = {}
    for record in taken:
        decoded = wire.decode_event(record.value or b"")
        if isinstance(decoded, Decoded) and isinstance(decoded.event, Listing):
            listings.setdefault(decoded.event.listing_id, decoded.event)
        step = scorer.advance(batch([record]), state, {})
        commit(step, state)
        for joined in outcomes(step.outputs):
            kept: Region = region.thaw(state[f"region:{joined.region}"])
            home = listings[joined.listing_id]
            around = features.look_around(kept, joined.sold_ms)
            row = features.row(home, around)
            rows[joined.prediction_id] = tuple(None if math.isnan(v) else v for v in row)
    return rows


def rows_of_first_sales(taken: list[Record]) -> Rows:
    """Planted: leaves out what was corrected later."""
    ran = run(scorer.advance, [taken], {})
    joined = outcomes(ran.outputs)
    corrected = {each.prediction_id for each in joined if each.corrects}
    return {e.prediction_id: e.features for e in joined if e.prediction_id not in corrected}


def test_training_rows_are_served_rows() -> None:
    check_training_rows_are_served_rows(training_rows)


@pytest.mark.parametrize("planted", [rows_looked_up_at_the_sale, rows_of_first_sales])
def test_the_law_of_training_rows_catches(planted: TrainingRows) -> None:
    with pytest.raises(AssertionError):
        check_training_rows_are_served_rows(planted, PLANTED)


def test_the_own_sale_is_not_known() -> None:
    check_own_sale_is_not_known(training_rows)


def test_the_law_of_the_own_sale_catches_a_look_at_the_sale() -> None:
    with pytest.raises(AssertionError):
        check_own_sale_is_not_known(rows_looked_up_at_the_sale, PLANTED)
