"""What a person must see of a candidate's features before anybody is served by it.

Some findings hold a candidate for review: an error that is too small, a feature
that alone tells the price, a row that was made when its sale had happened. On real
sales each of these has been a leak. The others are notes.

Not here: the review itself (`offline promote` asks for its reason).
"""

from collections.abc import Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeRegressor
from threadpoolctl import threadpool_limits

from offline.dataset import Dataset
from offline.metrics import r2
from offline.splits import EXAMPLES
from offline.train import Candidate, Fitted
from stream_app.core.features import CATEGORICAL, NAMES

# Of the log price. Two honest markets: 0.88 (King County), 0.94 (HDB); noise alone keeps
# any model from this.
R2_HELD = 0.99
# The most that one honest feature tells of the log price is 0.50 (King County's region) and 0.49
# (HDB's area). Held is what gives prices away within 20 % (King County) or 11 % (HDB, whose prices
# differ less); a price per m2 in disguise shows in R2 of the whole model alone.
R2_ALONE_HELD = 0.85
ALONE_LEAVES = 64
TWIN_R = 0.95
# Of the values brought to 0..1 by their 1 % and 99 % quantiles: degrees and m2 alike.
VARIANCE_MIN = 0.01
ROWS_MAX = 5_000  # that importance and one-feature trees look at, evenly spread
REPEATS = 3


class Finding(Struct, frozen=True):
    """One thing that was found, and the limit that it crossed."""

    kind: str  # r2, tells_all, newer_than_prediction, twins, constant
    feature: str
    value: float
    limit: float
    held: bool  # not to be served without a review
    reason: str


class Importance(Struct, frozen=True):
    """What the holdout's error grows by when a feature's values are dealt out anew."""

    feature: str
    mae_log: float  # mean of the repeats
    spread: float  # standard deviation of the repeats
    rows: int


def findings(candidate: Candidate) -> tuple[Finding, ...]:
    """All findings, held ones first."""
    older, holdout = _thinned(candidate.older), _thinned(candidate.holdout)
    found = [
        *_too_good(candidate),
        *_telling_all(candidate.judged, older, holdout),
        *_newer_than_prediction(candidate),
        *_twins(older),
        *_constants(older),
    ]
    return tuple(sorted(found, key=lambda finding: not finding.held))


def held(found: tuple[Finding, ...]) -> str | None:
    """Why a candidate is held; None when nothing holds it."""
    return "; ".join(f.reason for f in found if f.held) or None


def importance(candidate: Candidate, seed: int) -> tuple[Importance, ...]:
    """Importance by permutation on the holdout, the greatest first.

    Of the model that was fitted without the holdout: the champion itself knows those homes.
    """
    with threadpool_limits(limits=1, user_api="openmp"):  # why: train.train
        return _importance(candidate.judged, _thinned(candidate.holdout), seed)


def _importance(judged: Fitted, holdout: Dataset, seed: int) -> tuple[Importance, ...]:
    generator = np.random.default_rng(seed)

    def error(rows: NDArray[np.float64]) -> float:
        return float(np.abs(holdout.log_price - judged.predict_log(rows)).mean())

    base = error(holdout.rows)
    found = []
    for place, name in enumerate(NAMES):
        if np.isnan(holdout.rows[:, place]).all():
            continue
        grown = []
        for _ in range(REPEATS):
            rows = holdout.rows.copy()
            rows[:, place] = generator.permutation(rows[:, place])
            grown.append(error(rows) - base)
        found.append(Importance(name, float(np.mean(grown)), float(np.std(grown)), len(holdout)))
    return tuple(sorted(found, key=lambda each: -each.mae_log))


def _too_good(candidate: Candidate) -> Iterator[Finding]:
    value = r2(candidate.holdout.log_price, candidate.holdout_log)
    if value >= R2_HELD:
        rows = len(candidate.holdout)
        yield Finding(
            "r2",
            "",
            value,
            R2_HELD,
            held=True,
            reason=f"R2 of the log price is {value:.4f} on {rows:,} later homes, {R2_HELD} is "
            "too good to be true: look for a feature that knows the price",
        )


