"""What a worker knows of itself, in the words of Prometheus. docs/operations.md has the table.

Two kinds of counters: what is counted in the control records of the partitions goes on
over restarts and moves with the partition, hence the label; all else began with this
process. Rates are the scraper's business: `rate(...[5m])`.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate, islice
from typing import Protocol

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from stream_app.contract.models import Overload
from stream_app.contract.predictions import Doubt
from stream_app.core import coverage, publishers
from stream_app.core.coverage import Coverage
from stream_app.core.expiry import WEEK_MS
from stream_app.core.features import FEATURE_SET
from stream_app.shell.metrics import LABELS_MAX, Histogram, Meter
from stream_app.shell.runner import Desk
from stream_app.shell.watchdog import THE_GROUP, Still
from stream_app.stages.step import Control, Mark, Serving

_P = ["partition"]
_MARKS = frozenset(Mark)
_OVERLOADS = tuple(Overload)
# A month, a quarter, half a year: by when most homes are sold.
COVERAGE_WEEKS = (4, 13, 26)


class Named(Protocol):
    @property
    def NAME(self) -> str: ...  # noqa: N802 - a constant of a stage


class Working(Protocol):
    """What is asked of a runner."""

    @property
    def stage(self) -> Named: ...

    def desks(self) -> Sequence[Desk]: ...


class Exposition(Collector):
    """Asked at each scrape, from a thread of the web server."""

    def __init__(
        self,
        runner: Working,
        meter: Meter,
        looked: Callable[[], Mapping[int, Still]],
        serving: Callable[[], Mapping[str, Serving]],
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._runner = runner
        self._meter = meter
        self._looked = looked
        self._serving = serving
        self._now_s = now_s

    def collect(self) -> Iterator[Metric]:
        yield from self._work()
        yield from self._partitions()
        yield from self._ledgers()
        yield from self._publishers()
        yield from self._lags()
        yield from self._versions()

    def _work(self) -> Iterator[Metric]:
        meter = self._meter
        yield _counter(
            "housing_predictions",
            "Answers committed by this process.",
            ["market", "champion", "step", "quality"],
            meter.predictions,
        )
        yield _counter(
            "housing_rejects", "Events refused by this process.", ["code"], meter.rejects
        )
        for name, what, histogram in (
            ("latency_seconds", "From the append of an event to its commit.", meter.latency_s),
            ("step_seconds", "The pure step of a batch.", meter.step_s),
            ("commit_seconds", "The transaction of a batch.", meter.commit_s),
            ("batch_records", "Records in a batch.", meter.batch),
        ):
            yield _histogram(f"housing_{name}", what, histogram)
        up_s = self._now_s() - meter.started_s
        yield GaugeMetricFamily("housing_uptime_seconds", "Age of this process.", up_s)

    def _partitions(self) -> Iterator[Metric]:
        events = CounterMetricFamily(
            "housing_events",
            "All that was applied since the log began, each event once; from the control records.",
            labels=["partition", "kind", "verdict"],
        )
        marked = CounterMetricFamily(
            "housing_events_marked",
            "Of them those that are late, repaired, doubted, left_out; an event may have several.",
            labels=["partition", "kind", "mark"],
        )
        applied = GaugeMetricFamily("housing_applied_offset", "Last offset applied.", labels=_P)
        watermark = GaugeMetricFamily(
            "housing_watermark_seconds",
            "Newest event time that its regions agree on; ledgers expire by it.",
            labels=_P,
        )
        records = GaugeMetricFamily("housing_state_records", "Records of the state.", labels=_P)
        size = GaugeMetricFamily("housing_state_bytes", "Keys and values of it.", labels=_P)
        for desk in self._runner.desks():
            place = [str(desk.partition)]
            applied.add_metric(place, desk.applied)
            records.add_metric(place, desk.state_records)
            size.add_metric(place, desk.state_bytes)
            control = desk.control()
            if control is not None:
                watermark.add_metric(place, control.watermark_ms / 1000)
                for family, counts in zip((events, marked), _parted(control), strict=True):
                    for labels, count in counts.items():
                        family.add_metric([*place, *labels], count)
        yield from (events, marked, applied, watermark, records, size)

    def _ledgers(self) -> Iterator[Metric]:
        """What is known of labels: entries by state, how soon labels come, how many ever do."""
        labels = [*_P, "market"]
        entries = GaugeMetricFamily(
            "housing_ledger_entries", "Listings in the ledger.", labels=[*labels, "state"]
        )
        expired = CounterMetricFamily(
            "housing_ledger_expired",
            "Listings that it forgot, by their last state.",
            labels=[*labels, "state"],
        )
        delays = HistogramMetricFamily(
            "housing_label_delay_days", "From a listing to its first label.", labels=labels
        )
        covered = GaugeMetricFamily(
            "housing_label_coverage_ratio",
            "Listings of at least this age that have a label; none so old: no sample.",
            labels=[*labels, "age_weeks"],
        )
        for desk in self._runner.desks():
            control = desk.control()
            for market, ledger in ({} if control is None else control.ledgers).items():
                place = [str(desk.partition), market]
                for state, count in ledger.entries.items():
                    entries.add_metric([*place, state], count)
                for state, count in ledger.expired.items():
                    expired.add_metric([*place, state], count)
                delays.add_metric(place, _delays(ledger.coverage), ledger.coverage.delay_days_total)
                now_week = ledger.watermark.newest_ms // WEEK_MS
                for weeks in COVERAGE_WEEKS:
                    old = coverage.of_age(ledger.coverage, now_week, weeks)
                    if old.listed:
                        covered.add_metric([*place, str(weeks)], old.labelled / old.listed)
        yield from (entries, expired, delays, covered)

    def _publishers(self) -> Iterator[Metric]:
        labels = [*_P, "publisher"]
        lag = GaugeMetricFamily(
            "housing_publisher_lag_seconds",
            "Least append time less event time of its newest events; below 0 its clock is ahead.",
            labels=labels,
        )
        refused = GaugeMetricFamily(
            "housing_publisher_refused_ratio", "Refused of its newest events.", labels=labels
        )
        doubted = GaugeMetricFamily(
            "housing_publisher_doubted",
            "1 while it is answered but not learned from.",
            labels=[*labels, "doubt"],
        )
        open_now = {desk.partition for desk in self._runner.desks()}
        everybody = list(self._meter.publishers.items())
        here = ((*place, frozen) for place, frozen in everybody if place[0] in open_now)
        for partition, name, frozen in islice(here, LABELS_MAX):
            place, known = [str(partition), name], publishers.thaw(frozen)
            lag_ms = publishers.least_lag_ms(known)
            lag.add_metric(place, math.nan if lag_ms is None else lag_ms / 1000)
            refused.add_metric(place, known.refused)
            for doubt in Doubt:
                doubted.add_metric([*place, doubt], float(doubt in known.doubts))
        yield from (lag, refused, doubted)

    def _lags(self) -> Iterator[Metric]:
        events = GaugeMetricFamily(
            "housing_lag_events", "Offsets to apply; NaN while unknown.", labels=_P
        )
        seconds = GaugeMetricFamily(
            "housing_lag_seconds", "Age of the oldest of them at most; NaN: unknown.", labels=_P
        )
        still = GaugeMetricFamily(
            "housing_still_seconds", "Time without progress, with something to do.", labels=_P
        )
        for partition, one in self._looked().items():
            place = ["group" if partition == THE_GROUP else str(partition)]
            still.add_metric(place, one.still_s)
            if partition != THE_GROUP:
                events.add_metric(place, math.nan if one.seen.lag is None else one.seen.lag)
                seconds.add_metric(place, self._lag_s(partition, one))
        yield from (events, seconds, still)

    def _lag_s(self, partition: int, one: Still) -> float:
        """What waits was appended after what was applied last, and after we last had all."""
        if not one.seen.lag:
            return math.nan if one.seen.lag is None else 0.0
        bounds = [] if one.behind_s is None else [one.behind_s]
        if partition in self._meter.appended_s:
            bounds.append(max(0.0, self._now_s() - self._meter.appended_s[partition]))
        return min(bounds, default=math.nan)

    def _versions(self) -> Iterator[Metric]:
        serving = InfoMetricFamily(
            "housing_serving", "Which models serve a market here.", labels=["market"]
        )
        serves = self._serving()
        for market, models in serves.items():
            versions = {
                "champion": models.roster.champion,
                "corrector": models.roster.corrector,
                "previous": models.roster.previous,
                "challenger": models.roster.challenger,
            }
            serving.add_metric([market], {name: text or "none" for name, text in versions.items()})
        yield serving
        yield from self._live_errors()
        left_out = [_OVERLOADS.index(models.overload) for models in serves.values()]
        yield GaugeMetricFamily(
            "housing_overload_level",
            "What it leaves out: 0 nothing, 1 reasons, 2 shadow scoring, too.",
            max(left_out, default=0),
        )
        yield InfoMetricFamily(
            "housing_worker",
            "What runs here.",
            {"stage": self._runner.stage.NAME, "feature_set": FEATURE_SET},
        )

    def _live_errors(self) -> Iterator[Metric]:
        error = GaugeMetricFamily(
            "housing_live_error_log",
            "Decayed mean |log sale price - log price| as served, as of the corrector's version.",
            labels=["market", "of"],
        )
        sales = GaugeMetricFamily(
            "housing_live_error_sales", "Sales that were judged in all.", labels=["market"]
        )
        for market, models in self._serving().items():
            errors = None if models.corrector is None else models.corrector.errors
            if errors is not None:
                for of in ("naive", "champion", "answer"):
                    error.add_metric([market, of], getattr(errors, of))
                sales.add_metric([market], errors.sales)
        yield from (error, sales)


def _delays(known: Coverage) -> list[tuple[str, float]]:
    """Upper ends in days, and how many labels came by then."""
    ends = [*(str(days) for days in coverage.DELAY_DAYS), "+Inf"]
    return list(zip(ends, accumulate(known.delays), strict=True))


def _counter(
    name: str, what: str, labels: list[str], counts: Mapping[tuple[str, ...], int]
) -> Metric:
    family = CounterMetricFamily(name, what, labels=labels)
    for values, count in dict(counts).items():
        family.add_metric(values, count)
    return family


def _histogram(name: str, what: str, histogram: Histogram) -> Metric:
    family = HistogramMetricFamily(name, what)
    family.add_metric([], list(histogram.buckets()), histogram.total)
    return family


_Counts = dict[tuple[str, str], int]


def _parted(control: Control) -> tuple[_Counts, _Counts]:
    """The counts of a control record by kind and verdict, whatever they are called, and by mark."""
    verdicts: _Counts = {}
    marks: _Counts = {}
    for name, count in control.counts.items():
        kind, _, what = name.partition(":")
        found = marks if what in _MARKS else verdicts
        labels = (kind, what) if len(found) < LABELS_MAX else ("other", "")
        found[labels] = found.get(labels, 0) + count
    return verdicts, marks
