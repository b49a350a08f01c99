"""What sources do wrong, one row each: what comes of it, and a broken step that the row catches.

The laws beside this try the same with drawn logs: test_wire (bytes), test_duplicates,
test_order and test_clock (lateness), test_publishers (clocks).
"""

from collections.abc import Mapping
from typing import NamedTuple

import pytest

from stream_app.core import region
from stream_app.core.watermark import Clock
from stream_app.stages import scorer
from stream_app.stages.step import Batch, Record, Serving, State, Step, read_control
from tests.builders import DAY_MS, LISTED_MS, REGION, listing, raw
from tests.replay import Advance, record, run

FIRST = record(listing(), 0)
NEXT = listing(listing_id="next", bedrooms=None)
LATE = listing(listing_id="late", event_time_ms=LISTED_MS - 2 * DAY_MS)
AHEAD = listing(listing_id="ahead", event_time_ms=LISTED_MS + DAY_MS)
TAKEN_MS = LISTED_MS  # by the broker's clock


def sent(value: bytes) -> Record:
    return Record(1, REGION.encode(), value, TAKEN_MS)


def without_double(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
    """Broken: nothing is remembered of what came."""
    known = {key: value for key, value in state.items() if not key.startswith("listing:")}
    return scorer.advance(taken, known, models)


def without_clock(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
    """Broken: a region has no time."""
    known = dict(state)
    for key, frozen in state.items():
        if key.startswith("region:"):
            kept = region.thaw(frozen)
            kept.clock = Clock()
            known[key] = region.freeze(kept)
    return scorer.advance(taken, known, models)


def by_own_word(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
    """Broken: the broker's clock is not asked."""
    records = [each._replace(append_time_ms=LISTED_MS + 9 * DAY_MS) for each in taken.records]
    return scorer.advance(taken._replace(records=records), state, models)


def with_replaced(old: bytes, new: bytes) -> Advance:
    """Broken: reads one thing for another."""

    def advance(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
        records = [r._replace(value=(r.value or b"").replace(old, new)) for r in taken.records]
        return scorer.advance(taken._replace(records=records), state, models)

    return advance


class Fault(NamedTuple):
    name: str
    record: Record
    counted: str  # what the fault adds to the counts of the control record
    broken: Advance


FAULTS = (
    Fault(
        "renamed field",
        sent(raw(NEXT).replace(b'"area_m2"', b'"area"')),
        "rejected:unknown_field",
        with_replaced(b'"area":', b'"area_m2":'),
    ),
    Fault(
        "corrupt bytes",
        sent(raw(NEXT).replace(b"house", b"hou\xff\xfe")),
        "rejected:not_json",
        with_replaced(b"\xff\xfe", b"se"),
    ),
    Fault("clock ahead", sent(raw(AHEAD)), "rejected:future", by_own_word),
    Fault(
        "null where a number must be",
        sent(raw(NEXT).replace(b'"area_m2":110.0', b'"area_m2":null')),
        "rejected:schema",
        with_replaced(b'"area_m2":null', b'"area_m2":110.0'),
    ),
    Fault(
        "null where it may be", sent(raw(NEXT)), "listing:scored", with_replaced(b"null", b'"0"')
    ),
    Fault("double", sent(raw(listing())), "listing:duplicate", without_double),
    Fault("late", sent(raw(LATE)), "listing:late", without_clock),
)


def check(fault: Fault, advance: Advance) -> None:
    before = run(scorer.advance, [[FIRST]], {})
    after = run(advance, [[fault.record]], {}, before.state)

    counts = [control.counts for ran in (before, after) if (control := read_control(ran.state))]
    assert counts[1].get(fault.counted, 0) == counts[0].get(fault.counted, 0) + 1


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_a_fault_comes_to_what_is_documented(fault: Fault) -> None:
    check(fault, scorer.advance)


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_a_broken_step_does_not_get_by(fault: Fault) -> None:
    with pytest.raises(AssertionError):
        check(fault, fault.broken)
