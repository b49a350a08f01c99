"""What a worker tells of itself at /metrics, as values. Pure; stream_app/shell/exposition.py writes it."""

import math
from collections.abc import Iterable, Mapping

from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


class Unreadable(ValueError):
    """It is no exposition."""


class Scrape(Struct, frozen=True):
    """One worker at one moment. Counters began with its process, but for `listings`."""

    at_s: float
    records: float = 0.0  # taken in batches
    latency_total_s: float = 0.0
    latencies: float = 0.0
    # Of these, how many took no longer than a number of seconds.
    latencies_within: Mapping[float, float] = {}
    predictions: float = 0.0
    rejects: float = 0.0
    # Listings that want a price, by partition: they go on over restarts, and move with it.
    listings: Mapping[str, float] = {}
    lag_s: float | None = None  # of the worst partition; None: unknown
    still_s: float = 0.0  # without progress, with something to do


def read(text: str, at_s: float) -> Scrape:
    """Take out what is judged.

    Raises
    ------
    Unreadable : it is no exposition, or of another program
    """
    try:
        families = {family.name: family for family in text_string_to_metric_families(text)}
    except (ValueError, KeyError, IndexError) as error:
        raise Unreadable(f"no metrics: {error}") from None
    if "housing_uptime_seconds" not in families:
        raise Unreadable("metrics of another program: housing_uptime_seconds is missing")

    def family(name: str) -> Iterable[Sample]:
        return families[name].samples if name in families else ()

    def total(name: str, suffix: str) -> float:
        return sum(s.value for s in family(name) if s.name == f"{name}{suffix}")

    lags = [s.value for s in family("housing_lag_seconds")]
    return Scrape(
        at_s=at_s,
        records=total("housing_batch_records", "_sum"),
        latency_total_s=total("housing_latency_seconds", "_sum"),
        latencies=total("housing_latency_seconds", "_count"),
        latencies_within={
            float(sample.labels["le"]): sample.value
            for sample in family("housing_latency_seconds")
            if sample.name == "housing_latency_seconds_bucket"
        },
        predictions=total("housing_predictions", "_total"),
        rejects=total("housing_rejects", "_total"),
        listings=_listings(family("housing_events")),
        lag_s=None if any(map(math.isnan, lags)) else max(lags, default=None),
        still_s=max((s.value for s in family("housing_still_seconds")), default=0.0),
    )


def _listings(samples: Iterable[Sample]) -> Mapping[str, float]:
    """A repeated or outdated listing causes no prediction."""
    return {
        sample.labels["partition"]: sample.value
        for sample in samples
        if sample.name == "housing_events_total"
        and (sample.labels.get("kind"), sample.labels.get("verdict")) == ("listing", "scored")
    }
