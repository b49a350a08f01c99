"""The demo, step by step: each method is one thing that a user would do by hand."""

import time
from collections.abc import Callable
from typing import NamedTuple

import msgspec
from msgspec import Struct

from demo.account import Loss
from demo.ending import shortened
from demo.folders import Folders
from demo.observer import Observer
from demo.plan import Plan
from demo.programs import Program, Programs
from demo.screen import Screen
from demo.summary import Run, Summary, summarise
from demo.watch import Watch
from stream_app.contract.markets import MARKETS
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import DEFAULT_PARTITIONS

ACTIVE_WITHIN_S = 60.0
STUCK_AFTER_S = 60.0

# While the champion is loaded and checked, events trickle: a partition tells which
# champion serves it with the first batch that it makes.
TRICKLE = "100/s"
FINDING_CHARS = 200


class Replayed(Struct):
    """What `producers replay --json` prints, as its last line."""

    events: int  # sent and confirmed


class Trained(Struct):
    """What `offline train --json` prints."""

    version: str


class Told(NamedTuple):
    """What a run came to."""

    summary: Summary
    losses: tuple[Loss, ...]


class Reported(Struct):
    """What `monitoring report --json` prints."""

    findings: tuple[str, ...]


class Workers(NamedTuple):
    """What runs until the end."""

    scorer: Program
    learner: Program
    archiver: Program


