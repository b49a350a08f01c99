"""Whatever one publisher sends, where it has no homes nothing is answered otherwise.

In a region that two share, each still gets every answer, and while one is doubted its homes
leave no trace there but the time: the windows and what was learned stay as they were.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.contract import wire
from stream_app.contract.topics import ACTIVATIONS, ALERTS, OUTCOMES, PREDICTIONS, REJECTS
from stream_app.core import publishers, region
from stream_app.core.publishers import JUDGED_MIN, Publisher
from stream_app.stages import scorer
from stream_app.stages.step import Batch, Output, Record, Serving, State, Step
from tests import builders, replay
from tests.builders import HOUR_MS, LISTED_MS
from tests.laws.law import PLANTED, UNSHRUNK
from tests.laws.timelines import REGIONS, WITHDRAWN, Home, homes, log_of, serving
from tests.replay import Advance, Ran

HERE, SHARED = REGIONS
GOOD, BAD = "good", "bad"
TAKEN_MS = LISTED_MS + 3_000 * HOUR_MS  # when the broker took all of it


class Sent(NamedTuple):
    """One record on its way into the log."""

    by: str
    key: bytes
    value: bytes


def good_events(drawn: list[Home]) -> list[Sent]:
    events = [msgspec.structs.replace(event, source=GOOD) for event in log_of(drawn)]
    return [Sent(GOOD, event.region.encode(), wire.encode(event)) for event in events]


def nonsense(raw: bytes, key: str) -> Sent:
    return Sent(BAD, key.encode(), raw)


# Believable once, so that it has a name; then whatever comes, also under the key of others.
FIRST = builders.listing(source=BAD, region=SHARED, listing_id="bad", event_time_ms=LISTED_MS)
REFUSED = [
    b"?",
    b'{"source": "bad"}',
    b'{"source": "bad", "kind": "listing", "area_m2": {' + b'"a": {' * 400,
    b'{"source": "bad", "pad": "' + b"x" * 2_000 + b'"}',
    wire.encode(builders.listing(source=BAD, area_m2=-1.0)),
    wire.encode(builders.listing(source=BAD, region="elsewhere")),
    wire.encode(builders.listing(source=BAD, event_time_ms=2**53 - 1)),
]
HOSTILE = st.builds(
    nonsense, st.sampled_from(REFUSED) | st.binary(max_size=20), st.sampled_from(REGIONS)
)
BURSTS = st.lists(
    st.tuples(st.integers(0, 40), st.lists(HOSTILE, min_size=1, max_size=4), st.integers(1, 60)),
    min_size=1,
    max_size=3,
)
Burst = tuple[int, list[Sent], int]  # before which good event; what; how often


def log_with(good: list[Sent], bursts: list[Burst]) -> list[tuple[Sent, Record]]:
    """One log of both; every burst stands before the good event of its number."""
    first = Sent(BAD, SHARED.encode(), wire.encode(FIRST))
    order = [first]
    for number, sent in enumerate(good):
        for before, what, times in bursts:
            if before % len(good) == number:
                order += what * times
        order.append(sent)
    return [
        (sent, Record(offset, sent.key, sent.value, TAKEN_MS)) for offset, sent in enumerate(order)
    ]


def told_here(ran: Ran) -> list[object]:
    """What is published of the good publisher's own region."""
    return [
        output
        for output in ran.outputs
        if output.topic not in (ACTIVATIONS, ALERTS, REJECTS)
        and HERE.encode() in (output.key or b"") + (output.value or b"")
    ]


def kept_here(ran: Ran) -> dict[str, bytes]:
    own = (f"region:{HERE}", f"listing:{HERE}", f"publisher:{GOOD}")
    return {key: value for key, value in ran.state.items() if key.startswith(own)}


def answers_of(ran: Ran, source_offsets: set[int]) -> list[str]:
    """Ids of the predictions made of these records."""
    said = replay.predictions(ran.outputs)
    return [each.prediction_id for each in said if each.source_offset in source_offsets]


def check_isolation(advance: Advance, how: settings = UNSHRUNK) -> None:
    @how
    @given(homes(), BURSTS)
    def nothing_changes_elsewhere(drawn: list[Home], bursts: list[Burst]) -> None:
        log = log_with(good_events(drawn), bursts)
        good = [record for sent, record in log if sent.by == GOOD]
        offsets = {record.offset for record in good}

        alone = replay.run(advance, [[record] for record in good], serving())
        beside = replay.run(advance, [[record for _, record in log]], serving())

        assert told_here(beside) == told_here(alone)
        assert kept_here(beside) == kept_here(alone)
        assert answers_of(beside, offsets) == answers_of(alone, offsets)
        accounted = replay.to_topic(beside.outputs, REJECTS)
        refused = [sent for sent, _ in log if sent.by == BAD]
        assert len(accounted) >= len(refused) - 1, "all but the first one"

    nothing_changes_elsewhere()


