"""What `topics verify` finds, told from values; the live broker is in tests/integration."""

from stream_app.contract.topics import ALERTS, EVENTS, PREDICTIONS, STATE, Topic
from stream_app.shell.topics_admin import Found, differences

WANTED = {"h.events": EVENTS, "h.state": STATE, "h.alerts": ALERTS}


def test_topics_as_wanted_have_no_difference() -> None:
    assert differences(WANTED, _found()) == ()


def test_a_list_in_another_order_is_no_difference() -> None:
    found = {"h.predictions": Found(4, {**PREDICTIONS.config, "cleanup.policy": "delete,compact"})}

    assert differences({"h.predictions": PREDICTIONS}, found) == ()


def test_partitions_follow_those_of_the_source() -> None:
    found = _found() | {"h.events": _as(EVENTS, 6)}

    assert differences(WANTED, found) == ("h.state: 4 partitions, must be 6, as h.events has",)


def test_a_topic_of_one_partition_has_one() -> None:
    found = _found() | {"h.alerts": _as(ALERTS, 4)}

    assert differences(WANTED, found) == ("h.alerts: 4 partitions, must be 1",)


def test_all_differences_are_told_at_once() -> None:
    found = {"h.events": Found(4, {**EVENTS.config, "retention.ms": "1"}), "h.alerts": _as(ALERTS)}

    assert differences(WANTED, found) == (
        "h.state: missing",
        "h.events: retention.ms is 1, must be -1",
    )


def _found() -> dict[str, Found]:
    return {"h.events": _as(EVENTS, 4), "h.state": _as(STATE, 4), "h.alerts": _as(ALERTS)}


def _as(topic: Topic, partitions: int = 1) -> Found:
    return Found(partitions, topic.config)
