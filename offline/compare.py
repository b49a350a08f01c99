"""Kinds of models on the same folds: how far off, how steady, how dear, and who may serve.

Folds go forward in time with the gap for the delay of labels (folds.py). Each kind has a
process of its own, so that its memory can be told. Times are of the processor, in one
thread: on a machine that others use, too, a wall clock judges the others.

Judged is the model alone, and with the corrector at work (corrected.py): that is what
consumers get. Not here: the kinds (candidates.py), the command (compare_command.py).
"""

import resource
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from multiprocessing import parent_process
from statistics import median

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from offline import bundle, folds, metrics, parallel, promotable, splits
from offline.candidates import KINDS
from offline.corrected import answers
from offline.dataset import Dataset
from offline.eda import skew
from offline.metrics import Figures
from offline.splits import Split
from offline.train import Fitted
from stream_app.contract.counts import counted

ALONE_ROWS = 30
BATCH_ROWS = 1_000
TRAIN_ROWS_MAX = 5_000  # of those trained on, evenly spread, to tell the gap by


class OnFold(Struct, frozen=True):
    """One kind, fitted to the older part of a fold and judged on the newer."""

    rows: int  # to train on
    alone: Figures
    answer: Figures  # with the corrector at work
    train_gap: float | None  # error on later homes / on those trained on, less 1
    fit_s: float  # processor time


class Cost(Struct, frozen=True):
    """What a model of the last fold takes."""

    ms_alone: float  # for a row by itself, processor time
    ms_batch: float  # for a row among `BATCH_ROWS`
    bundle_bytes: int
    peak_mb: float | None  # memory of its process; None: it shared one


class Compared(Struct, frozen=True):
    """One kind. `mean` and `spread` are over its folds."""

    name: str
    about: str
    folds: tuple[OnFold, ...]
    mean: dict[str, float]
    spread: dict[str, float]  # standard deviation
    cost: Cost | None = None  # None: the time was up before the last fold
    objections: tuple[str, ...] = ()  # of a scorer's own checks

    @property
    def promotable(self) -> bool:
        """Whether a scorer would take it."""
        return self.cost is not None and not self.objections


class Comparison(Struct, frozen=True):
    """All kinds, on the same folds."""

    market: str
    rows: int
    folds: tuple[int, ...]  # homes judged in each
    price_skew: float | None  # above 1: the logarithm is modelled
    log_price_skew: float | None
    compared: tuple[Compared, ...]


def run(
    dataset: Dataset,
    names: Sequence[str],
    fold_count: int,
    seed: int,
    processes: int,
    budget_s: float,
    say: Callable[[str], None],
) -> Comparison:
    """Fit and judge every kind that is named.

    Parameters
    ----------
    budget_s : seconds after which no fold is begun

    Raises
    ------
    NotEnough : a fold has too few rows on a side
    """
    dataset = splits.without_duplicates(dataset)
    parts = folds.forward(dataset, fold_count)
    say(f"{counted(len(names), 'kind')} of models on {fold_count} folds, {len(dataset):,} homes")
    ends_s = time.monotonic() + budget_s
    work = partial(judge, dataset, parts, seed, ends_s)
    told = partial(_tell, say, len(names) * fold_count)
    compared = parallel.each(work, names, processes, told)
    return Comparison(
        market=dataset.market,
        rows=len(dataset),
        folds=tuple(int(part.newer.sum()) for part in parts),
        price_skew=skew(np.exp(dataset.log_price)),
        log_price_skew=skew(dataset.log_price),
        compared=tuple(compared),
    )


def _tell(say: Callable[[str], None], wanted: int, done: int) -> None:
    say(f"  {done} of {wanted} fits judged")


def judge(
    dataset: Dataset,
    parts: Sequence[Split],
    seed: int,
    ends_s: float,
    name: str,
    progress: Callable[[int], None],
) -> Compared:
    """One kind on all folds, or on those begun before `ends_s` of the monotonic clock."""
    found: list[OnFold] = []
    cost: Cost | None = None
    against: tuple[str, ...] = ("the time was up before its last fold",)
    with threadpool_limits(limits=1):
        for place, part in enumerate(parts):
            if time.monotonic() >= ends_s:
                break
            older, newer = dataset.take(part.older), dataset.take(part.newer)
            began_s = time.process_time()
            fitted = KINDS[name].fit(older, seed)
            fit_s = time.process_time() - began_s
            found.append(on_fold(fitted, older, newer, fit_s))
            if place == len(parts) - 1:
                cost, against = _cost(fitted, older)
            progress(place + 1)
    mean, spread = _over(found)
    return Compared(name, KINDS[name].about, tuple(found), mean, spread, cost, against)


def on_fold(fitted: Fitted, older: Dataset, newer: Dataset, fit_s: float) -> OnFold:
    """Judge a fitted model on later homes."""
    said_log = fitted.predict_log(newer.rows)
    known = ~np.isnan(said_log)
    newer, said_log = newer.take(known), said_log[known]
    sale_price = np.exp(newer.log_price)
    alone = metrics.judge(np.exp(said_log), sale_price)
    answer = metrics.judge(np.exp(answers(newer, said_log)), sale_price)
    seen = older.take(np.arange(len(older)) % -(-len(older) // TRAIN_ROWS_MAX) == 0)
    on_train = metrics.judge(np.exp(fitted.predict_log(seen.rows)), np.exp(seen.log_price))
    gap = None if not on_train.mae or alone.mae is None else alone.mae / on_train.mae - 1
    return OnFold(len(older), alone, answer, gap, fit_s)


def _cost(fitted: Fitted, older: Dataset) -> tuple[Cost, tuple[str, ...]]:
    dumped = bundle.dump(fitted.regressor)
    ms_alone = median(_ms(fitted, row[np.newaxis]) for row in older.rows[-ALONE_ROWS:])
    ms_batch = _ms(fitted, np.resize(older.rows, (BATCH_ROWS, older.rows.shape[1]))) / BATCH_ROWS
    against = promotable.objections(fitted, older, dumped, ms_alone)
    peak_mb = None
    if parent_process() is not None:
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Cost(ms_alone, ms_batch, len(dumped), peak_mb), against


def _ms(fitted: Fitted, rows: NDArray[np.float64]) -> float:
    began_s = time.process_time()
    fitted.predict_log(rows)
    return 1000 * (time.process_time() - began_s)


def _over(found: Sequence[OnFold]) -> tuple[dict[str, float], dict[str, float]]:
    """Mean and standard deviation of each figure over the folds."""
    table = [dict(_figures(fold)) for fold in found]
    columns = {name: [row[name] for row in table if name in row] for row in table for name in row}
    return (
        {name: float(np.mean(column)) for name, column in columns.items()},
        {name: float(np.std(column)) for name, column in columns.items()},
    )


def _figures(fold: OnFold) -> Iterator[tuple[str, float]]:
    for prefix, figures in (("", fold.alone), ("answer_", fold.answer)):
        for name, value in msgspec.structs.asdict(figures).items():
            if value is not None and name != "rows":
                yield prefix + name, value
    yield "fit_s", fold.fit_s
    if fold.train_gap is not None:
        yield "train_gap", fold.train_gap
