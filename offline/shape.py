"""The shape of the champion's trees: what a search may choose, and `train --shape` takes.

Not here: how it is chosen (train.py, tuning.py).
"""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from sklearn.ensemble import HistGradientBoostingRegressor

from offline.faults import WrongInput

TREES_MAX = 400


class Shape(Struct, frozen=True, forbid_unknown_fields=True):
    """What is chosen on later homes; `train --shape` takes it as JSON."""

    loss: Literal["absolute_error", "squared_error", "quantile"]  # quantile: the median
    leaves: Annotated[int, Meta(ge=2, le=1_000)]
    trees: Annotated[int, Meta(ge=1, le=2_000)] = TREES_MAX
    learning_rate: Annotated[float, Meta(gt=0, le=1)] = 0.08
    leaf_rows_min: Annotated[int, Meta(ge=1)] = 20
    l2: Annotated[float, Meta(ge=0)] = 0.0

    def __str__(self) -> str:
        return f"{self.trees} trees of {self.leaves} leaves, {self.loss.replace('_', ' ')}"


class BadShape(WrongInput):
    """No shape, or one that cannot be."""


def read_shape(given: str) -> Shape:
    """A shape from JSON, or from a file of it.

    Raises
    ------
    BadShape : the file cannot be read, or what it says is no shape
    """
    try:
        text = given if given.lstrip().startswith("{") else Path(given).read_text("utf-8")
        return msgspec.json.decode(text, type=Shape)
    except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise BadShape(f"--shape {given}: {error}") from None


def boosting(shape: Shape, seed: int) -> HistGradientBoostingRegressor:
    """Trees of that shape, not yet fitted."""
    return HistGradientBoostingRegressor(
        loss=shape.loss,
        quantile=0.5 if shape.loss == "quantile" else None,
        learning_rate=shape.learning_rate,
        max_iter=shape.trees,
        max_leaf_nodes=shape.leaves,
        min_samples_leaf=shape.leaf_rows_min,
        l2_regularization=shape.l2,
        early_stopping=False,  # scikit-learn's own parts the rows at random
        random_state=seed,
    )
