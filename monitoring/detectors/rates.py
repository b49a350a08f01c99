"""A field goes missing, events get refused: a sequential test on a share, per publisher.

Idea. Each event is evidence for the share as it was, or for one that is worse: its log
likelihood ratio is added up, never below 0 (Page's test for a share). So a field that is gone is
told after a handful of events, and one that is missing in 15 % instead of 5 % after some dozens.
"""

import math
from dataclasses import dataclass
from typing import Final

from monitoring.detectors.finding import Cause, Event, Finding

WARM_UP: Final = 200
# Twice as often, and 10 points more: less is no reason to call anybody.
WORSE_FACTOR: Final = 2.0
WORSE_BY: Final = 0.10
# exp(15) = 3 million events between two false ones of a field; 30 fields and ten publishers.
THRESHOLD: Final = 15.0
SHARES_MAX: Final = 5_000
FIELDS_MAX: Final = 60  # of a kind of event; who invents names fills no memory
REJECTED: Final = ""  # the name of no field


@dataclass
class Share:
    """State of one share."""

    n: int = 0
    hits: int = 0
    evidence: float = 0.0
    run: int = 0  # events since the evidence left 0
    run_hits: int = 0
    since_ms: int = 0

    @property
    def usual(self) -> float:
        """As it was in the warm-up; never 0, for what never happened yet may."""
        return (self.hits + 1) / (self.n + 2)

    def update(self, hit: bool, at_ms: int) -> bool:
        """Take in one event; tell whether the share is worse."""
        if self.n < WARM_UP:
            self.n, self.hits = self.n + 1, self.hits + hit
            return False
        usual = self.usual
        worse = max(usual * WORSE_FACTOR, usual + WORSE_BY)
        if worse >= 1:  # it is missing as a rule
            return False
        self.evidence += math.log(worse / usual if hit else (1 - worse) / (1 - usual))
        if self.evidence <= 0:
            self.evidence, self.run, self.run_hits = 0.0, 0, 0
            return False
        if self.run == 0:
            self.since_ms = at_ms
        self.run, self.run_hits = self.run + 1, self.run_hits + hit
        return self.evidence > THRESHOLD


class RateWatch:
    """Nulls of each field, and refusals, of all publishers of one market.

    A field that a publisher has sent and that is not in an event is null.
    """

    def __init__(self) -> None:
        self._shares: dict[tuple[str, str, str], Share] = {}
        self._names: dict[tuple[str, str], set[str]] = {}

    def update(self, event: Event) -> list[Finding]:
        """Take in one event; tell the shares that are worse since it."""
        found = self._count(event, REJECTED, event.rejected)
        names = self._names.setdefault((event.publisher, _kind(event)), set())
        if len(names) < FIELDS_MAX:
            names.update(event.fields)
        for name in sorted(names):
            found += self._count(event, name, event.fields.get(name) is None)
        return found

    def _count(self, event: Event, name: str, hit: bool) -> list[Finding]:
        key = event.publisher, _kind(event) if name else "", name
        if key not in self._shares and len(self._shares) >= SHARES_MAX:
            return []
        share = self._shares.setdefault(key, Share())
        if not share.update(hit, event.at_ms):
            return []
        self._shares[key] = Share()
        return [_finding(event, name, share)]


def _kind(event: Event) -> str:
    return str(event.fields.get("kind"))


def _finding(event: Event, name: str, share: Share) -> Finding:
    cause = Cause.NULLS if name else Cause.REJECTS
    who = event.publisher
    return Finding(
        cause=cause,
        market=event.market,
        segment=f"publisher={who} field={name}" if name else f"publisher={who}",
        value=share.run_hits / share.run,
        baseline=share.usual,
        n=share.run,
        since_ms=share.since_ms,
        seen_ms=event.at_ms,
        likely=f"{who} no longer sends {name}, or under another name"
        if name
        else f"{who} sends what breaks a rule: housing.rejects says which",
    )