def one_standing_for_all(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
    """Planted: who sends well is doubted together with who does not."""

    def advance_one(record: Record, before: State) -> Step:
        step = scorer.advance(taken._replace(records=[record]), before, models)
        kept = [publishers.thaw(f) for key, f in step.state.items() if _is_publisher(key) and f]
        worst = max(kept, key=lambda each: each.refused)
        same: dict[str, bytes | None] = {
            f"publisher:{name}": publishers.freeze(worst) for name in (GOOD, BAD)
        }
        return step._replace(state={**step.state, **same})

    ran = Ran([], dict(state))
    for record in taken.records:
        step = advance_one(record, ran.state)
        ran.outputs.extend(step.outputs)
        replay.commit(step, ran.state)
    return Step(tuple(ran.outputs), ran.state, taken.records[-1].offset)


def drops_what_follows_a_burst(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
    """Planted: a batch with too many refused events ends there."""
    step = scorer.advance(taken, state, models)
    refused = replay.to_topic(step.outputs, REJECTS)
    return step._replace(outputs=tuple(refused)) if len(refused) > 20 else step


def _is_publisher(key: str) -> bool:
    return key.startswith("publisher:")


def test_nothing_changes_where_a_publisher_has_no_homes() -> None:
    check_isolation(scorer.advance)


@pytest.mark.parametrize("planted", [one_standing_for_all, drops_what_follows_a_burst])
def test_the_law_of_isolation_catches(planted: Advance) -> None:
    with pytest.raises(AssertionError):
        check_isolation(planted, PLANTED)


def doubted_log(drawn: list[Home]) -> tuple[list[Record], list[Record]]:
    """A publisher that loses its name, and the homes it lists and sells after that."""
    burst = [nonsense(REFUSED[4], SHARED)] * (2 * JUDGED_MIN)
    before = log_with(good_events(drawn), [(0, burst, 1)])
    homes_of_bad = [msgspec.structs.replace(event, source=BAD) for event in log_of(drawn)]
    later = [
        msgspec.structs.replace(
            event,
            listing_id=f"{event.listing_id}/bad",
            event_id=f"{event.event_id}/bad",
        )
        for event in homes_of_bad
    ]
    first = len(before)
    after = [
        replay.record(event, first + n)._replace(append_time_ms=TAKEN_MS)
        for n, event in enumerate(later)
    ]
    return [record for _, record in before], after


def learned(ran: Ran) -> dict[str, bytes]:
    """The regions, but for the time."""
    kept = {}
    for name in REGIONS:
        frozen = ran.state.get(f"region:{name}")
        area = region.Region() if frozen is None else region.thaw(frozen)
        area.clock = region.Region().clock
        kept[name] = region.freeze(area)
    return kept


def check_doubt(advance: Advance, how: settings = UNSHRUNK) -> None:
    @how
    @given(homes((WITHDRAWN,)))
    def doubted_homes_leave_no_trace(drawn: list[Home]) -> None:
        before, after = doubted_log(drawn)
        first = replay.run(advance, [before], serving())

        then = replay.run(advance, [[record] for record in after], serving(), first.state)

        assert publishers.thaw(then.state[f"publisher:{BAD}"]).doubts
        assert learned(then) == learned(first)
        assert len(replay.to_topic(then.outputs, PREDICTIONS)) == len(drawn)
        joined = replay.outcomes(then.outputs)
        assert len(joined) == len(drawn)
        assert not any(outcome.teaches for outcome in joined)

    doubted_homes_leave_no_trace()


def forgets_its_doubts(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
    """Planted: a doubt ends with its batch."""
    clean = dict(state)
    for key, frozen in state.items():
        if _is_publisher(key):
            known = publishers.thaw(frozen)
            fresh = Publisher(market=known.market, counts=known.counts)
            clean[key] = publishers.freeze(fresh)
    return scorer.advance(taken, clean, models)


def says_so_and_learns(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
    """Planted: the windows of another run, in which nobody was doubted, are kept."""
    step = scorer.advance(taken, state, models)
    free = forgets_its_doubts(taken, state, models)
    areas = {key: value for key, value in free.state.items() if key.startswith("region:")}
    return step._replace(state={**step.state, **areas})


def test_the_homes_of_a_doubted_publisher_leave_no_trace() -> None:
    check_doubt(scorer.advance)


@pytest.mark.parametrize("planted", [forgets_its_doubts, says_so_and_learns])
def test_the_law_of_doubt_catches(planted: Advance) -> None:
    with pytest.raises(AssertionError):
        check_doubt(planted, PLANTED)


def check_cutting(advance: Advance, how: settings = UNSHRUNK) -> None:
    @how
    @given(homes((WITHDRAWN,)), st.lists(st.integers(1, 30), max_size=9))
    def cutting_leaves_no_trace(drawn: list[Home], sizes: list[int]) -> None:
        before, after = doubted_log(drawn)
        whole = replay.run(advance, [[*before, *after]], serving())

        pieces: Sequence[Sequence[Record]] = replay.cut([*before, *after], sizes)
        in_pieces = replay.run(advance, pieces, serving())

        assert replay.by_topic(in_pieces) == replay.by_topic(whole)
        assert in_pieces.state == whole.state

    cutting_leaves_no_trace()


def judges_at_the_end(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
    """Planted: a batch is taken in with the standing that its publishers had before it."""
    step = scorer.advance(taken, state, models)
    if not any(output.topic is ALERTS for output in step.outputs):
        return step
    kept = tuple(
        _trusted(output) if output.topic is OUTCOMES else output for output in step.outputs
    )
    return step._replace(outputs=kept)


def _trusted(output: Output) -> Output:
    outcome = wire.decode_outcome(output.value or b"")
    return output._replace(value=wire.encode(msgspec.structs.replace(outcome, teaches=True)))


def test_cutting_leaves_no_trace_in_a_publishers_standing() -> None:
    check_cutting(scorer.advance)


def test_the_law_of_cutting_catches_a_standing_of_the_last_batch() -> None:
    with pytest.raises(AssertionError):
        check_cutting(judges_at_the_end, PLANTED)


def test_the_hostile_records_are_refused() -> None:
    given_: Iterable[Record] = [
        Record(n, b"kc-98178", raw, LISTED_MS) for n, raw in enumerate(REFUSED)
    ]
    ran = replay.run(scorer.advance, [list(given_)], serving())

    assert len(replay.to_topic(ran.outputs, REJECTS)) == len(REFUSED)
