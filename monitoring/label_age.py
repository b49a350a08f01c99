"""Errors by the time from listing to sale, and what the homes that are not sold yet hide. Pure.

Homes that sell within days are others than those that wait for months. Of homes listed lately
only the fast sellers have a label, so their error says little of all. Told are the errors by
the days to sale, and of one window's listings the error weighted as days to sale are among
all sales. What no label has come for cannot be weighted: `covered` says how much is.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from msgspec import Struct

from monitoring import quality
from monitoring.quality import ANSWER, Errors
from stream_app.contract.spans import DAY_MS

# A month, two, a third of a year (median of a slow market), a winter longer.
EDGES_DAYS = (0, 30, 60, 120, 240)
SALES_MIN = 30  # in a band: of fewer the mean error moves by a seventh by chance


class AgeBand(Struct, frozen=True, kw_only=True):
    """Sales of `from_days` up to `to_days` (out) after their listing."""

    from_days: int
    to_days: int | None  # null: and later
    sales: int
    errors: Mapping[str, Errors]  # by kind of price, as far as it answered


class Cohort(Struct, frozen=True, kw_only=True):
    """The homes listed in one window, by what is known of them now."""

    listed: int
    sold: int
    error_log: float | None  # mean |log error| of the answers to those that are sold
    weighted_error_log: float | None  # ... weighted by days to sale; null: too few sales
    covered: float  # share of all days to sale that the weighted error speaks for


def days_to_sale(outcomes: pd.DataFrame) -> pd.Series:
    """Days from listing to sale, with fractions."""
    return (outcomes["sold_ms"] - outcomes["listed_ms"]) / DAY_MS


def by_age(outcomes: pd.DataFrame) -> tuple[AgeBand, ...]:
    """Judge the prices of each band on its own; a band without a sale is told, too."""
    if outcomes.empty:
        return ()
    bands = _bands(outcomes)
    return tuple(
        AgeBand(
            from_days=edge,
            to_days=EDGES_DAYS[place + 1] if place + 1 < len(EDGES_DAYS) else None,
            sales=int((bands == place).sum()),
            errors=quality.errors(outcomes[bands == place]),
        )
        for place, edge in enumerate(EDGES_DAYS)
    )


def cohort(listed: int, sold: pd.DataFrame, all_sales: pd.DataFrame) -> Cohort:
    """Judge the answers to one window's listings; days to sale are as among `all_sales`."""
    errors = _abs_errors(sold)
    means, shares = _by_band(sold, errors), _shares(all_sales)
    covered = sum(shares[band] for band in means)
    weighted = sum(shares[band] * mean for band, mean in means.items())
    return Cohort(
        listed=listed,
        sold=len(sold),
        error_log=float(errors.mean()) if len(errors) else None,
        weighted_error_log=weighted / covered if covered > 0 else None,
        covered=covered,
    )


def fast_against_all(outcomes: pd.DataFrame, rise_max: float) -> tuple[str, ...]:
    """Tell when the fast sellers' error speaks for nobody else."""
    errors = _abs_errors(outcomes)
    fast = errors[_bands(outcomes.loc[errors.index]) == 0] if len(errors) else errors
    if min(len(fast), len(errors) - len(fast)) < SALES_MIN:
        return ()
    here, overall = float(fast.mean()), float(errors.mean())
    chance = float(errors.std()) * np.sqrt(1 / len(fast) - 1 / len(errors))
    if abs(here / overall - 1) <= rise_max or abs(here - overall) < 3 * chance:
        return ()
    words = f"mean |log error| of homes sold within {EDGES_DAYS[1]} days is {here:.3f}"
    return (f"{words}, of all {overall:.3f}: labels that come early do not speak for all",)


def _bands(outcomes: pd.DataFrame) -> np.ndarray:
    return np.searchsorted(EDGES_DAYS, days_to_sale(outcomes), side="right") - 1


def _abs_errors(outcomes: pd.DataFrame) -> pd.Series:
    prices = quality.prices(outcomes)
    if ANSWER not in prices:
        return pd.Series(dtype=float)
    return pd.Series(np.abs(np.log(prices[ANSWER] / prices[quality.SALE])), index=prices.index)


def _by_band(sold: pd.DataFrame, errors: pd.Series) -> dict[int, float]:
    if errors.empty:
        return {}
    bands = _bands(sold.loc[errors.index])
    in_band = {place: errors[bands == place] for place in range(len(EDGES_DAYS))}
    return {place: float(e.mean()) for place, e in in_band.items() if len(e) >= SALES_MIN}


def _shares(outcomes: pd.DataFrame) -> Sequence[float]:
    if outcomes.empty:
        return [0.0] * len(EDGES_DAYS)
    counts = np.bincount(np.maximum(_bands(outcomes), 0), minlength=len(EDGES_DAYS))
    return [float(share) for share in counts / counts.sum()]
