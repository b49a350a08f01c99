"""What is promised under death: nothing lost, nothing seen twice, all as in an unbroken run.

On the real broker, with workers as processes. `after_outputs:kill@9` and the like are
planted faults, see stream_app/shell/chaos.py.
"""

import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from stream_app.contract import wire
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import (
    ACTIVATIONS,
    EVENTS,
    LEARNER_STATE,
    MODELS,
    OUTCOMES,
    PREDICTIONS,
    STATE,
    Topic,
    full_name,
)
from stream_app.core.features import NAMES
from stream_app.scoring.corrector import FEATURES
from stream_app.shell.runner import EX_OUR_FAULT
from stream_app.stages.step import read_control
from tests import messages
from tests.integration.oracle import check_exactly_once, folded
from tests.integration.workers import (
    LEARNER,
    PARTITIONS,
    logged,
    market,
    publish,
    read,
    stop,
    until_applied,
    until_seen,
    worker,
)
from tests.waiting import until

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.chaos]

WITHIN_S = 120.0  # plenty: a worker starts in 3 s, a dead one keeps its partitions for 6 s

# Outputs in one transaction, state in a second one afterwards: the planted bug.
SPLIT = (sys.executable, "-m", "tests.integration.split_worker")


def test_three_deaths_leave_everything_as_an_unbroken_run(
    kafka: KafkaSettings, environment: Mapping[str, str], log: Path
) -> None:
    events = market(listings=4_000)
    publish(kafka, events[:4_000], EVENTS)

    for fault in ("after_outputs:delay=0.02,after_outputs:kill@9", "after_commit:kill@9"):
        with worker(environment, log, chaos=fault, batch_max="100") as process:
            assert process.wait(WITHIN_S) == -signal.SIGKILL
    with worker(environment, log, chaos="before_commit:delay=0.1", batch_max="100") as process:
        announce_correctors(kafka)
        publish(kafka, events[4_000:], EVENTS)
        until_seen(kafka, PREDICTIONS, 3_000)
        process.kill()
        process.wait()
    with worker(environment, log) as process:
        until_applied(kafka)
        assert stop(process) == 0

    assert any(read(kafka, ACTIVATIONS, partition) for partition in range(PARTITIONS))
    check_exactly_once(kafka)


