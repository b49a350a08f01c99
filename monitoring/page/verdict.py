"""The first line of the page: how it stands, since when, why, what to press. Pure.

The first rule that holds speaks. What is not known is said before what is well: without labels
nobody can say that prices are good. Since when and for how long go by the market's own time; only
whether anything comes at all goes by the wall clock.
"""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum, auto

from msgspec import Struct

from monitoring.page.figures import Errors, Share
from stream_app.contract.alerts import Alert, Severity
from stream_app.contract.counts import counted
from stream_app.contract.spans import DAY_MS, HOUR_MS

# Publishers send in batches over night; a day and two hours without anything is no night.
SILENT_MS = 26 * HOUR_MS
LABELS_WITHIN_DAYS = 7  # deeds are recorded daily; a week without any is a fault or a holiday
LABELS_MIN = 50  # the mean error is then known to about a tenth of itself
LEVEL_LOG = 0.05  # prices this far to one side: policy.toml's error_rise_max, as a level
ERROR_RISE = 0.05
BEYOND_CHANCE = 3.0  # standard errors: one false word in 740 looks
COVERAGE = (0.85, 0.95)  # of a 90 % interval; it keeps 88 to 92 % where nothing drifts
COVERAGE_LABELS_MIN = 200  # two standard errors are then 4 %


class State(StrEnum):
    HEALTHY = auto()
    ATTENTION = auto()
    BAD = auto()
    UNKNOWN = auto()


class Facts(Struct, frozen=True, kw_only=True):
    """What is known of one market."""

    market: str  # as people call it
    now_ms: int  # wall clock
    market_ms: int | None  # the newest day that the market has come to; None: nothing answered
    archived_ms: int | None  # when the broker took the newest row that is archived
    labelled_ms: int | None  # day of the newest label
    errors: Errors | None = None  # of the window
    baseline: Errors | None = None  # of the days before it
    coverage: Share | None = None
    level_since_ms: int | None = None  # since when prices lie to one side
    rise_since_ms: int | None = None
    healthy_since_ms: int | None = None
    alerts: Sequence[tuple[int, Alert]] = ()  # since when, what: nobody looks after it yet
    running: str | None = None  # a request that offline works on
    waiting: str | None = None  # a candidate that waits for approval


class Verdict(Struct, frozen=True, kw_only=True):
    state: State
    words: str  # what is so
    since_ms: int | None  # None: not known, and not told
    cause: str
    press: str

    @property
    def line(self) -> str:
        """All of it, as the first line of the page."""
        since = "" if self.since_ms is None else f" since {day(self.since_ms)}"
        cause = f" ({self.cause})" if self.cause else ""
        return f"{self.words}{since}{cause}: {self.press}."


def verdict(facts: Facts) -> Verdict:
    """Judge."""
    return next(said for rule in RULES if (said := rule(facts)) is not None)


def off(bias: float) -> str:
    """How far prices lie to one side.

    >>> off(-0.0943)
    '9 % low'
    """
    return f"{abs(math.expm1(bias)):.0%} {'low' if bias < 0 else 'high'}".replace("%", " %")


def day(at_ms: int) -> str:
    """A day as people say it.

    >>> day(0)
    '1 Jan 1970'
    """
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return f"{at.day} {at:%b %Y}"


def lies_off(errors: Errors | None) -> bool:
    """Whether prices lie to one side, beyond chance."""
    if errors is None or errors.n < LABELS_MIN:
        return False
    return abs(errors.bias) >= LEVEL_LOG and abs(errors.bias) > BEYOND_CHANCE * errors.bias_error


def has_risen(errors: Errors | None, baseline: Errors | None) -> bool:
    """Whether the error is larger than before, by enough and beyond chance."""
    if errors is None or baseline is None or min(errors.n, baseline.n) < LABELS_MIN:
        return False
    chance = BEYOND_CHANCE * math.hypot(errors.standard_error, baseline.standard_error)
    rise = errors.mean_abs - baseline.mean_abs
    return rise > ERROR_RISE * baseline.mean_abs and rise > chance


def _nothing(facts: Facts) -> Verdict | None:
    if facts.market_ms is not None:
        return None
    press = "start the archiver, or wait until the first price is archived"
    return _said(State.UNKNOWN, "unknown: no price of", facts, None, "none is archived", press)


def _silent(facts: Facts) -> Verdict | None:
    if facts.archived_ms is None or facts.now_ms - facts.archived_ms <= SILENT_MS:
        return None
    hours = (facts.now_ms - facts.archived_ms) / HOUR_MS
    shown = f"{hours:.0f} h" if hours < 72 else f"{hours / 24:.0f} days"
    return Verdict(
        state=State.UNKNOWN,
        words=f"unknown: nothing of {facts.market} was archived for {shown}",
        since_ms=None,
        cause=f"the market has come to {_day_of(facts.market_ms)}",
        press="see whether publishers, scorer and archiver run",
    )


def _critical(facts: Facts) -> Verdict | None:
    found = [each for each in facts.alerts if each[1].severity is Severity.CRITICAL]
    return _alerted(State.BAD, found, facts) if found else None


