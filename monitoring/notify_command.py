"""`python -m monitoring notify`: sends alerts to the log, a webhook, by mail. A thread for each."""

import argparse
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from monitoring import archive_command
from monitoring import settings as own
from monitoring.alerting import sinks, topic
from monitoring.alerting.notifier import Notifier, Pace
from monitoring.alerting.outbox import Storm
from monitoring.alerting.sinks import Sink
from monitoring.broker import NoBroker
from monitoring.settings import MonitoringSettings
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import group_id

FAILED = 1
# `--once` is for a schedule: what is not taken by then is owed, and goes with the next run.
ONCE_WITHIN_S = 30.0


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    notify = commands.add_parser(
        "notify",
        help="send alerts to the log, a webhook, by mail",
        description="Follows housing.alerts and tells each cause once to each sink of section"
        " [notify]: a file of JSON lines, a webhook (POST of JSON with an Idempotency-Key, signed"
        " if a secret is set), mail. At least once: what a sink has not taken is sent again, after"
        " a restart too, under the same id. One that is away holds up no other. What is"
        " acknowledged or snoozed is not sent. Run one; a second one would send all of it twice.",
        epilog="Exit status: 0 stopped or all is sent; 1 no broker, or --once and something is"
        " still owed; 2 a setting is wrong.",
    )
    notify.add_argument(
        "--once", action="store_true", help="send what is owed, for 30 s at most, and exit"
    )
    notify.add_argument("--json", action="store_true", help="print one line of JSON at the end")
    notify.set_defaults(run=run)


@dataclass
class Desk:
    """One sink's thread, and how it went."""

    sink: Sink
    notifier: Notifier
    source: topic.Follower
    done: bool = False
    faults: list[BaseException] = field(default_factory=list)


def run(given: argparse.Namespace, kafka: KafkaSettings, _own: MonitoringSettings) -> int:
    """Send until told to stop, or until nothing is owed."""
    settings = own.notify_from_environment()
    stop = archive_command.stop_on_signals()
    pace = Pace(Storm(settings.singles, settings.window_s), settings.retry_most_s)
    desks = [_open(sink, kafka, pace) for sink in sinks.of_settings(settings)]
    _tell(f"{topic.name_of(kafka)} to {', '.join(desk.sink.name for desk in desks)}")
    threads = [
        threading.Thread(target=_work, args=(desk, stop, given.once), daemon=True) for desk in desks
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():  # so that a signal is heard
            thread.join(0.2)
    return _ended(desks, once=given.once, as_json=given.json)


def _open(sink: Sink, kafka: KafkaSettings, pace: Pace) -> Desk:
    source = topic.Follower(kafka, group_id(kafka.prefix, f"notify-{sink.name}"))
    notifier = Notifier(
        sink,
        source,
        pace,
        now_s=time.monotonic,
        wall_ms=lambda: time.time_ns() // 1_000_000,
        tell=_tell,
    )
    return Desk(sink, notifier, source)


def _work(desk: Desk, stop: threading.Event, once: bool) -> None:
    until_s = time.monotonic() + ONCE_WITHIN_S
    try:
        while not stop.is_set() and not desk.done:
            try:
                desk.notifier.step(last=once)
            except NoBroker as error:
                _tell(f"{desk.sink.name}: {error}; trying on")
                stop.wait(1.0)
            desk.done = once and (desk.notifier.is_done() or time.monotonic() > until_s)
    except BaseException as fault:  # noqa: BLE001 - of a thread; told and raised by the main one
        desk.faults.append(fault)
        stop.set()
    finally:
        desk.source.close()


def _ended(desks: Sequence[Desk], *, once: bool, as_json: bool) -> int:
    for desk in desks:
        for fault in desk.faults:
            raise fault
    figures = {
        desk.sink.name: {"sent": desk.notifier.sent, "owed": desk.notifier.owed()} for desk in desks
    }
    for name, counted in figures.items():
        _tell(f"{name}: {counted['sent']} sent, {counted['owed']} owed")
    if as_json:
        print(msgspec.json.encode(figures).decode())
    all_done = all(desk.notifier.is_done() for desk in desks)
    return FAILED if once and not all_done else 0


def _tell(words: str) -> None:
    print(f"notify: {words}", file=sys.stderr, flush=True)
