"""Both models answer the same homes of the holdout, after the same past, and see nothing early."""

import math
from dataclasses import replace
from functools import cache
from statistics import median

import msgspec
import pytest

from offline import bundle, log
from offline.gate_evidence import Answers, Fight, serve, slower
from offline.shape import Shape
from offline.train import fit, manifest_of
from stream_app.contract.events import AnyEvent, Listing
from stream_app.contract.models import SegmentShift
from stream_app.contract.predictions import Outcome
from stream_app.scoring.champion import Champion
from tests import sales
from tests.builders import DAY_MS

QUICK = Shape("squared_error", 7, 40)
WARM_MS, FROM_MS = (sales.BEGAN_MS + day * DAY_MS for day in (100, 200))


@cache
def model(to_day: int, off_log: float = 0.0) -> Champion:
    """Trained on what was sold in the first days; it prices all homes too high by so much."""
    data = sales.rows()
    older = data.take(data.sold_ms < sales.BEGAN_MS + to_day * DAY_MS)
    fitted = fit(replace(older, log_price=older.log_price + off_log), QUICK, 0)
    dumped = bundle.dump(fitted.regressor)
    return Champion(fitted.regressor, manifest_of(older, fitted, dumped, 0, 1))


def fight(champion: Champion | None, challenger: Champion | None = None) -> Fight:
    return Fight(challenger or model(200), champion, WARM_MS, FROM_MS)


def served(between: Fight, events: list[AnyEvent] | None = None, delay_days: int = 0) -> Answers:
    partition = sales.partition(sales.events() if events is None else events)
    late = log.with_late_sales(partition, delay_days * DAY_MS, redated=True)
    return serve(late, sales.MARKET, between, lambda events: None)


@cache
def answers() -> Answers:
    return served(fight(model(100)))


def off(outcome: Outcome) -> float:
    assert outcome.price is not None
    return math.log(outcome.price / outcome.sale_price)


def test_both_answer_the_same_homes_and_all_were_listed_in_the_holdout() -> None:
    before, after = answers()
    listed = [e for e in sales.events() if isinstance(e, Listing) and e.event_time_ms >= FROM_MS]

    assert [o.listing_id for o in before] == [o.listing_id for o in after]
    assert {o.listing_id for o in after} == {e.listing_id for e in listed}
    assert {o.versions.champion for o in before} == {model(100).version}
    assert {o.versions.champion for o in after} == {model(200).version}


def test_the_same_model_on_both_sides_gives_the_same_answers() -> None:
    before, after = served(fight(model(100), model(100)))

    assert before == after


def test_what_the_champion_answers_does_not_depend_on_the_challenger() -> None:
    assert served(fight(model(100), model(100))).before == answers().before


def test_the_corrector_is_warm_when_the_holdout_begins() -> None:
    """It has learned since day 100 that the champion is 10 % too high; a cold one would not know."""
    too_high = model(100, 0.1)
    first = served(fight(too_high)).before[:50]

    assert abs(median(map(off, first))) < 0.04


def test_a_challenger_inherits_the_corrector_and_bears_it() -> None:
    """The level of another champion is corrected at first, as at any promotion."""
    after = served(fight(model(100, 0.1))).after

    first, last = median(map(off, after[:20])), median(map(off, after[-50:]))

    assert first < -0.03
    assert last > first + 0.05


def test_what_a_promotion_tells_of_the_shift_is_given_back_at_once() -> None:
    """The challenger knows the level, so a corrector that knows it, too, must not count it twice."""
    told = tuple(
        SegmentShift(segment=f"region=kc-{place}", homes=100, median_log=-0.1) for place in range(3)
    )

    after = served(fight(model(100, 0.1))._replace(shift=told)).after

    assert abs(median(map(off, after[:20]))) < 0.02


def test_late_labels_are_judged_all_the_same() -> None:
    late = served(fight(model(100)), delay_days=30)

    assert len(late.after) == len(answers().after)


def test_a_home_that_was_on_offer_before_is_not_judged() -> None:
    events = sales.events()
    listed = [e for e in events if isinstance(e, Listing)]
    again = msgspec.structs.replace(listed[-1], home_id=listed[0].home_id)

    found = served(fight(model(100)), [again if e is listed[-1] else e for e in events])

    assert again.listing_id in {o.listing_id for o in answers().after}
    assert again.listing_id not in {o.listing_id for o in found.after}


def test_homes_of_different_regions_may_bear_the_same_listing_id() -> None:
    events = sales.events()
    *_, other, again = (e for e in events if isinstance(e, Listing))
    assert other.region != again.region
    old = next(e.home_id for e in events if isinstance(e, Listing))

    def shared(event: AnyEvent) -> AnyEvent:
        if event.listing_id != again.listing_id:
            return event
        named = msgspec.structs.replace(event, listing_id=other.listing_id)
        return msgspec.structs.replace(named, home_id=old) if isinstance(named, Listing) else named

    found = served(fight(model(100)), [shared(event) for event in events])

    judged = {o.region for o in found.after if o.listing_id == other.listing_id}
    assert judged == {other.region}


def test_without_a_champion_homes_have_a_naive_price() -> None:
    before, after = served(fight(None))

    assert before == []
    assert len(after) == len(answers().after)
    assert all(o.components.naive_log is not None for o in after)


def test_a_log_that_ends_before_the_holdout_judges_nothing() -> None:
    early = [e for e in sales.events() if e.event_time_ms < FROM_MS]

    assert served(fight(model(100)), early) == Answers([], [])


@pytest.mark.parametrize("rows", [0, 40])
def test_times_are_compared_where_there_are_rows(rows: int) -> None:
    found = slower(model(200), model(100), answers().after[:rows])

    assert (found is None) == (rows == 0)
