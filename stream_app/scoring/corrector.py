"""The River residual learners: what the champion gets wrong, learned sale by sale.

Two levels, each `StandardScaler | LinearRegression` on features of the home: the
market's, frozen in versions (stages/learner.py), and the region's on what the
market level leaves, kept in the region's record and learning at once. Chosen by
measurement: docs/architecture.md.

River keeps dictionaries; records and messages keep arrays in the order of
`FEATURES` (core/region.py Linear). This is the one place that knows both. A
restored learner goes on bit for bit, because every row names all features in one
order: what is unknown is skipped by the scaler and 0 (the mean) to the model.
"""

from collections.abc import Sequence

from river.linear_model import LinearRegression
from river.optim import SGD
from river.preprocessing import StandardScaler
from river.utils import VectorDict

from stream_app.contract.models import CorrectorAnnounced
from stream_app.core.features import NAMES
from stream_app.core.region import Linear

FEATURES: tuple[str, ...] = (
    "home_log_area",
    "home_bedrooms",
    "home_bathrooms",
    "home_storeys",
    "home_floor",
    "home_age_years",
    "home_lease_years",
    "home_condition",
    "home_grade",
    "home_view",
    "home_waterfront",
    "home_log_lot",
    "home_log_neighbour_area",
    "home_latitude",
    "home_longitude",
)
_PLACED: tuple[tuple[str, int], ...] = tuple((name, NAMES.index(name)) for name in FEATURES)

SCALED_LIMIT = 3.0  # standard deviations; raw lot sizes gave corrections of 17 log units
TARGET_LIMIT = 0.5  # log units: a sale at half price teaches no more than this
CORRECTION_LIMIT = 0.25  # log units, both levels together


class Learner:
    """One linear residual model at work. `freeze` it to keep it."""

    def __init__(self, state: Linear, learning_rate: float, intercept_rate: float) -> None:
        self._scaler = StandardScaler()
        self._model = LinearRegression(optimizer=SGD(learning_rate), intercept_lr=intercept_rate)
        self._labels = state.labels
        self._frozen: Linear | None = None  # as long as it is what was learned
        if state.labels:
            self._scaler.counts.update(dict(zip(FEATURES, state.counts, strict=True)))
            self._scaler.means.update(dict(zip(FEATURES, state.means, strict=True)))
            self._scaler.vars.update(dict(zip(FEATURES, state.variances, strict=True)))
            self._model._weights = VectorDict(dict(zip(FEATURES, state.weights, strict=True)))
            self._model.intercept = state.intercept

    @property
    def labels(self) -> int:
        """How many it has learned from."""
        return self._labels

    def lower(self, by_log: float) -> None:
        """Say so much less of every home from now on."""
        self._model.intercept -= by_log
        self._frozen = None

    def predict(self, row: Sequence[float | None]) -> float:
        """Residual to expect, log units, of a feature row in the order of core/features.py."""
        return float(self._model.predict_one(self._scaled(row)))

    def learn(self, row: Sequence[float | None], residual: float) -> None:
        """Learn one residual, log units, winsorised."""
        self._scaler.learn_one(_known(row))
        target = min(TARGET_LIMIT, max(-TARGET_LIMIT, residual))
        self._model.learn_one(self._scaled(row), target)
        self._labels += 1
        self._frozen = None

    def freeze(self) -> Linear:
        """The state as numbers; restored, it goes on with equal bits."""
        if self._frozen is None:
            self._frozen = self._numbers()
        return self._frozen

    def _numbers(self) -> Linear:
        scaler, weights = self._scaler, self._model.weights
        return Linear(
            counts=[float(scaler.counts.get(name, 0)) for name in FEATURES],
            means=[float(scaler.means.get(name, 0.0)) for name in FEATURES],
            variances=[float(scaler.vars.get(name, 0.0)) for name in FEATURES],
            weights=[float(weights.get(name, 0.0)) for name in FEATURES],
            intercept=float(self._model.intercept),
            labels=self._labels,
        )

    def _scaled(self, row: Sequence[float | None]) -> dict[str, float]:
        """What `StandardScaler.transform_one` says, clipped. Asked five times for each sale."""
        means, variances = self._scaler.means, self._scaler.vars
        scaled = dict.fromkeys(FEATURES, 0.0)
        for name, place in _PLACED:
            value, variance = row[place], variances.get(name)
            if value is not None and value == value and variance:
                score = (value - means[name]) / variance**0.5
                if not -SCALED_LIMIT < score < SCALED_LIMIT:
                    score = min(SCALED_LIMIT, max(-SCALED_LIMIT, score))
                scaled[name] = score
        return scaled


def market_learner(state: Linear) -> Learner:
    """The market level at work."""
    return Learner(state, learning_rate=0.001, intercept_rate=0.003)


def region_learner(state: Linear) -> Learner:
    """The region level at work: faster, as it has fewer labels."""
    return Learner(state, learning_rate=0.003, intercept_rate=0.01)


def frozen_market(version: CorrectorAnnounced) -> Learner:
    """The market level as of an announced version; it only predicts.

    Raises
    ------
    ValueError : the version was made for other features
    """
    if version.feature_names != FEATURES:
        raise ValueError(
            f"corrector {version.version} of {version.market} is made for the features "
            f"{', '.join(version.feature_names)}; this program knows {', '.join(FEATURES)}"
        )
    return market_learner(
        Linear(
            list(version.counts),
            list(version.means),
            list(version.variances),
            list(version.weights),
            version.intercept,
            version.labels,
        )
    )


def clipped(correction: float) -> float:
    """Hold a correction of both levels within its limit, log units.

    >>> clipped(0.4), clipped(-0.1)
    (0.25, -0.1)
    """
    return min(CORRECTION_LIMIT, max(-CORRECTION_LIMIT, correction))


def _known(row: Sequence[float | None]) -> dict[str, float]:
    found = ((name, row[place]) for name, place in _PLACED)
    return {name: value for name, value in found if value is not None and value == value}
