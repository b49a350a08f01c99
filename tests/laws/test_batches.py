"""Any cutting of the log, also after crashes, gives the same outputs and the same bytes of state."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from stream_app.contract import wire
from stream_app.contract.models import CorrectorAnnounced, RolloutMode
from stream_app.contract.predictions import Components
from stream_app.contract.topics import ACTIVATIONS, PREDICTIONS
from stream_app.core import region
from stream_app.core.features import NAMES
from stream_app.core.region import Region
from stream_app.stages import desk, learner, scorer
from stream_app.stages.learner import Market
from stream_app.stages.step import Batch, Output, Record, Serving, State, Step
from stream_app.stages.warm import Warm
from tests import messages
from tests.builders import MARKET
from tests.fakes.champion import FakeChampion
from tests.laws.law import PLANTED, UNSHRUNK
from tests.laws.timelines import logs, serving
from tests.replay import Advance, Ran, batch, by_topic, commit, cut, run

Models = Mapping[str, Serving]
Pieces = list[Sequence[Record]]

SIZES = st.lists(st.integers(1, 9), max_size=12)


def run_with_crashes(advance: Advance, pieces: Pieces, models: Models) -> Ran:
    """Every batch is worked on twice: the first time dies before its commit."""
    ran = Ran([], {})
    for piece in pieces:
        advance(batch(piece), ran.state, models)
        step = advance(batch(piece), ran.state, models)
        ran.outputs.extend(step.outputs)
        commit(step, ran.state)
    return ran


def run_read_anew(advance: Advance, pieces: Pieces, models: Models) -> Ran:
    """Every batch by a worker of its own, which reads the state from the topic."""
    ran = Ran([], {})
    for piece in pieces:
        read = {key: bytes(bytearray(value)) for key, value in ran.state.items()}
        step = advance(batch(piece), read, models)
        ran.outputs.extend(step.outputs)
        commit(step, ran.state)
    return ran


def check_law(
    advance: Advance,
    drawn: st.SearchStrategy[list[Record]],
    models: Models,
    how: settings = UNSHRUNK,
    run_pieces: Callable[[Advance, Pieces, Models], Ran] = run,
    sizes: st.SearchStrategy[list[int]] = SIZES,
) -> None:
    @how
    @given(drawn, sizes)
    def cutting_leaves_no_trace(taken: list[Record], drawn_sizes: list[int]) -> None:
        whole = run(advance, [taken], models)

        in_pieces = run_pieces(advance, cut(taken, drawn_sizes), models)

        assert by_topic(in_pieces) == by_topic(whole)
        assert in_pieces.state == whole.state

    cutting_leaves_no_trace()


def outcomes_of(residuals: list[float]) -> list[Record]:
    """As many outcomes as residuals, with features that differ."""
    draw = random.Random(7)
    return [
        Record(
            offset,
            MARKET.encode(),
            wire.encode(
                messages.outcome(
                    features=tuple(draw.uniform(0, 9) for _ in NAMES),
                    components=Components(None, 12.0, 0.01, 0.0, 1.0),
                    active_residual_log=residual,
                )
            ),
            offset,
        )
        for offset, residual in enumerate(residuals)
    ]


OUTCOMES = st.lists(st.floats(-0.6, 0.6), min_size=2, max_size=12).map(outcomes_of)


class Untold(list[Record]):
    """Too many to be shown when a law fails."""

    def __repr__(self) -> str:
        return f"{len(self)} records"


def many_outcomes(count: int) -> list[Record]:
    return Untold(outcomes_of([0.01 * (n % 7) for n in range(count)]))


MANY_OUTCOMES = st.just(2 * learner.VERSION_LABELS).map(many_outcomes)
MANY_SIZES = st.lists(st.integers(1, learner.VERSION_LABELS), min_size=2, max_size=4)


class CentredChampion(FakeChampion):
    """Planted: scales by what it finds in the batch, as a preprocessor fitted anew would."""

    def predict_log(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        said = super().predict_log(rows)
        centred: NDArray[np.float64] = said - 0.01 * said.mean()
        return centred


def regions_without_variances(taken: Batch, state: State, models: Models) -> Step:
    """Planted: a region's learner loses the spread of its features between batches."""
    short = dict(state)
    for key, frozen in state.items():
        if key.startswith("region:"):
            kept = region.thaw(frozen)
            kept.corrector.variances = [0.0] * len(kept.corrector.variances)
            short[key] = region.freeze(kept)
    return scorer.advance(taken, short, models)


