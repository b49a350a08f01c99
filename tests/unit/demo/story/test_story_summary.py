"""What a variant came to: detected, decided, named, mended, all from what was read."""

from collections.abc import Iterable

import msgspec
import pytest

from demo.story import chapter, summary, telling
from demo.story.chronicle import Chronicle
from demo.story.scenes import QUICK, WHOLE, Scene, Variant
from demo.story.summary import Summary
from demo.watch import Received
from stream_app.contract import topics, wire
from stream_app.contract.alerts import (
    AnyAlertMessage,
    Decision,
    NextStep,
    RequestStatus,
    Trigger,
    WorkStep,
)
from stream_app.contract.predictions import Outcome, Versions
from stream_app.contract.topics import Topic
from tests import builders, messages

DAY_MS = builders.DAY_MS
SHOCK = WHOLE["king-county", Variant.PRICE_SHOCK]
UNIT = WHOLE["king-county", Variant.UNIT_ERROR]
NOTHING = WHOLE["king-county", Variant.NONE]
SHOCK_MS = SHOCK.shock_ms or 0


def chronicle(said: Iterable[AnyAlertMessage | Outcome] = (), scene: Scene = SHOCK) -> Chronicle:
    told = Chronicle(scene)
    for offset, message in enumerate(said):
        is_outcome = isinstance(message, Outcome)
        told.take(received(topics.OUTCOMES if is_outcome else topics.ALERTS, offset, message))
    return told


def received(topic: Topic, offset: int, message: AnyAlertMessage | Outcome) -> Received:
    return Received(topic, 0, offset, 1, 1.0, b"key", wire.encode(message), {})


def sold(number: int, sold_ms: int, sale_price: float, champion: str = "v1") -> Outcome:
    return messages.outcome(
        prediction_id=f"p-{number}",
        sale_event_id=f"e-{number}",
        sold_ms=sold_ms,
        price=100_000.0,
        sale_price=sale_price,
        versions=Versions(champion=champion, corrector=None, feature_set="f"),
    )


def summarised(told: Chronicle, scene: Scene = SHOCK) -> Summary:
    return summary.summarise(scene, told, sent=0, run_s=1.0)


def decided(step: NextStep, at_ms: int, *triggers: Trigger) -> Decision:
    return messages.decision(next_step=step, market_ms=at_ms, triggers=triggers)


PASSED = messages.answered(
    RequestStatus.DONE, step=WorkStep.PROMOTE, version="v2", gate_passed=True, promoted=True
)
GATED = messages.answered(RequestStatus.RUNNING, step=WorkStep.GATE, version="v2")


def held() -> list[AnyAlertMessage | Outcome]:
    """A shock that was noticed after two sales, and mended."""
    return [
        sold(1, SHOCK_MS - DAY_MS, 110_000.0),
        sold(2, SHOCK_MS, 150_000.0),
        sold(3, SHOCK_MS + DAY_MS, 150_000.0),
        messages.alert(raised_ms=SHOCK_MS + DAY_MS),
        decided(NextStep.PREFLIGHT, SHOCK_MS + DAY_MS, Trigger.CONCEPT_DRIFT),
        decided(NextStep.RETRAIN, SHOCK_MS + 2 * DAY_MS, Trigger.CONCEPT_DRIFT),
        GATED,
        PASSED,
        sold(4, SHOCK_MS + 3 * DAY_MS, 150_000.0),
        sold(5, SHOCK_MS + 4 * DAY_MS, 105_000.0, champion="v2"),
        decided(NextStep.CONFIRM, SHOCK_MS + 9 * DAY_MS, Trigger.PROBATION),
    ]


def test_a_shock_that_is_noticed_and_mended_is_told_with_its_figures() -> None:
    told = summarised(chronicle(held()))

    assert told.detected_after_labels == 2
    assert (told.decision, told.retrained, told.promoted) == (NextStep.RETRAIN, True, True)
    assert (told.rolled_back, told.confirmed, told.false_alarms_before) == (False, True, 0)
    assert (told.mae_before, told.mae_during, told.mae_after) == (10_000, 50_000, 5_000)
    assert list(summary.faults(told, SHOCK)) == []


def test_an_alarm_before_anything_happened_is_a_false_one_and_detects_nothing() -> None:
    told = summarised(chronicle([messages.alert(raised_ms=SHOCK_MS - DAY_MS)]))

    assert told.false_alarms_before == 1
    assert told.detected_after_labels is None
    assert list(summary.faults(told, SHOCK)) == ["nobody noticed the shock"]