def _telling_all(judged: Fitted, older: Dataset, holdout: Dataset) -> Iterator[Finding]:
    """A tree of one feature each; a price per m2 in disguise shows in R2 of the whole model."""
    before, after = judged.encoded(older.rows), judged.encoded(holdout.rows)
    for place, name in enumerate(NAMES):
        if np.isnan(before[:, place]).all():
            continue
        tree = DecisionTreeRegressor(max_leaf_nodes=ALONE_LEAVES, random_state=0)
        tree.fit(before[:, [place]], older.log_price)
        value = r2(holdout.log_price, tree.predict(after[:, [place]]))
        if value > R2_ALONE_HELD:
            yield Finding(
                "tells_all",
                name,
                value,
                R2_ALONE_HELD,
                held=True,
                reason=f"{name} alone explains {value:.1%} of the price on {len(holdout):,} later "
                f"homes, above {R2_ALONE_HELD:.0%} it is the price in disguise",
            )


def _newer_than_prediction(candidate: Candidate) -> Iterator[Finding]:
    """A row is as old as its listing; made at or after the sale, its windows may hold it."""
    for part in (candidate.older, candidate.holdout):
        after = part.listing_id[part.sold_ms <= part.listed_ms]
        if after.size:
            yield Finding(
                "newer_than_prediction",
                "",
                float(after.size),
                0.0,
                held=True,
                reason=f"{after.size} of {len(part):,} rows were made when their sale had "
                f"happened, 0 may be: {', '.join(after[:EXAMPLES])}",
            )


def _twins(older: Dataset) -> Iterator[Finding]:
    for first, second, value in correlated(older, TWIN_R):
        yield Finding(
            "twins",
            f"{first} {second}",
            value,
            TWIN_R,
            held=False,
            reason=f"{first} and {second} correlate at {value:.3f}: one would do",
        )


def correlated(part: Dataset, limit: float) -> Iterator[tuple[str, str, float]]:
    """Pairs of numbers whose correlation is beyond the limit, on the rows that know both."""
    columns = [(name, i) for i, name in enumerate(NAMES) if name not in CATEGORICAL]
    for place, (first, i) in enumerate(columns):
        for second, j in columns[place + 1 :]:
            value = correlation(part.rows[:, i], part.rows[:, j])
            if value is not None and abs(value) > limit:
                yield first, second, value


def correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float | None:
    """Pearson's r on what both know; None of fewer than three, or where one does not vary.

    >>> round(correlation(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])), 6)
    1.0
    """
    both = ~np.isnan(first) & ~np.isnan(second)
    a, b = first[both], second[both]
    # Rounding gives a constant a deviation above 0.
    if len(a) < 3 or a.min() == a.max() or b.min() == b.max():
        return None
    return float(np.corrcoef(a, b)[0, 1])


def _constants(older: Dataset) -> Iterator[Finding]:
    for place, name in enumerate(NAMES):
        known = older.rows[:, place][~np.isnan(older.rows[:, place])]
        if name in CATEGORICAL or not known.size:
            continue
        value = _scaled_variance(known)
        if value < VARIANCE_MIN:
            yield Finding(
                "constant",
                name,
                value,
                VARIANCE_MIN,
                held=False,
                reason=f"{name} hardly varies: {value:.4f} when brought to 0..1 "
                f"({known.size:,} known)",
            )


def _scaled_variance(known: NDArray[np.float64]) -> float:
    low, high = np.quantile(known, (0.01, 0.99))
    if low == high:
        return 0.0
    return float(((np.clip(known, low, high) - low) / (high - low)).var())


def _thinned(part: Dataset) -> Dataset:
    chosen = np.zeros(len(part), dtype=np.bool_)
    chosen[:: max(1, -(-len(part) // ROWS_MAX))] = True
    return part.take(chosen)
