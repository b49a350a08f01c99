"""What the alarms said of real months, in their own order, beside how good the answers were. Pure.

There is no truth to hold it against: whether an alarm was of use is read from the months after it.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from statistics import fmean

from msgspec import Struct

from monitoring.criteria import shipped
from monitoring.detectors.error import ErrorWatch
from monitoring.detectors.finding import Cause, Finding, Labelled
from monitoring.detectors.level import LevelWatch
from monitoring.report_card import PolicyAlarm
from monitoring.report_card_volume import NAME, VolumeAlarm
from monitoring.windows import Window, day

WATCHES: Mapping[str, Callable[[], LevelWatch | ErrorWatch | VolumeAlarm]] = {
    "price level": LevelWatch,
    "error": ErrorWatch,
    NAME: VolumeAlarm,
}


class Month(Struct, frozen=True):
    """Sales of one month. Positive bias: sold for more than was answered."""

    month: str
    labels: int
    error_log: float  # mean |log sale price - log price|
    bias_log: float


class Told(Struct, frozen=True):
    """One alarm."""

    day: str
    alarm: str
    words: str


class Real(Struct, frozen=True):
    market: str
    months: list[Month]
    told: list[Told]


def told(rows: Sequence[Labelled], window: Window) -> Real:
    """Give all rows, in the order of their time, to the alarms; tell what concerns the window."""
    inside = [row for row in rows if window.from_ms <= row.sold_ms < window.to_ms]
    alarms = sorted(_watched(rows) + _decided(rows), key=lambda one: one.day)
    first, end = day(window.from_ms), day(window.to_ms)
    return Real(rows[0].market, _months(inside), [one for one in alarms if first <= one.day < end])


def _watched(rows: Sequence[Labelled]) -> list[Told]:
    watches = {name: make() for name, make in WATCHES.items()}
    return [
        Told(day(row.sold_ms), name, _words(finding))
        for row in rows
        for name, watch in watches.items()
        for finding in watch.update(row)
    ]


def _decided(rows: Sequence[Labelled]) -> list[Told]:
    policy = PolicyAlarm(shipped())
    asked = "would a retrained model have done better? (offline measures)"
    return [Told(day(row.sold_ms), "policy", asked) for row in rows if policy.update(row)]


def _words(finding: Finding) -> str:
    if finding.cause is Cause.VOLUME:
        return finding.likely
    where = finding.segment or "the market"
    return f"{where}: {finding.value:+.3f}, was {finding.baseline:+.3f}, {finding.n} sales since"


def _months(rows: Sequence[Labelled]) -> list[Month]:
    by_month: dict[str, list[float]] = {}
    for row in rows:
        month = f"{datetime.fromtimestamp(row.sold_ms / 1000, UTC):%Y-%m}"
        by_month.setdefault(month, []).append(row.error_log)
    return [
        Month(month, len(errors), fmean(map(abs, errors)), fmean(errors))
        for month, errors in sorted(by_month.items())
    ]
