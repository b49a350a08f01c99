"""Whose record an event is noted in, and what is told when a publisher is doubted."""

import math
from collections.abc import Iterable, Mapping

import pytest

from stream_app.contract import wire
from stream_app.contract.alerts import Alert, Severity
from stream_app.contract.events import AnyEvent
from stream_app.contract.predictions import Doubt, QualityReason
from stream_app.contract.spans import DAY_MS
from stream_app.contract.topics import ALERTS
from stream_app.core import publishers, region
from stream_app.core.publishers import JUDGED_MIN, OWN_RECORDS, Publisher
from stream_app.stages import scorer
from stream_app.stages.step import Batch, Record, Serving, State, Step, read_control
from tests import replay
from tests.builders import HOUR_MS, LISTED_MS, REGION, SOURCE, correction, listing, sale
from tests.fakes.champion import FakeChampion, served_by
from tests.replay import Ran

SERVING = served_by(FakeChampion())
TOO_LARGE = listing(area_m2=5_500.0)


def home(number: int, **changes: object) -> AnyEvent:
    at_ms = LISTED_MS + number * HOUR_MS
    facts: dict[str, object] = {"listing_id": f"h-{number}", "event_time_ms": at_ms}
    return listing(**facts | changes)


def sold(number: int, price: float = 221_900.0, **changes: object) -> AnyEvent:
    at_ms = LISTED_MS + number * HOUR_MS
    facts = {"listing_id": f"h-{number}", "event_time_ms": at_ms, "sale_price": price}
    return sale(**facts | changes)


def run(events: Iterable[AnyEvent], before: Ran | None = None) -> Ran:
    state = {} if before is None else before.state
    return replay.run(scorer.advance, [replay.records(events)], SERVING, state)


def known(ran: Ran, name: str = SOURCE) -> Publisher:
    return publishers.thaw(ran.state[f"publisher:{name}"])


def names(ran: Ran) -> list[str]:
    return [key.partition(":")[2] for key in ran.state if key.startswith("publisher:")]


def alerts(ran: Ran) -> list[Alert]:
    told = [
        wire.decode_alert_message(output.value or b"")
        for output in replay.to_topic(ran.outputs, ALERTS)
    ]
    return [each for each in told if isinstance(each, Alert)]


def counts(ran: Ran) -> dict[str, int]:
    control = read_control(ran.state)
    assert control is not None
    return control.counts


def doubted() -> Ran:
    """A publisher that was believed once, and sent a burst of nonsense since."""
    return run([home(0), *[TOO_LARGE] * JUDGED_MIN])


def test_a_record_counts_what_became_of_each_event() -> None:
    bad = listing(listing_id="bad", area_m2=-1.0)
    ran = run([home(0), home(0), bad, sold(0)])

    assert known(ran).counts == {
        "listing:scored": 1,
        "listing:duplicate": 1,
        "rejected:area": 1,
        "sale:joined": 1,
    }
    assert known(ran).judged == 3


def test_a_name_that_was_never_believed_gets_no_record_of_its_own() -> None:
    ran = run([listing(source=f"made up {n}", area_m2=-1.0) for n in range(20)])

    assert names(ran) == [publishers.SHARED]
    assert known(ran, publishers.SHARED).counts == {"rejected:area": 20}


def test_names_beyond_the_limit_share_a_record() -> None:
    ran = run(home(n, source=f"p-{n}") for n in range(OWN_RECORDS + 2))

    control = read_control(ran.state)
    assert control is not None
    assert control.publishers == OWN_RECORDS
    assert len(names(ran)) == OWN_RECORDS + 1
    assert known(ran, publishers.SHARED).counts == {"listing:scored": 2}
    again = run([home(900, source="p-3"), home(901, source=f"p-{OWN_RECORDS}")], ran)
    assert known(again, "p-3").counts == {"listing:scored": 2}
    assert known(again, publishers.SHARED).counts == {"listing:scored": 3}


def test_those_who_share_a_record_are_told_of_together() -> None:
    full = run(home(n, source=f"p-{n}") for n in range(OWN_RECORDS + 1))

    ran = run([listing(source=f"made up {n}", area_m2=-1.0) for n in range(JUDGED_MIN)], full)

    (alert,) = alerts(ran)
    assert alert.segment == publishers.SHARED
    assert alert.summary.startswith("publishers beyond the 500th")


def test_a_doubt_is_told_when_it_begins_and_when_it_ends() -> None:
    bad = doubted()
    good = run((home(n) for n in range(1, 200)), bad)

    (began,), (ended,) = alerts(bad), alerts(good)
    assert began.cause == "publisher doubted: rejects"
    assert (began.severity, ended.severity) == (Severity.WARNING, Severity.INFO)
    assert (began.segment, began.market) == (SOURCE, "king-county")
    assert (began.sample_size, began.raised_ms) == (JUDGED_MIN, LISTED_MS)
    assert began.value is not None
    assert began.value > publishers.REFUSED_LIMIT
    assert ended.cause == "publisher trusted again: rejects"
    assert ended.fingerprint == began.fingerprint


def test_a_doubted_publisher_is_answered_and_marked() -> None:
    ran = run([home(1)], doubted())

    (said,) = replay.predictions(ran.outputs)
    assert said.price is not None
    assert said.quality_reasons == (QualityReason.PUBLISHER_DOUBTED,)
    assert counts(ran)["listing:doubted"] == 1


def test_a_doubted_publisher_enters_no_window_and_teaches_nothing() -> None:
    before = doubted()

    ran = run([home(1), sold(1)], before)

    (outcome,) = replay.outcomes(ran.outputs)
    assert not outcome.teaches
    assert counts(ran)["sale:doubted"] == 1
    then, now = (region.thaw(each.state[f"region:{REGION}"]) for each in (before, ran))
    assert now.clock != then.clock
    now.clock = then.clock
    assert now == then


