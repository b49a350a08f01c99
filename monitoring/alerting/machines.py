"""Is a worker well? Of what it told of itself in the newest window. Pure: times are arguments.

A worker that does not answer is unknown, neither well nor ill, until that has lasted. One cause
is one alert: who lags is late by nature, so latency is judged of those that do not.
"""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from monitoring.alerting import raising
from monitoring.alerting.causes import Condition
from monitoring.alerting.limits import Limits
from monitoring.alerting.scrapes import Scrape
from stream_app.contract.alerts import Alert, Severity
from stream_app.contract.archive import ALL_MARKETS


@dataclass
class Worker:
    """State of one address."""

    address: str
    scrapes: deque[Scrape] = field(default_factory=deque)  # of the window, oldest first
    silent_since_s: float | None = None

    def answered(self, scrape: Scrape, limits: Limits) -> None:
        """Take in what it told; a process that began anew has no past."""
        if self.scrapes and scrape.records < self.scrapes[-1].records:
            self.scrapes.clear()
        self.silent_since_s = None
        self.scrapes.append(scrape)
        # The oldest one is a whole window old, as soon as there is one.
        while len(self.scrapes) > 1 and scrape.at_s - self.scrapes[1].at_s >= limits.window_s:
            self.scrapes.popleft()

    def was_silent(self, now_s: float) -> None:
        """It did not answer: what it told before is no figure of now."""
        self.scrapes.clear()
        if self.silent_since_s is None:
            self.silent_since_s = now_s

    @property
    def segment(self) -> str:
        return f"worker={self.address}"

    @property
    def is_unknown(self) -> bool:
        """Nothing can be said of it, so nothing of it is over."""
        return self.silent_since_s is not None


def judge(worker: Worker, now_ms: int, now_s: float, limits: Limits) -> list[Alert]:
    """What is wrong with it now."""
    if worker.silent_since_s is not None:
        silent_s = now_s - worker.silent_since_s
        if silent_s < limits.unreachable_after_s:
            return []
        words = f"no answer for {silent_s:.0f} s"
        return [
            _alert(worker, Condition.UNREACHABLE, now_ms, words, silent_s, Severity.CRITICAL, None)
        ]
    if not worker.scrapes:
        return []
    lagging = list(_lag(worker, now_ms, limits))
    return [
        *lagging,
        *_stale(worker, now_ms, limits),
        *_refused(worker, now_ms, limits),
        *(() if lagging else _late(worker, now_ms, limits)),
    ]


def _lag(worker: Worker, now_ms: int, limits: Limits) -> Iterator[Alert]:
    lag_s = worker.scrapes[-1].lag_s
    if lag_s is not None and lag_s > limits.lag_max_s:
        severity = _severity(lag_s, limits.lag_max_s, limits)
        words = f"the oldest event that waits is {lag_s:.0f} s old, {limits.lag_max_s:g} allowed"
        yield _alert(worker, Condition.LAG, now_ms, words, lag_s, severity, limits.lag_max_s)


def _stale(worker: Worker, now_ms: int, limits: Limits) -> Iterator[Alert]:
    first, last = worker.scrapes[0], worker.scrapes[-1]
    still_s, lasted_s = last.still_s, last.at_s - first.at_s
    listed = sum(
        count - first.listings[place]
        for place, count in last.listings.items()
        if place in first.listings
    )
    dumb = (
        lasted_s >= limits.stale_after_s
        and listed >= limits.records_min
        and last.predictions == first.predictions
    )
    if dumb or still_s > limits.stale_after_s:
        words = (
            f"{listed:.0f} listings and no price in {lasted_s:.0f} s"
            if dumb
            else f"nothing moves for {still_s:.0f} s, with something to do"
        )
        value = lasted_s if dumb else still_s
        yield _alert(
            worker,
            Condition.STALE,
            now_ms,
            words,
            value,
            Severity.CRITICAL,
            limits.stale_after_s,
            int(listed),
        )


def _refused(worker: Worker, now_ms: int, limits: Limits) -> Iterator[Alert]:
    first, last = worker.scrapes[0], worker.scrapes[-1]
    records, limit = last.records - first.records, limits.refused_share_max
    if records < limits.records_min:
        return
    share = (last.rejects - first.rejects) / records
    if share > limit:
        severity = _severity(share, limit, limits)
        words = f"{share:.1%} of {records:.0f} events refused, {limit:.0%} allowed"
        yield _alert(
            worker, Condition.REFUSED_SHARE, now_ms, words, share, severity, limit, int(records)
        )


def _late(worker: Worker, now_ms: int, limits: Limits) -> Iterator[Alert]:
    first, last = worker.scrapes[0], worker.scrapes[-1]
    n, limit_s = last.latencies - first.latencies, limits.latency_mean_max_s
    # What had waited when the worker began was late before it: a whole window is wanted.
    if n < limits.records_min or last.at_s - first.at_s < limits.window_s:
        return
    value_s = (last.latency_total_s - first.latency_total_s) / n
    words = f"mean latency {value_s:.2f} s over {n:.0f} events"
    if value_s <= limit_s:  # one cause is one alert: of a bad mean the slowest are no news
        value_s, limit_s = _p95_s(first, last), limits.latency_p95_max_s
        words = f"more than 5 % of {n:.0f} events took over {limit_s:g} s, 95 % up to {value_s:g}"
    if value_s > limit_s:
        severity = _severity(value_s, limit_s, limits)
        words = f"{words}; {limit_s:g} allowed"
        yield _alert(worker, Condition.LATENCY, now_ms, words, value_s, severity, limit_s, int(n))


def _p95_s(first: Scrape, last: Scrape) -> float:
    """The bound of buckets that 95 % of the latencies between two scrapes stay within."""
    began = first.latencies_within
    within = {s: count - began.get(s, 0.0) for s, count in sorted(last.latencies_within.items())}
    n = last.latencies - first.latencies
    finite = [s for s in within if s < math.inf]
    return next((s for s in finite if within[s] >= 0.95 * n), max(finite, default=0.0))


def _severity(value: float, limit: float, limits: Limits) -> Severity:
    return Severity.CRITICAL if value >= limits.critical_factor * limit else Severity.WARNING


def _alert(
    worker: Worker,
    condition: Condition,
    now_ms: int,
    words: str,
    value: float,
    severity: Severity,
    limit: float | None,
    sample_size: int = 0,
) -> Alert:
    return raising.alert(
        condition,
        ALL_MARKETS,
        worker.segment,
        raised_ms=now_ms,
        severity=severity,
        summary=words,
        value=value,
        baseline=limit,
        sample_size=sample_size,
    )
