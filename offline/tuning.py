"""Random search for the shape of the champion's trees, on folds that go forward in time.

A draw follows from the seed and its number alone, so a time budget shortens the list and
changes nothing on it. On each fold trees are added until the later homes gain nothing by
more; the draw has the median of those numbers. It is judged by the answer, the champion
corrected (corrected.py): that is what consumers get.

The search sees what was sold before the holdout of `train`. Then the best draw and the
shape that `train` chooses by itself are fitted to all of that and judged on the holdout,
which neither has seen: a search that won by chance loses there.
"""

import itertools
import time
from collections.abc import Callable, Sequence
from functools import partial
from statistics import fmean, median_low, pstdev

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from offline import folds, metrics, parallel, splits
from offline.corrected import answers
from offline.dataset import Dataset
from offline.faults import WrongInput
from offline.metrics import Figures
from offline.shape import Shape
from offline.splits import Split
from offline.train import SHAPES, at_newest_level, choose_shape, fit, grown
from stream_app.contract.counts import counted

TREES_MAX = 1_000  # where they stop by themselves, but for the slowest rates
# Bounds of the draw; but for the loss and the share without, evenly in the logarithm.
LEAVES = (8, 128)
LEARNING_RATES = (0.02, 0.2)
LEAF_ROWS = (3, 100)
L2 = (0.01, 30.0)
WITHOUT_L2 = 0.5


class Draw(Struct, frozen=True):
    """A shape, and what it came to on the folds."""

    number: int  # below 0: one of `SHAPES`, judged the same way
    shape: Shape
    answer_mae: float  # mean of the folds
    answer_spread: float  # standard deviation
    champion_mae: float
    trees: tuple[int, ...]  # that served the homes of each fold best
    fit_s: float  # processor time, of all folds


class OnHoldout(Struct, frozen=True):
    """A shape fitted to all that was sold before the holdout, judged on it."""

    shape: Shape
    champion: Figures
    answer: Figures


class Tuned(Struct, frozen=True):
    """What a search found."""

    market: str
    rows: int  # searched on
    folds: tuple[int, ...]  # homes judged in each
    draws: tuple[Draw, ...]  # the best first
    asked: int
    best: OnHoldout
    default: OnHoldout  # what `train` chooses by itself


class TimeUp(WrongInput):
    """The budget is too short for anything."""


def run(
    dataset: Dataset,
    draws: int,
    fold_count: int,
    seed: int,
    processes: int,
    budget_s: float,
    say: Callable[[str], None],
) -> Tuned:
    """Search, then judge on the holdout.

    Parameters
    ----------
    budget_s : seconds after which no draw is begun

    Raises
    ------
    NotEnough : too few rows for the folds or the holdout
    TimeUp : not one draw was begun
    """
    dataset = splits.without_duplicates(dataset)
    split = splits.forward(dataset)
    older, holdout = dataset.take(split.older), dataset.take(split.newer)
    parts = folds.forward(older, fold_count, splits.OLDER_ROWS_MIN // 2)
    ends_s = time.monotonic() + budget_s
    numbers = range(-len(SHAPES), draws)
    say(
        f"{counted(draws, 'draw')} and {len(SHAPES)} shapes on {fold_count} folds, {len(older):,} homes"
    )
    told = parallel.each(
        partial(judge, older, parts, seed, ends_s),
        [numbers[place::processes] for place in range(processes)],
        processes,
        lambda done: say(f"  {done} judged"),
    )
    found = sorted(itertools.chain(*told), key=lambda draw: (draw.answer_mae, draw.number))
    if not found:
        raise TimeUp(f"--budget-s {budget_s:g}: not one draw was begun")
    say("judging the best draw, and what train chooses, on the holdout")
    with threadpool_limits(limits=1):
        best = on_holdout(found[0].shape, older, holdout, seed)
        default = on_holdout(choose_shape(older, seed), older, holdout, seed)
    homes = tuple(int(part.newer.sum()) for part in parts)
    return Tuned(dataset.market, len(older), homes, tuple(found), draws, best, default)


def shape_of(seed: int, number: int) -> Shape:
    """The draw of that number; `SHAPES` from the end below 0."""
    if number < 0:
        return msgspec.structs.replace(SHAPES[number], trees=TREES_MAX)
    chance = np.random.default_rng((seed, number))

    def between(bounds: tuple[float, float]) -> float:
        return float(np.exp(chance.uniform(*np.log(bounds))))

    return Shape(
        loss="absolute_error" if chance.random() < 0.5 else "squared_error",
        leaves=round(between(LEAVES)),
        trees=TREES_MAX,
        learning_rate=round(between(LEARNING_RATES), 4),
        leaf_rows_min=round(between(LEAF_ROWS)),
        l2=0.0 if chance.random() < WITHOUT_L2 else round(between(L2), 3),
    )


def judge(
    dataset: Dataset,
    parts: Sequence[Split],
    seed: int,
    ends_s: float,
    numbers: Sequence[int],
    progress: Callable[[int], None],
) -> list[Draw]:
    """Judge the draws of these numbers, as many as are begun before `ends_s` (monotonic)."""
    found: list[Draw] = []
    with threadpool_limits(limits=1):
        halves = [
            (at_newest_level(dataset.take(part.older)), dataset.take(part.newer)) for part in parts
        ]
        for number in numbers:
            if time.monotonic() >= ends_s:
                break
            found.append(_judge(halves, seed, number))
            progress(len(found))
    return found


def _judge(halves: Sequence[tuple[Dataset, Dataset]], seed: int, number: int) -> Draw:
    shape, began_s = shape_of(seed, number), time.process_time()
    champions, corrected, trees = [], [], []
    for older, later in halves:
        made = grown(older, later, shape, seed)
        trees.append(made.shape.trees)
        champions.append(_mae(later, made.later_log))
        corrected.append(_mae(later, answers(later, made.later_log)))
    return Draw(
        number=number,
        shape=msgspec.structs.replace(shape, trees=median_low(trees)),
        answer_mae=fmean(corrected),
        answer_spread=pstdev(corrected),
        champion_mae=fmean(champions),
        trees=tuple(trees),
        fit_s=time.process_time() - began_s,
    )


def _mae(later: Dataset, said_log: NDArray[np.float64]) -> float:
    return float(np.abs(np.exp(said_log) - np.exp(later.log_price)).mean())


def on_holdout(shape: Shape, older: Dataset, holdout: Dataset, seed: int) -> OnHoldout:
    """Fit a shape to the older part; judge champion and answer on the holdout."""
    said_log = fit(older, shape, seed).predict_log(holdout.rows)
    sale_price = np.exp(holdout.log_price)
    return OnHoldout(
        shape=shape,
        champion=metrics.judge(np.exp(said_log), sale_price),
        answer=metrics.judge(np.exp(answers(holdout, said_log)), sale_price),
    )
