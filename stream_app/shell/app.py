"""Builds a worker of one stage out of its real parts, and runs it.

`bootstrap` makes every part that it is not given: tests pass fakes, or a
publisher with a planted fault. Nothing else opens a connection.
"""

import asyncio
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import faust
import uvloop
from confluent_kafka.admin import AdminClient

from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import full_name, group_id
from stream_app.shell import logs, source
from stream_app.shell.chaos import At, planted, read_faults
from stream_app.shell.consumer import App
from stream_app.shell.metrics import Meter
from stream_app.shell.model_feed import Shelf, follow, loader
from stream_app.shell.publisher import KafkaPublisher, Publisher
from stream_app.shell.region_store import read_state
from stream_app.shell.runner import EX_OUR_FAULT, Parts, Runner, Stage
from stream_app.shell.settings import StreamSettings
from stream_app.stages.step import Serving, read_control

_STOP_WITHIN_S = 5.0
_log = logging.getLogger(__name__)

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
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})

    def publisher(stage: Stage, partition: int) -> Publisher:
        return KafkaPublisher(kafka, stage.NAME, stage.SOURCE, stage.STATE_TOPIC, partition, at)

    def open_parts(partition: int) -> Parts:
        return _open_parts(stage, kafka, admin, partition, open_publisher or publisher)

    return Runner(
        stage,
        full_name(kafka.prefix, stage.SOURCE),
        settings.batch_max,
        open_parts,
        serving or _follow_models(stage, kafka, settings, admin),
        at,
        Meter(settings.report_every_s).applied,
    )


def _follow_models(
    stage: Stage, kafka: KafkaSettings, settings: StreamSettings, admin: AdminClient
) -> Serves:
    if not stage.READS_MODELS:
        return dict
    shelf = Shelf(loader(settings))
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


def faust_app(runner: Runner, kafka: KafkaSettings) -> App:
    """The Faust app of a stage: one agent that passes on what was fetched."""
    stage = runner.stage
    app = App(
        group_id(kafka.prefix, stage.NAME),
        broker_client_id=socket.gethostname(),  # by which shell/health.py knows us
        broker=f"aiokafka://{kafka.bootstrap_servers.replace(',', ';')}",
        autodiscover=False,
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=10,
        broker_heartbeat_interval=1,
        broker_commit_interval=1.0,
        worker_redirect_stdouts=False,
        stream_wait_empty=True,
    )
    app.runner = runner
    topic = app.topic(
        runner.topic,
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        acks=False,  # the runner knows what is safe: Consumer.force_commit
    )

    async def pass_on(stream: Any) -> None:  # noqa: ANN401 - untyped library
        async for event in stream.events():
            runner.take(event.message.fetched)

    async def agent(stream: Any) -> None:  # noqa: ANN401 - untyped library
        await runner.guarded(pass_on(stream))

    app.agent(topic, name=stage.NAME, concurrency=1)(agent)
    return app


class Worker(faust.Worker):
    """Ends quickly: 0 after SIGTERM, 130 after Ctrl-C, 70 when Faust itself gives up."""

    told_to_stop = False

    async def _stop_on_signal(self, received: signal.Signals) -> None:
        self.told_to_stop = True
        _log.info("stopping", extra={"signal": received.name})
        await self.app.runner.close()
        try:
            await asyncio.wait_for(self.stop(), _STOP_WITHIN_S)  # leaves the group
        except TimeoutError:
            _log.warning("Faust did not stop within %g s; all is safe all the same", _STOP_WITHIN_S)
        _end(130 if received is signal.SIGINT else 0)


def run_worker(stage: Stage, kafka: KafkaSettings, settings: StreamSettings) -> NoReturn:
    """Run a worker of one stage until a signal or a fault ends the process."""
    logging.basicConfig(level=logging.INFO, handlers=[logs.handler()], force=True)
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    runner = bootstrap(stage, kafka, settings)
    threading.excepthook = lambda died: runner.fail(died.exc_value)
    app = faust_app(runner, kafka)
    worker = Worker(app, loop=loop, quiet=True, override_logging=False, redirect_stdouts=False)
    worker.spinner = None
    loop.run_until_complete(_run(worker))
    _end(EX_OUR_FAULT)


async def _run(worker: Worker) -> None:
    """Return when Faust gave up. After a signal, _stop_on_signal ends the process."""
    await worker.app.runner.guarded(worker.start())
    if worker.told_to_stop:
        await asyncio.sleep(2 * _STOP_WITHIN_S)  # the signal's own task ends the process
    _log.critical("Faust gave up", exc_info=worker.crash_reason)


def _end(code: int) -> NoReturn:
    """End now: threads and open connections have nothing left to lose."""
    logging.shutdown()
    os._exit(code)
