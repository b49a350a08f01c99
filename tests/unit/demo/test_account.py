"""Every event is accounted for once; what is taken away or doubled is found."""

from collections.abc import Iterable

import pytest

from demo import summary
from demo.account import Totals
from demo.summary import Run, summarise
from demo.watch import Received, Watch
from stream_app.contract import topics
from stream_app.contract.topics import Topic
from tests import builders, demo_log

EVENTS = len(demo_log.some_of_everything())
RUN = Run(
    market=builders.MARKET,
    currency="USD",
    sent=EVENTS,
    paced_events_per_s=1_000,
    setup_s=1.0,
    run_s=2.0,
)


def watched(records: Iterable[Received]) -> Watch:
    watch = Watch(builders.MARKET)
    for record in records:
        watch.take(record)
    return watch


def at(records: list[Received], topic: Topic, number: int) -> int:
    """Where the `number`-th record of a topic stands."""
    return [place for place, record in enumerate(records) if record.topic is topic][number]


def seen_again(record: Received) -> Received:
    """The same content at another offset: a second copy in the log."""
    return record._replace(offset=record.offset + 100)


def test_an_unbroken_run_loses_nothing_and_shows_nothing_twice() -> None:
    watch = watched(demo_log.received(demo_log.some_of_everything()))

    assert watch.account.lost(EVENTS) == 0
    assert watch.account.totals() == Totals(
        events=13,
        predictions=4,
        rejects=2,
        outcomes=3,
        late=1,  # the orphan, sold ten days before the correction that came first
        duplicates=2,
        visible_twice=0,
    )


def test_the_order_between_topics_does_not_matter() -> None:
    records = demo_log.received(demo_log.some_of_everything())

    watch = watched(sorted(records, key=lambda r: (r.topic is topics.EVENTS, r.offset)))

    assert watch.account.lost(EVENTS) == 0


@pytest.mark.parametrize(
    ("topic", "number", "named"),
    [
        (topics.PREDICTIONS, 0, "1 listing: partition {}, among offsets 0"),
        (topics.PREDICTIONS, 3, "1 listing: partition {}, among offsets 4"),
        (topics.OUTCOMES, 0, "1 sale: partition {}, among offsets 6, 10"),
        (topics.OUTCOMES, 2, "1 correction: partition {}, among offsets 9"),
        (topics.REJECTS, 0, "1 listing: partition {}, among offsets 11"),
        (topics.REJECTS, 1, "1 unreadable: partition {}, among offsets 12"),
    ],
    ids=["prediction", "last prediction", "outcome", "correction", "reject", "unreadable"],
)
def test_a_result_that_is_missing_makes_the_run_fail(topic: Topic, number: int, named: str) -> None:
    records = demo_log.received(demo_log.some_of_everything())
    del records[at(records, topic, number)]

    watch = watched(records)

    assert summary.exit_status(summarise(watch, RUN)) == summary.LOST_OR_DOUBLED
    assert [str(loss) for loss in watch.account.losses(EVENTS)] == [
        named.format(demo_log.PARTITION)
    ]


def test_without_the_control_record_nothing_silent_is_believed() -> None:
    records = demo_log.received(demo_log.some_of_everything())

    watch = watched(record for record in records if record.topic is not topics.STATE)

    # Two duplicates, a withdrawal, an orphan.
    assert watch.account.lost(EVENTS) == 4


def test_an_event_that_was_sent_but_is_not_in_the_topic_is_lost() -> None:
    watch = watched(demo_log.received(demo_log.some_of_everything()))

    assert [str(loss) for loss in watch.account.losses(EVENTS + 1)] == [
        "1 sent, but not in the topic"
    ]


@pytest.mark.parametrize("topic", [topics.PREDICTIONS, topics.OUTCOMES, topics.REJECTS])
def test_a_second_copy_in_the_log_is_visible_twice(topic: Topic) -> None:
    records = demo_log.received(demo_log.some_of_everything())
    records.append(seen_again(records[at(records, topic, 0)]))

    watch = watched(records)

    assert watch.account.totals().visible_twice == 1
    assert watch.account.lost(EVENTS) == 0
    assert summary.exit_status(summarise(watch, RUN)) == summary.LOST_OR_DOUBLED


def test_a_record_that_the_client_reads_again_counts_once() -> None:
    records = demo_log.received(demo_log.some_of_everything())

    watch = watched([*records, *records])

    assert watch.account.totals() == watched(records).account.totals()


def test_lag_is_unknown_until_a_partition_has_told_how_far_it_is() -> None:
    records = demo_log.received(demo_log.some_of_everything())

    events_only = watched(record for record in records if record.topic is topics.EVENTS)

    assert events_only.account.lag() is None
    assert watched(records).account.lag() == 0


def test_latency_is_from_append_to_receipt() -> None:
    watch = watched(demo_log.received(demo_log.some_of_everything()))

    assert watch.view().p50_ms == demo_log.RECEIVED_MS - demo_log.APPENDED_MS
