"""A reason is what the champion says of the home, less what it says of the usual one.

Usual is what the homes listed before in the region were; the home itself is not among them.
"""

from collections.abc import Mapping

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.contract import wire
from stream_app.contract.predictions import Prediction, QualityReason, Reason
from stream_app.contract.topics import PREDICTIONS
from stream_app.core import region, typical
from stream_app.core.features import NAMES
from stream_app.scoring.reasons import GROUPS, REASONS_MAX
from stream_app.stages import scorer
from stream_app.stages.step import Batch, Output, Record, Serving, State, Step
from tests.fakes.champion import FakeChampion
from tests.laws.law import PLANTED, UNSHRUNK
from tests.laws.timelines import AMENDED, TOO_LARGE, Home, homes, log_of, serving
from tests.replay import Advance, cut, predictions, records, run

CHAMPION = FakeChampion()
OUT_OF_TIME = {QualityReason.LATE, QualityReason.TIME_JUMP}
SIZES = st.lists(st.integers(1, 9), max_size=12)


def one_region(drawn: tuple[list[Home], list[Home]]) -> list[Record]:
    """Homes enough of one region that it has a typical one."""
    return records(log_of([home._replace(region=0) for half in drawn for home in half]))


LOGS = st.tuples(homes((AMENDED, TOO_LARGE)), homes((AMENDED, TOO_LARGE))).map(one_region)


def usual(rows: list[tuple[float | None, ...]]) -> list[float]:
    """The means of what most homes tell; names play no part with this champion."""
    table = np.array(rows, dtype=np.float64)
    known = ~np.isnan(table)
    means = [
        float(column[there].mean()) if there.any() else 0.0
        for column, there in zip(table.T, known.T, strict=True)
    ]
    return [
        mean if 2 * there.sum() >= len(rows) else np.nan
        for mean, there in zip(means, known.T, strict=True)
    ]


def expected(said: Prediction, earlier: list[tuple[float | None, ...]]) -> list[tuple[str, float]]:
    """One group after the other, each alone."""
    own = np.array([said.features], dtype=np.float64)
    as_usual, effects = usual(earlier), []
    for group, beginnings in GROUPS.items():
        variant = own.copy()
        for place, name in enumerate(NAMES):
            if name.startswith(beginnings):
                variant[0, place] = as_usual[place]
        effect = float(CHAMPION.predict_log(own)[0] - CHAMPION.predict_log(variant)[0])
        effects.append((str(group), effect))
    effects = [each for each in effects if abs(each[1]) > 1e-9]
    return sorted(effects, key=lambda each: -abs(each[1]))[:REASONS_MAX]


def check_law(advance: Advance, how: settings = UNSHRUNK) -> None:
    @how
    @given(LOGS, SIZES)
    def reasons_are_differences(taken: list[Record], sizes: list[int]) -> None:
        ran = run(advance, cut(taken, sizes), serving())

        earlier: list[tuple[float | None, ...]] = []
        for said in predictions(ran.outputs):
            wanted = expected(said, earlier) if len(earlier) >= typical.HOMES_MIN else []
            told = [r for r in said.reasons if abs(r.effect_log) > 1e-9]
            assert [str(each.group) for each in told] == [group for group, _ in wanted]
            assert [each.effect_log for each in told] == pytest.approx(
                [effect for _, effect in wanted]
            )
            if said.supersedes is None and not OUT_OF_TIME & set(said.quality_reasons):
                earlier.append(said.features)

    reasons_are_differences()


def tells_the_other_way(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
    """Planted: the usual home's price less the home's own."""
    step = scorer.advance(taken, state, models)
    return step._replace(outputs=tuple(map(_turned, step.outputs)))


def _turned(output: Output) -> Output:
    if output.topic is not PREDICTIONS or output.value is None:
        return output
    said = wire.decode_prediction(output.value)
    turned = tuple(Reason(each.group, -each.effect_log) for each in said.reasons)
    return output._replace(value=wire.encode(msgspec.structs.replace(said, reasons=turned)))


def forgets_what_is_usual(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
    """Planted: between batches all that was usual becomes 0."""
    short = dict(state)
    for key, frozen in state.items():
        if key.startswith("region:"):
            kept = region.thaw(frozen)
            kept.typical.means = [0.0] * len(kept.typical.means)
            short[key] = region.freeze(kept)
    return scorer.advance(taken, short, models)


def test_reasons_are_differences() -> None:
    check_law(scorer.advance)


@pytest.mark.parametrize("planted", [tells_the_other_way, forgets_what_is_usual])
def test_the_law_of_reasons_catches(planted: Advance) -> None:
    with pytest.raises(AssertionError):
        check_law(planted, PLANTED)