class Story:
    """One run. Steps are called in order, once."""

    def __init__(
        self, plan: Plan, kafka: KafkaSettings, folders: Folders, programs: Programs, screen: Screen
    ) -> None:
        self._plan = plan
        self._kafka = kafka
        self._folders = folders
        self._programs = programs
        self._screen = screen
        self._sent = 0

    def tell(self, started_s: float) -> Told:
        """Run all steps but the broker; give what they came to."""
        self._make_topics()
        with Observer(self._kafka, self._plan.market) as observer:
            workers = self._start_workers()
            setup_s = time.monotonic() - started_s
            self._replay_history(observer, workers)
            self._train()
            self._activate(observer, workers)
            observer.ask(Watch.begin_paced)
            self._replay_rest(observer)
            self._settle(observer, workers)
            self._report(workers)
            run = Run(
                market=self._plan.market,
                currency=MARKETS[self._plan.market].currency,
                sent=self._sent,
                paced_events_per_s=self._plan.events_per_s,
                setup_s=round(setup_s, 1),
                run_s=round(time.monotonic() - started_s, 1),
            )
            return observer.ask(
                lambda watch: Told(summarise(watch, run), watch.account.losses(run.sent))
            )

    def _make_topics(self) -> None:
        self._screen.step("Topics")
        self._programs.run("topics", "stream_app", "topics", "create")
        self._screen.say(f"made under the prefix {self._kafka.prefix}")

    def _start_workers(self) -> Workers:
        self._screen.step("Workers: scorer, learner, archiver")
        start = self._programs.start
        return Workers(
            scorer=start("scorer", "stream_app", "supervise", "--stage", "scorer"),
            learner=start("learner", "stream_app", "supervise", "--stage", "learner"),
            archiver=start("archiver", "monitoring", "archive"),
        )

    def _replay_history(self, observer: Observer, workers: Workers) -> None:
        self._screen.step(f"Sales before {self._plan.split}, as fast as they go")
        self._screen.say("no champion yet: the regional median answers, marked degraded")
        span = "--to", self._plan.split, "--speed", "max"
        program = self._programs.start("replay-history", *self._replay(*span))
        self._count_sent(self._programs.finish(program, lambda: self._screen.show(observer.view)))
        self._await_applied(observer, workers, lambda: self._screen.show(observer.view))
        observer.ask(Watch.end_fast)

    def _train(self) -> None:
        self._screen.step(f"Champion: trained on the topic, sales before {self._plan.split}")
        market = "--market", self._plan.market
        until = "--events", "topic", "--train-to", self._plan.split
        program = self._programs.start("train", "offline", "train", *market, *until, "--json")
        printed = self._programs.finish(program, lambda: self._screen.tick("training"))
        self._screen.settle()
        trained = msgspec.json.decode(_last_line(printed), type=Trained)
        first = "--without-gate", "the first champion: there is none to be better than"
        self._programs.run("promote", "offline", "promote", *market, *first, "--json")
        self._screen.say(f"champion {trained.version} is announced")

    def _activate(self, observer: Observer, workers: Workers) -> None:
        """Let events trickle until every partition serves with the champion."""
        self._screen.step("Swap: each partition takes the champion at a batch boundary")
        trickle = self._start_rest("replay-trickle", TRICKLE)
        self._programs.await_(
            lambda: observer.ask(Watch.champion_partitions) == DEFAULT_PARTITIONS,
            ACTIVE_WITHIN_S,
            workers.scorer,
            "activate the champion in all partitions",
        )
        self._programs.stop(trickle)
        self._count_sent(trickle.printed())
        self._await_applied(observer, workers, lambda: None)
        self._screen.say(f"{DEFAULT_PARTITIONS} of {DEFAULT_PARTITIONS} partitions serve with it")

    def _replay_rest(self, observer: Observer) -> None:
        pace = self._plan.events_per_s
        self._screen.step(f"The rest of the sales, {pace:,} events a second")
        program = self._start_rest("replay-rest", f"{pace}/s")
        self._count_sent(self._programs.finish(program, lambda: self._screen.show(observer.view)))

    def _settle(self, observer: Observer, workers: Workers) -> None:
        """Wait until every event is applied and every outcome learned from."""
        self._await_applied(observer, workers, lambda: self._screen.show(observer.view))
        self._programs.await_(
            lambda: observer.ask(Watch.unlearned) == 0,
            STUCK_AFTER_S,
            workers.learner,
            "learn from any more outcomes",
            progress=lambda: observer.ask(Watch.unlearned),
        )

    def _report(self, workers: Workers) -> None:
        plan = self._plan
        self._screen.step(f"Report: {plan.split} to {plan.middle} against {plan.middle} and later")
        self._programs.stop(workers.archiver)
        # It goes on where the one before ended, up to the end of what is there.
        self._programs.run("archive-rest", "monitoring", "archive", "--once")
        windows = "--reference", f"{plan.split}..{plan.middle}", "--current"
        printed = self._programs.run(
            "report",
            *("monitoring", "report", "--market", plan.market),
            *(*windows, f"{plan.middle}..{plan.end}", "--json"),
        )
        reported = msgspec.json.decode(_last_line(printed), type=Reported)
        for finding in reported.findings or ("nothing has shifted",):
            self._screen.say(shortened(finding, FINDING_CHARS))

    def _start_rest(self, name: str, speed: str) -> Program:
        """Replay from the split on; by its checkpoint the second run goes on after the first."""
        span = "--from", self._plan.split, "--to", self._plan.end, "--speed", speed
        checkpoint = "--checkpoint", str(self._folders.run / "rest.checkpoint")
        return self._programs.start(name, *self._replay(*span, *checkpoint))

    def _replay(self, *options: str) -> tuple[str, ...]:
        files = [option for file in self._plan.files for option in ("--file", file)]
        return "producers", "replay", "--source", self._plan.market, *files, *options, "--json"

    def _count_sent(self, printed: str) -> None:
        self._sent += msgspec.json.decode(_last_line(printed), type=Replayed).events

    def _await_applied(
        self, observer: Observer, workers: Workers, show: Callable[[], None]
    ) -> None:
        def is_applied() -> bool:
            show()
            totals, lag = observer.ask(lambda w: (w.account.totals(), w.account.lag()))
            return totals.events >= self._sent and lag == 0

        self._programs.await_(
            is_applied,
            STUCK_AFTER_S,
            workers.scorer,
            "apply any more events",
            progress=lambda: observer.ask(lambda w: (w.account.totals(), w.account.lag())),
        )
        self._screen.settle()


def _last_line(printed: str) -> str:
    return printed.rstrip().rpartition("\n")[2]
