"""Errors of what was served, on figures that can be checked by head."""

import math

import pytest

from demo import metrics
from demo.metrics import Judged
from stream_app.contract.predictions import Components, Step
from tests import messages


def test_without_sales_every_figure_is_unknown() -> None:
    assert metrics.errors([]) == (0, *[None] * 8)


def test_errors_are_those_of_the_rows() -> None:
    rows = [
        Judged(100.0, answer=110.0, champion=80.0, naive=150.0, low=90.0, high=120.0),
        Judged(200.0, answer=190.0, champion=220.0, naive=None, low=201.0, high=220.0),
    ]

    errors = metrics.errors(rows)

    assert (errors.mae_naive, errors.mae_champion, errors.mae_answer) == (50.0, 20.0, 10.0)
    assert errors.mdape_champion == pytest.approx((0.2 + 0.1) / 2)
    assert errors.bias_answer == pytest.approx((0.1 - 0.05) / 2)
    assert errors.coverage_90 == 0.5


def test_only_what_a_champion_answered_is_judged() -> None:
    components = Components(math.log(300.0), math.log(200.0), 0.0, 0.0, 1.0)
    served = messages.outcome(sale_price=210.0, price=205.0, components=components)
    fallback = messages.outcome(step=Step.REGIONAL_MEDIAN)

    judged = metrics.judge(served)

    assert judged is not None
    assert (judged.sale, judged.answer) == (210.0, 205.0)
    assert (judged.champion, judged.naive) == pytest.approx((200.0, 300.0))
    assert metrics.judge(fallback) is None


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.0, 1.0)]
)
def test_a_quantile_is_a_value_that_was_seen(share: float, expected: float) -> None:
    assert metrics.quantile([float(n) for n in range(100, 0, -1)], share) == expected
