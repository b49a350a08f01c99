"""Over a long stream the state stays as small as its policy says, however the log is cut."""

import random
from collections.abc import Mapping, Sequence

import pytest

from stream_app.contract.events import AnyEvent
from stream_app.contract.models import Policy
from stream_app.stages import scorer
from stream_app.stages.step import CONTROL_KEY, Batch, Record, Serving, State, Step
from tests.builders import DAY_MS, HOUR_MS, LISTED_MS, MARKET, erasure, listing, sale
from tests.replay import Advance, batch, by_topic, commit, cut, records, run

POLICY = Policy(ledger_days=30, ledger_entries=200)
SERVING = {MARKET: Serving(policy=POLICY)}
HOMES, HOMES_A_DAY = 1_500, 5
# Days of silence and two weeks, at HOMES_A_DAY and as many sales of homes since forgotten.
AGED_OUT = (30 + 14 + 20) * HOMES_A_DAY
CONTROL_BYTES = 2_500


def a_long_log() -> list[Record]:
    """Ten months of homes; half of them sold after 20 days, some erased."""
    draw = random.Random(5)
    told: list[tuple[int, int, AnyEvent]] = []
    for number in range(HOMES):
        at_ms = LISTED_MS + number * DAY_MS // HOMES_A_DAY
        common: dict[str, object] = {"listing_id": f"home-{number}", "region": f"kc-{number % 3}"}
        told.append((at_ms, number, listing(event_time_ms=at_ms, **common)))
        if draw.random() < 0.5:
            sold_ms = at_ms + 20 * DAY_MS
            told.append((sold_ms, number, sale(event_time_ms=sold_ms, **common)))
        if draw.random() < 0.05:
            told.append((at_ms + HOUR_MS, number, erasure(event_time_ms=at_ms, **common)))
    return records(event for _, _, event in sorted(told, key=lambda each: each[:2]))


LOG = a_long_log()


def check_bounded(advance: Advance, entries_max: int) -> None:
    state: dict[str, bytes] = {}
    models = {MARKET: Serving(policy=Policy(ledger_days=30, ledger_entries=entries_max))}
    bound = min(entries_max, AGED_OUT)
    for piece in cut(LOG, [50] * (len(LOG) // 50)):
        commit(advance(batch(piece), state, models), state)
        entries = sum(key.startswith("listing:") for key in state)
        pages = sum(key.startswith("page:") for key in state)
        # Half-filled pages of weeks, and what entries of older weeks were filed under again.
        assert entries <= bound + 1
        assert pages <= bound // 64 + 10 + 8
        assert len(state[CONTROL_KEY]) <= CONTROL_BYTES


def remembers_all(taken: Batch, state: State, serving: Mapping[str, Serving]) -> Step:
    """Planted: nothing that was ever entered leaves (as it once was)."""
    step = scorer.advance(taken, state, serving)
    kept = {k: v for k, v in step.state.items() if v is not None or not k.startswith("listing:")}
    return step._replace(state=kept)


def leaves_pages(taken: Batch, state: State, serving: Mapping[str, Serving]) -> Step:
    """Planted: an empty page stays."""
    step = scorer.advance(taken, state, serving)
    kept = {k: v for k, v in step.state.items() if v is not None or not k.startswith("page:")}
    return step._replace(state=kept)


def forgets_per_batch(taken: Batch, state: State, serving: Mapping[str, Serving]) -> Step:
    """Planted: how much is remembered follows the size of the batch."""
    policy = Policy(ledger_days=30, ledger_entries=100 + len(taken.records))
    return scorer.advance(taken, state, {MARKET: Serving(policy=policy)})


def ran(advance: Advance, sizes: Sequence[int]) -> tuple[object, object]:
    done = run(advance, cut(LOG, sizes), SERVING)
    topics = by_topic(done)
    topics.pop("activations")
    return topics, {k: v for k, v in done.state.items() if k != CONTROL_KEY}


@pytest.mark.parametrize("entries_max", [100, 10_000], ids=["by count", "by age"])
def test_the_state_of_a_long_stream_is_bounded(entries_max: int) -> None:
    check_bounded(scorer.advance, entries_max)


@pytest.mark.parametrize("planted", [remembers_all, leaves_pages])
def test_the_law_of_the_bounded_state_catches(planted: Advance) -> None:
    with pytest.raises(AssertionError):
        check_bounded(planted, 10_000)


def test_cutting_leaves_no_trace_in_what_is_forgotten() -> None:
    assert ran(scorer.advance, [7] * 400) == ran(scorer.advance, [500] * 6)


def test_the_law_of_cutting_catches() -> None:
    assert ran(forgets_per_batch, [7] * 400) != ran(forgets_per_batch, [500] * 6)
