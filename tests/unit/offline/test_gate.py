"""The gate says yes to a challenger that is better for all, and no, with reasons, to any other."""

import math

import msgspec
import numpy as np
import pytest

from offline import criteria, gate
from offline.gate import Evidence, Finding, Verdict
from stream_app.contract.predictions import Outcome
from tests import messages
from tests.builders import DAY_MS, LISTED_MS

HOMES, WEEKS, REGIONS = 2_000, 20, 10
CRITERIA = msgspec.structs.replace(criteria.shipped(), resamples=500)
SPREAD = 0.1  # of the log errors of the champion's answers

# A market whose sales lie around exp(13); price and interval follow from the log error.
DRAW = np.random.default_rng(7)
SOLD_LOG = DRAW.normal(13, 0.3, HOMES)
NOISE = DRAW.normal(0, SPREAD, HOMES)
IN_REGION = np.arange(HOMES) % REGIONS
HALF_WIDTH = 1.645 * SPREAD  # holds 90 % of a normal distribution


def answered(
    errors_log: "np.ndarray[tuple[int], np.dtype[np.float64]]", half_width: float = HALF_WIDTH
) -> list[Outcome]:
    """What was served, so far off, with an interval so wide."""
    template = messages.outcome()
    return [
        msgspec.structs.replace(
            template,
            listing_id=f"kc-{place}",
            region=f"kc-{place % REGIONS}",
            listed_ms=LISTED_MS + place * WEEKS * 7 * DAY_MS // HOMES,
            sale_price=math.exp(sold_log),
            price=math.exp(sold_log + error),
            price_low=math.exp(sold_log + error - half_width),
            price_high=math.exp(sold_log + error + half_width),
        )
        for place, (sold_log, error) in enumerate(zip(SOLD_LOG, errors_log, strict=True))
    ]


CHAMPION = answered(NOISE)
BETTER = answered(NOISE * 0.9, HALF_WIDTH * 0.9)


def evidence(**changes: object) -> Evidence:
    found = Evidence(
        market="king-county",
        version="c2",
        champion="c1",
        holdout_from_ms=LISTED_MS,
        before=CHAMPION,
        after=BETTER,
        slower=1.0,
        bundle_bytes=1_000_000,
        refused=None,
        held=None,
    )
    return msgspec.structs.replace(found, **changes)


def decided(given: Evidence) -> Verdict:
    return gate.decide(given, CRITERIA)


def failed(verdict: Verdict) -> list[str]:
    return [finding.criterion for finding in verdict.findings if not finding.passed]


def finding(verdict: Verdict, criterion: str) -> Finding:
    return next(f for f in verdict.findings if f.criterion == criterion)


def test_a_challenger_that_is_better_everywhere_passes() -> None:
    verdict = decided(evidence())

    assert verdict.passed
    assert len(verdict.reasons) == len(verdict.findings)
    assert finding(verdict, "gain").value == pytest.approx(0.1)
    assert (verdict.homes, finding(verdict, "gain").rows) == (HOMES, HOMES)


def test_every_criterion_has_a_reason_whatever_the_verdict() -> None:
    wanted = [
        "opens",
        "audit",
        "size",
        "speed",
        "homes",
        "blocks",
        "gain",
        "chance",
        "region",
        "type",
        "price band",
        "interval",
        "interval by segment",
    ]
    for verdict in (decided(evidence()), decided(evidence(after=CHAMPION))):
        assert [f.criterion for f in verdict.findings] == wanted
        assert all(f.reason for f in verdict.findings)


def test_the_same_model_does_not_pass() -> None:
    verdict = decided(evidence(after=CHAMPION))

    assert failed(verdict) == ["gain", "chance"]
    assert len(verdict.reasons) == 2
    assert verdict.reasons[0].startswith("gain: answers are 0.00% nearer to the sales than with c1")


def test_better_on_average_with_one_region_ruined_does_not_pass() -> None:
    ruined = np.where(IN_REGION == 3, 1.5, 0.8)

    verdict = decided(evidence(after=answered(NOISE * ruined)))

    assert finding(verdict, "gain").passed
    assert finding(verdict, "chance").passed
    assert not finding(verdict, "region").passed
    assert "kc-3 50.0% (n = 200)" in finding(verdict, "region").reason


