"""Would a retrained model have done better? Measured on the newest labels that are mature.

The log is served again as it was up to a day, and from there on twice: as it was, and with a
champion of what was sold by then, which corrector and guard learn to correct like any other.
Judged are the same homes, at their listing. The newest listings are left out: of those that
are sold already most sold fast, and fast sellers are not all homes.

Homes of one week share a price level: their errors are no separate evidence. So the interval is
Student's t of the weeks' sums, which is as wide as few weeks deserve, and there are four of them
at least, however many homes a market sells. How often that says yes and no falsely, beside the
weekly bootstrap of 500 labels, is told by preflight_card.py.

Whether the saving is worth a training is not judged here: monitoring does.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from offline.dataset import Dataset
from offline.difference import SoldTwice
from offline.splits import NotEnough
from stream_app.contract.counts import counted
from stream_app.contract.spans import DAY_MS

LABELS = 500  # fewer cannot tell a saving of 4 % of the error from chance
# Of a model that saves nothing four weeks say yes in 7 of 100 draws of HDB's and 2 of King County's,
# two weeks and a bootstrap in 16 and 11 (preflight-card). Eight find more of what is small, but
# the retrained model would know of nothing that happened in them.
WEEKS = 4
WEEK_MS = 7 * DAY_MS
# When nine of ten homes that sell have sold, those that have are nearly all homes.
MATURE_SHARE = 0.9
COVERAGE = 0.95


class Span(NamedTuple):
    """Listings that are judged."""

    from_ms: int
    to_ms: int


def span(sold: Dataset, labels: int = LABELS) -> Span:
    """Of the newest listings that are mature, as many as are wanted, of so many weeks at least.

    Raises
    ------
    NotEnough : fewer homes are sold than are wanted, or in less time
    """
    waited_ms = np.quantile(sold.sold_ms - sold.listed_ms, MATURE_SHARE) if len(sold) else 0
    last_ms = int(sold.sold_ms.max() - waited_ms) if len(sold) else 0
    mature = np.sort(sold.listed_ms[sold.listed_ms <= last_ms])
    if len(mature) < labels:
        raise NotEnough(f"{sold.market}: {len(mature)} mature labels, {labels} are wanted")
    from_ms = last_ms + 1 - WEEKS * WEEK_MS
    if mature[0] > from_ms:
        weeks = (last_ms + 1 - mature[0]) / WEEK_MS
        raise NotEnough(f"{sold.market}: mature labels of {weeks:.1f} weeks, {WEEKS} are wanted")
    return Span(min(from_ms, int(mature[-labels])), last_ms)


class Saving(NamedTuple):
    """Mean |log error| as served less that of the retrained one, on the same homes."""

    labels: int
    served_error_log: float
    retrained_error_log: float
    saving_log: float
    saving_low_log: float
    saving_high_log: float
    day_blocks: int


def saving(sold: Sequence[SoldTwice], to_ms: int) -> Saving:
    """Judge both answers, with a 95 % interval by the weeks before `to_ms`.

    Raises
    ------
    NotEnough : all homes were listed in one week
    """
    sale_log = np.log([each.sale_price for each in sold])
    served = np.abs(sale_log - np.log([each.before for each in sold]))
    retrained = np.abs(sale_log - np.log([each.after for each in sold]))
    weeks = np.array([(to_ms - each.listed_ms) // WEEK_MS for each in sold])
    count = len(np.unique(weeks))
    if count == 1:
        raise NotEnough(
            f"{counted(len(sold), 'label')} of one week: two are the least that say how sure it is"
        )
    low, high = interval(served - retrained, weeks)
    return Saving(
        len(sold),
        float(served.mean()),
        float(retrained.mean()),
        float((served - retrained).mean()),
        low,
        high,
        count,
    )


def interval(saved: NDArray[np.float64], blocks: NDArray[np.int64]) -> tuple[float, float]:
    """Where the mean lies, if blocks are independent and homes within one are not.

    Notes
    -----
    The mean is a ratio of two sums over blocks, with the error of a ratio (Cochran, "Sampling
    Techniques", 1977, 6.4) and Student's t of one less than there are blocks.

    Examples
    --------
    >>> low, high = interval(np.array([0.1, 0.2, 0.3, 0.2]), np.array([0, 0, 1, 1]))
    >>> round(low, 2), round(high, 2)
    (-0.44, 0.84)
    """
    _, block = np.unique(blocks, return_inverse=True)
    totals, counts = np.bincount(block, saved), np.bincount(block)
    mean, n = totals.sum() / counts.sum(), len(counts)
    off = totals - mean * counts
    error = np.sqrt(off @ off * n / (n - 1)) / counts.sum()
    half = stdtrit(n - 1, (1 + COVERAGE) / 2) * error
    return float(mean - half), float(mean + half)