def test_what_another_publisher_says_then_is_learned() -> None:
    ran = run([home(1, source="b"), sold(1, source="b")], doubted())

    (outcome,) = replay.outcomes(ran.outputs)
    assert outcome.teaches
    assert region.thaw(ran.state[f"region:{REGION}"]).corrector.labels == 1


def test_who_lists_in_feet_is_doubted_and_not_the_registry_that_tells_all_sales() -> None:
    fair = [e for n in range(20) for e in (home(n), sold(n))]
    mixed: list[AnyEvent] = []
    for n in range(20, 44):
        facts: dict[str, object] = {} if n % 3 else {"source": "lister", "area_m2": 110.0 * 10.76}
        mixed += [home(n, **facts), sold(n)]

    ran = run([*fair, *mixed])

    assert known(ran, "lister").doubts == [Doubt.UNIT]
    assert known(ran).doubts == []
    assert [o.teaches for o in replay.outcomes(ran.outputs)].count(False) == 1


def test_a_clock_ahead_is_measured_also_on_what_is_refused_for_it() -> None:
    ahead = listing(event_time_ms=LISTED_MS + HOUR_MS)
    own = replay.record(home(0))
    taken = Record(1, REGION.encode(), wire.encode(ahead), LISTED_MS)

    ran = replay.run(scorer.advance, [[own, taken]], SERVING)

    assert replay.reject_codes(ran.outputs) == ["future"]
    assert publishers.least_lag_ms(known(ran)) == -HOUR_MS


def test_a_correction_is_no_first_price_and_is_marked_all_the_same() -> None:
    listed = run([listing(), sale(), *[TOO_LARGE] * JUDGED_MIN])

    ran = run([correction()], listed)

    (outcome,) = replay.outcomes(ran.outputs)
    assert (outcome.corrects, outcome.teaches) == (True, False)
    assert len(known(ran).shifts) == 1


@pytest.mark.parametrize("factor", [10.76, 1 / 10.76, 1_000.0])
def test_a_unit_error_is_found_within_eight_sales_of_a_known_region(factor: float) -> None:
    fair = [e for n in range(20) for e in (home(n, source="a"), sold(n, source="a"))]
    wrong = [
        e
        for n in range(20, 40)
        for e in (
            home(n, source="b"),
            sold(n, price=221_900.0 * factor, source="b"),
        )
    ]

    outcomes = replay.outcomes(run([*fair, *wrong]).outputs)

    assert [o.teaches for o in outcomes].index(False) == 20 + 7
    assert not any(o.teaches for o in outcomes[27:])


def poisoned(factor: float, turns_at: int) -> list[AnyEvent]:
    """A hundred sales of one source at the champion's price, then two in turn, one of them off."""
    fair = math.exp(7.0 + math.log(110.0) + 0.05 * 7)
    events: list[AnyEvent] = []
    for n in range(400):
        by_odd, off = n >= 100 and n % 2, n >= turns_at
        who: dict[str, object] = {"source": "odd" if by_odd else SOURCE}
        price = fair * (factor if by_odd and off else 1.0)
        events += [home(n, **who), sold(n, price=price, **who)]
    return events


def moved_log(advance: replay.Advance, factor: float, turns_at: int) -> float:
    """The farthest that the region's correction was ever moved."""
    taken = replay.records(poisoned(factor, turns_at))
    ran = replay.run(advance, [[record] for record in taken], SERVING)
    return max(abs(each.components.region_correction) for each in replay.predictions(ran.outputs))


def forgets_who_said_what(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
    """Planted: the rule is off."""
    area = region.thaw(state[key]) if (key := f"region:{REGION}") in state else region.Region()
    area.sources = region.Sources()
    return scorer.advance(taken, {**state, key: region.freeze(area)}, models)


CASES = [(0.5, 0), (1.5, 0), (3.0, 0), (0.5, 300), (1.5, 300), (3.0, 300)]


@pytest.mark.parametrize(("factor", "turns_at"), CASES)
def test_one_source_that_contradicts_the_others_moves_their_region_little(
    factor: float, turns_at: int
) -> None:
    assert moved_log(scorer.advance, factor, turns_at) <= 0.12


@pytest.mark.parametrize("factor", [0.5, 1.5])
def test_without_the_rule_it_moves_it_far(factor: float) -> None:
    assert moved_log(forgets_who_said_what, factor, 0) > 0.12


def test_one_absurd_date_does_not_turn_around_who_is_believed() -> None:
    events = poisoned(1.4, 0)
    far_ms = LISTED_MS + 4_000 * DAY_MS
    events[2 * 101 + 1] = sold(101, price=300_000.0, source="odd", event_time_ms=far_ms)

    ran = run(events)

    assert replay.reject_codes(ran.outputs) == []
    said = region.thaw(ran.state[f"region:{REGION}"]).sources
    assert said.by_name[SOURCE].left_out == 0
    assert said.by_name["odd"].left_out == 150


def test_a_region_learns_from_many_honest_sources() -> None:
    events: list[AnyEvent] = []
    for n in range(300):
        who: dict[str, object] = {"source": f"s-{n % 20}"}
        events += [home(n, **who), sold(n, price=221_900.0 * (1.0 + 0.05 * (n % 7 - 3)), **who)]

    ran = run(events)

    assert region.thaw(ran.state[f"region:{REGION}"]).corrector.labels >= 0.95 * 300


def test_what_a_region_did_not_learn_is_counted() -> None:
    assert counts(run(poisoned(0.5, 0)))["sale:left_out"] == 150
