"""Who answers a listing, and why not those above."""

import math
from typing import Any, NamedTuple

import pytest

from stream_app.contract.predictions import Arm, QualityReason, Step
from stream_app.core.labels import Served
from stream_app.core.region import Decayed
from stream_app.stages import answer
from stream_app.stages.answer import Opinions
from stream_app.stages.step import Serving
from tests import messages
from tests.builders import LISTED_MS
from tests.fakes.champion import FakeChampion

CHAMPION = FakeChampion("v2", scale=0.2, score_quantile=2.0)
PREVIOUS = FakeChampion("v1", scale=0.1, score_quantile=1.0)
CHALLENGER = FakeChampion("v3", scale=0.3, score_quantile=1.0)
ALL = Serving(CHAMPION, messages.corrector(), PREVIOUS, CHALLENGER)
# Every model says another price: who answered shows in it.
SAID = Opinions(12.0, 12.2, 0.04, -0.02, previous_log=12.1, challenger_log=12.3)

Q = QualityReason


class Case(NamedTuple):
    name: str
    arm: Arm
    serving: Serving
    unusable: tuple[str, ...]
    step: Step
    version: str | None
    price_log: float | None
    skipped: tuple[QualityReason, ...]


CASES = (
    Case("champion", Arm.CHAMPION, ALL, (), Step.CHAMPION, "v2", 12.22, ()),
    Case("challenger", Arm.CHALLENGER, ALL, (), Step.CHALLENGER, "v3", 12.32, ()),
    Case(
        "no champion, but its challenger",
        Arm.CHALLENGER,
        ALL._replace(champion=None),
        ("champion",),
        Step.CHALLENGER,
        "v3",
        12.32,
        (),
    ),
    Case(
        "challenger unusable",
        Arm.CHALLENGER,
        ALL,
        ("challenger",),
        Step.CHAMPION,
        "v2",
        12.22,
        (Q.CHALLENGER_UNUSABLE,),
    ),
    Case(
        "champion unusable",
        Arm.CHAMPION,
        ALL,
        ("champion",),
        Step.PREVIOUS,
        "v1",
        12.12,
        (Q.CHAMPION_UNUSABLE,),
    ),
    Case(
        "champion not there",
        Arm.CHAMPION,
        ALL._replace(champion=None),
        ("champion",),
        Step.PREVIOUS,
        "v1",
        12.12,
        (Q.NO_CHAMPION,),
    ),
    Case(
        "champion and previous unusable",
        Arm.CHAMPION,
        ALL,
        ("champion", "previous"),
        Step.REGIONAL_MEDIAN,
        None,
        12.0,
        (Q.CHAMPION_UNUSABLE, Q.PREVIOUS_UNUSABLE),
    ),
    Case(
        "champion unusable, nobody before it",
        Arm.CHAMPION,
        ALL._replace(previous=None),
        ("champion", "previous"),
        Step.REGIONAL_MEDIAN,
        None,
        12.0,
        (Q.CHAMPION_UNUSABLE,),
    ),
    Case(
        "nothing at all",
        Arm.CHALLENGER,
        ALL,
        ("challenger", "champion", "previous", "naive"),
        Step.NONE,
        None,
        None,
        (Q.CHALLENGER_UNUSABLE, Q.CHAMPION_UNUSABLE, Q.PREVIOUS_UNUSABLE),
    ),
)


def blank(arm: Arm) -> Served:
    return Served("p-1", LISTED_MS, False, 110.0, "house", (4.7, math.nan), arm=arm)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_first_that_says_a_price_answers(case: Case) -> None:
    served = blank(case.arm)
    unheard: dict[str, Any] = {f"{name}_log": None for name in case.unusable}
    said = SAID._replace(**unheard)

    skipped = answer.fill(served, said, case.serving, Decayed())

    assert served.versions is not None
    price_log = None if served.price is None else pytest.approx(math.log(served.price))
    assert (served.step, served.versions.champion) == (case.step, case.version)
    assert case.price_log == price_log
    assert skipped == case.skipped


@pytest.mark.parametrize(
    ("arm", "unusable", "half_width"),
    [
        (Arm.CHAMPION, {}, 0.1 * 2.1),
        (Arm.CHALLENGER, {}, 0.3 * 1.0),
        (Arm.CHAMPION, {"champion_log": None}, 0.1 * 1.0),
    ],
    ids=[
        "champion: of its served answers",
        "challenger: of its holdout",
        "previous: of its holdout",
    ],
)
def test_the_interval_is_that_of_the_model_that_answers(
    arm: Arm, unusable: dict[str, Any], half_width: float
) -> None:
    served = blank(arm)

    answer.fill(served, SAID._replace(**unusable), ALL, Decayed())

    assert served.price is not None
    assert served.price_high is not None
    assert math.log(served.price_high / served.price) == pytest.approx(half_width)


def test_the_components_hold_what_the_model_said_that_answered() -> None:
    served = blank(Arm.CHALLENGER)

    answer.fill(served, SAID, ALL, Decayed())

    assert served.components is not None
    assert served.components.champion_log == 12.3
