"""Builds a worker of one stage out of its real parts, and runs it.

`bootstrap` makes every part that it is not given: tests pass fakes, or a
publisher with a planted fault. Nothing else opens a connection.
"""

import logging
import os
import threading
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple, NoReturn

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from prometheus_client import CollectorRegistry, ProcessCollector

from stream_app.contract.markets import MARKETS
from stream_app.contract.models import Overload, Policy
from stream_app.contract.rejects import OurFault
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import full_name
from stream_app.scoring import champion
from stream_app.shell import logs, source, web, worker
from stream_app.shell.alarms import alarm
from stream_app.shell.chaos import planted, read_faults
from stream_app.shell.exposition import Exposition
from stream_app.shell.health import Health
from stream_app.shell.journal import Journal
from stream_app.shell.load import Load, lag_events
from stream_app.shell.metrics import Meter
from stream_app.shell.model_feed import follow, opener
from stream_app.shell.publisher import KafkaPublisher, Publisher
from stream_app.shell.region_store import read_state
from stream_app.shell.runner import EX_OUR_FAULT, Applied, Parts, Runner, Stage
from stream_app.shell.settings import StreamSettings
from stream_app.shell.shelf import Shelf
from stream_app.shell.watchdog import THE_GROUP, Seen, Watchdog
from stream_app.stages.step import Serving, read_control

_log = logging.getLogger(__name__)
_NOBODY = Serving()

OpenPublisher = Callable[[Stage, int], Publisher]
Serves = Callable[[], Mapping[str, Serving]]


class Models(NamedTuple):
    """What serves, and the markets whose champion is named and does not."""

    serving: Serves
    unserved: Callable[[], Collection[str]] = tuple


class Built(NamedTuple):
    """A worker, and what watches it."""

    runner: Runner
    watchdog: Watchdog
    health: Health
    registry: CollectorRegistry


def bootstrap(
    stage: Stage,
    kafka: KafkaSettings,
    settings: StreamSettings,
    open_publisher: OpenPublisher | None = None,
    serving: Serves | None = None,
) -> Built:
    """Build a worker of a stage with its real parts, except those given."""
    at = planted(read_faults(settings.chaos))
    admin = _connect(kafka)

    def publisher(stage: Stage, partition: int) -> Publisher:
        return KafkaPublisher(kafka, stage.NAME, stage.SOURCE, stage.STATE_TOPIC, partition, at)

    def open_parts(partition: int) -> Parts:
        parts = _open_parts(stage, kafka, admin, partition, open_publisher or publisher)
        meter.opened(partition, parts.state)
        return parts

    def on_applied(batch: Applied) -> None:
        journal.applied(batch)
        meter.applied(batch)

    meter, journal = Meter(settings.report_every_s), Journal(settings.report_every_s)
    models = Models(serving) if serving else _follow_models(stage, kafka, settings, admin)
    load = Load(lambda: lag_events(dog.newest), settings.overload_lag)
    # Who serves nobody has nothing to leave out.
    overload = load if stage.READS_MODELS else lambda: Overload.NONE
    serves = under(settings.policy(), overload, models.serving)
    topic = full_name(kafka.prefix, stage.SOURCE)
    runner = Runner(stage, topic, settings.batch_max, open_parts, serves, at, on_applied)
    dog = Watchdog(settings.stall_s, _look(runner, _connect(kafka)), lambda: os._exit(EX_OUR_FAULT))
    registry = CollectorRegistry()
    registry.register(Exposition(runner, meter, lambda: dog.newest, serves))
    ProcessCollector(registry=registry)
    return Built(runner, dog, Health(runner, dog, models.unserved), registry)


def _connect(kafka: KafkaSettings) -> AdminClient:
    return AdminClient({"bootstrap.servers": kafka.bootstrap_servers, "log_level": 2})


def under(policy: Policy, load: Callable[[], Overload], serves: Serves) -> Serves:
    """What serves, for every market, by this policy and under this load: also where no model does."""

    def serving() -> Mapping[str, Serving]:
        models, overload = serves(), load()
        return {
            name: models.get(name, _NOBODY)._replace(policy=policy, overload=overload)
            for name in MARKETS
        }

    return serving


def _follow_models(
    stage: Stage, kafka: KafkaSettings, settings: StreamSettings, admin: AdminClient
) -> Models:
    if not stage.READS_MODELS:
        return Models(dict)
    shelf = Shelf(opener(settings), champion.recheck, alarm(kafka))
    follow(admin, kafka, shelf)
    return Models(shelf.serving, shelf.unserved)


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


def _look(runner: Runner, admin: AdminClient) -> Callable[[], Mapping[int, Seen]]:
    """How the watchdog looks, over a connection of its own."""

    def look() -> Mapping[int, Seen]:
        number, partitions = runner.reading.assigned
        if partitions is None:
            return {THE_GROUP: Seen(number, None, source.ends(admin, runner.topic, [0])[0])}
        ends = source.ends(admin, runner.topic, partitions)
        reached = runner.next_offsets()
        return {p: Seen(number, reached.get(p), ends[p]) for p in sorted(partitions)}

    return look


def run_worker(
    stage: Stage,
    kafka: KafkaSettings,
    settings: StreamSettings,
    open_publisher: OpenPublisher | None = None,
    serving: Serves | None = None,
) -> NoReturn:
    """Run a worker of one stage until a signal or a fault ends the process."""
    logs.start(settings.log_level)
    worker.guard_threads()
    try:
        built = bootstrap(stage, kafka, settings, open_publisher, serving)
        health = built.health
        where = (settings.http_host, settings.http_port)
        address = web.serve(*where, health.health, health.ready, built.registry)
    except (KafkaException, OurFault, web.CannotServe) as error:
        _log.critical("cannot start", exc_info=error)
        worker.end(EX_OUR_FAULT)
    _log.info("watched", extra={"address": address, "pages": ["/health", "/ready", "/metrics"]})
    built.watchdog.start()
    watched = (_connect(kafka), built.runner.topic, source.FRESH_START)
    threading.Thread(target=source.watch, args=watched, name="source", daemon=True).start()
    worker.spare_collector()
    worker.run(built.runner, kafka, settings.session_timeout_s)
