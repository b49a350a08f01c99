"""A log whose start moves past a worker that lags behind: it says so, and skips nothing."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import EVENTS, PREDICTIONS, full_name
from stream_app.shell import source
from stream_app.shell.runner import EX_OUR_FAULT
from tests.integration.workers import PARTITIONS, logged, market, publish, until_seen, worker
from tests.waiting import until

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.chaos]

WITHIN_S = 120.0


def test_records_deleted_before_a_lagging_worker_end_it_with_the_remedy(
    kafka: KafkaSettings, environment: Mapping[str, str], log: Path
) -> None:
    # It lags: a fetch holds 1 MB of a partition and another one waits behind it, so that of 5 MB
    # in each, most must still be asked for when they are deleted.
    slow = {"batch_max": "500", "chaos": "before_step:delay=0.5"}
    with worker(environment, log, **slow) as process:
        until(lambda: logged(log, "opened"), WITHIN_S, "it works")
        events = market(listings=5_000)
        for _ in range(4):
            publish(kafka, events, EVENTS)
        until_seen(kafka, PREDICTIONS, 1)
        _delete_all(kafka)
        publish(kafka, market(listings=10, seed=8), EVENTS)

        assert process.wait(WITHIN_S) == EX_OUR_FAULT

    (ending,) = logged(log, "ending with 70")
    assert "records were deleted before they were applied" in str(ending["error"])
    assert "python -m stream_app topics create" in str(ending["error"])


def _delete_all(kafka: KafkaSettings) -> None:
    """Delete what there is of every partition, as retention would."""
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    name = full_name(kafka.prefix, EVENTS)
    ends = [TopicPartition(name, p, source.bounds(admin, name, p).end) for p in range(PARTITIONS)]
    for deleted in admin.delete_records(ends).values():
        deleted.result()
