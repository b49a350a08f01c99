"""Is a challenger good enough? Only decides: gate_evidence.py gathers before.

Judged are answers, as they would have been served: the model with its corrector, on the
same homes. Every criterion is judged, also when an earlier one fails, and says value,
limit, number of homes and reason: a "no" is as well founded as a "yes". No threshold
stands here: criteria.py has them.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from offline import coverage, discoveries, paired
from offline.coverage import Coverage
from offline.criteria import Criteria
from offline.paired import Gain
from stream_app.contract.predictions import Outcome
from stream_app.contract.spans import DAY_MS
from stream_app.scoring.interval import COVERAGE

_MB = 1_000_000
_EXAMPLES = 3


class Evidence(Struct, frozen=True):
    """All that is known of a challenger, and of what it would replace."""

    market: str
    version: str
    champion: str | None  # None: there is none yet; judged against the naive price
    holdout_from_ms: int
    before: Sequence[Outcome]  # with the champion; empty without one
    after: Sequence[Outcome]  # with the challenger: the same homes, in the same order
    slower: float | None  # its time per row, as a multiple of the champion's
    bundle_bytes: int
    refused: str | None  # why a scorer would not open it
    held: str | None  # why the audit wants somebody to look first


class Finding(Struct, frozen=True):
    """One criterion."""

    criterion: str
    passed: bool
    reason: str
    value: float | None = None
    limit: float | None = None
    rows: int | None = None


class SegmentGain(Struct, frozen=True):
    """What the challenger saves of the champion's error in one segment; below 0: it costs."""

    kind: str
    name: str
    rows: int
    gain: float
    p_no_worse: float


