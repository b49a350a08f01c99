"""A partition and its activations, replayed one event at a time, give what was served live."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.contract import wire
from stream_app.contract.models import (
    Activated,
    CorrectorAnnounced,
    Handover,
    Overload,
    Policy,
    RolloutMode,
)
from stream_app.contract.topics import ACTIVATIONS
from stream_app.stages import scorer
from stream_app.stages.step import Batch, Output, Record, Roster, Serving, State, Step
from tests.builders import MARKET
from tests.fakes.champion import FakeChampion
from tests.laws.law import PLANTED, UNSHRUNK
from tests.laws.timelines import REGIONS, logs, serving
from tests.replay import Advance, Ran, activations, batch, by_topic, commit, cut

CHAMPIONS = {"v1": FakeChampion("v1"), "v2": FakeChampion("v2", level=7.3)}


def correctors() -> dict[str, CorrectorAnnounced]:
    first = serving()[MARKET].corrector
    assert first is not None
    second = msgspec.structs.replace(first, version="c2", guard_weight=0.25, intercept=0.02)
    return {"c1": first, "c2": second}


CORRECTORS = correctors()
HANDOVER = Handover(replaces="v1", market_log=0.1, regions={REGIONS[0]: 0.2, REGIONS[1]: -0.1})
CHAMPION = st.sampled_from([None, *CHAMPIONS])
SERVED = st.builds(
    Roster,
    champion=CHAMPION,
    corrector=st.sampled_from([None, *CORRECTORS]),
    previous=CHAMPION,
    challenger=CHAMPION,
    mode=st.sampled_from(RolloutMode),
    share=st.sampled_from([0.0, 0.5]),
    policy=st.sampled_from([Policy(), Policy(listing_late_h=0, sale_late_h=0)]),
    overload=st.sampled_from(Overload),
    handover=st.sampled_from([None, HANDOVER]),
)


def models(roster: Roster) -> Mapping[str, Serving]:
    return {
        MARKET: Serving(
            CHAMPIONS.get(roster.champion or ""),
            CORRECTORS.get(roster.corrector or ""),
            CHAMPIONS.get(roster.previous or ""),
            CHAMPIONS.get(roster.challenger or ""),
            roster.mode,
            roster.share,
            roster.policy,
            roster.overload,
            roster.handover,
        )
    }


def live(advance: Advance, pieces: Iterable[Sequence[Record]], swaps: Sequence[Roster]) -> Ran:
    """Each batch with the models of its turn."""
    ran = Ran([], {})
    for number, piece in enumerate(pieces):
        step = advance(batch(piece), ran.state, models(swaps[number % len(swaps)]))
        ran.outputs.extend(step.outputs)
        commit(step, ran.state)
    return ran


def replayed(advance: Advance, taken: Iterable[Record], activated: Sequence[Activated]) -> Ran:
    """Each event alone, with the models that its activations name."""
    ran = Ran([], {})
    by_offset = {a.from_offset: msgspec.convert(a, Roster, from_attributes=True) for a in activated}
    roster = Roster()
    for record in taken:
        roster = by_offset.get(record.offset, roster)
        step = advance(batch([record]), ran.state, models(roster))
        ran.outputs.extend(step.outputs)
        commit(step, ran.state)
    return ran


def check_law(advance: Advance, how: settings = UNSHRUNK) -> None:
    @how
    @given(logs(), st.lists(st.integers(1, 6), max_size=9), st.lists(SERVED, min_size=1))
    def replay_gives_what_was_served(
        taken: list[Record], sizes: list[int], swaps: list[Roster]
    ) -> None:
        served = live(advance, cut(taken, sizes), swaps)

        again = replayed(advance, taken, activations(served.outputs))

        assert by_topic(again) == by_topic(served)
        assert again.state == served.state

    replay_gives_what_was_served()


def tells_champions_only(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
    """Planted: a new version of the corrector is no news."""
    step = scorer.advance(taken, state, models)
    told = [o for o in step.outputs if o.topic is not ACTIVATIONS or _champion_of(o)]
    return step._replace(outputs=tuple(told))


def _champion_of(output: Output) -> str | None:
    activated = wire.decode_activated(output.value or b"")
    return None if activated.corrector else activated.champion


def tells_one_batch_late(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
    """Planted: activated from the end of the first batch that it served."""
    step = scorer.advance(taken, state, models)
    return _retold(step, from_offset=step.applied_offset)


def tells_no_share(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
    """Planted: how many listings the challenger answers is no news."""
    return _retold(scorer.advance(taken, state, models), share=0.0)


def tells_no_policy(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
    """Planted: how late an event may be is the setting of whoever replays."""
    return _retold(scorer.advance(taken, state, models), policy=Policy())


def tells_no_overload(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
    """Planted: what is left out in a hurry is nobody's business, and a replay has time."""
    return _retold(scorer.advance(taken, state, models), overload=Overload.NONE)


def tells_no_handover(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
    """Planted: what correctors gave back at a swap is no news."""
    return _retold(scorer.advance(taken, state, models), handover=None)


def tells_no_previous(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
    """Planted: who would answer in the champion's place is no news."""
    return _retold(scorer.advance(taken, state, models), previous=None)


def _retold(step: Step, **changes: object) -> Step:
    told = [
        output._replace(
            value=wire.encode(
                msgspec.structs.replace(wire.decode_activated(output.value or b""), **changes)
            )
        )
        if output.topic is ACTIVATIONS
        else output
        for output in step.outputs
    ]
    return step._replace(outputs=tuple(told))


def test_a_replay_gives_what_was_served() -> None:
    check_law(scorer.advance)


@pytest.mark.parametrize(
    "planted",
    [
        tells_champions_only,
        tells_one_batch_late,
        tells_no_share,
        tells_no_previous,
        tells_no_policy,
        tells_no_overload,
        tells_no_handover,
    ],
)
def test_the_law_of_replays_catches(planted: Advance) -> None:
    with pytest.raises(AssertionError):
        check_law(planted, PLANTED)
