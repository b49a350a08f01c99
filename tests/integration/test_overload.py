"""A worker that falls behind says less, never another price, and says all again by itself."""

from collections.abc import Iterator, Sequence
from itertools import count, islice

import pytest

from offline import announced, rollout
from stream_app.contract.events import AnyEvent
from stream_app.contract.models import Overload, RolloutMode
from stream_app.contract.predictions import Prediction, QualityReason
from stream_app.contract.topics import EVENTS
from tests.builders import MARKET, listing
from tests.integration import workers
from tests.integration.oracle import check_exactly_once
from tests.integration.staged import ANNOUNCED, Stage
from tests.integration.workers import PARTITIONS, stop
from tests.waiting import until

pytestmark = [pytest.mark.broker, pytest.mark.slow]

WITHIN_S = 120.0  # plenty: a worker starts in 5 s, a champion is opened in 3
LIMIT = 100  # events
CALM = "kc-calm-"
# Ten events of a partition take 0.2 s and more: 200 a second at most, so that the watchdog,
# which looks every 3 s, sees a backlog of 1,600 on its way down, on a busy machine, too.
SLOW = {"overload_lag": str(LIMIT), "batch_max": "10", "chaos": "before_commit:delay=0.2"}


def test_a_worker_that_is_behind_leaves_things_out_and_comes_back_by_itself(stage: Stage) -> None:
    shadowed(stage)
    backlog = workers.market(listings=1_000)
    calm = listings_after(backlog)
    workers.publish(stage.kafka, backlog, EVENTS)

    with stage.worker(**SLOW) as process:
        until(lambda: Overload.SHADOW in told(stage), WITHIN_S, "it leaves out what it can")
        until(
            lambda: whole_again(stage, list(islice(calm, 8))), WITHIN_S, "it answers in full again"
        )
        assert stop(process) == 0

    short, _ = by_overload(stage.predictions())
    assert short
    assert not any(p.reasons for p in short)
    check_exactly_once(stage.kafka, stage.load)


def listings_after(events: Sequence[AnyEvent]) -> Iterator[AnyEvent]:
    """Homes without end in the regions of these events: how many are needed, the machine says."""
    for number in count():
        yield listing(
            listing_id=f"{CALM}{number}",
            region=events[number % len(events)].region,
            event_time_ms=events[-1].event_time_ms,
            area_m2=60.0 + number % 300,
            grade=7,
        )


def shadowed(stage: Stage) -> None:
    """A champion serves, and a challenger answers beside it, unheard."""
    stage.promote("v1")
    now = announced.read(stage.kafka, MARKET)
    challenger = ANNOUNCED["v3"].announced
    stage.tell(*rollout.roll_out(now, RolloutMode.SHADOW, None, challenger, "test").messages)


def told(stage: Stage) -> set[Overload]:
    """Every level that was ever in force."""
    return {a.overload for p in range(PARTITIONS) for a in stage.activations(p)}


def whole_again(stage: Stage, more: Sequence[AnyEvent]) -> bool:
    """Whether no partition leaves out anything, and one of the calm homes has its reasons.

    `more` come, for a level ends with a batch.
    """
    workers.publish(stage.kafka, more, EVENTS)
    if any(stage.activations(p)[-1].overload is not Overload.NONE for p in range(PARTITIONS)):
        return False
    _, whole = by_overload(stage.predictions())
    return any(p.reasons for p in whole if p.listing_id.startswith(CALM))


def by_overload(predictions: Sequence[Prediction]) -> tuple[list[Prediction], list[Prediction]]:
    short = [p for p in predictions if QualityReason.OVERLOADED in p.quality_reasons]
    return short, [p for p in predictions if p not in short]