def test_a_publisher_that_switched_units_is_named() -> None:
    since_ms, where = UNIT.shock_ms or 0, "publisher=agency-b field=area_m2"
    told = summarised(
        chronicle(
            [
                messages.alert(cause="unit", segment=where, raised_ms=since_ms),
                decided(NextStep.CALL_PERSON, since_ms, Trigger.BAD_DATA),
            ]
        ),
        UNIT,
    )

    assert (told.named_publisher, told.decision) == ("agency-b", NextStep.CALL_PERSON)
    assert list(summary.faults(told, UNIT)) == []
    wrong = msgspec.structs.replace(told, named_publisher="agency-a")
    assert list(summary.faults(wrong, UNIT)) == ["agency-a was named, and it was agency-b"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"retrained": False}, "no pre-flight said that a retraining would help"),
        ({"promoted": False}, "did not pass the gate"),
        ({"rolled_back": True}, "rolled back"),
        ({"mae_after": 60_000.0}, "did not get better"),
        ({"mae_after": None}, "no home that the new champion answered was sold"),
        ({"lost": 2}, "2 events lost"),
        ({"visible_twice": 1}, "1 results visible twice"),
    ],
)
def test_a_story_that_did_not_hold_says_why(changed: dict[str, object], words: str) -> None:
    told = msgspec.structs.replace(summarised(chronicle(held())), **changed)

    (fault,) = summary.faults(told, SHOCK)

    assert words in fault


def test_a_model_retrained_on_a_publishers_mistake_is_a_fault() -> None:
    told = summarised(chronicle([GATED]), UNIT)

    assert "a model was retrained on a publisher's mistake" in summary.faults(told, UNIT)


@pytest.mark.parametrize("said", [messages.alert(), GATED], ids=["alarm", "retraining"])
def test_where_nothing_happened_neither_alarm_nor_retraining_is_right(
    said: AnyAlertMessage,
) -> None:
    told = summarised(chronicle([said], NOTHING), NOTHING)

    (fault,) = summary.faults(told, NOTHING)
    assert "nothing had happened" in fault


def test_offline_is_waited_for_until_its_measurement_is_judged() -> None:
    asked = messages.preflight_requested()
    measured = messages.preflight_measured()
    done = messages.answered(RequestStatus.DONE, request_id="p-1", step=WorkStep.PREFLIGHT)
    judged = decided(NextStep.NOTHING, SHOCK_MS, Trigger.SCHEDULE)
    said: list[AnyAlertMessage] = [asked, measured, done, judged]

    waits = [chronicle(said[:n]).is_asked() for n in range(len(said) + 1)]

    assert waits == [False, True, True, True, False]


def test_the_replay_waits_for_a_watcher_that_is_behind() -> None:
    told = chronicle([decided(NextStep.NOTHING, SHOCK_MS)])
    waits = []
    for days in (1, 5, 20):
        event = builders.listing(event_id=f"e-{days}", event_time_ms=SHOCK_MS + days * DAY_MS)
        told.take(Received(topics.EVENTS, 0, days, 1, 1.0, b"key", builders.raw(event), {}))
        waits.append((chapter.awaited(told), chapter.awaited(told, behind_days=12)))

    assert waits == [(None, None), ("the watcher", None), ("the watcher", "the watcher")]


def test_events_that_something_was_planted_into_are_counted_apart() -> None:
    told = chronicle()
    dearer, other = SHOCK.planted[0].region, "kc-98001"
    for offset, (region, at_ms) in enumerate(
        [(dearer, SHOCK_MS - 1), (other, SHOCK_MS), (dearer, SHOCK_MS), (dearer, SHOCK_MS + 1)]
    ):
        event = builders.listing(event_id=f"e-{offset}", region=region, event_time_ms=at_ms)
        told.take(Received(topics.EVENTS, 0, offset, 1, 1.0, b"key", builders.raw(event), {}))
    told.take(received(topics.ALERTS, 0, messages.alert(raised_ms=SHOCK_MS)))

    counted = summarised(told)

    assert (counted.detected_after_events, counted.detected_after_planted) == (2, 1)


def test_a_short_version_is_not_asked_for_a_retraining() -> None:
    short = QUICK["king-county", Variant.PRICE_SHOCK]
    noticed = messages.alert(raised_ms=short.shock_ms)
    waits = decided(NextStep.CALL_PERSON, short.shock_ms or 0, Trigger.CONCEPT_DRIFT)

    assert list(summary.faults(summarised(chronicle([noticed, waits], short), short), short)) == []


def test_the_last_lines_say_what_came_of_it() -> None:
    words = "\n".join(telling.ending(summarised(chronicle(held()))))

    assert "2 sales; before: 0 false alarms" in words
    assert "retrained, promoted, confirmed" in words
    assert "5,000 (4.8 %) with a new champion" in words


def test_what_summary_json_promises_is_there() -> None:
    promised = (
        "market shock detected_after_events detected_after_labels decision reasons retrained"
        " promoted rolled_back named_publisher mae_before mae_during mae_after"
        " false_alarms_before lost visible_twice run_s"
    )

    assert set(promised.split()) <= set(Summary.__struct_fields__)
