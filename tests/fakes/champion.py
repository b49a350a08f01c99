"""A price model of one line, for whoever needs a champion and not its trees."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream_app.core.features import NAMES
from stream_app.scoring.scope import Limits
from stream_app.stages.step import PriceModel, Serving
from tests.builders import MARKET

_AREA, _GRADE = NAMES.index("home_log_area"), NAMES.index("home_grade")


@dataclass(frozen=True)
class FakeChampion:
    """Log price = level + log area + 0.05 * grade, an unknown grade counting as 7."""

    version: str = "v1"
    level: float = 7.0
    scale: float | None = 0.2
    score_quantile: float | None = 2.0
    limits: Limits | None = None

    @property
    def used(self) -> NDArray[np.bool_]:
        return np.isin(np.arange(len(NAMES)), (_AREA, _GRADE))

    def predict_log(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        grade = np.where(np.isnan(rows[:, _GRADE]), 7.0, rows[:, _GRADE])
        return self.level + rows[:, _AREA] + 0.05 * grade


def served_by(champion: PriceModel, market: str = MARKET) -> dict[str, Serving]:
    """One market, one champion, no corrector version yet."""
    return {market: Serving(champion=champion)}