class Verdict(Struct, frozen=True):
    """Kept with the version, whatever it is."""

    market: str
    version: str
    champion: str | None
    passed: bool
    homes: int
    holdout_from_ms: int
    findings: tuple[Finding, ...]
    segments: tuple[SegmentGain, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it passed; or what it failed by."""
        decisive = [f for f in self.findings if self.passed or not f.passed]
        return tuple(f"{f.criterion}: {f.reason}" for f in decisive)


def decide(evidence: Evidence, criteria: Criteria) -> Verdict:
    """Judge every criterion; the challenger passes when all of them do."""
    found = [*_served_safely(evidence, criteria), *_enough(evidence, criteria)]
    segments: tuple[SegmentGain, ...] = ()
    if evidence.after:
        overall, segments = _gains(evidence, criteria)
        found += [
            *_better(overall, evidence.champion, criteria),
            *_nowhere_worse(segments, criteria),
            *_covered(evidence, criteria),
        ]
    return Verdict(
        market=evidence.market,
        version=evidence.version,
        champion=evidence.champion,
        passed=all(finding.passed for finding in found),
        homes=len(evidence.after),
        holdout_from_ms=evidence.holdout_from_ms,
        findings=tuple(found),
        segments=segments,
    )


def _served_safely(evidence: Evidence, criteria: Criteria) -> Iterator[Finding]:
    refused, held = evidence.refused, evidence.held
    yield Finding("opens", refused is None, refused or "a scorer opens it")
    yield Finding("audit", held is None, held or "nothing is held, or somebody looked")
    megabytes = evidence.bundle_bytes / _MB
    yield Finding(
        "size",
        megabytes <= criteria.bundle_mb_max,
        f"the bundle has {megabytes:.1f} MB, {criteria.bundle_mb_max:g} are allowed",
        megabytes,
        criteria.bundle_mb_max,
    )
    if evidence.slower is not None:
        yield Finding(
            "speed",
            evidence.slower <= criteria.slower_max,
            f"a row takes {evidence.slower:.2f} times as long as with the champion, "
            f"{criteria.slower_max:g} times is allowed",
            evidence.slower,
            criteria.slower_max,
        )


def _enough(evidence: Evidence, criteria: Criteria) -> Iterator[Finding]:
    blocks = len(np.unique(_blocks(evidence.after, criteria)))
    for criterion, count, needed, unit in (
        ("homes", len(evidence.after), criteria.homes_min, "homes listed and sold"),
        ("blocks", blocks, criteria.blocks_min, f"spans of {criteria.block_days} days"),
    ):
        yield Finding(
            criterion,
            count >= needed,
            f"{'enough' if count >= needed else 'not enough'}: {count:,} of {needed:,} {unit}",
            count,
            needed,
            len(evidence.after),
        )


def _blocks(served: Sequence[Outcome], criteria: Criteria) -> NDArray[np.int64]:
    listed_ms = np.array([o.listed_ms for o in served], dtype=np.int64)
    return listed_ms // (criteria.block_days * DAY_MS)


def _gains(evidence: Evidence, criteria: Criteria) -> tuple[Gain, tuple[SegmentGain, ...]]:
    """Of all homes, and of each segment with enough homes and enough blocks."""
    after, blocks = evidence.after, _blocks(evidence.after, criteria)
    of_kind = coverage.segments(evidence.before or after)
    names = [(kind, str(name)) for kind, column in of_kind.items() for name in np.unique(column)]
    members = {(kind, name): of_kind[kind] == name for kind, name in names}
    judged = {
        name: chosen
        for name, chosen in members.items()
        if chosen.sum() >= criteria.segment_rows_min
        and len(np.unique(blocks[chosen])) >= criteria.blocks_min
    }
    overall, *found = paired.gains(
        _errors_before(evidence),
        np.abs([_log(o.price) - math.log(o.sale_price) for o in after]),
        blocks,
        [np.ones(len(after), dtype=np.bool_), *judged.values()],
        criteria.resamples,
        criteria.seed,
    )
    segments = (
        SegmentGain(kind, name, gain.rows, gain.value, gain.p_no_worse)
        for (kind, name), gain in zip(judged, found, strict=True)
    )
    return overall, tuple(segments)


def _errors_before(evidence: Evidence) -> NDArray[np.float64]:
    """Of the champion's answers; without a champion, of the naive price."""
    if evidence.champion is None:
        said = [(o.components.naive_log, o.sale_price) for o in evidence.after]
    else:
        said = [(_log(o.price), o.sale_price) for o in evidence.before]
    return np.abs([math.nan if log is None else log - math.log(sold) for log, sold in said])


def _log(price: float | None) -> float:
    return math.nan if price is None else math.log(price)


def _better(overall: Gain, champion: str | None, criteria: Criteria) -> Iterator[Finding]:
    than = "the naive price (there is no champion yet)" if champion is None else champion
    yield Finding(
        "gain",
        overall.value >= criteria.gain_min,
        f"answers are {overall.value:.2%} nearer to the sales than with {than}, "
        f"at least {criteria.gain_min:.2%} is needed",
        overall.value,
        criteria.gain_min,
        overall.rows,
    )
    yield Finding(
        "chance",
        overall.p_no_better < criteria.p_max,
        f"one no better would look so good with probability {overall.p_no_better:.4f}, "
        f"below {criteria.p_max:g} is needed",
        overall.p_no_better,
        criteria.p_max,
        overall.rows,
    )


def _nowhere_worse(segments: Sequence[SegmentGain], criteria: Criteria) -> Iterator[Finding]:
    discovered = discoveries.limit([s.p_no_worse for s in segments], criteria.false_discoveries_max)
    for kind in dict.fromkeys(s.kind for s in segments):
        of_kind = sorted((s for s in segments if s.kind == kind), key=lambda s: s.gain)
        lost = [s for s in of_kind if -s.gain > criteria.segment_loss_max]
        ruined = [s for s in lost if s.p_no_worse <= discovered]
        worst = (ruined or of_kind)[0]
        yield Finding(
            kind,
            not ruined,
            _of_segments(of_kind, lost, ruined, criteria),
            -worst.gain,
            criteria.segment_loss_max,
            worst.rows,
        )


def _of_segments(
    judged: Sequence[SegmentGain],
    lost: Sequence[SegmentGain],
    ruined: Sequence[SegmentGain],
    criteria: Criteria,
) -> str:
    limit = f"{criteria.segment_loss_max:.0%}"
    if not ruined:
        return (
            f"of {len(judged)} with n >= {criteria.segment_rows_min}, {len(lost)} are more than "
            f"{limit} farther off, none beyond chance"
        )
    named = ", ".join(f"{s.name} {-s.gain:.1%} (n = {s.rows:,})" for s in ruined[:_EXAMPLES])
    return f"{len(ruined)} of {len(judged)} are more than {limit} farther off: {named}"


def _covered(evidence: Evidence, criteria: Criteria) -> Iterator[Finding]:
    """Limits hold, or the champion keeps them no better: the interval is the corrector's as well."""
    found, old = (coverage.judge(side, criteria) for side in (evidence.after, evidence.before))
    if found is None:
        yield Finding("interval", False, "no answer had an interval", rows=len(evidence.after))
        return
    low, high = criteria.coverage_min, criteria.coverage_max
    missed, allowed = _missed(found), len(_missed(old))
    yield Finding(
        "interval",
        found.holds or (old is not None and _off(found) <= _off(old)),
        f"{found.coverage:.1%} of the sales lie inside, {low:.0%} to {high:.0%} is wanted"
        + ("" if old is None else f" or no farther off than the champion's {old.coverage:.1%}"),
        found.coverage,
        low if found.coverage < COVERAGE else high,
        found.rows,
    )
    yield Finding(
        "interval by segment",
        len(missed) <= allowed,
        f"{len(missed)} of {len(found.segments)} do not hold, {allowed} may"
        + ("" if old is None else ", as with the champion")
        + "".join(f"; {segment}" for segment in missed[:_EXAMPLES]),
        len(missed),
        allowed,
        found.rows,
    )


def _off(found: Coverage) -> float:
    return abs(found.coverage - COVERAGE)


def _missed(found: Coverage | None) -> list[str]:
    segments = () if found is None else found.segments
    return [f"{s.kind} {s.name} {s.coverage:.1%}" for s in segments if not s.holds]
