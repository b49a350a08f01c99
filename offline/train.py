"""A data set to a champion: fitted, judged on later homes, ready to be signed.

Three steps, all in time order. Fits on the oldest part find which shape of trees
does best on later homes. A fit on all that was sold before the holdout is judged on
the holdout: its errors are the manifest's, where the interval starts from. A fit on
everything is the champion: the newest sales are worth most. What a model is fitted to is
brought to the level of its newest sale (level.py); what it is judged on is as it was paid.

Not here: where the data come from (dataset.py), the store and the registry.
"""

import hashlib
import platform
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version as library_version
from typing import NamedTuple, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from offline import bundle, encodings, level, metrics, splits
from offline.dataset import Dataset, sha256
from offline.encodings import Encodings
from offline.shape import Shape, boosting
from stream_app.contract.ids import fingerprint
from stream_app.contract.models import GoldenRow, Manifest, Scope
from stream_app.core.features import CATEGORICAL, FEATURE_SET, FEATURES, NAMES
from stream_app.scoring.champion import Champion, cpu_features

TREES_STEP = 5  # how finely the number of trees is chosen
# Ten steps of one tree stopped King County's trees at 100 to 300, with 1 % more error than at
# 400; ten of five at the best or within 0.1 % of it.
PATIENCE_STEPS = 10
# The newer half: of the newest quarter of half a year only 583 homes are left to choose by.
CHOICE_SHARE = 0.5


# Absolute, not squared error: King County's answer is 1.7 % nearer by it, HDB's 1.1 % less near
# while the champion is young (docs/models.md), and 2.3 % nearer over eight years with one champion
# (a backtest in short, 27,742 against 28,373 SGD). Slower rates gained King County 1.2 %, with
# 1,000 trees: as much longer to score.
SHAPES = (Shape("absolute_error", 31), Shape("absolute_error", 63))
# Left out of the trees, for the answer is better without them (docs/features.md). With a history
# of few years the season is a calendar, and counts grow with the market. What a region sold for
# moves the champion alone towards the level of the day, which is what the corrector does better:
# together they overshoot.
IGNORED = tuple(name for name in NAMES if name.startswith(("season_", "region_")))
# What similar homes were sold for, as a log: it moves with the level, as the price does.
PRICED = tuple(feature.name for feature in FEATURES if feature.unit == "log price/m2")
# How the level moved is told by means of many residuals: rough trees will do, and their seed too.
_FIRST = Shape("squared_error", 31, trees=100)
GOLDEN_ROWS = 32
HOLDOUT_ERRORS_KEPT = 500
_LIBRARIES = ("scikit-learn", "numpy", "skops")


class Regressor(Protocol):
    """What scikit-learn's estimators can do."""

    def fit(self, rows: NDArray[np.float64], log_price: NDArray[np.float64]) -> "Regressor": ...

    def predict(self, rows: NDArray[np.float64]) -> NDArray[np.float64]: ...


