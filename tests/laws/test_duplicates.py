"""An event sent again, whenever that is, changes nothing but the count of duplicates."""

from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.core import labels, publishers
from stream_app.core.publishers import Publisher
from stream_app.stages import scorer
from stream_app.stages.step import CONTROL_KEY, Batch, Record, Serving, State, Step
from tests.laws.law import PLANTED, UNSHRUNK
from tests.laws.timelines import AMENDED, CORRECTED, WITHDRAWN, Home, homes, life, serving
from tests.replay import Advance, Ran, records, run

# What is refused is refused again, and what is erased is forgotten with its ids.
TWISTS = (AMENDED, CORRECTED, WITHDRAWN)


def told_twice(drawn: list[Home], later_h: int) -> tuple[list[Record], list[Record]]:
    """The log, and the log with each event sent again hours later."""
    once = [
        (at_ms, again, event)
        for number, home in enumerate(drawn)
        for at_ms, event in life(home, number)
        for again in (False, True)
    ]
    order = sorted(once, key=lambda each: (each[0] + each[1] * later_h * 3_600_000, each[1]))
    twice = records(event for _, _, event in order)
    # Offsets are kept: they stand in the predictions.
    return [r for r, (_, again, _) in zip(twice, order, strict=True) if not again], twice


def shown(ran: Ran) -> tuple[object, ...]:
    kept = {key: value for key, value in ran.state.items() if key != CONTROL_KEY}
    for key, value in kept.items():
        if key.startswith("publisher:"):
            kept[key] = publishers.freeze(uncounted(publishers.thaw(value)))
    return ran.outputs, kept


def uncounted(publisher: Publisher) -> Publisher:
    return msgspec.structs.replace(publisher, counts={})


def check_law(advance: Advance, how: settings = UNSHRUNK) -> None:
    @how
    @given(homes(TWISTS), st.integers(0, 900))
    def sent_again_changes_nothing(drawn: list[Home], later_h: int) -> None:
        once, twice = told_twice(drawn, later_h)

        assert shown(run(advance, [twice], serving())) == shown(run(advance, [once], serving()))

    sent_again_changes_nothing()


def keeps_no_ids(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
    """Planted: an id is forgotten when its listing is joined."""
    step = scorer.advance(taken, state, models)
    changed = dict(step.state)
    for key, frozen in step.state.items():
        if key.startswith("listing:") and frozen is not None:
            entry = labels.thaw(frozen)
            if entry.state is labels.LabelState.JOINED:
                entry.event_ids = {}
            changed[key] = labels.freeze(entry)
    return step._replace(state=changed)


def by_single_events(advance: Advance) -> Advance:
    """The same stage in batches of one, so that its state is what it remembers by."""

    def advance_one_by_one(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
        ran = run(advance, [[record] for record in taken.records], models, state)
        return Step(tuple(ran.outputs), ran.state, taken.records[-1].offset)

    return advance_one_by_one


def moves_the_newest_sale(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
    """Planted: the age of a region's newest sale depends on how much was sent."""
    step = scorer.advance(taken, state, models)
    changed = dict(step.state)
    for key, frozen in {**state, **step.state}.items():
        if key.startswith("region:") and frozen is not None:
            layout, clock, last_sale_ms, *rest = msgspec.msgpack.decode(frozen, strict=False)
            counted = [layout, clock, last_sale_ms + len(taken.records), *rest]
            changed[key] = msgspec.msgpack.encode(counted)
    return step._replace(state=changed)


def test_sent_again_in_the_same_batch_changes_nothing() -> None:
    check_law(scorer.advance)


def test_sent_again_in_a_later_batch_changes_nothing() -> None:
    check_law(by_single_events(scorer.advance))


@pytest.mark.parametrize("planted", [keeps_no_ids, moves_the_newest_sale])
def test_the_law_of_duplicates_catches(planted: Advance) -> None:
    with pytest.raises(AssertionError):
        check_law(by_single_events(planted), PLANTED)
