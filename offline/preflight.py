"""Would a retrained model have done better? Measured on the newest labels that are mature.

The log is served again as it was up to a day, and from there on twice: as it was, and with a
champion of what was sold by then, which corrector and guard learn to correct like any other.
Judged are the same homes, at their listing. The newest listings are left out: of those that
are sold already most sold fast, and fast sellers are not all homes.

Whether the saving is worth a training is not judged here: monitoring does.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from offline.dataset import Dataset
from offline.difference import SoldTwice
from offline.splits import NotEnough
from stream_app.contract.spans import DAY_MS

LABELS = 500  # what monitoring's policy wants at least before it believes an error
# When nine of ten homes that sell have sold, those that have are nearly all homes.
MATURE_SHARE = 0.9
BLOCK_DAYS = 7  # homes of a week share a price level: their errors are no separate evidence
RESAMPLES = 2_000
INTERVAL = (0.025, 0.975)


class Span(NamedTuple):
    """Listings that are judged."""

    from_ms: int
    to_ms: int


def span(sold: Dataset, labels: int = LABELS) -> Span:
    """Of the newest listings that are mature, as many as are wanted.

    Raises
    ------
    NotEnough : fewer homes are sold than are wanted
    """
    waited_ms = np.quantile(sold.sold_ms - sold.listed_ms, MATURE_SHARE) if len(sold) else 0
    last_ms = int(sold.sold_ms.max() - waited_ms) if len(sold) else 0
    mature = np.sort(sold.listed_ms[sold.listed_ms <= last_ms])
    if len(mature) < labels:
        raise NotEnough(f"{sold.market}: {len(mature)} mature labels, {labels} are wanted")
    return Span(int(mature[-labels]), last_ms)


class Saving(NamedTuple):
    """Mean |log error| as served less that of the retrained one, on the same homes."""

    labels: int
    served_error_log: float
    retrained_error_log: float
    saving_log: float
    saving_low_log: float
    saving_high_log: float
    day_blocks: int


def saving(sold: Sequence[SoldTwice], seed: int) -> Saving:
    """Judge both answers, with a 95 % interval: a paired bootstrap by blocks of days."""
    sale_log = np.log([each.sale_price for each in sold])
    served = np.abs(sale_log - np.log([each.before for each in sold]))
    retrained = np.abs(sale_log - np.log([each.after for each in sold]))
    days = np.array([each.listed_ms // (BLOCK_DAYS * DAY_MS) for each in sold])
    low, high = _interval(served - retrained, days, seed)
    return Saving(
        len(sold),
        float(served.mean()),
        float(retrained.mean()),
        float((served - retrained).mean()),
        low,
        high,
        len(np.unique(days)),
    )


def _interval(
    saved: NDArray[np.float64], blocks: NDArray[np.int64], seed: int
) -> tuple[float, float]:
    _, block = np.unique(blocks, return_inverse=True)
    totals, counts = np.bincount(block, saved), np.bincount(block)
    drawn = np.random.default_rng(seed).multinomial(
        len(counts), np.full(len(counts), 1 / len(counts)), RESAMPLES
    )
    low, high = np.quantile(drawn @ totals / (drawn @ counts), INTERVAL).tolist()
    return low, high
