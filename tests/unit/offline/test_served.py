"""What served is read from the topics; a corrector is rebuilt up to an outcome."""

from collections.abc import Iterator

import msgspec
import pytest

from offline import replay_plan, served
from offline.faults import WrongInput
from offline.learning import Learning
from offline.replay import interleaved
from offline.replay_options import Spot
from stream_app.contract import wire
from stream_app.contract.predictions import Outcome
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import OUTCOMES
from stream_app.stages.step import Record
from tests import messages, replay
from tests.builders import MARKET
from tests.served_log import served_log

KAFKA = KafkaSettings()


@pytest.fixture
def outcomes(monkeypatch: pytest.MonkeyPatch) -> list[Outcome]:
    """All outcomes of the served log, on a partition that begins at offset 10."""
    found = replay.outcomes(served_log().outputs)

    def records(kafka: KafkaSettings, topic: str, number: int) -> Iterator[Record]:
        for offset, outcome in enumerate(found, start=10):
            yield Record(offset, outcome.market.encode(), wire.encode(outcome), 0)

    monkeypatch.setattr("offline.log.records", records)
    monkeypatch.setattr("offline.log.partitions_of", lambda kafka, topic: [0])
    return found


def learned(outcomes: list[Outcome]) -> Learning:
    learning = Learning()
    for outcome in outcomes:
        learning.learn([wire.encode(outcome)])
    return learning


def test_a_rewound_corrector_knows_what_was_before_the_outcome(outcomes: list[Outcome]) -> None:
    found = served.before(KAFKA, MARKET, Spot(0, 10 + 450), None)

    assert found.outcome == outcomes[450]
    assert found.learning.newest is not None
    assert found.learning.newest == learned(outcomes[:450]).newest


def test_what_a_source_told_before_is_not_learned_either(outcomes: list[Outcome]) -> None:
    outcomes[:100] = [msgspec.structs.replace(o, source="liar") for o in outcomes[:100]]

    found = served.before(KAFKA, MARKET, Spot(0, 10 + 450), "liar")

    assert found.learning.newest == learned(outcomes[100:450]).newest


@pytest.mark.parametrize(
    ("market", "spot"),
    [(MARKET, Spot(0, 9_999)), (MARKET, Spot(0, 3)), ("hdb", Spot(0, 460)), (MARKET, Spot(7, 0))],
    ids=["beyond the end", "before the start", "another market's", "no such partition"],
)
def test_a_place_without_an_outcome_is_named(
    outcomes: list[Outcome], market: str, spot: Spot
) -> None:
    with pytest.raises(WrongInput, match=rf"{OUTCOMES.name} has no"):
        served.before(KAFKA, market, spot, None)


def test_the_range_of_a_rewind_begins_with_the_sale_of_the_outcome() -> None:
    outcome = messages.outcome(listing_id="kc-7", sale_event_id="kc-7:sale:0")
    here = replay_plan.sale_of(outcome)

    found = [p.line.head for p in interleaved(served_log().partitions()) if here(p)]

    assert [(head.kind, head.listing_id) for head in found] == [("sale", "kc-7")]
