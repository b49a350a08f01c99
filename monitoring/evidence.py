"""What is known about one market now: rows of the archive go in, in their order. Pure.

Theory of operation
-------------------
A watcher that starts reads the whole archive again and knows what it knew before. So nothing
here may depend on when a row was read, only on the rows:

- *Who serves* is said by `housing.models`, which is read before the rows of a round.
- *Answers* are kept by the version that gave them, the first and the newest of each. A champion
  is told by its own answers alone: labels of homes that the one before answered come for weeks.
- *Detectors of answers* begin anew with a champion, and take what was appended since it was made
  champion: after a roll back not what it answered a month ago.
- *Detectors of publishers* go on: what a publisher does wrong is held against its own past.
  Their findings count from the newest sale on that the champion was trained on.
- *The market's own time* is the newest that two sales have reached: one wrong date moves nothing.
- *How many come* has an end of its own, and tells of no model: a training does not make it well.
- What a publisher in doubt sold (`teaches`) tells of the publisher, and of no model.

Memory: two times 500 errors a version, a number a day, and the detectors' own.
"""

import math
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum
from statistics import fmean

from msgspec import Struct
from msgspec.structs import replace

from monitoring.detectors.categories import CategoryWatch
from monitoring.detectors.clock import Clock
from monitoring.detectors.error import CLIPPED_LOG, ErrorWatch
from monitoring.detectors.finding import Cause, Event, Finding, Labelled
from monitoring.detectors.inputs import InputWatch
from monitoring.detectors.level import LevelWatch
from monitoring.detectors.rates import RateWatch
from monitoring.detectors.skew import SkewWatch
from monitoring.detectors.units import UnitWatch
from monitoring.detectors.volume import VolumeWatch
from monitoring.policy import BAD_DATA, Errors, Evidence
from monitoring.probation import Trial
from stream_app.contract.alerts import NextStep
from stream_app.contract.models import (
    Alias,
    AliasSet,
    AnyModelMessage,
    ChampionAnnounced,
    Manifest,
)
from stream_app.contract.spans import DAY_MS

# A rise of 15 % is beyond chance then: three standard errors of a difference of two such means.
ERRORS_KEPT = 500


class Sale(Struct, frozen=True):
    """One sale, what was answered at its listing, and what the champion at the sale says."""

    market: str
    region: str
    sold_ms: int
    appended_ms: int
    answered_by: str | None  # champion's version; None: no model answered
    error_log: float | None  # log sale price less log price
    active: str | None
    active_error_log: float | None  # of its model alone
    teaches: bool = True
    property_type: str = ""


@dataclass
class Kept:
    """The answers of one version."""

    first: list[float] = field(default_factory=list)
    newest: deque[float] = field(default_factory=lambda: deque(maxlen=ERRORS_KEPT))

    def add(self, error_log: float) -> None:
        error = min(abs(error_log), CLIPPED_LOG)
        if len(self.first) < ERRORS_KEPT:
            self.first.append(error)
        self.newest.append(error)


@dataclass
class Reign:
    """A champion's time: its detectors begin with it."""

    version: str
    before: str | None
    is_new: bool  # it never served before
    since_ms: int  # when it was made champion, as the broker tells time
    skew: SkewWatch
    level: LevelWatch = field(default_factory=LevelWatch)
    error: ErrorWatch = field(default_factory=ErrorWatch)