def test_a_segment_that_is_worse_by_chance_is_no_reason() -> None:
    as_good = np.random.default_rng(134).normal(0, SPREAD, HOMES)

    verdict = decided(evidence(after=answered(as_good)))
    unlucky = max(verdict.segments, key=lambda segment: -segment.gain)

    assert -unlucky.gain > CRITERIA.segment_loss_max
    assert unlucky.p_no_worse < 0.05  # alone it would have been taken for ruined
    assert finding(verdict, "region").passed
    assert "4 are more than 5% farther off, none beyond chance" in finding(verdict, "region").reason


def test_a_small_segment_is_not_judged() -> None:
    few = [
        o if place else msgspec.structs.replace(o, region="kc-new")
        for place, o in enumerate(BETTER)
    ]

    verdict = decided(evidence(after=few, before=few))

    assert "kc-new" not in {s.name for s in verdict.segments}


def test_a_segment_of_one_week_is_not_judged_for_its_loss_may_be_the_weeks() -> None:
    in_week, worse = np.arange(HOMES) < HOMES // WEEKS, 1.5

    def moved(served: list[Outcome]) -> list[Outcome]:
        return [
            msgspec.structs.replace(o, region="kc-new") if new else o
            for o, new in zip(served, in_week, strict=True)
        ]

    after = moved(answered(np.where(in_week, worse, 0.8) * NOISE))
    verdict = decided(evidence(before=moved(CHAMPION), after=after))

    assert "kc-new" not in {s.name for s in verdict.segments}
    assert finding(verdict, "region").passed


def test_better_by_noise_alone_does_not_pass() -> None:
    """A hundred homes got lucky in one week: a gain above the limit that one week explains."""
    lucky = np.where(np.arange(HOMES) < HOMES // WEEKS, 0.7, 1.0)

    verdict = decided(evidence(after=answered(NOISE * lucky)))

    assert finding(verdict, "gain").passed
    assert failed(verdict) == ["chance"]


def test_an_over_confident_interval_does_not_pass() -> None:
    verdict = decided(evidence(after=answered(NOISE * 0.9, HALF_WIDTH * 0.6)))

    assert failed(verdict) == ["interval", "interval by segment"]
    assert "88% to 92% is wanted" in finding(verdict, "interval").reason


def test_intervals_may_miss_segments_that_they_miss_with_the_champion_too() -> None:
    off = np.where(IN_REGION == 3, 3.0, 1.0)

    verdict = decided(
        evidence(after=answered(NOISE * off * 0.9), before=answered(NOISE * off, HALF_WIDTH * 1.1))
    )

    assert finding(verdict, "interval by segment").passed


def test_answers_without_any_interval_do_not_pass() -> None:
    bare = [msgspec.structs.replace(o, price_low=None, price_high=None) for o in BETTER]

    assert failed(decided(evidence(after=bare))) == ["interval"]


@pytest.mark.parametrize(
    ("changes", "criterion", "reason"),
    [
        ({"slower": 3.5}, "speed", "a row takes 3.50 times as long as with the champion"),
        ({"bundle_bytes": 20_000_000}, "size", "the bundle has 20.0 MB, 16 are allowed"),
        ({"refused": "golden rows differ"}, "opens", "golden rows differ"),
        ({"held": "R2 is 0.995"}, "audit", "R2 is 0.995"),
    ],
    ids=["slow", "large", "refused", "held"],
)
def test_what_cannot_be_served_safely_does_not_pass(
    changes: dict[str, object], criterion: str, reason: str
) -> None:
    verdict = decided(evidence(**changes))

    assert failed(verdict) == [criterion]
    assert finding(verdict, criterion).reason.startswith(reason)


def test_too_few_homes_do_not_pass() -> None:
    verdict = decided(evidence(after=BETTER[:300], before=CHAMPION[:300]))

    assert failed(verdict)[:2] == ["homes", "blocks"]
    assert finding(verdict, "homes").reason == "not enough: 300 of 500 homes listed and sold"


def test_no_home_at_all_does_not_pass() -> None:
    assert failed(decided(evidence(after=[], before=[]))) == ["homes", "blocks"]


def test_without_a_champion_the_naive_price_is_what_must_be_beaten() -> None:
    naive = [
        msgspec.structs.replace(
            o, components=msgspec.structs.replace(o.components, naive_log=sold_log + error)
        )
        for o, sold_log, error in zip(BETTER, SOLD_LOG, NOISE * 2, strict=True)
    ]

    verdict = decided(evidence(after=naive, before=[], champion=None, slower=None))

    assert verdict.passed
    assert verdict.champion is None
    assert "the naive price (there is no champion yet)" in finding(verdict, "gain").reason
    assert "speed" not in [f.criterion for f in verdict.findings]
