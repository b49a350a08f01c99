"""The kinds of models that are compared, from one price for all homes to boosted trees.

Each is fitted to the rows to train on and to no others: the encodings (encodings.py), and
where a kind needs it also clipping, imputing, scaling and clusters of places. Encodings and
one scikit-learn object are all there is of it, as of a champion, so a scorer can be asked
whether it would take it (promotable.py).

All see the same features: what the champion's trees do not read, no other kind does.
Not here: which is better (compare.py).
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import RandomForestRegressor, VotingRegressor
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.linear_model import ElasticNet, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from offline.dataset import Dataset
from offline.shape import Shape, boosting
from offline.train import Fitted, Regressor, choose_shape, fit, fit_regressor
from stream_app.core.features import NAMES

Fit = Callable[[Dataset, int], Fitted]  # with a seed

CLIPPED = (0.01, 0.99)
CLUSTERS = 8
# The time grows faster than the square of the rows, and each row priced is held against every
# support vector: with 4,000 rows it already takes seven times as long as trees in a batch.
SVR_ROWS_MAX = 4_000
FOREST_TREES = 100
FOREST_LEAF_ROWS_MIN = 5
ABSOLUTE = Shape("absolute_error", 63)
SQUARED = Shape("squared_error", 63)
QUANTILE = Shape("quantile", 63)
_PLACE = [NAMES.index(name) for name in ("home_latitude", "home_longitude")]
_LOG_AREA = NAMES.index("home_log_area")
_REGION_MEDIAN = NAMES.index("region_ppm2_median_90d")


class Kind(NamedTuple):
    """One way to make a model."""

    about: str
    fit: Fit


class RegionalMedian(BaseEstimator):
    """The naive price as served: nothing is learned, the row brings the region's median."""

    def fit(self, _rows: NDArray[np.float64], _log_price: NDArray[np.float64]) -> "RegionalMedian":
        return self

    def predict(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """NaN where the region had no sale in 90 days."""
        said: NDArray[np.float64] = rows[:, _REGION_MEDIAN] + rows[:, _LOG_AREA]
        return said


class Clip(TransformerMixin, BaseEstimator):
    """Bounds each column by its 1 % and 99 % quantiles of the rows fitted to.

    Where those are equal (few homes have a water front) by the least and the greatest value.
    """

    def fit(
        self, rows: NDArray[np.float64], _log_price: NDArray[np.float64] | None = None
    ) -> "Clip":
        low, high = np.nanquantile(rows, CLIPPED, axis=0)
        same = low == high
        self.low_ = np.where(same, np.nanmin(rows, axis=0), low)
        self.high_ = np.where(same, np.nanmax(rows, axis=0), high)
        return self

    def transform(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.clip(rows, self.low_, self.high_)


def plain(make: Callable[[int], Regressor]) -> Fit:
    """A regressor that takes encoded rows as they are."""
    return lambda dataset, seed: fit_regressor(dataset, make(seed))


def scaled(model: Regressor, rows_max: int | None = None) -> Fit:
    """A regressor that needs whole numbers of one size, fitted to `rows_max` drawn rows."""

    def fitted(dataset: Dataset, seed: int) -> Fitted:
        drawn = dataset if rows_max is None else _drawn(dataset, rows_max, seed)
        return fit_regressor(drawn, make_pipeline(_preparation(drawn, seed), model))

    return fitted


def _preparation(dataset: Dataset, seed: int) -> ColumnTransformer:
    """Clipped, imputed, without constants, scaled; and distances to clusters of places."""
    home = make_pipeline(
        Clip(),
        SimpleImputer(strategy="median", add_indicator=True),
        VarianceThreshold(),
        StandardScaler(),
    )
    steps: list[tuple[str, Pipeline, list[int]]] = [("home", home, list(range(len(NAMES))))]
    known = dataset.rows[:, _PLACE][~np.isnan(dataset.rows[:, _PLACE]).any(axis=1)]
    places = len(np.unique(known, axis=0))
    if places > 1:
        clusters = KMeans(min(CLUSTERS, places), n_init=1, random_state=seed)
        place = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), clusters)
        steps.append(("place", place, _PLACE))
    return ColumnTransformer(steps)


def _drawn(dataset: Dataset, rows_max: int, seed: int) -> Dataset:
    chosen = np.zeros(len(dataset), dtype=np.bool_)
    order = np.random.default_rng(seed).permutation(len(dataset))
    chosen[order[:rows_max]] = True
    return dataset.take(chosen)


def _boosted(shape: Shape, dataset: Dataset, seed: int) -> Fitted:
    """As many trees as served the newer of the rows to train on best, then fitted to all."""
    return fit(dataset, choose_shape(dataset, seed, (shape,)), seed)


def _ensemble(dataset: Dataset, seed: int) -> Fitted:
    """The mean of two boostings with other losses."""
    shapes = [choose_shape(dataset, seed, (shape,)) for shape in (ABSOLUTE, SQUARED)]
    return fit_regressor(
        dataset, VotingRegressor([(shape.loss, boosting(shape, seed)) for shape in shapes])
    )


def _forest(seed: int) -> Regressor:
    made: Regressor = RandomForestRegressor(
        FOREST_TREES,
        min_samples_leaf=FOREST_LEAF_ROWS_MIN,
        max_features=1 / 3,  # Breiman's default for regression
        random_state=seed,
    )
    return made


# In the order of what they cost: a time budget leaves out the dearest.
KINDS: Mapping[str, Kind] = {
    "dummy": Kind("median of all prices", plain(lambda seed: DummyRegressor(strategy="median"))),
    "naive": Kind(
        "region's median per m2 of 90 days, times the area", plain(lambda seed: RegionalMedian())
    ),
    "ridge": Kind("linear, l2 = 1", scaled(Ridge(alpha=1.0))),
    "elastic_net": Kind(
        "linear, alpha = 0.001, half l1", scaled(ElasticNet(alpha=0.001, max_iter=10_000))
    ),
    "svr": Kind(
        f"radial kernel, fitted to {SVR_ROWS_MAX:,} drawn rows",
        scaled(SVR(C=1.0, epsilon=0.05), SVR_ROWS_MAX),
    ),
    "boosting_squared": Kind("63 leaves, squared error", partial(_boosted, SQUARED)),
    "boosting_absolute": Kind("63 leaves, absolute error", partial(_boosted, ABSOLUTE)),
    "boosting_quantile": Kind("63 leaves, quantile 0.5", partial(_boosted, QUANTILE)),
    "ensemble": Kind("mean of boosting_absolute and boosting_squared", _ensemble),
    "random_forest": Kind(
        f"{FOREST_TREES} trees, leaves of {FOREST_LEAF_ROWS_MIN} rows", plain(_forest)
    ),
}
