"""Builds a worker of one stage out of its real parts, and runs it.

`bootstrap` makes every part that it is not given: tests pass fakes, or a
publisher with a planted fault. Nothing else opens a connection.
"""

import logging
import os
from collections.abc import Callable, Mapping
from typing import NoReturn

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from stream_app.contract.markets import MARKETS
from stream_app.contract.models import Policy
from stream_app.contract.rejects import OurFault
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import full_name
from stream_app.scoring import champion
from stream_app.shell import logs, source, worker
from stream_app.shell.alarms import alarm
from stream_app.shell.chaos import At, planted, read_faults
from stream_app.shell.metrics import Meter
from stream_app.shell.model_feed import follow, opener
from stream_app.shell.publisher import KafkaPublisher, Publisher
from stream_app.shell.region_store import read_state
from stream_app.shell.runner import EX_OUR_FAULT, Parts, Runner, Stage
from stream_app.shell.settings import StreamSettings
from stream_app.shell.shelf import Shelf
from stream_app.shell.watchdog import THE_GROUP, Seen, Watchdog
from stream_app.stages.step import Serving, read_control

_log = logging.getLogger(__name__)
_NOBODY = Serving()

OpenPublisher = Callable[[Stage, int], Publisher]
Serves = Callable[[], Mapping[str, Serving]]


def bootstrap(
    stage: Stage,
    kafka: KafkaSettings,
    settings: StreamSettings,
    open_publisher: OpenPublisher | None = None,
    serving: Serves | None = None,
    at: At | None = None,
) -> Runner:
    """Build the runner of a stage with its real parts, except those given."""
    at = at or planted(read_faults(settings.chaos))
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers, "log_level": 2})

    def publisher(stage: Stage, partition: int) -> Publisher:
        return KafkaPublisher(kafka, stage.NAME, stage.SOURCE, stage.STATE_TOPIC, partition, at)

    def open_parts(partition: int) -> Parts:
        return _open_parts(stage, kafka, admin, partition, open_publisher or publisher)

    return Runner(
        stage,
        full_name(kafka.prefix, stage.SOURCE),
        settings.batch_max,
        open_parts,
        under(settings.policy(), serving or _follow_models(stage, kafka, settings, admin)),
        at,
        Meter(settings.report_every_s).applied,
    )


def under(policy: Policy, serves: Serves) -> Serves:
    """What serves, for every market and by this policy: also where no model does."""

    def serving() -> Mapping[str, Serving]:
        models = serves()
        return {name: models.get(name, _NOBODY)._replace(policy=policy) for name in MARKETS}

    return serving


def _follow_models(
    stage: Stage, kafka: KafkaSettings, settings: StreamSettings, admin: AdminClient
) -> Serves:
    if not stage.READS_MODELS:
        return dict
    shelf = Shelf(opener(settings), champion.recheck, alarm(kafka))
    follow(admin, kafka, shelf)
    return shelf.serving


def _open_parts(
    stage: Stage,
    kafka: KafkaSettings,
    admin: AdminClient,
    partition: int,
    open_publisher: OpenPublisher,
) -> Parts:
    """Open what a partition needs, the publisher first: it fences the former owner."""
    publisher = open_publisher(stage, partition)
    stored = read_state(admin, kafka, full_name(kafka.prefix, stage.STATE_TOPIC), partition)
    found = source.describe(admin, full_name(kafka.prefix, stage.SOURCE))
    bounds = source.bounds(admin, found.topic, partition)
    control = read_control(stored.records)
    if control is not None:
        source.check_unchanged(found, bounds, partition, control.topic_id, control.applied_offset)
    return Parts(publisher, stored.records, found, bounds.start)


def watch(runner: Runner, kafka: KafkaSettings, settings: StreamSettings) -> Watchdog:
    """Build the watchdog of a runner, with a connection of its own."""
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers, "log_level": 2})

    def look() -> Mapping[int, Seen]:
        number, partitions = runner.reading.assigned
        if partitions is None:
            return {THE_GROUP: Seen(number, None, source.ends(admin, runner.topic, [0])[0])}
        ends = source.ends(admin, runner.topic, partitions)
        reached = runner.next_offsets()
        return {p: Seen(number, reached.get(p), ends[p]) for p in sorted(partitions)}

    return Watchdog(settings.stall_s, look, lambda: os._exit(EX_OUR_FAULT))


def run_worker(
    stage: Stage,
    kafka: KafkaSettings,
    settings: StreamSettings,
    open_publisher: OpenPublisher | None = None,
) -> NoReturn:
    """Run a worker of one stage until a signal or a fault ends the process."""
    logs.start()
    try:
        runner = bootstrap(stage, kafka, settings, open_publisher)
    except (KafkaException, OurFault) as error:
        _log.critical("cannot start", exc_info=error)
        worker.end(EX_OUR_FAULT)
    watch(runner, kafka, settings).start()
    worker.run(runner, kafka, settings.session_timeout_s)