def _no_labels(facts: Facts) -> Verdict | None:
    market_ms = facts.market_ms or 0
    if facts.labelled_ms is not None and (
        market_ms - facts.labelled_ms <= LABELS_WITHIN_DAYS * DAY_MS
    ):
        return None
    if facts.labelled_ms is None:
        words = f"unknown: no label of {facts.market} yet"
    else:
        days = (market_ms - facts.labelled_ms) // DAY_MS
        words = f"unknown: no labels of {facts.market} for {days} days"
    cause = "prices go out and nobody can say how good they are"
    press = "ask whoever reports sales; until then nothing is judged"
    return Verdict(
        state=State.UNKNOWN, words=words, since_ms=facts.labelled_ms, cause=cause, press=press
    )


def _off_level(facts: Facts) -> Verdict | None:
    errors = facts.errors
    if errors is None or not lies_off(errors):
        return None
    words = f"Prices in {facts.market} lie {off(errors.bias)}"
    return Verdict(
        state=State.BAD,
        words=words,
        since_ms=facts.level_since_ms,
        cause=f"{errors.n:,} labels",
        press=_remedy(facts),
    )


def _risen(facts: Facts) -> Verdict | None:
    errors, baseline = facts.errors, facts.baseline
    if errors is None or baseline is None or not has_risen(errors, baseline):
        return None
    rise = errors.mean_abs / baseline.mean_abs - 1
    return Verdict(
        state=State.BAD,
        words=f"Prices in {facts.market} are {rise:.0%} farther off".replace("%", " %"),
        since_ms=facts.rise_since_ms,
        cause=f"mean error {errors.mean_abs:.3f} on {errors.n:,} labels,"
        f" {baseline.mean_abs:.3f} on {baseline.n:,} before",
        press=_remedy(facts),
    )


def _few_labels(facts: Facts) -> Verdict | None:
    if facts.errors is not None and facts.errors.n >= LABELS_MIN:
        return None
    n = 0 if facts.errors is None else facts.errors.n
    words = f"unknown: only {counted(n, 'label')} of {facts.market} in the window"
    press = f"wait, or look at a longer window: {LABELS_MIN} are needed to judge"
    return Verdict(state=State.UNKNOWN, words=words, since_ms=None, cause="", press=press)


def _waiting(facts: Facts) -> Verdict | None:
    if facts.waiting is None:
        return None
    words = f"A better model of {facts.market} waits"
    return Verdict(
        state=State.ATTENTION,
        words=words,
        since_ms=None,
        cause=f"request {facts.waiting} has passed its gate",
        press="press approve or hold, under Models",
    )


def _warned(facts: Facts) -> Verdict | None:
    found = [each for each in facts.alerts if each[1].severity is Severity.WARNING]
    return _alerted(State.ATTENTION, found, facts) if found else None


def _uncovered(facts: Facts) -> Verdict | None:
    covered = facts.coverage
    if covered is None or covered.n < COVERAGE_LABELS_MIN:
        return None
    if COVERAGE[0] <= covered.share <= COVERAGE[1]:
        return None
    words = f"Intervals of {facts.market} hold {covered.share:.0%} of the sales"
    return Verdict(
        state=State.ATTENTION,
        words=words.replace("%", " %"),
        since_ms=None,
        cause=f"90 % are promised, {covered.n:,} labels",
        press="see the widths under Outputs; they follow the newest 500 errors",
    )


def _healthy(facts: Facts) -> Verdict:
    errors = facts.errors
    cause = "" if errors is None else f"mean error {errors.mean_abs:.3f} on {errors.n:,} labels"
    return Verdict(
        state=State.HEALTHY,
        words=f"{facts.market} is healthy",
        since_ms=facts.healthy_since_ms,
        cause=cause,
        press=f"{facts.running} runs, nothing to do" if facts.running else "nothing to do",
    )


def _alerted(state: State, found: Sequence[tuple[int, Alert]], facts: Facts) -> Verdict:
    since_ms, alert = min(found, key=lambda each: each[0])
    where = f", {alert.segment}" if alert.segment else ""
    more = f"; {len(found) - 1} more under Alerts" if len(found) > 1 else ""
    return Verdict(
        state=state,
        words=f"{facts.market}: {alert.cause}{where}",
        since_ms=since_ms,
        cause=f"{alert.summary}{more}",
        press=_remedy(facts) if facts.running or facts.waiting else alert.action,
    )


def _remedy(facts: Facts) -> str:
    if facts.waiting is not None:
        return "a candidate waits, press approve or hold under Models"
    if facts.running is not None:
        return f"{facts.running} runs, nothing to do"
    return "press ask for a retraining, or roll back, under Models"


def _said(
    state: State, words: str, facts: Facts, since_ms: int | None, cause: str, press: str
) -> Verdict:
    return Verdict(
        state=state,
        words=f"{words} {facts.market}",
        since_ms=since_ms,
        cause=cause,
        press=press,
    )


def _day_of(at_ms: int | None) -> str:
    return "no day" if at_ms is None else day(at_ms)


RULES: tuple[Callable[[Facts], Verdict | None], ...] = (
    _nothing,
    _silent,
    _critical,
    _no_labels,
    _off_level,
    _risen,
    _few_labels,
    _waiting,
    _warned,
    _uncovered,
    _healthy,
)
