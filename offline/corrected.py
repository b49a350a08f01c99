"""A champion's prices as consumers would have had them: with the corrector at work.

Both levels learn sale by sale, as in service; without guard, interval, region records
and winsorised targets, so it is quick and close, and no backtest (backtest.py).
"""

import numpy as np
from numpy.typing import NDArray

from offline.dataset import Dataset
from stream_app.core.region import Linear
from stream_app.scoring import corrector
from stream_app.scoring.corrector import Learner
from stream_app.stages.learner import VERSION_LABELS


def answers(dataset: Dataset, champion_log: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log prices with the correction known when each home was listed, beginning with none."""
    events = [(at, 1, place) for place, at in enumerate(dataset.listed_ms.tolist())]
    events += [(at, 0, place) for place, at in enumerate(dataset.sold_ms.tolist())]
    market, frozen = corrector.market_learner(Linear()), corrector.market_learner(Linear())
    regions: dict[str, Learner] = {}
    answer, labels = champion_log.copy(), 0
    for _, listed, place in sorted(events):
        row, name = dataset.rows[place].tolist(), str(dataset.region[place])
        region = regions.setdefault(name, corrector.region_learner(Linear()))
        of_market = frozen.predict(row)
        if listed:
            answer[place] += corrector.clipped(of_market + region.predict(row))
            continue
        residual = float(dataset.log_price[place] - champion_log[place])
        market.learn(row, residual)
        region.learn(row, residual - of_market)
        labels += 1
        if labels % VERSION_LABELS == 0:
            frozen = corrector.market_learner(market.freeze())
    return answer
