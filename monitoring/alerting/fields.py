"""Which fields listings have now, and had before: nulls, new, gone, renamed. Pure.

Of each publisher the newest listings are held against those before. A field that is gone and
one that is new at the same time, of one publisher, is a field renamed. A key field is judged
over all publishers of a market but those of whom it is told that they dropped it.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

import msgspec

from monitoring.alerting import raising
from monitoring.alerting.causes import Condition
from monitoring.alerting.limits import Limits
from stream_app.contract.alerts import Alert, Severity
from stream_app.contract.events import Listing

KNOWN = frozenset(field.name for field in msgspec.structs.fields(Listing))
FIELDS_MAX = 100  # of a publisher; who invents names fills no memory


class Sent(NamedTuple):
    """A listing as it was sent: who, and which fields were no null."""

    publisher: str
    fields: frozenset[str]


class Counts(NamedTuple):
    """How many listings, and how many of them had each field."""

    n: int
    fields: Mapping[str, int]

    def share(self, name: str) -> float:
        return self.fields.get(name, 0) / self.n


class Compared(NamedTuple):
    """The newest listings, and those before; of one publisher or of all."""

    now: Counts
    before: Counts


def judge(
    market: str, before: Sequence[Sent], newest: Sequence[Sent], now_ms: int, limits: Limits
) -> list[Alert]:
    """What changed in a market's fields."""
    found: list[Alert] = []
    told: set[tuple[str, str]] = set()
    for publisher in sorted({sent.publisher for sent in newest}):
        own = _compared(_of(publisher, before), _of(publisher, newest))
        if min(own.now.n, own.before.n) >= limits.fields_events_min:
            changed = list(_changed(market, publisher, own, now_ms, limits))
            found += changed
            told |= {(publisher, str(a.segment).rpartition("field=")[2]) for a in changed}
    everybody = _compared(before, newest)
    for name in limits.key_fields:
        # What one publisher no longer sends is that cause, and no second one: the others are judged.
        dropped = {publisher for publisher, field in told if field == name}
        judged = _compared(*(_but(dropped, p) for p in (before, newest))) if dropped else everybody
        found += _key_nulls(market, name, judged, now_ms, limits)
    return found


def _of(publisher: str, listings: Iterable[Sent]) -> list[Sent]:
    return [sent for sent in listings if sent.publisher == publisher]


def _compared(before: Sequence[Sent], newest: Sequence[Sent]) -> Compared:
    return Compared(_counts(newest), _counts(before))


def _but(publishers: Collection[str], listings: Iterable[Sent]) -> list[Sent]:
    return [each for each in listings if each.publisher not in publishers]


def _counts(listings: Sequence[Sent]) -> Counts:
    counted = Counter(name for sent in listings for name in sent.fields)
    return Counts(len(listings), dict(counted.most_common(FIELDS_MAX)))


def _key_nulls(
    market: str, name: str, all_: Compared, now_ms: int, limits: Limits
) -> Iterator[Alert]:
    now, before = all_
    if min(now.n, before.n) < limits.fields_events_min:
        return
    nulls, usual = 1 - now.share(name), 1 - before.share(name)
    # A market that never had the field misses nothing.
    if usual <= limits.key_nulls_max < nulls:
        worse = nulls >= limits.critical_factor * limits.key_nulls_max
        yield raising.alert(
            Condition.KEY_NULLS,
            market,
            f"field={name}",
            raised_ms=now_ms,
            severity=Severity.CRITICAL if worse else Severity.WARNING,
            summary=f"{name} is missing in {nulls:.1%} of the newest {now.n} listings,"
            f" {limits.key_nulls_max:.0%} allowed",
            value=nulls,
            baseline=usual,
            sample_size=now.n,
        )


def _changed(
    market: str, publisher: str, own: Compared, now_ms: int, limits: Limits
) -> Iterator[Alert]:
    now, before = own
    usual, rare = limits.field_usual_min, limits.field_rare_max
    names = sorted(set(now.fields) | set(before.fields))
    gone = [n for n in names if before.share(n) >= usual and now.share(n) <= rare]
    # Not "rare": those before may hold the first ones of the new name.
    new = [n for n in names if before.share(n) <= 1 - usual and now.share(n) >= usual]
    for old, name in _pairs(gone, new):
        if old is not None and name is not None:
            cause, field = Condition.FIELD_RENAMED, old
            words = f"{publisher} sends {name} where it sent {old}"
        elif old is not None:
            cause, field = Condition.FIELD_GONE, old
            words = f"{publisher} no longer sends {old}"
        else:
            cause, field = Condition.FIELD_NEW, str(name)
            words = f"{publisher} sends {name}, which it never did"
        if name is not None and name not in KNOWN:
            words += f"; {name} is no field of the contract: its listings are refused"
        yield raising.alert(
            cause,
            market,
            f"publisher={publisher} field={field}",
            raised_ms=now_ms,
            severity=Severity.INFO if old is None and name in KNOWN else Severity.WARNING,
            summary=words,
            value=now.share(field),
            baseline=before.share(field),
            sample_size=now.n,
        )


def _pairs(gone: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str | None, str | None]]:
    """Each name that is gone with the new one most like it; what is left stands alone.

    >>> list(_pairs(["area_m2", "grade"], ["area_sqm"]))
    [('area_m2', 'area_sqm'), ('grade', None)]
    """
    left = list(new)
    alike = sorted(
        (-SequenceMatcher(None, old, name).ratio(), old, name) for old in gone for name in new
    )
    paired: dict[str, str] = {}
    for _, old, name in alike:
        if old not in paired and name in left:
            paired[old] = name
            left.remove(name)
    yield from ((old, paired.get(old)) for old in gone)
    yield from ((None, name) for name in left)
