"""What each feature is worth: champions trained without it, judged on later homes.

Folds go forward in time: trained on what was sold before a boundary, judged on what was
listed after it, up to the next. Judged is the answer, which is what consumers get: the
champion's price and the corrector's two levels, learned sale by sale as in service
(without guard and clipping of targets apart). A feature that a corrector replaces gains
nothing there, whatever it does for the champion alone.

Every champion is fitted to rows drawn anew for each seed, the same for all variants: trees
turn over at little, so a difference is worth no more than its spread, which is that of the
seeds and of the weeks judged (a paired bootstrap).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from offline import folds
from offline.corrected import answers
from offline.dataset import Dataset
from offline.shape import Shape
from offline.splits import Split
from offline.train import IGNORED, choose_shape, fit
from stream_app.contract.predictions import ReasonGroup
from stream_app.contract.spans import DAY_MS
from stream_app.core.features import NAMES
from stream_app.scoring.reasons import GROUPS

FOLDS = 2  # of the newer half of the sales
DRAWN = 15_000  # rows to fit to at most, and nine in ten of fewer
RESAMPLES = 400


class Gain(Struct, frozen=True):
    """Change of the error when a feature, or a group, is not read. Positive: it helps.

    Shares of the mean absolute error: 0.01 is 1 %.
    """

    what: str
    used: bool  # read by the trees today; else it was tried with it
    answer: float
    spread: float  # of `answer`, one standard error
    champion: float  # the champion alone


class Report(Struct, frozen=True):
    """All gains, and the errors they are shares of."""

    market: str
    rows: int
    judged: int
    shape: str
    champion_mae: float
    answer_mae: float
    gains: tuple[Gain, ...]


class Errors(NamedTuple):
    """|sale price - price| by judged home, mean over the seeds; one row per seed."""

    champion: NDArray[np.float64]
    answer: NDArray[np.float64]


def run(
    dataset: Dataset, seeds: int, say: Callable[[str], None], only: Sequence[str] = ()
) -> Report:
    """Train and judge every variant, or `only` those of some features and groups.

    Raises
    ------
    NotEnough : too few rows to choose the shape of the trees by
    """
    with threadpool_limits(limits=1, user_api="openmp"):
        parts = folds.forward(dataset, FOLDS)
        shape = choose_shape(dataset.take(parts[0].older), 0)
        weeks = np.concatenate([dataset.listed_ms[part.newer] for part in parts]) // (7 * DAY_MS)
        told = {k: v for k, v in _variants(dataset) if not only or k in only}
        base = _errors(dataset, parts, shape, IGNORED, seeds)
        gains = []
        for what, (ignored, used) in told.items():
            found = _errors(dataset, parts, shape, ignored, seeds)
            gain = _gain(what, used, base, found, weeks)
            say(f"{what}: {gain.answer:+.2%} ± {gain.spread:.2%}{'' if used else ' when read'}")
            gains.append(gain)
    return Report(
        market=dataset.market,
        rows=len(dataset),
        judged=len(weeks),
        shape=str(shape),
        champion_mae=float(base.champion.mean()),
        answer_mae=float(base.answer.mean()),
        gains=tuple(gains),
    )


def _variants(dataset: Dataset) -> Iterator[tuple[str, tuple[tuple[str, ...], bool]]]:
    """What is not read in each variant. Columns that the market does not fill are left out."""
    filled = [n for n, column in zip(NAMES, dataset.rows.T, strict=True) if _tells(column)]
    read = [name for name in filled if name not in IGNORED]
    for group, names in _groups(read).items():
        yield f"group {group}", ((*IGNORED, *names), True)
    for group, names in _groups([name for name in filled if name in IGNORED]).items():
        yield f"group {group}", (tuple(n for n in IGNORED if n not in names), False)
    for name in filled:
        rest = tuple(n for n in IGNORED if n != name)
        yield name, ((*IGNORED, name), True) if name in read else (rest, False)


def _tells(column: NDArray[np.float64]) -> bool:
    known = column[~np.isnan(column)]
    return len(known) > 0 and bool(known.min() < known.max())


def _groups(names: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    found = {
        str(ReasonGroup(group)): tuple(n for n in names if n.startswith(beginnings))
        for group, beginnings in GROUPS.items()
    }
    return {group: members for group, members in found.items() if len(members) > 1}


def _errors(
    dataset: Dataset, parts: Sequence[Split], shape: Shape, ignored: Sequence[str], seeds: int
) -> Errors:
    champion, answer = [], []
    for seed in range(seeds):
        both = [_judge(dataset, part, shape, ignored, seed) for part in parts]
        champion.append(np.concatenate([c for c, _ in both]))
        answer.append(np.concatenate([a for _, a in both]))
    return Errors(np.array(champion), np.array(answer))


def _judge(
    dataset: Dataset, part: Split, shape: Shape, ignored: Sequence[str], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    older = np.flatnonzero(part.older)
    size = min(DRAWN, len(older) * 9 // 10)
    drawn = np.random.default_rng(seed).choice(older, size, replace=False)
    fitted = fit(dataset.take(np.isin(np.arange(len(dataset)), drawn)), shape, seed, ignored)
    later = dataset.take(part.newer)
    champion_log = fitted.predict_log(later.rows)
    sale_price = np.exp(later.log_price)
    return (
        np.abs(np.exp(champion_log) - sale_price),
        np.abs(np.exp(answers(later, champion_log)) - sale_price),
    )


def _gain(what: str, used: bool, base: Errors, found: Errors, weeks: NDArray[np.int64]) -> Gain:
    sign = 1.0 if used else -1.0
    off = sign * (found.answer - base.answer)
    by_seed = off.mean(axis=1) / base.answer.mean()
    _, week = np.unique(weeks, return_inverse=True)
    sums, counts = np.bincount(week, off.mean(axis=0)), np.bincount(week)
    draw = np.random.default_rng(0).integers(0, len(counts), (RESAMPLES, len(counts)))
    by_week = sums[draw].sum(axis=1) / counts[draw].sum(axis=1) / base.answer.mean()
    of_seeds = by_seed.std(ddof=1) / len(by_seed) ** 0.5 if len(by_seed) > 1 else 0.0
    of_champion = sign * float((found.champion.mean() / base.champion.mean()) - 1)
    return Gain(
        what, used, float(by_seed.mean()), float(np.hypot(of_seeds, by_week.std())), of_champion
    )


def markdown(report: Report, command: str) -> str:
    """The gains as a table, the command above it."""
    lines = [
        f"### {report.market}",
        "",
        f"`{command}`",
        "",
        (
            f"{report.rows:,} sales, {report.judged:,} judged; {report.shape}. Mean absolute error of "
            f"the champion alone {report.champion_mae:,.0f}, of the answer {report.answer_mae:,.0f}."
        ),
        "",
        "| feature | read | gain for the answer | for the champion alone |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {gain.what} | {'yes' if gain.used else 'no'} | {gain.answer:+.2%} ± {gain.spread:.2%} "
        f"| {gain.champion:+.2%} |"
        for gain in report.gains
    ]
    return "\n".join(lines) + "\n"


def as_result(report: Report) -> dict[str, object]:
    """As JSON tells it."""
    told: dict[str, object] = msgspec.to_builtins(report)
    return told