class NeverLetsGo(Warm[bytes, Region]):
    """Planted: what is at hand stays there, and is changed by a batch that comes to nothing."""

    def take(self, frozen: bytes) -> Region | None:
        return self._kept.get(id(frozen), (None, None))[1]


def learns_per_batch(taken: Batch, state: State, models: Models) -> Step:
    """Planted: regions learn a batch at its end, so within it nobody has learned yet."""
    answers = [
        output
        for one in taken.records
        for output in scorer.advance(taken._replace(records=[one]), state, models).outputs
        if output.topic is PREDICTIONS
    ]
    step = scorer.advance(taken, state, models)
    others = [output for output in step.outputs if output.topic is not PREDICTIONS]
    return step._replace(outputs=(*others, *answers))


def answers_by_key(taken: Batch, state: State, models: Models) -> Step:
    """Planted: sorts a batch by key, so that a listing's answers stay in order and no others."""
    step = scorer.advance(taken, state, models)
    return step._replace(outputs=tuple(sorted(step.outputs, key=lambda o: o.key or b"")))


def writes_before_commit(taken: Batch, state: State, models: Models) -> Step:
    """Planted: changes the state that it was given."""
    step = scorer.advance(taken, state, models)
    assert isinstance(state, dict)
    commit(step, state)
    return step


def market_without_variances(taken: Batch, state: State, models: Models) -> Step:
    """Planted: the market's learner loses the spread of its features between batches."""
    short = dict(state)
    if f"market:{MARKET}" in state:
        kept = msgspec.msgpack.decode(state[f"market:{MARKET}"], type=Market)
        kept.linear.variances = [0.0] * len(kept.linear.variances)
        short[f"market:{MARKET}"] = msgspec.msgpack.encode(kept)
    return learner.advance(taken, short, models)


def announces_at_the_end(taken: Batch, state: State, models: Models) -> Step:
    """Planted: a version holds its whole batch, and not just the labels that complete it."""
    step = learner.advance(taken, state, models)
    last = taken.records[-1].offset
    return step._replace(outputs=tuple(_of_offset(last, output) for output in step.outputs))


def _of_offset(offset: int, output: Output) -> Output:
    version = wire.decode_model_message(output.value or b"")
    assert isinstance(version, CorrectorAnnounced)
    moved = msgspec.structs.replace(version, outcome_offset=offset)
    return output._replace(value=wire.encode(moved))


