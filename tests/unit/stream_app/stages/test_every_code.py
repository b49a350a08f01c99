"""Each reject code and each quality reason, produced by the example that the rules document tells."""

import json
from collections.abc import Mapping

import numpy as np
import pytest

from stream_app.contract.ids import murmur2
from stream_app.contract.models import Overload, RolloutMode, Scope
from stream_app.contract.predictions import QualityReason, Step
from stream_app.contract.rejects import RejectCode
from stream_app.contract.remedies import QUALITY_REMEDIES, REMEDIES
from stream_app.core.features import NAMES
from stream_app.scoring.scope import Limits
from stream_app.stages import scorer
from stream_app.stages.step import Batch, Record, Serving
from tests import builders, replay
from tests.builders import DAY_MS, LISTED_MS, MARKET, REGION, SOLD_MS, listing, sale
from tests.fakes.champion import FakeChampion, served_by

MAY_1_MS = 1_398_902_400_000  # 2014-05-01
PARTITIONS = 4


def raw_record(value: bytes, offset: int = 0, key: str = REGION, taken_ms: int = SOLD_MS) -> Record:
    return Record(offset, key.encode(), value, taken_ms)


def overlaid(example: str) -> Record:
    """The example in braces, put over an event that would be accepted."""
    return raw_record(
        json.dumps(json.loads(builders.raw(listing())) | json.loads(example)).encode()
    )


SOLD_EARLY = [
    replay.record(listing(event_time_ms=MAY_1_MS + 2 * DAY_MS), 0),
    replay.record(sale(event_time_ms=MAY_1_MS), 1),
]
# What no text in braces can show: the record, the ledger, or bytes that are no object.
SHOWN: Mapping[RejectCode, list[Record]] = {
    RejectCode.TOO_LARGE: [
        raw_record(
            json.dumps(
                json.loads(builders.raw(listing())) | {"description": "x" * 1_200_000}
            ).encode()
        )
    ],
    RejectCode.NOT_JSON: [raw_record(REMEDIES[RejectCode.NOT_JSON].example.encode())],
    RejectCode.KEY: [raw_record(builders.raw(listing()), key="kc-98101")],
    RejectCode.FUTURE: [
        raw_record(builders.raw(listing(event_time_ms=LISTED_MS + DAY_MS)), taken_ms=LISTED_MS)
    ],
    RejectCode.SOLD_BEFORE_LISTED: SOLD_EARLY,
    RejectCode.CONFLICT: replay.records([listing(), listing(event_id="another")]),
    RejectCode.OTHER_MARKET: replay.records([listing(), sale(market="hdb")]),
}


@pytest.mark.parametrize("code", [code for code in RejectCode if code is not RejectCode.PARTITION])
def test_the_example_of_a_code_is_refused_with_just_it(code: RejectCode) -> None:
    example = REMEDIES[code].example

    ran = replay.run(scorer.advance, [SHOWN[code] if code in SHOWN else [overlaid(example)]], {})

    assert replay.reject_codes(ran.outputs) == [code]


def test_a_client_that_partitions_otherwise_is_refused_with_just_its_code() -> None:
    foreign = ((murmur2(REGION.encode()) & 0x7FFFFFFF) + 1) % PARTITIONS
    taken = Batch("housing.events", "t", foreign, PARTITIONS, [replay.record(listing())])

    step = scorer.advance(taken, {}, {})

    assert replay.reject_codes(step.outputs) == [RejectCode.PARTITION]


def speechless(version: str) -> FakeChampion:
    return FakeChampion(version, level=float("nan"))


CHAMPION = served_by(FakeChampion())
NEIGHBOUR = listing(listing_id="neighbour")
REFUSED = [
    raw_record(builders.raw(listing(listing_id="bad", area_m2=5_500.0)), offset)
    for offset in range(1, 51)
]


SCOPED = (
    QualityReason.UNSEEN_CATEGORY,
    QualityReason.OUTSIDE_TRAINING,
    QualityReason.OUT_OF_SCOPE,
)


def scoped(reason: QualityReason) -> tuple[list[Record], Mapping[str, Serving]]:
    """A home beyond what the champion says that it was made for."""
    scope = Scope(
        ranges={"home_log_area": (3.0, 7.0)}, property_types=("house",), prices=(1.0, 1e9)
    )
    known = {"home_street_code": {"7": 0.1}}
    limits = Limits(scope, NAMES, known, np.ones(len(NAMES), dtype=np.bool_))
    return (
        [overlaid(QUALITY_REMEDIES[reason].example)],
        served_by(FakeChampion(limits=limits)),
    )


REASONS: Mapping[QualityReason, tuple[list[Record], Mapping[str, Serving]]] = {
    QualityReason.CHALLENGER_UNUSABLE: (
        replay.records([listing()]),
        {
            MARKET: Serving(
                FakeChampion(), challenger=speechless("v3"), mode=RolloutMode.AB, share=1.0
            )
        },
    ),
    QualityReason.NO_CHAMPION: (
        replay.records([NEIGHBOUR, sale(listing_id="neighbour"), listing(event_time_ms=SOLD_MS)]),
        {},
    ),
    QualityReason.CHAMPION_UNUSABLE: (
        replay.records([listing()]),
        {MARKET: Serving(speechless("v2"), previous=FakeChampion())},
    ),
    QualityReason.PREVIOUS_UNUSABLE: (
        replay.records([listing()]),
        {MARKET: Serving(speechless("v2"), previous=speechless("v1"))},
    ),
    QualityReason.NO_REGIONAL_SALES: (replay.records([listing()]), {}),
    QualityReason.NO_INTERVAL: (
        replay.records([listing()]),
        served_by(FakeChampion(scale=None, score_quantile=None)),
    ),
    QualityReason.LATE: (
        replay.records([NEIGHBOUR, listing(event_time_ms=LISTED_MS - 3 * DAY_MS)]),
        CHAMPION,
    ),
    QualityReason.TIME_JUMP: (
        replay.records([NEIGHBOUR, listing(event_time_ms=LISTED_MS + 60 * DAY_MS)]),
        CHAMPION,
    ),
    QualityReason.ALREADY_SOLD: (
        replay.records([sale(), listing(event_time_ms=SOLD_MS)]),
        CHAMPION,
    ),
    QualityReason.REPAIRED: (
        [overlaid(QUALITY_REMEDIES[QualityReason.REPAIRED].example)],
        CHAMPION,
    ),
    QualityReason.PUBLISHER_DOUBTED: (
        [replay.record(NEIGHBOUR), *REFUSED, replay.record(listing(), 51)],
        CHAMPION,
    ),
    **{reason: scoped(reason) for reason in SCOPED},
    QualityReason.OVERLOADED: (
        replay.records([listing()]),
        {MARKET: Serving(FakeChampion(), overload=Overload.REASONS)},
    ),
}


# A rung of the ladder that fails is told with those above it.
BESIDE = {
    QualityReason.PREVIOUS_UNUSABLE: {
        QualityReason.CHAMPION_UNUSABLE,
        QualityReason.NO_REGIONAL_SALES,
    },
    QualityReason.NO_REGIONAL_SALES: {QualityReason.NO_CHAMPION},
}


@pytest.mark.parametrize("reason", QualityReason)
def test_the_example_of_a_reason_is_answered_with_it(reason: QualityReason) -> None:
    taken, models = REASONS[reason]

    said = replay.predictions(replay.run(scorer.advance, [taken], models).outputs)[-1]

    others = set(said.quality_reasons) - {reason}
    assert reason in said.quality_reasons
    assert others == BESIDE.get(reason, set())
    assert (said.price is None) is (said.step is Step.NONE)