class Market:
    """One market. Build it, then give it rows."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.reign: Reign | None = None
        self._clock = Clock()
        self._manifests: dict[str, Manifest] = {}
        self._served: set[str] = set()
        self._sales_by_day: Counter[int] = Counter()
        self._kept: dict[str, Kept] = {}
        self._units, self._rates = UnitWatch(), RateWatch()
        self._inputs, self._categories = InputWatch(), CategoryWatch()
        self._volume = VolumeWatch()
        self._found: dict[tuple[Cause, str | None], Finding] = {}

    @property
    def time_ms(self) -> int:
        """The market's own time; 0: unknown yet."""
        return self._clock.time_ms

    def take_model(self, message: AnyModelMessage, appended_ms: int) -> None:
        """Take in what was announced; another champion begins a reign."""
        if isinstance(message, ChampionAnnounced):
            self._manifests[message.manifest.version] = message.manifest
        if not isinstance(message, AliasSet) or message.alias != Alias.CHAMPION:
            return
        before = None if self.reign is None else self.reign.version
        if message.version == before:
            return
        manifest = self._manifests.get(message.version)
        holdout = () if manifest is None else manifest.holdout_abs_log_errors
        is_new = message.version not in self._served
        self.reign = Reign(message.version, before, is_new, appended_ms, SkewWatch(holdout))
        self._served.add(message.version)
        self._found = {key: f for key, f in self._found.items() if f.cause in BAD_DATA}

    def take_event(self, event: Event) -> None:
        """Take in an event as it was sent, or one that was refused."""
        watches = (self._rates,) if event.rejected else self._watches
        for watch in watches:
            self._note(watch.update(event))
        if not event.rejected:  # it came as an event, too
            self._volume.update(event)

    @property
    def _watches(self) -> Sequence[UnitWatch | RateWatch | InputWatch | CategoryWatch]:
        return self._units, self._rates, self._inputs, self._categories

    def take_sale(self, sale: Sale) -> None:
        """Take in a sale, in the order of the log."""
        self._clock.reach(sale.sold_ms)
        if not sale.teaches:
            return
        self._sales_by_day[sale.sold_ms // DAY_MS] += 1
        error_log, reign = sale.error_log, self.reign
        if sale.answered_by is not None and error_log is not None:
            self._kept.setdefault(sale.answered_by, Kept()).add(error_log)
        if reign is None or sale.appended_ms < reign.since_ms:
            return
        if sale.answered_by == reign.version and error_log is not None:
            row = Labelled(sale.market, sale.region, sale.sold_ms, error_log, sale.property_type)
            self._note(reign.level.update(row))
            self._note(reign.error.update(row))
        if sale.active == reign.version and sale.active_error_log is not None:
            self._note(reign.skew.update(self.name, sale.sold_ms, sale.active_error_log))

    def _note(self, found: Iterable[Finding]) -> None:
        self._found |= {(finding.cause, finding.segment): finding for finding in found}

    def evidence(self, probation: str | None) -> Evidence:
        """All that the policy judges by; `probation`: why nobody may follow the champion."""
        version = None if self.reign is None else self.reign.version
        kept = self._kept.get(version or "", Kept())
        trained_ms = self._trained_ms()
        return Evidence(
            market=self.name,
            champion=version,
            trained_ms=trained_ms,
            probation=probation,
            findings=self.findings(),
            errors=summed(kept.newest),
            errors_before=summed(kept.first),
            labels_new=sum(
                n for day, n in self._sales_by_day.items() if day * DAY_MS > (trained_ms or 0)
            ),
        )

    def trial(self, judged: Mapping[str, NextStep], began_ms: int) -> Trial | None:
        """The champion's probation; None: it had one, or needs none."""
        reign = self.reign
        if reign is None or reign.before is None or not reign.is_new or reign.version in judged:
            return None
        manifest = self._manifests.get(reign.version)
        return Trial(
            market=self.name,
            version=reign.version,
            before=reign.before,
            errors=self._errors_of(reign.version),
            errors_before=self._errors_of(reign.before),
            promised=None if manifest is None else summed(manifest.holdout_abs_log_errors),
            began_ms=began_ms,
        )

    def _errors_of(self, version: str) -> Errors | None:
        return summed(self._kept[version].newest) if version in self._kept else None

    def _trained_ms(self) -> int | None:
        manifest = None if self.reign is None else self._manifests.get(self.reign.version)
        return None if manifest is None else manifest.trained_to_ms

    def findings(self) -> tuple[Finding, ...]:
        """What was found since the training; a doubt of a unit goes on for as long as it was seen,
        and how many events come is told for as long as it is other than usual.

        Events are read ahead of sales where a year is replayed in minutes: what was not
        found by the market's time is left for later.
        """
        doubted, now_ms = self._units.doubted(), self.time_ms
        trained_ms = self._trained_ms() or 0
        standing = []
        for finding in self._found.values():
            if finding.seen_ms > now_ms:
                continue
            if finding.cause is Cause.UNIT:
                seen_ms = doubted.get(finding.segment or "", finding.seen_ms)
                finding = replace(finding, seen_ms=min(seen_ms, now_ms))
            if finding.cause in BAD_DATA or finding.seen_ms > trained_ms:
                standing.append(finding)
        return (*standing, *self._volume.standing(now_ms))


def summed(errors: Iterable[float]) -> Errors | None:
    """Mean and standard error; None with fewer than two."""
    found = [min(error, CLIPPED_LOG) for error in errors]
    if len(found) < 2:
        return None
    mean, n = fmean(found), len(found)
    spread = math.sqrt(fsum((error - mean) ** 2 for error in found) / (n - 1))
    return Errors(mean, spread / math.sqrt(n), n)
