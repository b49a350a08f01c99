"""The process of a worker: the Faust app around a runner, its signals, its exit status."""

import asyncio
import gc
import logging
import os
import signal
import socket
import threading
from typing import Any, NoReturn

import faust
import uvloop

from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import group_id
from stream_app.shell.consumer import App
from stream_app.shell.runner import EX_OUR_FAULT, Runner

_STOP_WITHIN_S = 5.0
# New objects, less those gone, from one look for cycles to the next; and how many looks at the
# young ones come before one at the older, and of those before one at all. A batch makes thousands
# that its end frees without any look.
_COLLECT_AFTER = (10_000, 20, 50)
_log = logging.getLogger(__name__)


def run(runner: Runner, kafka: KafkaSettings, session_timeout_s: float) -> NoReturn:
    """Run until a signal or a fault ends the process."""
    # A policy, not this loop alone: the consumer fetches on one of its own.
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    app = faust_app(runner, kafka, session_timeout_s)
    worker = Worker(app, loop=loop, quiet=True, override_logging=False, redirect_stdouts=False)
    worker.spinner = None
    threading.excepthook = lambda died: worker.thread_died(died.exc_value)
    loop.run_until_complete(_run(worker))
    end(EX_OUR_FAULT)


def guard_threads() -> None:
    """End the process when a thread dies, from before the first one is started."""

    def died(fault: threading.ExceptHookArgs) -> None:
        _log.critical("a thread died, ending with %d", EX_OUR_FAULT, exc_info=fault.exc_value)
        end(EX_OUR_FAULT)

    threading.excepthook = died


def spare_collector() -> None:
    """Have the garbage collector pass over all that is there by now.

    Imports and models make 200,000 objects that stay. To walk them all took 0.1 s every other
    second of full load, in which nothing else ran: a tenth of the worker's time, and the longest
    waits of all.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


def faust_app(runner: Runner, kafka: KafkaSettings, session_timeout_s: float) -> App:
    """The Faust app of a stage: one agent that passes on what was fetched."""
    app = App(
        group_id(kafka.prefix, runner.stage.NAME),
        broker_client_id=socket.gethostname(),  # so that tools can tell the members apart
        broker=f"aiokafka://{kafka.bootstrap_servers.replace(',', ';')}",
        autodiscover=False,
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=session_timeout_s,
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

    app.agent(topic, name=runner.stage.NAME, concurrency=1)(agent)
    return app


class Worker(faust.Worker):
    """Ends quickly: 0 after SIGTERM, 130 after Ctrl-C, 70 when Faust itself gives up."""

    told_to_stop = False
    let_go = False

    def thread_died(self, error: BaseException | None) -> None:
        """End with 70; but who has let go of all partitions has nothing left to lose."""
        if not self.let_go:
            self.app.runner.fail(error)
        _log.info("a thread did not stop in order", exc_info=error)

    async def _stop_on_signal(self, received: signal.Signals) -> None:
        self.told_to_stop = True
        _log.info("stopping", extra={"signal": received.name})
        try:
            async with asyncio.timeout(_STOP_WITHIN_S):
                await self.app.runner.close()
                self.let_go = True
                await self.stop()  # leaves the group
        except TimeoutError:
            _log.warning("not stopped within %g s; what is committed is safe", _STOP_WITHIN_S)
        end(130 if received is signal.SIGINT else 0)


async def _run(worker: Worker) -> None:
    """Return when Faust gave up. After a signal, _stop_on_signal ends the process."""
    await worker.app.runner.guarded(worker.start())
    if worker.told_to_stop:
        await asyncio.sleep(2 * _STOP_WITHIN_S)  # the signal's own task ends the process
    _log.critical("Faust gave up", exc_info=worker.crash_reason)


def end(code: int) -> NoReturn:
    """End now: threads and open connections have nothing left to lose."""
    logging.shutdown()
    os._exit(code)