@dataclass(frozen=True)
class Speechless(FakeChampion):
    """Says no price for homes without a grade."""

    def predict_log(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        said = super().predict_log(rows)
        said[np.isnan(rows[:, NAMES.index("home_grade")])] = np.nan
        return said


def challenged(mode: RolloutMode) -> Models:
    """A champion that is speechless at times, the one before it, and a challenger."""
    corrector = serving()[MARKET].corrector
    previous, challenger = FakeChampion("v1", level=6.9), FakeChampion("v3", level=7.1)
    return {MARKET: Serving(Speechless("v2"), corrector, previous, challenger, mode, 0.5)}


def deals_batch_by_batch(taken: Batch, state: State, models: Models) -> Step:
    """Planted: arms are dealt by the batch and not by the listing."""
    share = float(len(taken.records) % 2)
    told = {market: serving._replace(share=share) for market, serving in models.items()}
    step = scorer.advance(taken, state, told)
    others = tuple(output for output in step.outputs if output.topic is not ACTIVATIONS)
    return step._replace(outputs=others)


def falls_as_a_batch(taken: Batch, state: State, models: Models) -> Step:
    """Planted: one row that the champion says no price for, and the previous answers them all."""
    told = {
        market: serving._replace(champion=_silent(serving)) for market, serving in models.items()
    }
    return scorer.advance(taken, state, told)


def _silent(serving: Serving) -> FakeChampion:
    class Silent(FakeChampion):
        def predict_log(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
            assert serving.champion is not None
            said = serving.champion.predict_log(rows)
            return np.full(len(rows), np.nan) if np.isnan(said).any() else said

    return Silent("v2")


def boosting() -> Models:
    """A real, very small gradient boosting in place of the fake."""
    draw = random.Random(3)
    rows = np.array([[draw.uniform(0, 9) for _ in NAMES] for _ in range(200)])
    model = HistGradientBoostingRegressor(max_iter=5).fit(rows, rows[:, 0] + 8.0)

    class Boosting(FakeChampion):
        @property
        def used(self) -> NDArray[np.bool_]:
            return np.ones(len(NAMES), dtype=np.bool_)

        def predict_log(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
            said: NDArray[np.float64] = model.predict(rows)
            return said

    return {MARKET: Serving(Boosting())}


def test_cutting_leaves_no_trace() -> None:
    check_law(scorer.advance, logs(), serving())


def test_cutting_leaves_no_trace_without_a_champion() -> None:
    check_law(scorer.advance, logs(), {})


@pytest.mark.parametrize("mode", [RolloutMode.SHADOW, RolloutMode.CANARY])
def test_cutting_leaves_no_trace_with_a_challenger(mode: RolloutMode) -> None:
    check_law(scorer.advance, logs(), challenged(mode))


@pytest.mark.parametrize("planted", [deals_batch_by_batch, falls_as_a_batch])
def test_the_law_of_batches_catches_a_challenger(planted: Advance) -> None:
    with pytest.raises(AssertionError):
        check_law(planted, logs(), challenged(RolloutMode.CANARY), PLANTED)


def test_cutting_leaves_no_trace_with_a_real_model() -> None:
    check_law(scorer.advance, logs(), boosting(), settings(UNSHRUNK, max_examples=10))


def test_crashes_leave_no_trace() -> None:
    check_law(scorer.advance, logs(), serving(), run_pieces=run_with_crashes)


def test_a_state_that_is_read_anew_leaves_no_trace() -> None:
    check_law(scorer.advance, logs(), serving(), run_pieces=run_read_anew)


def test_the_law_of_batches_catches_a_region_that_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "_warm", NeverLetsGo(desk.WARM_MAX))

    with pytest.raises(AssertionError):
        check_law(scorer.advance, logs(), serving(), PLANTED, run_with_crashes)


@pytest.mark.parametrize(
    "planted", [regions_without_variances, learns_per_batch, answers_by_key, writes_before_commit]
)
def test_the_law_of_batches_catches(planted: Advance) -> None:
    with pytest.raises(AssertionError):
        check_law(planted, logs(), serving(), PLANTED, run_with_crashes)


def test_the_law_of_batches_catches_a_model_that_looks_around() -> None:
    with pytest.raises(AssertionError):
        check_law(scorer.advance, logs(), {MARKET: Serving(CentredChampion())}, PLANTED)


def test_cutting_leaves_no_trace_in_the_learner() -> None:
    check_law(learner.advance, OUTCOMES, {})


def test_cutting_leaves_no_trace_in_the_versions_of_the_learner() -> None:
    check_law(
        learner.advance, MANY_OUTCOMES, {}, settings(UNSHRUNK, max_examples=8), sizes=MANY_SIZES
    )


def test_the_law_of_batches_catches_a_market_that_forgets() -> None:
    with pytest.raises(AssertionError):
        check_law(market_without_variances, OUTCOMES, {}, PLANTED)


def test_the_law_of_batches_catches_a_version_of_too_many_labels() -> None:
    with pytest.raises(AssertionError):
        check_law(announces_at_the_end, MANY_OUTCOMES, {}, PLANTED, sizes=MANY_SIZES)