class Fitted(NamedTuple):
    """A regressor and the encodings it was fitted with."""

    regressor: Regressor
    encodings: Encodings

    def predict_log(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.regressor.predict(self.encoded(rows))

    def encoded(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.encodings.encoded(rows)


class Grown(NamedTuple):
    """A shape with as many trees as later homes were best served by."""

    shape: Shape
    error_log: float  # mean |log sale price - log price| of the later homes
    later_log: NDArray[np.float64]  # what it said of them


class Candidate(NamedTuple):
    """A model that nobody serves yet."""

    champion: Champion  # as a scorer will have it
    bundle: bytes
    older: Dataset  # what the second fit was fitted to
    holdout: Dataset
    judged: Fitted  # the second fit
    judged_abs_log_errors: tuple[float, ...]  # where its interval starts from; not the holdout's
    holdout_log: NDArray[np.float64]  # what it said of the holdout
    shape: Shape  # of all three fits


def train(
    dataset: Dataset,
    seed: int,
    made_ms: int,
    say: Callable[[str], None] = lambda text: None,
    shape: Shape | None = None,
) -> Candidate:
    """Make a candidate of all rows; without a shape, that of `SHAPES` which does best.

    Raises
    ------
    NotEnough : too few rows for a model or its holdout
    """
    # A team of threads waits for its slowest after each node. On cores that others use too,
    # training King County took 83 s of processor time (8 min) with two threads, 11 s with one.
    with threadpool_limits(limits=1, user_api="openmp"):
        return _train(dataset, seed, made_ms, say, shape)


def _train(
    dataset: Dataset, seed: int, made_ms: int, say: Callable[[str], None], shape: Shape | None
) -> Candidate:
    dataset = splits.without_duplicates(dataset)
    split = splits.forward(dataset)
    splits.refuse(dataset, split)  # whoever parted them, and however
    splits.refuse_thin(dataset, split)
    older, holdout = dataset.take(split.older), dataset.take(split.newer)
    shape = shape or choose_shape(older, seed)
    say(str(shape))
    say(f"{len(older):,} homes to train on, {len(holdout):,} later ones to judge by")
    judged = fit(older, shape, seed)
    holdout_log = judged.predict_log(holdout.rows)
    say(f"fitting all {len(dataset):,} homes")
    final = fit(dataset, shape, seed)
    dumped = bundle.dump(final.regressor)
    manifest = manifest_of(dataset, final, dumped, seed, made_ms)
    manifest = msgspec.structs.replace(
        manifest,
        holdout_abs_log_errors=_newest_errors(holdout, holdout_log),
        metrics=_figures(holdout, holdout_log) | {"trees": float(shape.trees)},
    )
    champion = Champion(final.regressor, manifest)
    errors = _errors_before(older, shape, seed)
    return Candidate(champion, dumped, older, holdout, judged, errors, holdout_log, shape)


def _errors_before(older: Dataset, shape: Shape, seed: int) -> tuple[float, ...]:
    """Of a fit that knows as little of the newer half as `judged` does of the holdout."""
    oldest, later = _halves(older)
    return _newest_errors(later, fit(oldest, shape, seed).predict_log(later.rows))


def fit(dataset: Dataset, shape: Shape, seed: int, ignored: Sequence[str] = IGNORED) -> Fitted:
    """Fit trees of a shape to all rows given; equal input gives equal bits."""
    return fit_regressor(dataset, boosting(shape, seed), ignored)


def fit_regressor(
    dataset: Dataset, regressor: Regressor, ignored: Sequence[str] = IGNORED
) -> Fitted:
    """Fit encodings and regressor to all rows given, and to no other, at their newest's level."""
    dataset = at_newest_level(dataset, ignored)
    found, rows = _prepared(dataset, ignored)
    return Fitted(regressor.fit(rows, dataset.log_price), found)


def at_newest_level(dataset: Dataset, ignored: Sequence[str] = IGNORED) -> Dataset:
    """The rows as if all were sold with the newest: their prices, and those they were shown."""
    _, rows = _prepared(dataset, (*ignored, *PRICED))
    first = boosting(_FIRST, seed=0).fit(rows, dataset.log_price)
    residual_log = dataset.log_price - first.predict(rows)
    moved = level.moves(residual_log, dataset.sold_ms, dataset.region)
    shown = dataset.rows.copy()
    shown[:, [NAMES.index(name) for name in PRICED]] += moved[:, np.newaxis]
    return replace(dataset, rows=shown, log_price=dataset.log_price + moved)


def _prepared(dataset: Dataset, ignored: Sequence[str]) -> tuple[Encodings, NDArray[np.float64]]:
    found = encodings.fit(dataset.rows, dataset.log_price - np.log(dataset.area_m2))
    rows = found.encoded(dataset.rows)
    # A constant is never split on; and the binning refuses a column that nobody fills in.
    rows[:, [NAMES.index(name) for name in ignored]] = 0.0
    rows[:, np.isnan(rows).all(axis=0)] = 0.0
    return found, rows


def choose_shape(dataset: Dataset, seed: int, shapes: Sequence[Shape] = SHAPES) -> Shape:
    """The shape with the least error on homes later than those fitted on, and its trees."""
    older, later = _halves(dataset)
    older = at_newest_level(older)
    tried = [grown(older, later, shape, seed) for shape in shapes]
    return min(tried, key=lambda each: each.error_log).shape


def _halves(dataset: Dataset) -> tuple[Dataset, Dataset]:
    split = splits.forward(dataset, CHOICE_SHARE, splits.OLDER_ROWS_MIN // 4)
    return dataset.take(split.older), dataset.take(split.newer)


def grown(older: Dataset, later: Dataset, shape: Shape, seed: int) -> Grown:
    """Add trees until later homes gain nothing by more; keep as many as served them best.

    `older` is at the level of its newest sale; the later homes are as they were paid.
    """
    found, rows = _prepared(older, IGNORED)
    encoded = found.encoded(later.rows)
    regressor = boosting(shape, seed).set_params(
        early_stopping=True, n_iter_no_change=PATIENCE_STEPS * TREES_STEP
    )
    regressor.fit(rows, older.log_price, X_val=encoded, y_val=later.log_price)
    staged = enumerate(regressor.staged_predict(encoded), start=1)
    said = {trees: log_price for trees, log_price in staged if trees % TREES_STEP == 0}
    errors = {trees: float(np.abs(later.log_price - log).mean()) for trees, log in said.items()}
    best = min(errors, key=errors.__getitem__)
    return Grown(msgspec.structs.replace(shape, trees=best), errors[best], said[best])


def _newest_errors(holdout: Dataset, holdout_log: NDArray[np.float64]) -> tuple[float, ...]:
    errors = np.abs(holdout.log_price - holdout_log)[::-1]  # rows are in the order of sales
    return tuple(errors[:HOLDOUT_ERRORS_KEPT].tolist())


def _figures(holdout: Dataset, holdout_log: NDArray[np.float64]) -> dict[str, float]:
    """What is known of the model: its figures on the holdout, and those of the naive price."""
    sale_price = np.exp(holdout.log_price)
    judged = {
        "": metrics.judge(np.exp(holdout_log), sale_price),
        "naive_": metrics.judge(np.exp(holdout.naive_log), sale_price),
    }
    return {
        f"holdout_{prefix}{name}": float(value)
        for prefix, figures in judged.items()
        for name, value in msgspec.structs.asdict(figures).items()
        if value is not None
    }


def manifest_of(
    dataset: Dataset, final: Fitted, dumped: bytes, seed: int, made_ms: int
) -> Manifest:
    """What the fit is and was made of: all but what a holdout says of it."""
    data_hash, bundle_hash = sha256(dataset), hashlib.sha256(dumped).hexdigest()
    return Manifest(
        market=dataset.market,
        version="c" + fingerprint(dataset.market, bundle_hash, data_hash)[:12],
        bundle_sha256=bundle_hash,
        bundle_bytes=len(dumped),
        reference_sha256=None,  # until it is written: offline/registry.py
        feature_names=NAMES,
        feature_set=FEATURE_SET,
        encodings=final.encodings.numbers,
        encoding_defaults=final.encodings.defaults,
        golden_rows=_golden_rows(dataset, final),
        holdout_abs_log_errors=(),
        metrics={},
        trained_from_ms=int(dataset.sold_ms[0]),
        trained_to_ms=int(dataset.sold_ms[-1]),
        training_rows=len(dataset),
        data_sha256=data_hash,
        seed=seed,
        library_versions={name: library_version(name) for name in _LIBRARIES}
        | {"python": platform.python_version()},
        cpu_features=cpu_features(),
        made_ms=made_ms,
        scope=_scope(dataset),
    )


def _scope(dataset: Dataset) -> Scope:
    """What the rows hold; of what the trees may look at, and of no code."""
    columns = zip(NAMES, dataset.rows.T, strict=True)
    prices = np.exp(dataset.log_price)
    return Scope(
        ranges={
            name: (float(np.nanmin(column)), float(np.nanmax(column)))
            for name, column in columns
            if name not in (*IGNORED, *CATEGORICAL) and not np.isnan(column).all()
        },
        property_types=tuple(np.unique(dataset.property_type).tolist()),
        prices=(float(prices.min()), float(prices.max())),
    )


def _golden_rows(dataset: Dataset, final: Fitted) -> tuple[GoldenRow, ...]:
    """Rows from the whole time span, and one of whose home nothing is known."""
    spread = np.linspace(0, len(dataset) - 1, GOLDEN_ROWS - 1).astype(int)
    rows = np.vstack([dataset.rows[spread], np.full(len(NAMES), np.nan)])
    said = final.predict_log(rows)
    return tuple(
        GoldenRow(tuple(None if np.isnan(v) else v for v in row), log_price)
        for row, log_price in zip(rows.tolist(), said.tolist(), strict=True)
    )