def announce_correctors(kafka: KafkaSettings) -> None:
    """Two versions, so that what serves changes while workers run."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    for version in ("1", "2"):
        announced = messages.corrector(
            version=version,
            feature_names=FEATURES,
            **dict.fromkeys(("counts", "variances"), (200.0,) * len(FEATURES)),
            **dict.fromkeys(("means", "weights"), (0.01,) * len(FEATURES)),
        )
        producer.produce(
            full_name(kafka.prefix, MODELS),
            key=f"{announced.market}/corrector/{version}",
            value=wire.encode(announced),
        )
    assert producer.flush(30) == 0


def test_state_outside_of_the_transaction_is_noticed(
    kafka: KafkaSettings, environment: Mapping[str, str], log: Path
) -> None:
    publish(kafka, market(listings=500), EVENTS)

    with worker(environment, log, SPLIT, chaos="after_outputs:kill@6", batch_max="50") as process:
        assert process.wait(WITHIN_S) == -signal.SIGKILL
    with worker(environment, log, SPLIT) as process:
        until_applied(kafka)
        assert stop(process) == 0

    with pytest.raises(AssertionError, match="visible twice"):
        check_exactly_once(kafka)


def test_two_workers_share_the_partitions_and_pass_them_on(
    kafka: KafkaSettings, environment: Mapping[str, str], log: Path
) -> None:
    events = market(listings=1_500)
    publish(kafka, events[:1_500], EVENTS)

    with ExitStack() as workers:
        first, second = (workers.enter_context(worker(environment, log)) for _ in "12")
        until(lambda: _opened(log, first.pid) and _opened(log, second.pid), WITHIN_S, "both work")
        publish(kafka, events[1_500:], EVENTS)
        assert stop(first) == 0
        until_applied(kafka)
        assert stop(second) == 0

    check_exactly_once(kafka)


def test_a_worker_that_comes_and_goes_leaves_no_trace(
    kafka: KafkaSettings, environment: Mapping[str, str], log: Path
) -> None:
    events = market(listings=2_000)

    with worker(environment, log, chaos="before_commit:delay=0.05", batch_max="50") as first:
        for part in range(4):
            publish(kafka, events[part * 1_000 : (part + 1) * 1_000], EVENTS)
            with worker(environment, log, batch_max="50") as second:
                until(partial(_opened, log, second.pid), WITHIN_S, "the second works")
                assert stop(second) == 0
        until_applied(kafka)
        assert stop(first) == 0

    check_exactly_once(kafka)


def _opened(log: Path, pid: int) -> bool:
    return any(line["pid"] == pid and line["partitions"] for line in logged(log, "opened"))


def test_an_undelivered_batch_ends_the_worker_and_shows_nothing(
    kafka: KafkaSettings, environment: Mapping[str, str], log: Path
) -> None:
    set_config(kafka, full_name(kafka.prefix, STATE), "max.message.bytes", "200")
    publish(kafka, market(listings=50), EVENTS)

    with worker(environment, log) as process:
        assert process.wait(WITHIN_S) == EX_OUR_FAULT

    assert logged(log, "ending with 70")
    assert [read(kafka, PREDICTIONS, p) for p in range(PARTITIONS)] == [[]] * PARTITIONS


def set_config(kafka: KafkaSettings, topic: str, name: str, value: str) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    for future in admin.incremental_alter_configs([resource]).values():
        future.result()


def test_a_recreated_source_ends_the_worker_with_the_remedy(
    kafka: KafkaSettings, environment: Mapping[str, str], log: Path
) -> None:
    publish(kafka, market(listings=50), EVENTS)
    with worker(environment, log) as process:
        until_applied(kafka)
        assert stop(process) == 0
    recreate(kafka, full_name(kafka.prefix, EVENTS))

    with worker(environment, log) as process:
        assert process.wait(WITHIN_S) == EX_OUR_FAULT

    (ending,) = logged(log, "ending with 70")
    assert "was created anew" in str(ending["error"])
    assert "python -m stream_app topics create" in str(ending["error"])


@pytest.mark.parametrize(
    ("topic", "remedy"),
    [(EVENTS, "python -m stream_app topics create"), (MODELS, "python -m offline promote")],
    ids=["events", "models"],
)
def test_a_topic_recreated_under_a_worker_ends_it_with_the_remedy(
    kafka: KafkaSettings, environment: Mapping[str, str], log: Path, topic: Topic, remedy: str
) -> None:
    """Without a look at its id, reading would go on in the middle of the new one."""
    publish(kafka, market(listings=50), EVENTS)
    with worker(environment, log) as process:
        until_applied(kafka)
        process.send_signal(signal.SIGSTOP)  # or it may see that there is none, first
        recreate(kafka, full_name(kafka.prefix, topic), PARTITIONS if topic is EVENTS else 1)
        publish(kafka, market(listings=100), EVENTS)
        process.send_signal(signal.SIGCONT)

        assert process.wait(WITHIN_S) == EX_OUR_FAULT

    (ending,) = logged(log, "ending with 70")
    assert "was created anew" in str(ending["error"])
    assert remedy in str(ending["error"])


def recreate(kafka: KafkaSettings, topic: str, partitions: int = PARTITIONS) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    admin.delete_topics([topic])[topic].result()
    until(lambda: topic not in admin.list_topics(timeout=5).topics, WITHIN_S, f"{topic} is gone")
    admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result()


def test_an_aborted_outcome_teaches_nothing(
    kafka: KafkaSettings, environment: Mapping[str, str], log: Path
) -> None:
    name = full_name(kafka.prefix, OUTCOMES)
    producer = Producer(
        {"bootstrap.servers": kafka.bootstrap_servers, "transactional.id": f"{kafka.prefix}-test"}
    )
    producer.init_transactions()
    outcome = messages.outcome(features=(None,) * len(NAMES))
    for value, finish in (
        (b"never seen", producer.abort_transaction),
        (wire.encode(outcome), producer.commit_transaction),
    ):
        producer.begin_transaction()
        producer.produce(name, key=outcome.market, value=value, partition=0)
        producer.flush()
        finish()

    with worker(environment, log, LEARNER) as process:
        until(lambda: read(kafka, LEARNER_STATE, 0), WITHIN_S, "the outcome is learned")
        assert stop(process) == 0

    (seen,) = read(kafka, OUTCOMES, 0)
    control = read_control(folded(read(kafka, LEARNER_STATE, 0)))
    assert control is not None
    assert control.applied_offset == seen.offset
