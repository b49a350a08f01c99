"""Regions meet only in activated versions and the partition's watermark."""

from collections.abc import Iterable, Mapping

import pytest
from hypothesis import example, given, settings

from stream_app.contract.topics import ACTIVATIONS
from stream_app.core import region
from stream_app.stages import scorer
from stream_app.stages.step import Batch, Output, Record, Serving, State, Step
from tests.builders import DAY_MS, LISTED_MS, listing
from tests.laws.law import PLANTED, UNSHRUNK
from tests.laws.timelines import REGIONS, logs, serving
from tests.replay import Advance, records, run

HERE = REGIONS[0].encode()
# The other region is a month ahead: late here is nothing but what a clock of all would call so.
# Written down, because what is drawn depends on which modules are loaded beside this one.
A_MONTH_BEHIND = records(
    [
        listing(listing_id="ahead", region=REGIONS[1], event_time_ms=LISTED_MS + 30 * DAY_MS),
        listing(listing_id="here"),
    ]
)


def of_this_region(outputs: Iterable[Output]) -> list[Output]:
    """Outputs that name it; ids of listings begin with their region."""
    return [
        output
        for output in outputs
        if output.topic is not ACTIVATIONS and HERE in (output.key or b"") + (output.value or b"")
    ]


def records_here(state: Mapping[str, bytes]) -> dict[str, bytes]:
    return {key: value for key, value in state.items() if HERE.decode() in key}


def check_law(advance: Advance, how: settings = UNSHRUNK) -> None:
    @how
    @given(logs())
    @example(A_MONTH_BEHIND)
    def other_regions_change_nothing(taken: list[Record]) -> None:
        here = [[record] for record in taken if record.key == HERE]

        alone = run(advance, here, serving())
        among_others = run(advance, [[record] for record in taken], serving())

        assert of_this_region(among_others.outputs) == of_this_region(alone.outputs)
        assert records_here(among_others.state) == records_here(alone.state)

    other_regions_change_nothing()


def one_corrector_for_all(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
    """Planted: the region level is one for the partition."""
    step = scorer.advance(taken, state, models)
    changed = dict(step.state)
    regions = {
        key: region.thaw(frozen)
        for key, frozen in {**state, **step.state}.items()
        if key.startswith("region:") and frozen is not None
    }
    longest = max(
        (kept.corrector for kept in regions.values()), key=lambda kept: kept.labels, default=None
    )
    for key, kept in regions.items():
        if longest is not None:
            kept.corrector = longest
            changed[key] = region.freeze(kept)
    return step._replace(state=changed)


def one_clock_for_all(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
    """Planted: late is what is late for the partition."""
    clocks = [region.thaw(f).clock for key, f in state.items() if key.startswith("region:")]
    newest = max(clocks, key=lambda clock: clock.newest_ms, default=None)
    moved = dict(state)
    for name in REGIONS:
        frozen = state.get(f"region:{name}")
        kept = region.Region() if frozen is None else region.thaw(frozen)
        kept.clock = newest or kept.clock
        moved[f"region:{name}"] = region.freeze(kept)
    return scorer.advance(taken, moved, models)


def test_other_regions_change_nothing() -> None:
    check_law(scorer.advance)


@pytest.mark.parametrize("planted", [one_corrector_for_all, one_clock_for_all])
def test_the_law_of_regions_catches(planted: Advance) -> None:
    with pytest.raises(AssertionError):
        check_law(planted, PLANTED)
