"""One run: broker, topics, models, workers, load and faults; then the oracle; then the report."""

import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec import Struct

from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import (
    DEFAULT_PARTITIONS,
    EVENTS,
    OUTCOMES,
    TOPICS,
    Topic,
    full_name,
)
from stream_app.shell import topics_admin
from stream_app.shell.runner import EX_OUR_FAULT
from stream_app.shell.settings import StreamSettings
from tests import champions
from tests.chaos import bundles, committed, controls, crew, faults, load, node, oracle, report
from tests.chaos.crew import Crew, Slot
from tests.chaos.faults import World
from tests.chaos.feed import Feed
from tests.chaos.node import OwnBroker
from tests.chaos.oracle import Judged
from tests.chaos.progress import Progress
from tests.chaos.report import Report
from tests.chaos.schedule import (
    BROKER_KINDS,
    LEARNER,
    SCORER,
    Fault,
    ends_explained,
    schedule,
)
from tests.integration.brokers import plain_environment
from tests.waiting import until

PARTITIONS = DEFAULT_PARTITIONS
LEARNERS = 2
_SESSION_TIMEOUT_S = 6.0  # the least that a broker takes
_DRAIN_WITHIN_S = 900.0
# A fault and its recovery take about so long; the load is spread over all of them.
_FAULT_S = 9.0


class Options(Struct, frozen=True):
    """What is asked for."""

    seed: int
    faults: int
    workers: int
    events: int
    control: str | None
    folder: Path


class Run:
    """What happens in a run, and what went wrong with it."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.took_s: list[tuple[str, float]] = []
        self.failures: list[str] = []
        self._started_s = time.monotonic()
        self._whole_system = threading.Lock()  # whoever hurts the broker is alone

    def tell(self, line: str) -> None:
        """Say on stderr what happens."""
        sys.stderr.write(f"{time.monotonic() - self._started_s:7.1f} s  {line}\n")
        sys.stderr.flush()

    def go(self) -> Report:
        """Do all of it."""
        with ExitStack() as stack:
            address, own = stack.enter_context(node.broker(self.options.folder / "broker"))
            self.tell(f"broker at {address}" + ("" if own else ": named, so it is left alone"))
            kafka = stack.enter_context(topics_of_its_own(address))
            settings = StreamSettings(
                model_store=str(self.options.folder / "models"),
                trusted_key=champions.TRUSTED_KEY.hex(),
                session_timeout_s=_SESSION_TIMEOUT_S,
            )
            planned = self._planned(own)
            sent, exits = self._under_load(kafka, settings, own, planned)
            judged = oracle.judge(kafka, settings, PARTITIONS)
        return self._report(judged, planned, sent, exits, "own" if own else "named")

    def _planned(self, own: OwnBroker | None) -> tuple[Fault, ...]:
        options = self.options
        if options.control is not None:
            return controls.faults(options.control, options.seed, options.faults)
        return schedule(options.seed, options.faults, own is not None)

    def _under_load(
        self,
        kafka: KafkaSettings,
        settings: StreamSettings,
        own: OwnBroker | None,
        planned: Sequence[Fault],
    ) -> tuple[int, dict[int, int]]:
        """Run workers, load and faults to their end; give what was sent, and the exits."""
        options = self.options
        rate = options.events / max(10.0, _FAULT_S * len(planned))
        shops = bundles.stock(Path(settings.model_store))
        for market, shop in shops.items():
            bundles.swap(kafka, shop, market)
        with (
            Crew() as workers,
            Progress(kafka, PARTITIONS) as progress,
            Feed(
                kafka,
                load.traffic(options.seed, options.events),
                options.events,
                rate,
                options.seed,
            ) as feed,
        ):
            new_slot = _slots(workers, kafka, settings, options)
            for stage, count in ((SCORER, options.workers), (LEARNER, LEARNERS)):
                for _ in range(count):
                    # Left to the supervisor's thread: a Ctrl-C while a process is being started
                    # would leave one that nobody knows.
                    new_slot(stage).wanted = True
            world = World(kafka, PARTITIONS, workers, progress, own, shops, new_slot)
            self._hurt(planned, world)
            self.tell(f"all faults done; {feed.sent} events sent so far")
            feed.finish()
            self.tell(f"all {feed.sent} events sent")
            _drain(kafka, world)
            self.tell("all applied")
            statuses = workers.stop_all()
            if set(statuses) != {0}:
                self.failures.append(f"after SIGTERM workers ended with {statuses}")
            if workers.strange_exits():
                self.failures.append(f"exit statuses {workers.strange_exits()}")
            ended, explained = (
                workers.exits().get(EX_OUR_FAULT, 0),
                ends_explained(planned, options.workers + LEARNERS),
            )
            if ended > explained:
                self.failures.append(
                    f"{ended} workers ended with {EX_OUR_FAULT}, the faults explain {explained}"
                )
            return feed.sent, workers.exits()

    def _hurt(self, planned: Sequence[Fault], world: World) -> None:
        """Scorers and learners are hurt side by side; whoever hurts the broker is alone."""
        tracks = [
            threading.Thread(target=self._track, args=(faults_, world), daemon=True)
            for stage in (SCORER, LEARNER)
            if (faults_ := [fault for fault in planned if fault.stage == stage])
        ]
        for track in tracks:
            track.start()
        for track in tracks:
            while track.is_alive():
                track.join(0.5)

    def _track(self, planned: Sequence[Fault], world: World) -> None:
        for fault in planned:
            alone = fault.stage == LEARNER or fault.kind in BROKER_KINDS
            with self._whole_system if alone else ExitStack():
                self._inject(fault, world)

    def _inject(self, fault: Fault, world: World) -> None:
        what = f"fault {fault.number}: {fault.kind} of the {fault.stage}"
        try:
            took_s = faults.inject(fault, world)
        except Exception as error:  # noqa: BLE001 - whatever it was, the run is red and goes on
            self.failures.append(f"{what}: {type(error).__name__}: {error}")
            self.tell(f"{what} FAILED: {error}")
            return
        self.took_s.append((fault.kind, took_s))
        self.tell(f"{what}: recovered after {took_s:.1f} s")

    def _report(
        self,
        judged: Judged,
        planned: Sequence[Fault],
        sent: int,
        exits: Mapping[int, int],
        broker: str,
    ) -> Report:
        tally = judged.tally
        if judged.counts["events"] != sent:
            self.failures.append(f"{sent} events were sent, {judged.counts['events']} are there")
        return Report(
            seed=self.options.seed,
            control=self.options.control,
            red=bool(tally.wrong),
            faults=report.by_kind(self.took_s),
            faults_planned=len(planned),
            events=judged.counts["events"],
            counts=dict(sorted(judged.counts.items())),
            lost=tally.lost,
            visible_twice=tally.visible_twice,
            non_identical=tally.non_identical,
            out_of_order=tally.out_of_order,
            wrong_state=tally.wrong_state,
            failures=self.failures,
            recovery=report.recovery(self.took_s),
            worker_exits={str(status): count for status, count in exits.items()},
            duration_s=round(time.monotonic() - self._started_s, 1),
            broker=broker,
            versions=report.versions(),
        )


@contextmanager
def topics_of_its_own(address: str) -> Iterator[KafkaSettings]:
    """Topics under a prefix of this run's own, gone afterwards."""
    kafka = KafkaSettings(bootstrap_servers=address, prefix=f"chaos-{uuid.uuid4().hex[:12]}")
    admin = topics_admin.connect(kafka)
    topics_admin.create(admin, kafka.prefix, PARTITIONS)
    try:
        yield kafka
    finally:
        admin.delete_topics([full_name(kafka.prefix, topic) for topic in TOPICS])


