"""A search repeats from its seed, a budget only shortens it, and its winner is judged anew."""

from collections.abc import Iterator

import msgspec
import pytest

from offline import folds, splits, tuning
from offline.shape import Shape
from offline.train import SHAPES
from offline.tuning import TimeUp, Tuned
from tests import sales


@pytest.fixture(autouse=True, scope="module")
def few_trees() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tuning, "TREES_MAX", 20)
        yield


@pytest.fixture(scope="module")
def found() -> Tuned:
    return search(2)


def search(draws: int, budget_s: float = 60.0) -> Tuned:
    return tuning.run(sales.rows(), draws, 2, 7, 1, budget_s, lambda text: None)


def without_time(found: Tuned) -> dict[int, tuning.Draw]:
    return {d.number: msgspec.structs.replace(d, fit_s=0.0) for d in found.draws}


def test_fewer_draws_are_the_first_of_more(found: Tuned) -> None:
    rows = sales.rows()
    older = rows.take(splits.forward(rows).older)
    parts = folds.forward(older, 2, splits.OLDER_ROWS_MIN // 2)

    (alone,) = tuning.judge(older, parts, 7, float("inf"), [0], lambda done: None)

    assert without_time(found).keys() == {-2, -1, 0, 1}
    assert without_time(found)[0] == msgspec.structs.replace(alone, fit_s=0.0)


def test_the_draws_are_in_the_order_of_the_answers_error_and_the_best_is_judged_last(
    found: Tuned,
) -> None:
    errors = [draw.answer_mae for draw in found.draws]
    assert errors == sorted(errors)
    assert found.best.shape == found.draws[0].shape
    assert found.best.answer.rows == found.default.answer.rows > 0


def test_a_draw_follows_from_seed_and_number() -> None:
    assert tuning.shape_of(7, 3) == tuning.shape_of(7, 3)
    assert tuning.shape_of(7, 3) != tuning.shape_of(7, 4)
    assert tuning.shape_of(7, 3) != tuning.shape_of(8, 3)
    assert tuning.shape_of(7, -1).loss == SHAPES[-1].loss


def test_every_draw_is_a_shape_that_train_takes() -> None:
    for number in range(100):
        shape = tuning.shape_of(0, number)
        assert msgspec.json.decode(msgspec.json.encode(shape), type=Shape) == shape


def test_a_draw_has_the_trees_that_served_later_homes(found: Tuned) -> None:
    for draw in found.draws:
        assert draw.shape.trees in draw.trees
        assert max(draw.trees) <= 20


def test_no_time_for_a_single_draw_is_wrong_input() -> None:
    with pytest.raises(TimeUp, match="--budget-s 1e-09: not one draw was begun"):
        search(1, budget_s=1e-9)