def _slots(
    workers: Crew, kafka: KafkaSettings, settings: StreamSettings, options: Options
) -> Callable[[str], Slot]:
    environment = plain_environment(
        {
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "HOUSING_KAFKA_PREFIX": kafka.prefix,
            "HOUSING_STREAM_MODEL_STORE": settings.model_store,
            "HOUSING_STREAM_TRUSTED_KEY": settings.trusted_key,
            "HOUSING_STREAM_SESSION_TIMEOUT_S": str(settings.session_timeout_s),
            "OMP_NUM_THREADS": "1",
        }
    )

    def new_slot(stage: str) -> Slot:
        command = crew.command(stage)
        if options.control is not None and stage == SCORER:
            command = controls.command(options.control)
        number = len(workers.slots) + len(workers.gone)
        slot = Slot(stage, options.folder / f"{stage}-{number}.log", command, environment)
        workers.slots.append(slot)
        return slot

    return new_slot


def _drain(kafka: KafkaSettings, world: World) -> None:
    """Wait until the scorer has applied all events, then the learner all outcomes."""
    for stage, topic in ((SCORER, EVENTS), (LEARNER, OUTCOMES)):
        until_applied(kafka, stage, topic, world.progress, _DRAIN_WITHIN_S)


def until_applied(
    kafka: KafkaSettings, stage: str, topic: Topic, progress: Progress, within_s: float
) -> None:
    """Wait until a stage has applied the last record of each partition of its source."""
    last = {}
    for partition in range(PARTITIONS):
        for message in committed.read(kafka, topic, partition):
            last[partition] = message.offset()

    def applied() -> bool:
        now = progress.applied(stage)
        return all(now.get(partition, -1) >= offset for partition, offset in last.items())

    until(applied, within_s, f"the {stage} applies all up to {last}")
